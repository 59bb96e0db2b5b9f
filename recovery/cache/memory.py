"""What jobs remember between runs to be quicker, and never to be less true.

How
    One small JSON file in the cache: what each node understands, what was asked when, and what is owed. It may be
    deleted at any time; the next run then asks everything.

Why
    No state decides what is backed up. What is remembered here only puts off a question, by an hour or a day at
    most; it never answers one.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from recovery.dimse import NodeTraits
from recovery.host.seals import unsealed_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from recovery.dicom.model import DicomNode

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

    @property
    def owed_to(self) -> list[str]:
        """The patient of each record that is owed; empty where the record bore no PatientID."""
        return [of for whose in self.owed.values() for of in whose.split("\\")]

    @classmethod
    def load(cls, cache_path: Path) -> Memory:
        """Read the file; one that is absent, damaged or of another version is a blank memory."""
        path = cache_path / "memory.json"
        try:
            said = unsealed_json(path.read_bytes())
            memory = TypeAdapter(cls).validate_python({**said, "path": path})
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError, TypeError) as error:
            log.warning("what earlier runs learnt is forgotten, %s is not what was written: %s", path, _kind(error))
            return cls(path)
        memory.begin_job()
        memory.runs += 1
        if memory.runs % RUNS_PER_PROOF == 0:
            memory._prove_anew()
        return memory

    def _prove_anew(self) -> None:
        """A node may be given a limit of matches at any time: what was proven of its answers is proven again."""
        for traits in self.nodes.values():
            traits.proven.clear()
            traits.inconclusive.clear()

    def save(self) -> None:
        """Write the file. A cache that cannot be written costs speed, and is told elsewhere."""
        content = asdict(self)
        del content["path"]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, content)
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


def _few(questions: Iterable[str]) -> list[str]:
    different = list(dict.fromkeys(questions))
    more = [f"and {len(different) - NAMED} more"] if len(different) > NAMED else []
    return [*different[:NAMED], *more]


def _kind(error: Exception) -> str:
    """The kind of an error: pydantic's text would show values, and a value may be a patient's number."""
    return type(error).__name__
