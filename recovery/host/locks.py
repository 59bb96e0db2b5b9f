"""Lock files: who holds one is alone with what it stands for, and lets go when it dies."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if sys.platform == "win32":
    from recovery.host import files_windows as system
else:
    from recovery.host import files_posix as system

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class LockedError(RuntimeError):
    """Another process holds the lock."""


@contextmanager
def locked(*files: Path, refusal: str = "") -> Iterator[None]:
    """Hold the first of `files` that can be opened, waiting for it; with a `refusal`, only for a moment.

    Raises
    ------
    LockedError
        With the text of `refusal`, if another holds it.
    OSError
        If none of them can be opened.
    """
    descriptor = _opened(*files)
    _held.add(descriptor)
    try:
        if not _is_taken(descriptor, wait=not refusal):
            raise LockedError(refusal)
        yield
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def is_free(file: Path) -> bool:
    """Whether nobody holds a lock that somebody once held. False where nobody can tell."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    try:
        system.lock(descriptor, shared=True, wait=False)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _is_taken(descriptor: int, *, wait: bool) -> bool:
    """Take the lock; a reader who only looks whether it is free has it for a moment."""
    for pause in (0.02, 0.1, None):
        with suppress(BlockingIOError):
            system.lock(descriptor, wait=wait)
            return True
        if pause is not None:
            time.sleep(pause)
    return False


def _opened(*files: Path) -> int:
    for file in files:
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
        for flags in (os.O_CREAT | os.O_RDWR, os.O_RDONLY):
            with suppress(OSError):
                return os.open(file, flags, 0o600)
    raise OSError(f"no lock file can be made: {' nor '.join(map(str, files))}")


_held: set[int] = set()
"""Descriptors of locks that this process holds."""


def _let_go() -> None:
    """A forked child shares its parent's locks, and would keep them when the parent is killed."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


system.in_forked_child(_let_go)
