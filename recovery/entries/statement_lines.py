"""Statements of people, line by line, and put together again from wherever they lay: a bundle, the RT-PACS.

Of one matter the last statement counts, wherever it was made: lines come in the order of their times, and those of one
file stay in their own.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from recovery.entries.charted import charted_folder
from recovery.entries.journal_parts import put_together, taken_apart
from recovery.entries.noted import merging
from recovery.host.durable import appending, replace
from recovery.host.entry_lines import entries_folder
from recovery.host.seals import SealError, checked_json

_NAME = re.compile(r"[a-z_]+\.jsonl")


def lines_of(cache_path: Path) -> list[tuple[str, bytes]]:
    """Each whole line, after the name of its file. Raises `OSError` if one cannot be read."""
    files = sorted(entries_folder(cache_path).glob("*.jsonl"))
    return [(file.name, line) for file in files for line in file.read_bytes().splitlines() if line.endswith(b"}")]


def known_as(file: str, line: bytes) -> str:
    """By what the jobs vouch for a line."""
    return f"statement {hashlib.sha256(f'{file} '.encode() + line).hexdigest()}"


@dataclass(slots=True)
class Came:
    """`new`: how many statements; `aside`: a sentence for each file here that was not what was written."""

    new: int = 0
    aside: list[str] = field(default_factory=list)


def add_lines(cache_path: Path, lines: Iterable[tuple[str, bytes]]) -> Came:
    """Add what is not here. Nothing whole is taken away, and nothing written under another name.

    A file here in which something is not what was written stays beside as `NAME.before` once something is added.

    Raises `OSError` if something cannot be read or written.
    """
    by_file: dict[str, list[bytes]] = {}
    for name, line in dict.fromkeys(lines):
        by_file.setdefault(name, []).append(line)
    came = Came()
    for name, own in by_file.items():
        if _NAME.fullmatch(name):
            _add(cache_path, entries_folder(cache_path) / name, own, came)
    return came


def take_entries(there: Path, own: Path) -> Came:
    """Add what people charted and signed to one cache's entries from another's; raises as `add_lines`."""
    charted = sum(put_together(own, taken_apart(there)).values()) if charted_folder(there).is_dir() else 0
    came = add_lines(own, lines_of(there))
    came.new += charted
    return came


def _add(cache_path: Path, target: Path, lines: list[bytes], came: Came) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with appending(target, private=True), merging(cache_path, target):
        before = target.read_bytes()
        known = before.splitlines()
        new = [line for line in lines if line not in set(known)]
        if not new:
            return
        whole = [line for line in known if _is_whole(line)]
        if len(whole) < len(known):
            aside = target.with_name(f"{target.name}.before")
            replace(aside, before, private=True)
            came.aside.append(f"{target.name} was not what was written, and stays as {aside.name}.")
        merged = heapq.merge(whole, new, key=_entered_at)
        replace(target, b"".join(line + b"\n" for line in merged), private=True)
        came.new += len(new)


def _is_whole(line: bytes) -> bool:
    try:
        checked_json(line)
    except SealError:
        return False
    return True


def _entered_at(line: bytes) -> datetime:
    """When a statement was made; one that does not tell stays where it stood among its own."""
    try:
        return datetime.fromisoformat(json.loads(line)["entered_at"]).astimezone(UTC)
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return datetime.min.replace(tzinfo=UTC)
