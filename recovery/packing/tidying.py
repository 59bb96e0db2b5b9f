"""What goes from a folder when a new pack is in place: charts of the one before, and objects that are of none.

Why objects go by whatever name
    File mode treats with what lies in the folder.

Why no chart goes but as it was written
    In an outage people write into a chart where it lies, or lay a signed and scanned one beside it. `--verify` names
    what is not of the pack.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from recovery.folder.sums import UNFINISHED
from recovery.host import system
from recovery.packing.proof import hash_of

_PREAMBLE = 128


def tidy(folder: Path, sums: Mapping[str, str], known: Collection[tuple[str, str]], at: datetime) -> None:
    """Remove what is of an earlier pack, and folders with nothing in them.

    `sums`: hashes of what is of this one, by path; `known`: path and hash of all that was ever written there.
    """
    charts = {where for where, _ in known}
    for path in sorted(folder.rglob("*"), reverse=True):
        where = path.relative_to(folder).as_posix()
        if where.split("/")[0] == UNFINISHED or where in sums:
            continue
        if path.is_file():
            if path.suffix == ".pdf" and where in charts:
                give_way(path, where, known, at)
            elif _is_object(path):
                path.unlink()
        elif path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


def give_way(chart: Path, where: str, known: Collection[tuple[str, str]], at: datetime) -> None:
    """Delete a chart that is what was written; any other keeps all that it says under another name."""
    if not chart.is_file():
        return
    if (where, hash_of(chart)) in known:
        chart.unlink()
    else:
        system.move(chart, chart.with_name(f"{chart.stem}_kept_{at:%Y-%m-%d_%H%M}.pdf"))


def _is_object(path: Path) -> bool:
    """By its name, or as a DICOM file begins (PS3.10 section 7.1)."""
    if path.suffix.lower() == ".dcm":
        return True
    with suppress(OSError), path.open("rb") as file:
        return file.read(_PREAMBLE + 4)[_PREAMBLE:] == b"DICM"
    return False
