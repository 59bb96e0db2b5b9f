"""The picture cache: objects and volumes that were fetched, so that the next look costs nothing.

One file per object or volume, of a hashed name, because a UID comes from outside. What was not looked at for longest
goes first when the folder grows past its bound. Each bears its SHA-256: an object in its preamble, which PS3.10 section
7.1 leaves to whoever writes it, a volume in its JSON. A damaged file is named, taken as absent and fetched again.
"""

import hashlib
import io
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from recovery.dicom import elements as el
from recovery.dicom.elements import required_uid
from recovery.host.durable import replacing
from recovery.host.seals import sealed_json, unsealed_json
from recovery.pictures.grids import Grid
from recovery.pictures.image_series import ImageVolume

FOLDER = "pictures"
_PREAMBLE = 128
"""Bytes."""

log = logging.getLogger(__name__)


class Shelf:
    """The pictures below one folder, at most `limit_bytes` of them."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._digests: dict[Path, tuple[tuple[int, ...] | None, str]] = {}

    def read(self, sop_instance_uid: str) -> Dataset | None:
        """An object; None where it is not here."""
        path = self._path(sop_instance_uid, "dcm")
        try:
            data = path.read_bytes()
            is_it = data[:_PREAMBLE] == _preamble_of(data[_PREAMBLE:])
            ds = dcmread(io.BytesIO(data)) if is_it else Dataset()
            is_it = is_it and required_uid(ds, "SOPInstanceUID") == sop_instance_uid
        except FileNotFoundError:
            return None
        except el.UNREADABLE:
            is_it = False
        if not is_it:
            self._forget_damaged(path)
            return None
        _touch(path)
        return ds

    def write(self, ds: Dataset) -> None:
        """Keep an object. A disk that takes nothing costs only the next look its speed."""
        path = self._path(required_uid(ds, "SOPInstanceUID"), "dcm")

        def write(file: BinaryIO) -> None:
            encoded = io.BytesIO()
            ds.save_as(encoded, enforce_file_format=True)
            body = encoded.getvalue()[_PREAMBLE:]
            file.write(_preamble_of(body) + body)

        self._write(path, write)

    def read_volume(self, key: str) -> ImageVolume | None:
        """A volume as it was written; its values stay on disk until they are looked at."""
        path = self._path(key, "json")
        try:
            said = unsealed_json(path.read_bytes())
            values: NDArray[Any] = np.load(path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
            coordinates = [np.array(said[axis], dtype=float) for axis in "xyz"]
            window = tuple(said["window"]) if said["window"] else None
            volume = ImageVolume(Grid(values, *coordinates), said["modality"], window, tuple(said["remarks"]))
            fits = values.shape == tuple(len(axis) for axis in reversed(coordinates))
            fits = fits and said["values"] == self._digest(path.with_suffix(".npy"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            fits = False
        if not fits:
            self._forget_damaged(path)
            return None
        _touch(path)
        return volume

    def write_volume(self, key: str, volume: ImageVolume) -> None:
        """Keep a volume; `key` names its content, which therefore never changes."""
        path = self._path(key, "json")
        grid = volume.grid
        said = {
            **{axis: grid.axis(axis).tolist() for axis in "xyz"},
            "modality": volume.modality,
            "window": volume.window,
            "remarks": volume.remarks,
        }
        # The values first: what names them is written when they are whole.
        if self._write(path.with_suffix(".npy"), lambda file: np.save(file, grid.values, allow_pickle=False)):
            said["values"] = self._digest(path.with_suffix(".npy"))
            self._write(path, lambda file: file.write(sealed_json(said).encode()))

    def _digest(self, path: Path) -> str:
        """The SHA-256 of a file's content, read once for each state of it; also marks it as looked at."""
        before, digest = self._digests.get(path, (None, ""))
        if before != _state(path):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        _touch(path)
        self._digests[path] = _state(path), digest
        return digest

    def _write(self, path: Path, write: Callable[[BinaryIO], object]) -> bool:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(path) as file:
                write(file)
        except el.UNREADABLE as error:
            log.warning("a picture is not kept: %s", type(error).__name__)
            return False
        self._make_room(path)
        return True

    def _make_room(self, newest: Path) -> None:
        """Remove what was not looked at for longest, but never what has just been written."""
        files = []
        with suppress(OSError):
            for entry in os.scandir(self.folder):
                stat = entry.stat()
                files.append((stat.st_mtime_ns, stat.st_size, Path(entry.path)))
        size = sum(size for _, size, _ in files)
        for _, bytes_of_it, path in sorted(files):
            if size <= self.limit_bytes:
                return
            if path.stem != newest.stem:
                self._forget(path)
                size -= bytes_of_it

    def _forget_damaged(self, path: Path) -> None:
        log.warning("%s is not what was written: it is fetched again", path)
        self._forget(path)

    def _forget(self, path: Path) -> None:
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def _path(self, name: str, kind: str) -> Path:
        return self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.{kind}"


def _preamble_of(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode().ljust(_PREAMBLE, b"\0")


def _state(path: Path) -> tuple[int, ...]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _touch(path: Path) -> None:
    with suppress(OSError):
        os.utime(path)
