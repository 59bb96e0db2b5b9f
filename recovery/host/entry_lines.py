"""What people enter, kept as one JSON line per statement: appended whole, on the disk before anybody hears of it.

How
    Each line bears its own hash: a changed digit makes it a damaged line, never another statement. Lines of earlier
    versions bear none, and are read as they are.

Why beside the cache
    The cache may be deleted and rebuilt at any time; what people said cannot be.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from recovery.host.durable import sync_folder
from recovery.host.seals import JSON_KEY, sealed_json, unsealed_json
from recovery.words.printable import from_json


class EntriesError(OSError):
    """The file cannot be read or written. Its text says which file, why, and what to do."""


def entries_folder(cache_path: Path) -> Path:
    """Where entries are kept: `data/cache` → `data/cache-entries`."""
    return cache_path.with_name(f"{cache_path.name}-entries")


def read_lines(file: Path) -> list[bytes]:
    """All lines that say something; a file that was never written has none.

    Raises
    ------
    EntriesError
        If it is there and cannot be read.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise EntriesError(f"{file} cannot be read: {error.strerror}. Check the rights of its folder.") from error
    return [line for line in lines if line.strip()]


def statement(line: bytes, keys: Collection[str]) -> dict[str, Any]:
    """What a line says, under `keys` and no others.

    Raises
    ------
    ValueError
        If it is not what was written, or of another kind.
    """
    said = unsealed_json(line) if f'"{JSON_KEY}"'.encode() in line else from_json(line)
    if not isinstance(said, dict) or set(said) != set(keys):
        raise ValueError("it is no statement of this kind")
    return said


def append_line(file: Path, said: Mapping[str, object]) -> None:
    """Add a statement; when this returns, it is on the disk.

    Raises
    ------
    EntriesError
        If it cannot be written. What was there before is untouched.
    """
    line = (sealed_json(said) + "\n").encode()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _write_whole(descriptor, line)
        finally:
            os.close(descriptor)
        sync_folder(file.parent)
    except OSError as error:
        why = error.strerror or str(error)
        raise EntriesError(f"Nothing was entered: {file} cannot be written ({why}). Check space and rights.") from error


def _write_whole(descriptor: int, line: bytes) -> None:
    """Append a line, all of it or none; a half line that a crash left behind is closed first."""
    size = os.fstat(descriptor).st_size
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    try:
        _write(descriptor, b"\n" + line if torn else line)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _write(descriptor: int, content: bytes) -> None:
    if os.write(descriptor, content) != len(content):
        raise OSError(errno.ENOSPC, "the disk took only a part of it")
