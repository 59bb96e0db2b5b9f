"""A real pseudo-terminal for what people run by hand: what it shows, and what Ctrl-C does."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.forked import PROJECT

CTRL_C = b"\x03"


@dataclass(frozen=True)
class Shown:
    """What the terminal showed, and how the command ended; a signal is negative."""

    text: str
    status: int


def on_a_terminal(
    *arguments: str, until: Callable[[str], bool] = lambda _: False, presses: int = 1, timeout: float = 120
) -> Shown:
    """Run `python ARGUMENTS` on a terminal of its own; press Ctrl-C when `until` is true of what it has shown."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(PROJECT)
        os.execv(sys.executable, [sys.executable, *arguments])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    settings = termios.tcgetattr(terminal)
    settings[3] |= termios.NOFLSH  # else a second Ctrl-C throws away what was written and not yet read (termios(3))
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    shown = b""
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            if presses and until(shown.decode(errors="replace")):
                os.write(terminal, CTRL_C)
                presses -= 1
            if select.select([terminal], [], [], 0.02)[0]:
                try:
                    read = os.read(terminal, 65536)
                except OSError:  # Linux's way of saying that the other side is closed
                    break
                if not read:
                    break
                shown += read
        else:
            os.kill(child, 9)
            raise AssertionError(f"still running after {timeout:g} s: {shown.decode(errors='replace')[-2000:]}")
        _, status = os.waitpid(child, 0)
    finally:
        os.close(terminal)
    return Shown(shown.decode(errors="replace"), os.waitstatus_to_exitcode(status))
