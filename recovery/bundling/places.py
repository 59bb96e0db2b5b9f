"""Where the rescue bundle is kept: copied to each place, read back there, and only then an old one goes.

A place that is not there, or is full, costs that place alone, and keeps what it has. Of a folder only files that are
named as bundles are this program's. Whole ones and those that lack something are counted apart: however many nights the
RT-PACS is silent, the last whole ones stay.
"""

import re
import shutil
from datetime import datetime
from pathlib import Path

from recovery.host.durable import replace, replacing
from recovery.packing.encryption import key_file_of
from recovery.packing.proof import hash_of

HOW_TO_OPEN = "HOW_TO_OPEN.txt"
_INCOMPLETE = "_incomplete"
_OURS = re.compile(r"\.?rbrdt_bundle_\d{4}-\d\d-\d\d_\d{6}(_incomplete)?\.(tar\.gz|key)\.age(\.\d+-\d+)?")
_TOLD = """The rescue bundle of the radiotherapy backup (RBRDT). Each .tar.gz.age is one night's copy of patients.
It is opened by the program age (https://age-encryption.org; keep age.exe on the stick) in a folder on a computer
that may hold patients' data, with Terminal or PowerShell:

  with the private key of a recipient:   age -d -i key.txt -o bundle.tar.gz FILE.tar.gz.age
  with the passphrase:                   age -d -i FILE.key.age -o bundle.tar.gz FILE.tar.gz.age
  then, on Windows, Linux and macOS:     tar -xf bundle.tar.gz

Then open index.html in any browser. Nothing is installed, and no network is needed.
"""


def file_name(made_at: datetime, *, is_whole: bool) -> str:
    """`made_at`: local to the site."""
    return f"rbrdt_bundle_{made_at:%Y-%m-%d_%H%M%S}{'' if is_whole else _INCOMPLETE}.tar.gz.age"


def keep_in(place: Path, bundle: Path, keep: int) -> str:
    """Put a bundle, and its key where it has one, into a place; why that failed, in a sentence; empty where it is
    proven there. Then `keep` of its kind stay, this one among them."""
    try:
        _sweep(place)
        for file in (key_file_of(bundle), bundle):
            if file.is_file():
                _copy(file, place / file.name)
        replace(place / HOW_TO_OPEN, _TOLD.encode())
        others = sorted(
            name
            for name in {path.name for path in place.glob("*.tar.gz.age")} - {bundle.name}
            if _OURS.fullmatch(name) and (_INCOMPLETE in name) is (_INCOMPLETE in bundle.name)
        )
        for name in others[: len(others) - keep + 1] if len(others) >= keep else ():
            (place / name).unlink()
            key_file_of(place / name).unlink(missing_ok=True)
    except OSError as error:
        return f"{place}: {error.strerror or error}. Look whether the disk is there and has room; what was there stays."
    return ""


def _copy(source: Path, target: Path) -> None:
    """Raises `OSError` if it cannot be written, or is another when it is read again."""
    with source.open("rb") as read, replacing(target, private=True) as write:
        shutil.copyfileobj(read, write)
    if hash_of(target) != hash_of(source):
        target.unlink()
        raise OSError("what was written there is read back as something else")


def _sweep(place: Path) -> None:
    """What a run that was killed left half written."""
    for path in place.glob(".rbrdt_bundle_*"):
        if _OURS.fullmatch(path.name):
            path.unlink()
