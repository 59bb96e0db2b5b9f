"""Every file of the cache bears the SHA-256 of its own content: a flipped bit is found when it is read.

A parquet file has its hash in its footer, made as if 64 zeros stood there; a JSON object under its last key. Both
travel inside their file: no crash, copy or rename parts them. Beside the hash of a table that the jobs wrote stands
their signature of it, which the hash leaves out. Parquet's own page checksums leave out the footer, which
says when a table was taken and where its columns lie.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from recovery.host.durable import replace
from recovery.words.printable import from_json, without_halves

KEY = "rbrdt.sha256"
BLANK = "0" * 64
"""What stands in the seal's place while the hash is made."""

SIGNED = "rbrdt.signed"
NOT_SIGNED = "=" * 88
"""What stands in the signature's place while the hash is made: base64 of 64 bytes."""

JSON_KEY = "sha256"

_PLACE = re.compile(rb"rbrdt\.sha256\x18\x40([0-9a-f]{64})")
"""A key and a value of 64 bytes, as a parquet footer writes them (Thrift's compact protocol)."""


class SealError(ValueError):
    """A file is not what was written. Its text says so, without its name."""


_SIGNATURE = re.compile(rb"rbrdt\.signed\x18\x58([A-Za-z0-9+/=]{88})")


def sealed(parquet: bytes, sign: Callable[[bytes], str] | None = None) -> bytes:
    """A parquet file whose footer has `BLANK` under `KEY`, with its hash there instead, and under `SIGNED`, where it
    has that, what `sign` makes of the hash.

    Raises `SealError` if there is no place for it.
    """
    file, digest = bytearray(parquet), _digest(parquet)
    file[slice(*_place(parquet))] = digest
    if sign is not None and (place := _signature(parquet)) is not None:
        file[slice(*place)] = sign(digest).encode()
    return bytes(file)


def check_parquet(data: bytes) -> None:
    """Compare a parquet file with its seal. Raises `SealError` if it has none, or was changed after it was written."""
    if _digest(data) != data[slice(*_place(data))]:
        raise SealError("it was changed after it was written: its SHA-256 is not the one inside")


def signature_in(data: bytes) -> tuple[bytes, str]:
    """What the jobs sign of a parquet file, and the signature that it bears; empty where it bears none.

    Raises `SealError` as `check_parquet` does.
    """
    check_parquet(data)
    place = _signature(data)
    return data[slice(*_place(data))], data[slice(*place)].decode() if place is not None else ""


def _digest(parquet: bytes) -> bytes:
    """The hash of a file as if nothing stood where hash and signature do."""
    blanks = [
        (*_place(parquet), BLANK),
        *([(*place, NOT_SIGNED)] if (place := _signature(parquet)) is not None else []),
    ]
    digest, view, at = hashlib.sha256(), memoryview(parquet), 0
    for start, end, blank in sorted(blanks):
        digest.update(view[at:start])
        digest.update(blank.encode())
        at = end
    digest.update(view[at:])
    return digest.hexdigest().encode()


def check_file(path: Path) -> None:
    """As `check_parquet`, once for each state of a file on disk and process.

    Raises `SealError` as `check_parquet` does; `OSError` if it cannot be read.
    """
    stat = path.stat()
    _check_file(path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@lru_cache(maxsize=256)
def _check_file(path: Path, *_state: int) -> None:
    check_parquet(path.read_bytes())


def sealed_json(content: Mapping[str, object]) -> str:
    """A JSON object on one line, with the hash of the rest under its last key."""
    whole = without_halves(dict(content))
    return json.dumps({**whole, JSON_KEY: _hash(whole)}, ensure_ascii=False)


def unsealed_json(text: str | bytes) -> dict[str, Any]:
    """What `sealed_json` was given. Raises `SealError` if it is something else, or was changed after it was written."""
    try:
        said = from_json(text)
        seal = said.pop(JSON_KEY)
        is_whole = seal == _hash(said)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise SealError("it is not what was written") from error
    if not is_whole:
        raise SealError("it was changed after it was written: its SHA-256 is not the one inside")
    return dict(said)


def checked_json(text: str | bytes, keys: Collection[str] | None = None) -> dict[str, Any]:
    """As `unsealed_json`; what an earlier version wrote bears no hash, and is taken as it is.

    Raises `SealError` if it was changed after it was written, is no JSON object, or says something else than `keys`.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
        said = unsealed_json(text) if f'"{JSON_KEY}": "'.encode() in data else from_json(text)
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, SealError) else SealError("it is not what was written") from error
    if not isinstance(said, dict) or (keys is not None and said.keys() != set(keys)):
        raise SealError("it is not what was written, or of another version")
    return said


def write_json(path: Path, content: Mapping[str, object], *, private: bool = False) -> None:
    """Replace a file by a JSON object that bears its hash; as `durable.replace`."""
    replace(path, (sealed_json(content) + "\n").encode(), private=private)


def _place(parquet: bytes) -> tuple[int, int]:
    """Where the seal stands: the last one, because a table's values come before its footer's own texts."""
    found = parquet.rfind(KEY.encode())
    match = _PLACE.match(parquet, found) if found >= 0 else None
    if match is None:
        raise SealError("it is damaged, or of another version: it bears no SHA-256 of its own")
    return match.span(1)


def _signature(parquet: bytes) -> tuple[int, int] | None:
    """Where the signature stands, the last one as with the seal."""
    found = parquet.rfind(SIGNED.encode())
    match = _SIGNATURE.match(parquet, found) if found >= 0 else None
    return match.span(1) if match is not None else None


def _hash(content: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
