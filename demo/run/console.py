"""The launcher's terminal: one calm status line, and three keys. Without a terminal: a line now and then.

How
    The terminal is put into cbreak mode and given back as it was. Where Python knows no termios, there are no keys.
"""

from __future__ import annotations

import contextlib
import select
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import termios
    import tty
except ImportError:  # not a POSIX system
    termios = tty = None  # type: ignore[assignment]

_LINE_SECONDS = 10.0
HELP = "k kills the R&V system, r brings it back, q quits"


class Console:
    """Says what goes on, and hears keys."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty() and sys.stdout.isatty() and termios is not None
        self._last_line = 0.0

    @contextlib.contextmanager
    def keys(self) -> Iterator[None]:
        """Hear single keys within; give the terminal back afterwards."""
        if not self.is_terminal:
            yield
            return
        before: Any = termios.tcgetattr(sys.stdin)
        try:
            tty.setcbreak(sys.stdin)
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
            print(flush=True)

    def key(self, seconds: float) -> str:
        """The key pressed within `seconds`, else ''."""
        if not self.is_terminal:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return sys.stdin.read(1) if ready else ""

    def say(self, text: str) -> None:
        """A line that stays."""
        clear = "\r\x1b[K" if self.is_terminal else ""
        print(f"{clear}{text}", flush=True)

    def status(self, text: str) -> None:
        """A line that is written over; without a terminal, one every ten seconds."""
        if self.is_terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{text[:width]}", end="", flush=True)
        elif time.monotonic() - self._last_line > _LINE_SECONDS:
            self._last_line = time.monotonic()
            print(text, flush=True)
