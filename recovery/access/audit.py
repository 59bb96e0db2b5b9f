"""Who did what, to whom, when, from where: an append-only file in which every line carries the hash of the one before.

How
    JSON lines. `before` is the SHA-256 of the line before, so a line that is changed, removed or put in breaks the
    chain behind it. The chain alone cannot see that its end was cut off; a head file beside it holds the number, the
    hash and the file's size after the newest line. Line first, then head, each fsynced: after a crash the head is at
    most one line behind, never ahead. Writers queue on a lock of the file, so several processes may append.

What a crash leaves
    A torn last line stays as it is. The next writer ends it and says so in a line of its own, which carries the torn
    line's hash like any other.

What it does not show
    Somebody who may write both files can make both anew from any line on. Against that, `audit verify` prints the
    head: noted elsewhere (on paper, in a mail), `audit verify --head NUMBER:HASH` proves later that the chain up to
    there is still the same.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recovery.host.durable import append, appending, torn_end
from recovery.host.seals import unsealed_json, write_json
from recovery.words.printable import from_json
from recovery.words.refusals import RefusedError

FIRST = "0" * 64
"""What the first line carries for the line before it."""
TORN = "torn line closed"
HEAD_MISSING = "head file was missing"
_TAIL_BYTES = 65_536


class AuditError(RefusedError, OSError):
    """A line cannot be written. Its text says why, and names no patient."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What happened. `at` is aware; `patient_id` where it was about one; `details` hold no patient's name."""

    at: datetime
    who: str
    role: str
    action: str
    address: str
    patient_id: str | None = None
    details: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many lines, the newest one's hash, and the file's size in bytes behind it."""

    number: int
    sha256: str
    size: int

    def __str__(self) -> str:
        return f"{self.number}:{self.sha256}"


EMPTY = Head(0, FIRST, 0)


class AuditFile:
    """One audit file and its head file beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head_path = path.with_name(f"{path.name}.head")

    def append(self, event: AuditEvent) -> Head:
        """Add a line and return the new head. Raises `AuditError` if the line, or the head, is not safely on disk."""
        try:
            with appending(self.path, private=True) as descriptor:
                return self._append(descriptor, event)
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise AuditError(f"The audit file {self.path} cannot be written: {said}.") from error

    def lines(self) -> Iterator[bytes]:
        """Every line without its end, oldest first; the last one may be torn. None where there is no file.

        Raises `OSError` if the file is there and cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                for line in file:
                    yield line.removesuffix(b"\n")
        except FileNotFoundError:
            return

    def newest(self, most_bytes: int) -> list[dict[str, Any]]:
        """The events of the file's last `most_bytes`, newest first; half lines are no JSON and are passed over.

        Raises `OSError` if the file is there and cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - most_bytes))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return []
        return [event for line in reversed(lines) if (event := parsed(line)) is not None]

    def read_head(self) -> Head | None:
        """What the head file says; None without one.

        Raises `OSError` or `ValueError` if it is there and cannot be read, or is damaged.
        """
        try:
            said = from_json(data := self.head_path.read_bytes())
            if said.keys() == {"number", "sha256", "size"}:  # of an earlier version, which bears no hash of its own
                return Head(int(said["number"]), str(said["sha256"]), int(said["size"]))
            said = unsealed_json(data)
            return Head(said["number"], said["line"], said["size"])
        except FileNotFoundError:
            return None
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError("the head file is damaged") from error

    def _append(self, descriptor: int, event: AuditEvent) -> Head:
        size = os.fstat(descriptor).st_size
        head = self._head_or_none()
        notes: list[AuditEvent] = []
        if head is None and size:
            head = _end_of(self.path, size)
            notes.append(_own(event, HEAD_MISSING, {"bytes": size}))
        elif head is None:
            head = EMPTY
        elif size > head.size and _hash_of_line_before(self.path, head.size) == head.sha256:
            head = _end_of(self.path, size)  # a crash between line and head
        # A file that was cut, or that no longer holds the head's line, is continued from the head: the break stays.
        text = b""
        if torn := torn_end(descriptor):
            text = b"\n"  # in one write with the line that tells of it
            head = Head(head.number + 1, hashlib.sha256(torn).hexdigest(), size + 1)
            notes.append(_own(event, TORN, {"bytes": len(torn)}))
        for one in (*notes, event):
            line = _line(one, head)
            text += line + b"\n"
            head = Head(head.number + 1, hashlib.sha256(line).hexdigest(), size + len(text))
        append(descriptor, text)
        write_json(self.head_path, {"number": head.number, "line": head.sha256, "size": head.size}, private=True)
        return head

    def _head_or_none(self) -> Head | None:
        """A damaged head is no head: that it was not there is then a line of the chain."""
        try:
            return self.read_head()
        except ValueError:
            return None


def parsed(line: bytes) -> dict[str, Any] | None:
    """A line's event, None where the line is none."""
    try:
        said = from_json(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) and {"n", "at", "who", "action", "before"} <= said.keys() else None


def _line(event: AuditEvent, head: Head) -> bytes:
    said: dict[str, object] = {
        "n": head.number + 1,
        "at": event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "who": event.who,
        "role": event.role,
        "action": event.action,
        "patient_id": event.patient_id,
        "from": event.address,
        "details": dict(event.details),
        "before": head.sha256,
    }
    return json.dumps(said, ensure_ascii=True).encode("ascii")


def _own(event: AuditEvent, action: str, details: Mapping[str, str | int | bool]) -> AuditEvent:
    return AuditEvent(event.at, "audit", "", action, "", None, details)


def _end_of(path: Path, size: int) -> Head:
    """The head that belongs to the last whole line of a file, whose own number is believed."""
    whole = _read(path, 0, size).split(b"\n")[:-1]
    if not whole:
        return EMPTY
    said = parsed(whole[-1])
    return Head(int(said["n"]) if said else len(whole), hashlib.sha256(whole[-1]).hexdigest(), size)


def _hash_of_line_before(path: Path, position: int) -> str:
    """The hash of the line that ends, newline and all, at a position; of the empty file the first one's `before`."""
    if not position:
        return FIRST
    text = _read(path, max(0, position - _TAIL_BYTES), position)
    return hashlib.sha256(text.split(b"\n")[-2]).hexdigest() if text.endswith(b"\n") else ""


def _read(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)
