"""The archive's objects as files: each one whole, or not there at all.

Goal
    After a power cut, a `kill -9` or a full disk, every file under the final name is a complete DICOM object.

How
    Write beside (`.part`), fsync, rename, fsync the directory. What a crash leaves behind is a `.part`, which the
    next start removes.

Why bytes
    An archive that decodes and encodes again may change what it keeps. What was received is what lies here.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from typing import TYPE_CHECKING

from recovery.host import system

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PLAIN_UID = re.compile(r"[0-9][0-9.]{0,63}")


class ArchiveFiles:
    """The folder `objects/` of an archive; files are named by SOP Instance UID."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "objects"
        self.root.mkdir(parents=True, exist_ok=True)

    def path_of(self, sop_instance_uid: str) -> Path:
        """Where the object lies, or would; a UID that is none is hashed, so that it cannot lead elsewhere."""
        digest = hashlib.sha256(sop_instance_uid.encode()).hexdigest()
        name = sop_instance_uid if _PLAIN_UID.fullmatch(sop_instance_uid) else digest
        return self.root / digest[:2] / f"{name}.dcm"

    def write_beside(self, sop_instance_uid: str, content: bytes) -> Path:
        """Write and fsync a `.part` next to the final name, and return its path.

        Raises
        ------
        OSError
            If it cannot be written in full, such as on a full disk. Nothing of it is left.
        """
        path = self.path_of(sop_instance_uid)
        path.parent.mkdir(exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return part

    def put_in_place(self, part: Path, sop_instance_uid: str) -> Path:
        """Give the written file its final name, durably. A former object of the same UID is replaced.

        Raises
        ------
        OSError
            If the directory cannot be changed.
        """
        path = self.path_of(sop_instance_uid)
        system.move(part, path)
        system.sync_folder(path.parent)
        return path

    def remove_leftovers(self) -> int:
        """Delete what a crash left half written; how many."""
        leftovers = list(self.root.glob("*/*.part"))
        for part in leftovers:
            part.unlink(missing_ok=True)
        return len(leftovers)

    def __iter__(self) -> Iterator[Path]:
        return self.root.glob("*/*.dcm")


def dataset_offset(head: bytes) -> int:
    """Where the dataset begins, after preamble and file meta group (PS3.10 section 7.1); `head` is 144 bytes."""
    return 144 + int.from_bytes(head[140:144], "little")
