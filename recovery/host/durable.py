"""The one way to write a file that must last: replaced as a whole, or a line appended; and the locks for both.

Replaced: written beside, fsynced, renamed; what a killed writer left beside goes with the next write of that file.
Appended: all of it or none, one writer at a time, fsynced before anybody hears of it. A lock is let go when the process
that holds it dies. It is of a file of its own, `NAME.lock`: Windows lets nobody read what is locked, nor replace what
is open.
"""

import errno
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filelock import lock_descriptor

from recovery.host import system
from recovery.words.refusals import RefusedError

_TAIL_BYTES = 65_536
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)


class LockedError(RefusedError):
    """Another process holds the lock."""

    exit_status = 75


class NoLockError(RefusedError, OSError):
    """No lock can be had: no disk takes its file."""


_GONE = "The disk that was there when it began is gone"
_OF_A_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM)


def refused_by_disk(error: Exception) -> str:
    """That a disk takes or gives nothing, in words without a file's name, which may be a patient's; else empty."""
    if isinstance(error, OSError) and error.errno in _OF_A_DISK:
        return f"A disk of this machine refuses: {os.strerror(error.errno)}. Nothing that was whole before has changed"
    return ""


def replace(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace a file as a whole, or make it; as `replacing`."""
    with replacing(path, private=private) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends well, and is gone when it does not.

    `private`: only its owner may read it, from its first byte on, whatever the umask says.
    """
    _sweep(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    beside.unlink(missing_ok=True)
    mode = 0o600 if private else 0o666
    try:
        with open(beside, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        system.move(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    system.sync_folder(path.parent)


@contextmanager
def staying(folder: Path) -> Iterator[None]:
    """Within, a folder lies on one disk. What was pulled may be unmounted by itself, and an empty folder of this
    computer's own disk is in its place: whoever makes several files would go on there, and prove them.

    Raises `OSError` at the end if it does not, whatever else was raised, or is not there.
    """
    before = folder.stat().st_dev
    try:
        yield
    except Exception as error:
        if _is_on(before, folder):
            raise
        raise OSError(errno.ENODEV, _GONE) from error
    if not _is_on(before, folder):
        raise OSError(errno.ENODEV, _GONE)


def _is_on(device: int, folder: Path) -> bool:
    try:
        return folder.stat().st_dev == device
    except FileNotFoundError:
        return False


def append_line(path: Path, line: bytes, *, private: bool = False) -> None:
    """Add a line; a half line that a crash left behind is closed first."""
    with appending(path, private=private) as descriptor:
        append(descriptor, (b"\n" if torn_end(descriptor) else b"") + line + b"\n")


@contextmanager
def appending(path: Path, *, private: bool = False) -> Iterator[int]:
    """A file's descriptor for `append`, while no other may append to it; the file is made if need be."""
    with locked(_lock_of(path)):
        descriptor = os.open(path, _OPEN | os.O_APPEND, 0o600 if private else 0o666)
        try:
            is_new = not os.fstat(descriptor).st_size
            yield descriptor
            if is_new:
                system.sync_folder(path.parent)
        finally:
            os.close(descriptor)


@contextmanager
def unchanging(path: Path) -> Iterator[None]:
    """Within, nobody appends to a file, which may be replaced. Where nothing can be written, there is nobody."""
    with ExitStack() as stack:
        if path.exists():
            with suppress(OSError):
                stack.enter_context(locked(_lock_of(path)))
        yield


def append(descriptor: int, text: bytes) -> None:
    """Write at the file's end, all of it or none.

    Raises `OSError` if it is not on the disk. What was there before is untouched.
    """
    size = os.fstat(descriptor).st_size
    try:
        _write_whole(descriptor, text)
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


def torn_end(descriptor: int) -> bytes:
    """What stands behind the last newline, of the last 64 KiB; nothing in a file that ends as it should."""
    os.lseek(descriptor, max(0, os.fstat(descriptor).st_size - _TAIL_BYTES), os.SEEK_SET)
    return os.read(descriptor, _TAIL_BYTES).split(b"\n")[-1]


@contextmanager
def locked(*files: Path, refusal: str = "") -> Iterator[None]:
    """Hold the first of `files` that can be opened, waiting for it; with a `refusal`, only for a moment.

    Raises `LockedError`: With the text of `refusal`, if another holds it; `NoLockError` if none of them can be opened.
    """
    descriptor = _opened(*files)
    _held.add(descriptor)
    try:
        if refusal and not _takes(descriptor, 0.02, 0.1):
            raise LockedError(refusal)
        if not refusal:
            lock_descriptor(descriptor)
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
        return _takes(descriptor, 0.02)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _write_whole(descriptor: int, text: bytes) -> None:
    if os.write(descriptor, text) != len(text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _sweep(path: Path) -> None:
    """Delete what killed writers of this file left beside; a writer that is under way is a process."""
    beside = re.compile(rf"\.{re.escape(path.name)}\.(\d+)(?:-\d+)?")
    for other in path.parent.iterdir():
        found = beside.fullmatch(other.name)
        if found and not system.is_running(int(found[1])):
            with suppress(OSError):
                other.unlink()


def _takes(descriptor: int, *pauses: float) -> bool:
    """Take a lock; who only looks whether it is free has it for a moment, and is waited for in these pauses."""
    for pause in pauses:
        if lock_descriptor(descriptor, blocking=False):
            return True
        time.sleep(pause)
    return lock_descriptor(descriptor, blocking=False)


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _opened(*files: Path) -> int:
    for file in files:
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            return os.open(file, _OPEN, 0o600)
    raise NoLockError(f"no lock file can be made: {' nor '.join(map(str, files))}")


_held: set[int] = set()
"""Descriptors of locks that this process holds."""


def _let_go() -> None:
    """A forked child shares its parent's locks, and would keep them when the parent is killed."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


system.in_forked_child(_let_go)
