"""The picture cache: objects and volumes that were fetched, so that the next look costs nothing.

Goal
    A picture once seen is there at once, also when the RT-PACS is not; the disk does not fill up.

How
    One file per object or volume, written beside, fsynced, renamed. What was not looked at for longest goes first
    when the folder grows past its bound. A damaged file is taken as absent and fetched again.

Why hashed names
    A UID comes from outside and becomes a path here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from recovery.dicom.elements import required_uid
from recovery.dimse.guard import READ_ERRORS
from recovery.host.durable import replace_file
from recovery.pictures.grids import Grid
from recovery.pictures.image_series import ImageVolume

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import Dataset

FOLDER = "pictures"

log = logging.getLogger(__name__)


class Shelf:
    """The pictures below one folder, at most `limit_bytes` of them."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    def read(self, sop_instance_uid: str) -> Dataset | None:
        """An object; None where it is not here."""
        path = self._path(sop_instance_uid, "dcm")
        try:
            ds = dcmread(path)
            is_it = required_uid(ds, "SOPInstanceUID") == sop_instance_uid
        except FileNotFoundError:
            return None
        except (*READ_ERRORS, InvalidDicomError):
            is_it = False
        if not is_it:
            self._forget(path)
            return None
        _touch(path)
        return ds

    def write(self, ds: Dataset) -> None:
        """Keep an object. A disk that takes nothing costs only the next look its speed."""
        path = self._path(required_uid(ds, "SOPInstanceUID"), "dcm")
        self._write(path, lambda beside: ds.save_as(beside, enforce_file_format=True))

    def read_volume(self, key: str) -> ImageVolume | None:
        """A volume as it was written; its values stay on disk until they are looked at."""
        path = self._path(key, "json")
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            values: NDArray[Any] = np.load(path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
            coordinates = [np.array(said[axis], dtype=float) for axis in "xyz"]
            window = tuple(said["window"]) if said["window"] else None
            volume = ImageVolume(Grid(values, *coordinates), said["modality"], window, tuple(said["remarks"]))
            fits = values.shape == tuple(len(axis) for axis in reversed(coordinates))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            fits = False
        if not fits:
            self._forget(path)
            return None
        _touch(path)
        _touch(path.with_suffix(".npy"))
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

        def write_values(beside: Path) -> None:
            with beside.open("wb") as file:  # np.save given a path would add a suffix to its name
                np.save(file, grid.values, allow_pickle=False)

        # The values first: what names them is written when they are whole.
        if self._write(path.with_suffix(".npy"), write_values):
            self._write(path, lambda beside: beside.write_text(json.dumps(said), encoding="utf-8"))

    def _write(self, path: Path, write: Any) -> bool:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, write)
        except (OSError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
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

    def _forget(self, path: Path) -> None:
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def _path(self, name: str, kind: str) -> Path:
        return self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:40]}.{kind}"


def _touch(path: Path) -> None:
    with suppress(OSError):
        os.utime(path)
