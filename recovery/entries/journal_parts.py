"""Journals of charted fractions taken apart into lines and heads, each signed for itself, and put together again.

Whoever puts them together needs no trust in where they lay: a line that its journal's key signed is that line, and a
head says how many there are. What does not come leaves a hole that every page tells of (`charted.read_charted`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.entries.charted import ENTRY, HEAD, charted_folder, verified
from recovery.host.durable import appending, replace
from recovery.host.keys import is_signed, sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_VOUCHED = "journals of charted fractions"


@dataclass(frozen=True, slots=True)
class Signed:
    """A line of a journal, or, `is_head`, what its newest line is. `number`: of the line, from 1."""

    journal: str
    number: int
    text: bytes
    is_head: bool = False


def signed_text(journal: str, text: bytes) -> Signed | None:
    """A text that the journal's key signed; None of any other."""
    for purpose in (ENTRY, HEAD):
        if (said := verified(text, journal, purpose)) is not None:
            return Signed(journal, said["number"], text, purpose == HEAD)
    return None


def vouch(site_name: str, journals: Iterable[str], key: Ed25519PrivateKey) -> bytes:
    """What the jobs sign: these journals are of this site's workstations. A workstation's key anybody can make."""
    said = {"site": site_name, "journals": sorted(journals)}
    return json.dumps({**said, "signature": sign(key, _VOUCHED, json.dumps(said).encode())}).encode()


def vouched_for(site_name: str, text: bytes, public_keys: Iterable[str]) -> frozenset[str]:
    """The journals that one of the keys vouches for; none where the text is anything else."""
    try:
        said = json.loads(text)
        signature = said.pop("signature")
        if said["site"] == site_name and is_signed(_VOUCHED, json.dumps(said).encode(), signature, public_keys):
            return frozenset(map(str, said["journals"]))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        pass
    return frozenset()


def taken_apart(cache_path: Path) -> list[Signed]:
    """All that can be believed of the journals here, one after the other: lines, then the head.

    Raises `OSError` if a journal cannot be read.
    """
    folder = charted_folder(cache_path)
    names = sorted({path.stem for path in folder.glob("*.*") if path.suffix in {".jsonl", ".head"}})
    return [part for name in names for part in _parts(folder / name)]


def put_together(cache_path: Path, parts: Iterable[Signed]) -> dict[str, int]:
    """Add what is not here; returns how many lines are new, by journal.

    Nothing that is signed is taken away. A file that is not the beginning of what it becomes, for a hand changed it,
    stays beside it as `KEY.before`.

    Raises `OSError` if something cannot be read or written.
    """
    charted_folder(cache_path).mkdir(parents=True, exist_ok=True, mode=0o700)
    by_journal: dict[str, list[Signed]] = {}
    for part in parts:
        by_journal.setdefault(part.journal, []).append(part)
    return {name: _add(charted_folder(cache_path) / name, came) for name, came in sorted(by_journal.items())}


def _add(base: Path, came: list[Signed]) -> int:
    file, head = base.with_suffix(".jsonl"), base.with_suffix(".head")
    with appending(file, private=True):
        ours, own = file.read_bytes(), list(_parts(base))
        lines = {(part.number, part.text) for part in own if not part.is_head}
        every = lines | {(part.number, part.text) for part in came if not part.is_head}
        if every > lines:
            content = b"".join(text + b"\n" for _, text in sorted(every))
            if not content.startswith(ours):
                replace(base.with_suffix(".before"), ours, private=True)
            replace(file, content, private=True)
        newest = max((part for part in (*own, *came) if part.is_head), key=lambda part: part.number, default=None)
        if newest is not None and newest not in own:
            replace(head, newest.text, private=True)
    return len(every) - len(lines)


def _parts(base: Path) -> Iterator[Signed]:
    """What verifies of one journal. The head is read first: lines may be newer than it, and never older."""
    head, file = base.with_suffix(".head"), base.with_suffix(".jsonl")
    newest = head.read_bytes() if head.exists() else b""
    for text in (*(file.read_bytes().split(b"\n") if file.exists() else ()), newest):
        if (part := signed_text(base.name, text)) is not None:
            yield part
