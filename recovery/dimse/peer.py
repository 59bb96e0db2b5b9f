"""Who is spoken to: a node, what it was found to understand, and the error that says what it did not do.

A `Peer` is a node as this machine speaks to it; its `NodeTraits` are learnt once and kept between runs. A peer with a
`door` is spoken to by that instead of by DIMSE, with the same verbs and the same errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydicom import Dataset

from recovery.dicom.model import DicomNode, InstanceRef
from recovery.dimse.encoding import EncodedObject
from recovery.dimse.tls import Tls
from recovery.words.refusals import RefusedError

UNKNOWN_DESTINATION = 0xA801
"""Refused: move destination unknown (PS3.4 table C.4-2)."""

NOT_SUPPORTED = 0x0122
"""Refused: SOP class not supported (PS3.7 section C.5.6)."""

_ROLES = {"rv": "The R&V system", "pacs": "The RT-PACS", "tps": "The planning system", "": "The node"}


class DimseError(RefusedError):
    """A node could not be asked, or did not do what it was asked.

    `fault` is its role, `status` what it said; `timed_out` when it said nothing and did not hang up either; `busy`
    when it refused the association for now.
    """

    def __init__(
        self, text: str, *, fault: str = "", status: int | None = None, timed_out: bool = False, busy: bool = False
    ) -> None:
        super().__init__(text)
        self.fault = fault
        self.status = status
        self.timed_out = timed_out
        self.busy = busy

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep all of it when it crosses to another process."""
        return _dimse_error, (str(self), self.fault, self.status, self.timed_out, self.busy)


class NamelessError(DimseError):
    """A node found something, and names nothing of it: that is no empty answer."""


def _dimse_error(text: str, fault: str, status: int | None, timed_out: bool, busy: bool) -> DimseError:
    return DimseError(text, fault=fault, status=status, timed_out=timed_out, busy=busy)


@dataclass(slots=True)
class NodeTraits:
    """What a node was found to understand; tried once, kept between runs. None: not tried yet."""

    relational: bool | None = None
    uid_lists: bool | None = None
    patient_lists: bool | None = None
    ignored_keys: list[str] = field(default_factory=list)
    asked: dict[str, list[float]] = field(default_factory=dict)
    """Per date key: when it was last asked (seconds since 1970), how long it took (s), how many it alone found."""

    limits: dict[str, int] = field(default_factory=dict)
    """Per level, after how many matches the node ends an answer; absent where none was seen to be cut short."""
    proven: dict[str, int] = field(default_factory=dict)
    """Per level, up to how many matches an answer is complete: one with more was heard."""
    inconclusive: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Per kind of question, how many answers could not be checked, and how many matches the largest had."""
    unfinished: list[str] = field(default_factory=list)
    """Of this run alone: questions, in words, that could not be asked to their end."""

    def note_proven(self, level: str, count: int) -> None:
        """Answers of so many matches are complete."""
        if count > self.proven.get(level, 0):
            self.proven[level] = count

    def note_inconclusive(self, kind: str, count: int) -> None:
        """Nothing speaks against an answer of so many matches, which could not be checked."""
        checks, largest = self.inconclusive.get(kind, (0, 0))
        self.inconclusive[kind] = (checks + 1, max(largest, count))

    def learn(self, other: NodeTraits) -> None:
        """Take over what was found out elsewhere at the same time; of what differs, the more careful."""
        for trait in ("relational", "uid_lists", "patient_lists"):
            if getattr(other, trait) is not None:
                setattr(self, trait, getattr(other, trait))
        self.ignored_keys = list(dict.fromkeys([*self.ignored_keys, *other.ignored_keys]))
        self.unfinished = list(dict.fromkeys([*self.unfinished, *other.unfinished]))
        self.asked |= other.asked
        self.inconclusive |= other.inconclusive
        for level, limit in other.limits.items():
            self.limits[level] = min(limit, self.limits.get(level, limit))
        for level in {*self.proven, *other.proven}:
            most = max(self.proven.get(level, 0), other.proven.get(level, 0))
            self.proven[level] = min(most, self.limits.get(level, most + 1) - 1)


@dataclass(frozen=True, slots=True)
class Peer:
    """A node as this machine speaks to it. `role`: rv, pacs or tps; `timeout` in seconds."""

    local: DicomNode
    remote: DicomNode
    role: str = ""
    timeout: float = 60.0
    traits: NodeTraits = field(default_factory=NodeTraits, compare=False)
    sends_as: tuple[tuple[str, str], ...] = ()
    """Further AE titles and hosts that its objects come from."""
    tls: Tls | None = None
    """How it is spoken to; None: in the clear."""
    own_tls: Tls | None = None
    """How it speaks to this machine when it sends here."""
    door: Door | None = field(default=None, compare=False)
    """How it is spoken to if not by DIMSE."""

    @property
    def name(self) -> str:
        """Who it is, in a sentence."""
        return f"{_ROLES[self.role]} {self.remote}" if self.door is None else self.door.name

    def error(self, text: str, status: int | None = None, *, timed_out: bool = False, busy: bool = False) -> DimseError:
        said = f" (status 0x{status:04X})" if status is not None else ""
        end = "" if text.endswith("?") else "."
        return DimseError(
            f"{self.name} {text}{said}{end}", fault=self.role, status=status, timed_out=timed_out, busy=busy
        )


class Link(Protocol):
    """An open way to a node. A verb returns what the node answered, or raises `DimseError`: never silence that looks
    like "none"."""

    peer: Peer

    @property
    def is_open(self) -> bool: ...

    @property
    def is_relational(self) -> bool:
        """Whether it said that it takes questions that name no study; where it did not, that is tried."""

    def echo(self) -> None:
        """Whether it answers at all."""

    def find(self, query: Dataset) -> Iterator[Dataset]:
        """Yield what matches the identifier of a C-FIND (PS3.4 C.4.1). None left means: asked, and there is no other.

        An answer of which the node says, or shows, that there is more ends in an error of status 0xA700.
        """

    def abort(self) -> None:
        """End it at once."""


class DoorLink(Link, Protocol):
    """A way to a node that does not send here by itself: it is asked for each object."""

    def bring(self, ref: InstanceRef) -> EncodedObject:
        """One object, its bytes as the node keeps them. An error with a status is about this object alone."""

    def send(self, obj: EncodedObject) -> int | None:
        """Store an object; the C-STORE status that says what became of it, None where the node does not tell."""


class Door(Protocol):
    """What a node is spoken to by instead of DIMSE. The one seam: whoever has these verbs may be the RT-PACS."""

    @property
    def name(self) -> str:
        """What it is called at the start of a sentence."""

    def open(self, peer: Peer) -> AbstractContextManager[DoorLink]:
        """Raises `DimseError` if the node cannot be reached."""
