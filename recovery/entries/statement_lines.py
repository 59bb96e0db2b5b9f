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
from datetime import UTC, datetime
from pathlib import Path

from recovery.entries.noted import merging
from recovery.host.durable import appending, replace
from recovery.host.entry_lines import entries_folder

_NAME = re.compile(r"[a-z_]+\.jsonl")


def lines_of(cache_path: Path) -> list[tuple[str, bytes]]:
    """Each whole line, after the name of its file. Raises `OSError` if one cannot be read."""
    files = sorted(entries_folder(cache_path).glob("*.jsonl"))
    return [(file.name, line) for file in files for line in file.read_bytes().splitlines() if line.endswith(b"}")]


def known_as(file: str, line: bytes) -> str:
    """By what the jobs vouch for a line."""
    return f"statement {hashlib.sha256(f'{file} '.encode() + line).hexdigest()}"


def add_lines(cache_path: Path, lines: Iterable[tuple[str, bytes]]) -> int:
    """Add what is not here; how many lines are new. Nothing is taken away, and nothing written under another name.

    Raises `OSError` if something cannot be read or written.
    """
    by_file: dict[str, list[bytes]] = {}
    for name, line in dict.fromkeys(lines):
        by_file.setdefault(name, []).append(line)
    own = ((entries_folder(cache_path) / name, came) for name, came in by_file.items() if _NAME.fullmatch(name))
    return sum(_add(cache_path, target, came) for target, came in own)


def _add(cache_path: Path, target: Path, lines: list[bytes]) -> int:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with appending(target, private=True), merging(cache_path, target):
        known = target.read_bytes().splitlines()
        came = [line for line in lines if line not in set(known)]
        if came:
            merged = heapq.merge(known, came, key=_entered_at)
            replace(target, b"".join(line + b"\n" for line in merged), private=True)
    return len(came)


def _entered_at(line: bytes) -> datetime:
    """When a statement was made; one that does not tell stays where it stood among its own."""
    try:
        return datetime.fromisoformat(json.loads(line)["entered_at"]).astimezone(UTC)
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return datetime.min.replace(tzinfo=UTC)
