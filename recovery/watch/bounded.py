"""Wait for a server no longer than so many seconds in all: its time-outs count from byte to byte, and one that drips
would hold up the next backup for hours."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Said = TypeVar("Said")


def begin(do: Callable[[], Said]) -> Future[Said]:
    """Do something beside the run; a thread that never ends ends with the process."""
    future: Future[Said] = Future()

    def work() -> None:
        try:
            future.set_result(do())
        except Exception as error:  # noqa: BLE001  it is raised where the answer is waited for
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def ended(answer: Future[Said], seconds: float) -> tuple[Said, str] | tuple[None, str]:
    """What came of it, or why nothing did, in words: whatever the error, it costs what was asked and nothing else."""
    try:
        error = answer.exception(seconds)
    except TimeoutError:
        return None, "does not answer in time"
    return (None, f"cannot be read: {type(error).__name__}") if error is not None else (answer.result(), "")


def within(seconds: float, do: Callable[[], Said]) -> Said:
    """What `do` returns.

    Raises `TimeoutError` if it takes longer; else whatever it raises.
    """
    return begin(do).result(seconds)
