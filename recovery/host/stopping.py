"""Ctrl-C and SIGTERM: one line and an exit status, from the first import to the last thread, and never a traceback.

How
    `end_quietly` is called before anything heavy is imported: a signal then ends the process at once. While `run` has
    it, both signals are a KeyboardInterrupt, so that what was learnt can be kept; the next one ends it at once.

Why the process is left by `os._exit`
    An interpreter that shuts down waits for threads which wait for the network, and a signal in that time prints a
    traceback; once in some thousand starts a library's own threads end it with "terminate called" after all was done.
    What is written is written whole or not at all, and locks go with the process.
"""

from __future__ import annotations

import _thread
import io
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

STOPPED = 1
"""Partly done: what is not proven is named by the next run."""

GRACE = 5.0
"""Seconds that a stopped run has to end what it has in hand."""

_STOPS = (signal.SIGINT, signal.SIGTERM)


def end_quietly(line: str, status: int = STOPPED) -> None:
    """From now on Ctrl-C and SIGTERM end this process at once, with one line on standard error."""

    def end(_number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(2, f"{line}\n".encode() if line else b"")
        os._exit(status)

    for number in _STOPS:
        signal.signal(number, end)


class _Presses:
    """The first signal is a KeyboardInterrupt, so that what was learnt can be kept; the next one, or `GRACE` seconds,
    ends the process: a list of objects that drip in is not waited for."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.was_pressed = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if self.was_pressed:
            self.say_in_peace()
            os._exit(STOPPED)
        self.was_pressed = True
        _thread.start_new_thread(self._end_soon, ())  # threading's own takes a lock, which the signal may have met
        raise KeyboardInterrupt

    def _end_soon(self) -> None:
        time.sleep(GRACE)
        self.say()
        os._exit(STOPPED)

    def say_in_peace(self) -> None:
        """The line, from the main thread: a further press would end the process before it is written."""
        for number in _STOPS:
            signal.signal(number, signal.SIG_IGN)
        self.say()

    def say(self) -> None:
        """The line, once."""
        with suppress(OSError):
            os.write(2, f"{self.line}\n".encode() if self.line else b"")
        self.line = ""

    def again(self, told: sys.UnraisableHookArgs) -> None:
        """A KeyboardInterrupt that met a place which can raise nothing (a finaliser, a callback) comes once more."""
        if not isinstance(told.exc_value, KeyboardInterrupt):
            sys.__unraisablehook__(told)
            return
        import threading

        self.was_pressed = False
        again = threading.Timer(0.05, _thread.interrupt_main)
        again.daemon = True
        again.start()


def run(main: Callable[[], int], line: str) -> int:
    """Run `main`, and return its exit status; stopped, `STOPPED`, with `line` on standard error. `leave` with it."""
    presses = _Presses(line)
    for number in _STOPS:
        signal.signal(number, presses)
    sys.unraisablehook = presses.again
    _speak_utf8()
    try:
        status = main()
    except BaseException as error:
        if not _is_of_a_press(error):
            raise
        presses.say_in_peace()
        end_quietly("")
        return STOPPED
    end_quietly("", status)
    return status


def _is_of_a_press(error: BaseException | None) -> bool:
    """Python wraps what is raised while a class is made (`__set_name__`, before 3.12), and libraries wrap too."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _speak_utf8() -> None:
    """Into a file or a pipe Windows writes its code page, which lacks most names' letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")


def leave(status: int) -> NoReturn:
    """End this process with a status, once everything that was said is out."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
