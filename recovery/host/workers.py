"""Do many small tasks in processes of this machine, or on other machines by Dask's scheduler.

How
    A few tasks are under way at once; their results come in the order of the tasks, so that many workers write what one
    writes. A task changes nothing but its result: one whose worker died is done again, in a process of this machine.
    Where the scheduler cannot be reached, or is lost on the way, this machine works alone; where it has no fork, by
    one task after the other. No thread waits for a process: what is left early ends its processes at once.
"""

import hashlib
import logging
import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from recovery.host.child_process import asked_beside

Result = TypeVar("Result")

log = logging.getLogger(__name__)

TRIES = 3
LONGEST = 3600.0
"""Seconds that a task is waited for. Its own waits for nodes end long before."""
SCHEDULER_SECONDS = 10
NOT_INSTALLED = "[workers] scheduler needs Dask: `pip install -r requirements-network.txt`. This machine works alone"


class OtherCodeError(RuntimeError):
    """A worker has another version of this project: what it reads might differ, and look altered."""


def worked_off(
    tasks: Iterable[Callable[[], Result]], at_once: int, scheduler: str = ""
) -> Generator[Result, None, None]:
    """Yield the results in the order of the tasks, `at_once` of them under way. Both are pickled.

    Raises what a task raises; `ChildProcessError` for a task that ends every process which does it.
    """
    if at_once < 2:
        for task in tasks:
            yield task()
        return
    left = iter(tasks)
    with _submitter(scheduler) as (submit, lost):
        running = deque((task, submit(task)) for task in islice(left, at_once))
        try:
            while running:
                task, future = running.popleft()
                try:
                    result = future.result(LONGEST)
                except lost as error:
                    log.warning("a worker was lost (%s), and its task is done again here", type(error).__name__)
                    result = _again(task)
                running.extend((task, submit(task)) for task in islice(left, 1))
                yield result
        finally:
            for _, future in running:
                future.cancel()


@contextmanager
def _submitter(scheduler: str) -> Iterator[tuple[Callable[[Callable[[], Any]], Any], tuple[type[BaseException], ...]]]:
    """What takes a task, and how it says that a worker was lost."""
    client = _client(scheduler) if scheduler else None
    if client is None:
        yield _Beside, (ChildProcessError,)
        return
    from distributed.client import ClosedClientError
    from distributed.scheduler import KilledWorker

    def submit(task: Callable[[], Any]) -> Any:
        with suppress(ClosedClientError):
            return client.submit(_Sealed(pickle.dumps(task), code_digest()), pure=False)
        return _Beside(task)

    # A time-out and a broken line are OSErrors; of other code, a worker may lack what is named.
    lost = (KilledWorker, CancelledError, OSError, OtherCodeError, ImportError, AttributeError)
    with client:
        yield submit, lost


def _client(scheduler: str) -> Any:
    """None where there is none."""
    try:
        from distributed import Client
    except ImportError:
        log.warning(NOT_INSTALLED)
        return None
    with ExitStack() as stack:
        try:
            client: Any = Client(scheduler, timeout=SCHEDULER_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
            stack.callback(client.close)
            client.wait_for_workers(1, timeout=SCHEDULER_SECONDS)
        except OSError as error:
            log.warning("[workers] scheduler %s cannot be reached, or has no workers: this machine works alone (%s)",
                        scheduler, type(error).__name__)  # fmt: skip
            return None
        stack.pop_all()
        return client


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A task for another machine: no log there shows whom it is about, and it is opened by the same code alone."""

    task: bytes = field(repr=False)
    code: str

    def __call__(self) -> Any:
        if code_digest() != self.code:
            raise OtherCodeError("this worker has another version of the project")
        return pickle.loads(self.task)()  # noqa: S301  whoever reaches a worker runs what he likes there anyway


@cache
def code_digest() -> str:
    """What this process runs, in short: other code may read the same object otherwise."""
    root = Path(__file__).parents[2]
    files = sorted(one for room in ("recovery", "backup_jobs") for one in (root / room).rglob("*.py"))
    lines = (one.read_bytes().replace(b"\r\n", b"\n") for one in files)
    return hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in lines)).hexdigest()


class _Beside:
    """A task in a process of its own, which begins at once."""

    def __init__(self, task: Callable[[], Any]) -> None:
        self._stack = ExitStack()
        self._answer = self._stack.enter_context(asked_beside(task))

    def result(self, _timeout: float) -> Any:
        with self._stack:
            return self._answer()

    def cancel(self) -> None:
        self._stack.close()


def _again(task: Callable[[], Result]) -> Result:
    """Never in this process: what ended others might end it too."""
    for _ in range(TRIES - 1):
        with suppress(ChildProcessError), asked_beside(task) as answer:
            return answer()
    raise ChildProcessError(f"a task ended {TRIES} processes, one after the other")
