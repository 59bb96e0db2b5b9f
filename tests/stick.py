"""A stick that is pulled in the midst of a write: a filesystem of its own, which a real kernel takes away."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

Way = Literal["gone", "unmounted", "read-only"]
WAYS: tuple[Way, ...] = "gone", "unmounted", "read-only"
"""Each answer fails with EIO, as of a device that is not there; its place is an empty folder of the computer's own
disk, as where something unmounts what was pulled; nothing can be written any more, as after an error."""

_SHUT_DOWN, _AT_ONCE = 0x8004587D, 2
"""EXT4_IOC_SHUTDOWN, and that nothing more goes to the disk."""
_CALLS = {"open", "os.mkdir", "os.rename", "os.remove", "os.link", "os.truncate"}


@dataclass
class Stick:
    """Mounted at `place`. `pull_at`: the how manyeth call to it from now on pulls it; 0: none."""

    place: Path
    image: Path
    way: Way = "gone"
    pull_at: int = 0
    calls: int = 0
    is_pulled: bool = field(default=False)

    def plug_in(self) -> None:
        """Anew: what the kernel knew of it is forgotten."""
        while os.path.ismount(self.place):
            self.unmount()
        _run("mount", "-o", "loop", str(self.image), str(self.place))
        self.sync(pull_at=0)

    def unmount(self) -> None:
        _run("umount", str(self.place))

    def sync(self, *, pull_at: int) -> None:
        """What was written is there for good; from now on calls are counted."""
        os.sync()
        self.pull_at, self.calls, self.is_pulled = pull_at, 0, False

    def pull(self) -> None:
        self.is_pulled = True
        if self.way == "unmounted":
            _run("umount", "-l", str(self.place))
        elif self.way == "read-only":
            self.is_pulled = not subprocess.run(
                ["mount", "-o", "remount,ro", self.place], capture_output=True
            ).returncode
        else:
            there = os.open(self.place, os.O_RDONLY)
            fcntl.ioctl(there, _SHUT_DOWN, struct.pack("I", _AT_ONCE))
            os.close(there)

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Before each call that opens, makes, moves or removes something there, by Python's own word (PEP 578)."""
        if event in _CALLS and not self.is_pulled and str(arguments[0]).startswith(f"{self.place}/"):
            self.calls += 1
            if 0 < self.pull_at <= self.calls:
                self.pull()


_sticks: list[Stick] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    for stick in _sticks:
        stick.heard(event, arguments)


@cache
def _listen() -> None:
    sys.addaudithook(_hear)


@contextmanager
def plugged_in(folder: Path, megabytes: int = 64) -> Iterator[Stick]:
    """An empty one."""
    stick = Stick(folder / "stick", folder / "stick.img")
    stick.place.mkdir()
    with stick.image.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    _run("mkfs.ext4", "-q", str(stick.image))
    _listen()
    try:
        stick.plug_in()
        _sticks.append(stick)
        yield stick
    finally:
        _sticks.clear()
        while os.path.ismount(stick.place):
            _run("umount", "-l", str(stick.place))


@cache
def why_no_sticks() -> str:
    """Why this computer cannot try it; empty where it can."""
    try:
        with TemporaryDirectory() as folder, plugged_in(Path(folder), 8) as stick:
            stick.pull()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no stick can be pulled here, which wants root, ext4 and loop devices: {type(error).__name__}"
    return ""


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
