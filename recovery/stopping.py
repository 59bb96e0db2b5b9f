"""Ctrl-C and SIGTERM: one line and an exit status, from the first import to the last thread, and never a traceback.

Goal
    Whoever stops a first run on a terminal reads what became of it.

How
    `end_quietly` is called before anything heavy is imported: a signal then ends the process at once. While `run` has
    it, both signals are a KeyboardInterrupt, so that what was learnt can be kept; the next one ends it at once.

Why the process is left by `os._exit`
    An interpreter that shuts down waits for threads which wait for the network, and a signal in that time prints a
    traceback. What is written is written whole or not at all, and locks go with the process.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

STOPPED = 1
"""Partly done: what is not proven is named by the next run."""

_STOPS = (signal.SIGINT, signal.SIGTERM)


def end_quietly(line: str, status: int = STOPPED) -> None:
    """From now on Ctrl-C and SIGTERM end this process at once, with one line on standard error."""

    def end(_number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(2, f"{line}\n".encode() if line else b"")
        os._exit(status)

    for number in _STOPS:
        signal.signal(number, end)


def run(main: Callable[[], int], line: str) -> int:
    """Run `main`, and return its exit status. Stopped, this process ends here, with `line` on standard error."""
    for number in _STOPS:
        signal.signal(number, signal.default_int_handler)
    sys.unraisablehook = _stop_again
    try:
        status = main()
    except KeyboardInterrupt:
        end_quietly("")
        print(line, file=sys.stderr)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(STOPPED)
    end_quietly("", status)
    return status


def _stop_again(told: sys.UnraisableHookArgs) -> None:
    """A KeyboardInterrupt that met a place which can raise nothing (a finaliser, a callback) comes once more."""
    if not isinstance(told.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(told)
        return
    import _thread
    import threading

    again = threading.Timer(0.05, _thread.interrupt_main)
    again.daemon = True
    again.start()
