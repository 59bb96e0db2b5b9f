"""What goes from a folder when a new pack is in place: charts of the one before, and objects that are of none.

Why objects go by whatever name
    File mode treats with what lies in the folder.

Why a chart may stay
    One that this program did not write may be one that somebody signed and scanned, or filled in on a computer under
    the name that this program gave it. `--verify` names it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from recovery.host import system
from recovery.packing.proof import UNFINISHED, hash_of

_PREAMBLE = 128


def tidy(folder: Path, sums: Mapping[str, str], before: Collection[str] | None) -> None:
    """Remove what is of an earlier pack, and folders with nothing in them.

    `sums`: what is of this one, by path; `before`: what was written last time, None where nobody knows, for that run
    did not end.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        where = path.relative_to(folder).as_posix()
        if where.split("/")[0] == UNFINISHED or where in sums:
            continue
        if path.is_file():
            is_chart = path.suffix == ".pdf" and (before is None or where in before)
            if is_chart or _is_object(path):
                path.unlink()
        elif path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


def keep_filled_in(folder: Path, before: Mapping[str, str], at: datetime) -> None:
    """Give each chart that is not what was written, as `before` has its hash, a name under which no run replaces it."""
    for where, sha256 in before.items():
        chart = folder / where
        if chart.suffix == ".pdf" and chart.is_file() and hash_of(chart) != sha256:
            system.move(chart, chart.with_name(f"{chart.stem}_filled_in_until_{at:%Y-%m-%d_%H%M}.pdf"))


def _is_object(path: Path) -> bool:
    """By its name, or as a DICOM file begins (PS3.10 section 7.1)."""
    if path.suffix.lower() == ".dcm":
        return True
    with suppress(OSError), path.open("rb") as file:
        return file.read(_PREAMBLE + 4)[_PREAMBLE:] == b"DICM"
    return False
