"""The launcher's terminal: one calm status line, and three keys. Without a terminal: a line now and then.

How
    On Linux and macOS the terminal is put into cbreak mode and given back as it was; Windows is asked for each key.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE_SECONDS = 10.0
HELP = "k kills the R&V system, r brings it back, q quits"


class Console:
    """Says what goes on, and hears keys."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._last_line = 0.0

    @contextlib.contextmanager
    def keys(self) -> Iterator[None]:
        """Hear single keys within; give the terminal back afterwards."""
        with _single_keys() if self.is_terminal else contextlib.nullcontext():
            yield

    def key(self, seconds: float) -> str:
        """The key pressed within `seconds`, else ''."""
        if self.is_terminal:
            return _next_key(seconds)
        time.sleep(seconds)
        return ""

    def say(self, text: str) -> None:
        """A line that stays."""
        print(f"\r{text:<{self._width()}}" if self.is_terminal else text, flush=True)

    def status(self, text: str) -> None:
        """A line that is written over; without a terminal, one every ten seconds."""
        if self.is_terminal:
            print(f"\r{text[: self._width()]:<{self._width()}}", end="", flush=True)
        elif time.monotonic() - self._last_line > _LINE_SECONDS:
            self._last_line = time.monotonic()
            print(text, flush=True)

    @staticmethod
    def _width() -> int:
        return shutil.get_terminal_size().columns - 1


if sys.platform == "win32":
    import msvcrt

    def _single_keys() -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def _next_key(seconds: float) -> str:
        time.sleep(seconds)
        return msvcrt.getwch() if msvcrt.kbhit() else ""

else:
    import select
    import termios
    import tty

    @contextlib.contextmanager
    def _single_keys() -> Iterator[None]:
        before = termios.tcgetattr(sys.stdin)
        try:
            tty.setcbreak(sys.stdin)
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
            print(flush=True)

    def _next_key(seconds: float) -> str:
        return sys.stdin.read(1) if select.select([sys.stdin], [], [], seconds)[0] else ""
