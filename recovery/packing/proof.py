"""What proves a pack: its list of checksums, which `sha256sum -c` reads, and its own list of what lies where.

`PACK.json` bears its own hash and names each object of each folder; `SHA256SUMS` has every file. Both are written last.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from recovery.dicom import elements as el
from recovery.folder.sums import SUMS, UNFINISHED, UNSIGNED, is_object, is_signed_by, read_sums
from recovery.host.seals import SealError, unsealed_json
from recovery.packing.contents import read_object

MANIFEST = "PACK.json"
EARLIER = "earlier."
"""How the lists of runs that did not end begin, in what the next one leaves unfinished."""


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What lies where; None where there is no pack, or it is not what was written. Raises `OSError` if the disk does
    not give it."""
    try:
        return unsealed_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, IsADirectoryError, SealError):
        return None


def written(folder: Path) -> dict[str, str]:
    """Hashes of what this program wrote into a folder, by path; none where that cannot be told. Raises as
    `read_manifest`."""
    return _written(folder / SUMS)


def _written(sums: Path) -> dict[str, str]:
    try:
        return read_sums(sums.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError, ValueError):
        return {}


def known(folder: Path) -> frozenset[tuple[str, str]]:
    """Path and hash of what this program wrote into a folder, by its lists and by those of runs that did not end."""
    staging = folder / UNFINISHED
    lists = [folder / SUMS, staging / SUMS, *staging.glob(f"{EARLIER}*")]
    told = read_manifest(folder) or {"folders": ()}
    charts = ((f"{entry['folder']}.pdf", entry["chart"]) for entry in told["folders"])
    return frozenset([*charts, *(pair for file in lists for pair in _written(file).items())])


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def faults_of(folder: Path, digests: Mapping[str, str], public_keys: Iterable[str] = ()) -> Iterator[str]:
    """What of a pack is not what was written, a sentence each. `digests`: of objects as they were first read, by UID:
    who forged a file and its checksum has not forged those. `public_keys`: one of these signed it; none: anybody may.

    Raises `OSError` if the pack cannot be read.
    """
    if (folder / UNFINISHED).exists():
        yield f"{UNFINISHED} lies in it: somebody was writing it and did not end. Make it again."
    if not (folder / SUMS).is_file():
        yield f"there is no {SUMS}: this is no pack, or half of one"
        return
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
        sums = read_sums(text)
    except ValueError:
        yield f"{SUMS} is damaged"
        return
    if public_keys and not is_signed_by(text, public_keys):
        yield UNSIGNED
    if read_manifest(folder) is None:
        yield f"{MANIFEST} is not what was written"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    there = {path for path in there if not path.startswith(f"{UNFINISHED}/")} - {SUMS}
    links = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink())
    yield from (f"{path} is a link, and was not put there by this program" for path in links)
    yield from (f"{path} is not there" for path in sorted(sums.keys() - there))
    yield from (f"{path} was not put there by this program" for path in sorted(there - sums.keys()))
    for path in sorted(there & sums.keys()):
        if hash_of(folder / path) != sums[path]:
            yield f"{path} is not what was written"
        elif is_object(path) and (why := forged((folder / path).read_bytes(), digests)):
            yield f"{path} {why}"


def forged(data: bytes, digests: Mapping[str, str]) -> str:
    """Why the bytes of a file are not the object that was proven; empty where they are, or nothing is known of it."""
    try:
        one = read_object("", data)
    except el.UNREADABLE:
        return "cannot be read as DICOM"
    return "" if digests.get(one.uid, one.digest) == one.digest else "is not what the RT-PACS held when it was proven"
