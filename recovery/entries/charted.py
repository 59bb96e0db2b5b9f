"""What was charted, as each workstation wrote it: one append-only journal a workstation, every line signed by its key.

How
    `charted/KEY.jsonl` beside the cache, KEY being the fingerprint of the workstation's public key (Ed25519). A line
    holds one entry with both its signers, its number, and the SHA-256 of the line before; `KEY.head` tells of the
    newest line. Journals of other workstations are copied into the same folder, in any order, again and again: an entry
    is known by its id, and counts once.

What is believed
    A line that its file's key signed counts. That one was changed, put in or taken away is said: what does not
    verify never counts. Half a line that a crash
    left breaks nothing: who was told "entered" is on the disk.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recovery.course.charted_entries import ChartedFraction, Standing, standing
from recovery.host.durable import append, appending, replace, torn_end
from recovery.host.entry_lines import EntriesError, adapter_of, entries_folder
from recovery.host.keys import is_signed, load_key, make_key, public_key_of, sign
from recovery.words.values import counted

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FIRST = "0" * 64
ENTRY, HEAD = "charted fraction", "newest charted fraction"
_CHANGED = (
    "The journal {} was changed by hand, or a part is missing: not all that was charted there counts, and nobody knows "
    "whose."
)
_UNREADABLE = "What was charted cannot be read ({}): look at {}."
_MISSING = "Not here: {} that others knew of when they charted. Merge their journals (docs/downtime.md)."
_OLDER = "More was charted here than the journal {} holds: it was moved, or an older copy put in its place."
_REFUSED = (
    "Nothing was entered. {} Bring back what was written. Where nobody has it, move {} aside: a new journal is begun, "
    "and what verifies in this one still counts."
)
_GONE = "The journal {} is gone: what was charted there does not count."


Stamp = tuple[tuple[str, int, int], ...]
UNREADABLE = ("", 0, 0)


@dataclass(frozen=True, slots=True)
class Charted:
    """Everything that can be believed, each entry once; `faults`: sentences about what cannot be."""

    entries: tuple[ChartedFraction, ...] = ()
    faults: tuple[str, ...] = ()


def charted_folder(cache_path: Path) -> Path:
    """Where journals are kept: `data/cache` → `data/cache-entries/charted`."""
    return entries_folder(cache_path) / "charted"


def new_entry_id() -> str:
    """One that collides with no other, on whatever workstation."""
    return uuid.uuid4().hex


def stamp_of(cache_path: Path) -> Stamp:
    """What the journals are known by: whatever was read of them is good for as long as this is the same."""
    folder = charted_folder(cache_path)
    try:
        stats = [(path.name, path.stat()) for path in folder.iterdir() if path.suffix in {".jsonl", ".head"}]
    except FileNotFoundError:
        return ()
    except OSError:
        return (UNREADABLE,)
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


def read_charted(cache_path: Path) -> Charted:
    """All journals together; what cannot be read is a fault, and never nothing."""
    return _read(charted_folder(cache_path), stamp_of(cache_path))


def standing_now(cache_path: Path) -> Mapping[str, Standing]:
    """By plan, the entries that stand; made once a change, for of months it takes a moment."""
    return _stands(charted_folder(cache_path), stamp_of(cache_path))


def answers(cache_path: Path) -> dict[str | None, tuple[datetime, ...]]:
    """By plan, the times for which somebody said whether it was treated, local to the site."""
    return {uid: plan.answered for uid, plan in standing_now(cache_path).items()}


def told_since(cache_path: Path, counted_at: datetime) -> str:
    """What a table that was made then, aware, does not count; empty where it counts all that was charted."""
    later = sum(entry.entered_at > counted_at for entry in read_charted(cache_path).entries)
    if not later:
        return ""
    return (
        f"{counted(later, 'entry was', 'entries were')} charted since, which pages and charts count, and this does not."
    )


@lru_cache(maxsize=4)
def _stands(folder: Path, stamp: Stamp) -> Mapping[str, Standing]:
    return standing(_read(folder, stamp).entries)


@lru_cache(maxsize=4)
def _read(folder: Path, stamp: Stamp) -> Charted:
    entries: dict[str, ChartedFraction] = {}
    faults: list[str] = []
    names = {name for name, _, _ in stamp}
    try:
        for name in sorted(name for name in names if name.endswith(".jsonl")):
            journal = _Journal(folder / name)
            if journal.is_changed:
                faults.append(_CHANGED.format(name))
            entries |= {entry.entry_id: entry for entry in journal.entries if entry.entry_id not in entries}
    except OSError as error:
        faults.append(_UNREADABLE.format(error.strerror or error, folder))
    lost = {name.replace(".head", ".jsonl") for name in names if name.endswith(".head")} - names
    faults += [_GONE.format(name) for name in sorted(lost)]
    if UNREADABLE in stamp:
        faults.append(_UNREADABLE.format("its folder cannot be listed", folder))
    named = {one for entry in entries.values() for one in (*entry.known_entries, entry.corrects)} - {None}
    if missing := len(named - entries.keys()):
        faults.append(_MISSING.format(counted(missing, "entry", "entries")))
    return Charted(tuple(entries.values()), tuple(faults))


def merge(cache_path: Path, folder: Path) -> list[str]:
    """Take over the journals of a folder, of a share or a stick, each where it is longer than the one here.

    Returns a sentence for each that is not what was written; nothing of it is taken.

    Raises `OSError` if something cannot be read or written.
    """
    said = []
    charted_folder(cache_path).mkdir(parents=True, exist_ok=True, mode=0o700)
    for source in sorted(folder.glob("*.jsonl")):
        own = charted_folder(cache_path) / source.name
        with appending(own, private=True):
            theirs, ours = source.read_bytes(), own.read_bytes()
            if _Journal(source).is_changed or not (theirs.startswith(ours) or ours.startswith(theirs)):
                said.append(
                    f"Nothing was taken of {source.name}: it was changed by hand, here or there, or two machines write "
                    "under one key."
                )
                continue
            if len(theirs) > len(ours):
                replace(own, theirs, private=True)
            if len(theirs) >= len(ours) and source.with_suffix(".head").exists():  # a merge may have been killed here
                _take_head(source.with_suffix(".head"), own.with_suffix(".head"))
    return said


def _take_head(theirs: Path, ours: Path) -> None:
    head = theirs.read_bytes()
    if not ours.exists() or ours.read_bytes() != head:
        replace(ours, head, private=True)


class _Journal:
    """One workstation's file as it lies there: the lines that its key signed, and whether others were among them."""

    def __init__(self, file: Path) -> None:
        self.name, self.fingerprint = file.name, file.stem
        self.entries: list[ChartedFraction] = []
        path = file.with_suffix(".head")
        head = verified(path.read_bytes(), file.stem, HEAD) if path.exists() else None
        self.newest, self.number, self.is_changed = FIRST, 0, path.exists() and head is None
        for line in file.read_bytes().split(b"\n"):
            said = verified(line, file.stem, ENTRY)
            if said is None:
                continue
            self.is_changed |= (said["number"], said["before"]) != (self.number + 1, self.newest)
            self.number, self.newest = said["number"], hashlib.sha256(line).hexdigest()
            self.entries.append(said["entry"])
            if head is not None and head["number"] == self.number:
                self.is_changed |= head["newest"] != self.newest
        self.noted: int = head["number"] if head is not None else 0
        self.is_changed |= not self.number - 1 <= self.noted <= self.number

    def refuse_if_changed(self, noted_elsewhere: Path, key: str) -> None:
        """`noted_elsewhere`: the head as it was kept beside the key, which leaves this machine with no journal; `key`:
        the key's name, for what is noted is of this one, and another begins another journal.

        Raises `EntriesError` if it is not all that was charted here.
        """
        noted = verified(noted_elsewhere.read_bytes(), self.fingerprint, HEAD) if noted_elsewhere.exists() else None
        is_older = noted is not None and noted["number"] > self.number
        if is_older or self.is_changed:
            raise EntriesError(_REFUSED.format((_OLDER if is_older else _CHANGED).format(self.name), key))


@lru_cache(maxsize=20_000)  # a line is verified once a process, for months of them are read with every new one
def verified(line: bytes, fingerprint: str, purpose: str) -> dict[str, Any] | None:
    """What a line says, if the key that its file is named by signed it; of an entry, with it read."""
    try:
        said: dict[str, Any] = json.loads(line)
        signature = said.pop("signature")
        if fingerprint_of(said["key"]) != fingerprint or not is_signed(purpose, _text(said), signature, [said["key"]]):
            return None
        if purpose == ENTRY:
            said["entry"] = adapter_of(ChartedFraction).validate_json(json.dumps(said["entry"]), strict=True)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return said


def _signed(key: Ed25519PrivateKey, purpose: str, said: dict[str, Any]) -> bytes:
    """A line that `verified` reads. Raises `ValueError` if it would not."""
    whole = {**said, "key": public_key_of(key)}
    line = json.dumps({**whole, "signature": sign(key, purpose, _text(whole))}).encode()
    if verified(line, fingerprint_of(whole["key"]), purpose) is None:
        raise ValueError("it holds what cannot be read again")
    return line


def _text(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True).encode()


def fingerprint_of(public_key: str) -> str:
    """A workstation's short name."""
    return hashlib.sha256(base64.b64decode(public_key, validate=True)).hexdigest()[:16]


def enter(
    cache_path: Path, key_path: Path, entry: ChartedFraction, check: Callable[[Charted], None] = lambda _: None
) -> None:
    """Write an entry into this workstation's journal; when this returns, it is on the disk.

    `check` is asked last, with all that is known, while nobody else writes here: what it raises is raised, and nothing
    is entered. An entry that is there already is not written again.

    Raises `EntriesError` if it cannot be written, or this workstation's own journal is not what was written.
    """
    try:
        key = _key(key_path)
        file = charted_folder(cache_path) / f"{fingerprint_of(public_key_of(key))}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with appending(file, private=True) as descriptor:
            journal = _Journal(file)
            noted = key_path.with_suffix(".newest")
            journal.refuse_if_changed(noted, key_path.name)
            known = read_charted(cache_path)
            if entry.entry_id in {other.entry_id for other in known.entries}:
                return
            check(known)
            if journal.noted < journal.number:  # killed between line and head: the head is never two behind
                _note(file, noted, key, journal.number, journal.newest)
            number, said = journal.number + 1, adapter_of(ChartedFraction).dump_python(entry, mode="json")
            line = _signed(key, ENTRY, {"number": number, "before": journal.newest, "entry": said})
            append(descriptor, (b"\n" if torn_end(descriptor) else b"") + line + b"\n")
            with suppress(OSError):  # it is entered: a head that is one behind is written with the next, or refuses it
                _note(file, noted, key, number, hashlib.sha256(line).hexdigest())
    except EntriesError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise EntriesError(f"Nothing was entered: the journal cannot be written ({why}).") from error


def _note(file: Path, elsewhere: Path, key: Ed25519PrivateKey, number: int, newest: str) -> None:
    """Write what the newest line is, beside the journal and beside the key."""
    head = _signed(key, HEAD, {"number": number, "newest": newest})
    replace(file.with_suffix(".head"), head, private=True)
    replace(elsewhere, head, private=True)


def _key(path: Path) -> Ed25519PrivateKey:
    """This workstation's key, made when it first charts something."""
    if not path.exists():
        make_key(path)
    return load_key(path)
