"""What jobs remember between runs to be quicker, and never to be less true.

How
    One small JSON file in the cache: what each node understands, what was asked when, and what is owed. It may be
    deleted at any time; the next run then asks everything. Jobs that run side by side share it: each writes what it
    learnt itself beside what the others wrote since.

Why
    No state decides what is backed up. What is remembered here only puts off a question, by an hour or a day at
    most; it never answers one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from recovery.dicom.model import DicomNode
from recovery.dimse import NodeTraits
from recovery.host.durable import locked
from recovery.host.seals import unsealed_json, write_json

log = logging.getLogger(__name__)

HOUR = 3600.0
DAY = 24 * HOUR
NAMED = 5
FOLDER, EARLY = "The folder ", " ends its answers early, and"
MOST_QUESTIONS = 20_000
PATIENTS_PER_RUN = 20
"""Patients whose whole list is asked for again in one run, the longest not asked first; new ones come on top."""
RUNS_PER_PROOF = 144
"""A day of cycles. Counted, for a clock may lie."""


@dataclass(slots=True)
class Memory:
    """The file's content. Times are seconds since 1970."""

    path: Path
    nodes: dict[str, NodeTraits] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    """When a question, such as `records of patient 4711`, was last asked."""
    owed: dict[str, str] = field(default_factory=dict)
    """Records that the R&V system had and the RT-PACS did not hold when last asked: whose, by SOP Instance UID. Several
    patients of one UID are parted by a backslash, which no PatientID holds (PS3.5 6.2, VR LO)."""
    passed_over: list[str] = field(default_factory=list)
    """Objects of Modality RTRECORD that were read and are no deliveries, such as summaries."""
    turns: dict[str, dict[str, int]] = field(default_factory=dict)
    """By kind of question, the number of the turn in which each patient was last asked about."""
    runs: int = 0
    first_look_done: bool = False
    """The R&V system was once looked through as far back as `first_days_back`."""
    unread: list[str] = field(default_factory=list)
    """Treatment records that the RT-PACS listed and did not give so that they can be read."""
    misread: dict[str, bool] = field(default_factory=dict)
    """Objects, by UID, of which the proof read something else than what is known."""
    uncommitted: list[str] = field(default_factory=list)
    """Objects that the RT-PACS did not commit itself to keep when it was asked last, or was not asked for yet."""
    _before: dict[str, Any] = field(default_factory=dict, init=False, compare=False)
    """What of this was in the file when it was last read or written."""

    def __post_init__(self) -> None:
        self._before = self._content()

    @property
    def owed_to(self) -> list[str]:
        """The patient of each record that is owed; empty where the record bore no PatientID."""
        return [of for whose in self.owed.values() for of in whose.split("\\")]

    @classmethod
    def load(cls, cache_path: Path) -> Memory:
        """Read the file; one that is absent, damaged or of another version is a blank memory."""
        memory = cls._read(cache_path / "memory.json", logging.WARNING)
        if memory is None:
            return cls(cache_path / "memory.json")
        memory.begin_job()
        memory.runs += 1
        if memory.runs % RUNS_PER_PROOF == 0:
            memory._prove_anew()
        return memory

    @classmethod
    def _read(cls, path: Path, level: int) -> Memory | None:
        """What the file says; None where it says nothing."""
        try:
            return _adapter().validate_python({**unsealed_json(path.read_bytes()), "path": path})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            log.log(level, "what earlier runs learnt is forgotten, %s is not what was written: %s", path, _kind(error))
            return None

    def _content(self) -> dict[str, Any]:
        return {name: said for name, said in asdict(self).items() if name not in {"path", "_before"}}

    def _prove_anew(self) -> None:
        """A node may be given a limit of matches at any time: what was proven of its answers is proven again."""
        for traits in self.nodes.values():
            traits.proven.clear()
            traits.inconclusive.clear()

    def save(self) -> None:
        """Write what was learnt since the file was read, beside what another job wrote there meanwhile: the nightly
        proof lasts for hours, and cycles run. A cache that cannot be written costs speed, and is told elsewhere."""
        mine = self._content()
        try:
            with locked(self.path.parent / "locks" / "memory.lock"):
                there = self._read(self.path, logging.DEBUG)
                content = mine if there is None else _merged(self._before, mine, there._content())
                if there is not None:
                    content["runs"] = there.runs + self.runs - self._before["runs"]
                write_json(self.path, content)
            self._before = mine
        except OSError as error:
            log.warning("what was learnt in this run is not kept: %s", error)

    def traits(self, node: DicomNode) -> NodeTraits:
        return self.nodes.setdefault(str(node), NodeTraits())

    def begin_job(self) -> dict[str, list[str]]:
        """Forget what is of one job alone; returns it, for `resume_job`, where another job was under way."""
        before = {node: traits.unfinished for node, traits in self.nodes.items()}
        self.resume_job({})
        return before

    def resume_job(self, unfinished: Mapping[str, list[str]]) -> None:
        """Go on with a job in whose midst another one ran."""
        for node, traits in self.nodes.items():
            traits.unfinished = unfinished.get(node, [])

    def unfinished(self) -> list[str]:
        """Per node, the questions of this job that could not be asked to their end, in words."""
        return [
            f"{node}{'' if node.startswith(FOLDER) else EARLY} may have more than it gave: "
            f"{', '.join(_few(traits.unfinished))}"
            for node, traits in self.nodes.items()
            if traits.unfinished
        ]

    def is_due(self, question: str, now: datetime, every: float) -> bool:
        """Whether `question` was not asked in the last `every` seconds (nor in a future that a clock made)."""
        last = self.asked.get(question)
        return last is None or not 0 <= now.timestamp() - last < every

    def forget(self, prefix: str) -> None:
        """Every question that begins so is due again, also for the next run, should this one be killed."""
        self.asked = {question: at for question, at in self.asked.items() if not question.startswith(prefix)}
        self.save()

    def note(self, question: str, now: datetime) -> None:
        """A question was answered, and what it asked for is proven."""
        self.asked[question] = now.timestamp()
        if len(self.asked) > MOST_QUESTIONS:
            horizon, future = now.timestamp() - DAY, now.timestamp() + DAY
            self.asked = {q: at for q, at in self.asked.items() if horizon <= at <= future}

    def in_turn(self, kind: str, names: Iterable[str], most: int) -> list[str]:
        """Those of `names` that never had their turn, and the `most` whose turn was longest ago: counted, for a clock
        may lie."""
        turns = self.turns.get(kind, {})
        wanted = dict.fromkeys(names)
        others = sorted((name for name in wanted if name in turns), key=lambda name: turns[name])
        return [*(name for name in wanted if name not in turns), *others[:most]]

    def note_turns(self, kind: str, names: Iterable[str]) -> None:
        """These had their turn, and what it asked for is proven."""
        turns = self.turns.setdefault(kind, {})
        this = max(turns.values(), default=0) + 1
        turns.update(dict.fromkeys(names, this))
        if len(turns) > MOST_QUESTIONS:
            newest = sorted(turns, key=lambda name: turns[name])[-MOST_QUESTIONS // 2 :]
            self.turns[kind] = {name: turns[name] for name in newest}


@cache
def _adapter() -> TypeAdapter[Memory]:
    return TypeAdapter(Memory)


def _merged(before: Any, mine: Any, there: Any) -> Any:
    """`there`, with what of `mine` is otherwise than `before`: entries of a dictionary one by one."""
    if mine == before:
        return there
    if not (isinstance(mine, dict) and isinstance(there, dict)):
        return mine
    before = before or {}
    forgotten = before.keys() - mine.keys()
    changed = {key: one for key, one in mine.items() if key not in before or one != before[key]}
    kept = {key: one for key, one in there.items() if key not in forgotten}
    return kept | {key: _merged(before.get(key), one, there.get(key)) for key, one in changed.items()}


def _few(questions: Iterable[str]) -> list[str]:
    different = list(dict.fromkeys(questions))
    more = [f"and {len(different) - NAMED} more"] if len(different) > NAMED else []
    return [*different[:NAMED], *more]


def _kind(error: Exception) -> str:
    """The kind of an error: pydantic's text would show values, and a value may be a patient's number."""
    return type(error).__name__
