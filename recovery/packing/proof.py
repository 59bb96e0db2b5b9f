"""What proves a pack: its list of checksums, which `sha256sum -c` reads, and its own list of what lies where.

`PACK.json` bears its own hash and names each object of each folder; `SHA256SUMS` has every file. Both are written last.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recovery.dicom import elements as el
from recovery.host.seals import SealError, unsealed_json
from recovery.packing.contents import read_object

SUMS, MANIFEST, UNFINISHED = "SHA256SUMS", "PACK.json", "UNFINISHED_do_not_use"
EARLIER = "earlier."
"""How the lists of runs that did not end begin, in what the next one leaves unfinished."""
_OF_FILE_SET = re.compile(r"PT\d{6}/.+")
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\\][^\\]*)")


def sums_text(sums: Mapping[str, str]) -> str:
    """As `sha256sum` writes it; `sums`: hashes by path, with / on every system."""
    return "".join(f"{sums[path]}  {path}\n" for path in sorted(sums))


def read_sums(text: str) -> dict[str, str]:
    """Hashes by path. Raises `ValueError` if a line is none, or leaves the pack."""
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or ".." in match[2].split("/"):
            raise ValueError(f"{SUMS} is damaged")
        found[match[2]] = match[1]
    return found


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What lies where; None where there is no pack, or nobody can tell."""
    try:
        return unsealed_json((folder / MANIFEST).read_bytes())
    except (OSError, SealError):
        return None


def written(folder: Path) -> dict[str, str]:
    """Hashes of what this program wrote into a folder, by path; none where that cannot be told."""
    return _written(folder / SUMS)


def _written(sums: Path) -> dict[str, str]:
    try:
        return read_sums(sums.read_text(encoding="utf-8"))
    except (OSError, ValueError):
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


def faults_of(folder: Path, digests: Mapping[str, str]) -> Iterator[str]:
    """What of a pack is not what was written, a sentence each. `digests`: of objects as they were first read, by UID:
    who forged a file and its checksum has not forged those.

    Raises `OSError` if the pack cannot be read.
    """
    if (folder / UNFINISHED).exists():
        yield f"{UNFINISHED} lies in it: somebody was writing it and did not end. Make it again."
    if not (folder / SUMS).is_file():
        yield f"there is no {SUMS}: this is no pack, or half of one"
        return
    try:
        sums = read_sums((folder / SUMS).read_text(encoding="utf-8"))
    except ValueError:
        yield f"{SUMS} is damaged"
        return
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


def is_object(path: str) -> bool:
    """Whether a file is a DICOM object, by its name: one of a file-set has no ending (PS3.10 section 8.2)."""
    return path.endswith(".dcm") or _OF_FILE_SET.fullmatch(path) is not None


def forged(data: bytes, digests: Mapping[str, str]) -> str:
    """Why the bytes of a file are not the object that was proven; empty where they are, or nothing is known of it."""
    try:
        one = read_object("", data)
    except el.UNREADABLE:
        return "cannot be read as DICOM"
    return "" if digests.get(one.uid, one.digest) == one.digest else "is not what the RT-PACS held when it was proven"
