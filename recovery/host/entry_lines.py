"""What people enter, kept as one JSON line per statement: appended whole, on the disk before anybody hears of it.

Why beside the cache
    The cache may be deleted and rebuilt at any time; what people said cannot be.

Why damaged lines are counted
    A crash can leave half a line at the end, which was never acknowledged. But a damaged line could also be a lost
    decision, so whoever reads one says so.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import TypeAdapter

from recovery.host.durable import append_line
from recovery.host.seals import checked_json, sealed_json
from recovery.words.refusals import RefusedError


class EntriesError(RefusedError, OSError):
    """The file cannot be read or written. Its text says which file, why, and what to do."""


def entries_folder(cache_path: Path) -> Path:
    """Where entries are kept: `data/cache` → `data/cache-entries`."""
    return cache_path.with_name(f"{cache_path.name}-entries")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person said and signed. `FILE`: the name of the file of its kind."""

    FILE: ClassVar[str]


Entry = TypeVar("Entry", bound=Statement)


def file_of(cache_path: Path, kind: type[Statement]) -> Path:
    """Where statements of a kind are kept: `data/cache` → `data/cache-entries/transfers.jsonl`."""
    return entries_folder(cache_path) / kind.FILE


@dataclass(frozen=True, slots=True)
class Statements(Generic[Entry]):
    """All statements of a file, oldest first, and how many lines could not be read."""

    all: tuple[Entry, ...] = ()
    damaged_lines: int = 0
    before_damage: int = 0
    """How many of `all` stand before the last damaged line."""


def read_statements(cache_path: Path, kind: type[Entry]) -> Statements[Entry]:
    """Read all of a kind; a file that was never written has none.

    Raises `EntriesError` if it is there and cannot be read.
    """
    file = file_of(cache_path, kind)
    try:
        lines = [line for line in file.read_bytes().split(b"\n") if line.strip()]
    except FileNotFoundError:
        return Statements()
    except OSError as error:
        raise EntriesError(f"{file} cannot be read: {error.strerror}. Check the rights of its folder.") from error
    entries: list[Entry] = []
    before_damage = 0
    for line in lines:
        if (entry := parsed(line, kind)) is not None:
            entries.append(entry)
        else:
            before_damage = len(entries)
    return Statements(tuple(entries), len(lines) - len(entries), before_damage)


def lines_of(file: Path, kind: type[Entry]) -> list[bytes]:
    """The lines of a file that are statements, for another file of the same; none where it was never written.

    Raises `OSError` if it is there and cannot be read.
    """
    lines = file.read_bytes().split(b"\n") if file.exists() else []
    return [line for line in lines if parsed(line, kind) is not None]


def append_statement(cache_path: Path, entry: Statement) -> None:
    """Add a statement to those of its kind; when this returns, it is on the disk.

    Raises `EntriesError` if it cannot be written. What was there before is untouched.
    """
    kind: Any = type(entry)
    file = file_of(cache_path, kind)
    line = sealed_json(adapter_of(kind).dump_python(entry, mode="json")).encode()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        append_line(file, line, private=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise EntriesError(f"Nothing was entered: {file} cannot be written ({why}). Check space and rights.") from error


def parsed(line: bytes, kind: Any) -> Any:
    """A line's statement; None when it is not what was written, or of another version. An earlier one lacked what has a
    default since."""
    try:
        said = checked_json(line)
        is_needed = {field.name: field.default is MISSING for field in fields(kind)}
        if not said.keys() <= is_needed.keys() or any(is_needed[name] for name in is_needed.keys() - said.keys()):
            return None
        return adapter_of(kind).validate_json(json.dumps(said), strict=True)
    except ValueError:
        return None


@cache
def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """What validates a kind, made when it is first needed: it takes 20 ms."""
    return TypeAdapter(kind)
