"""What jobs remember between runs to be quicker, and never to be less true.

Goal
    A run that finds nothing new asks few questions.

How
    One small JSON file in the cache: what each node understands, what was asked when, and what is owed. It may be
    deleted at any time; the next run then asks everything.

Why
    No state decides what is backed up. What is remembered here only puts off a question, by an hour or a day at
    most; it never answers one.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.dimse import NodeTraits
from recovery.durable import replace_file
from recovery.seals import sealed_json, unsealed_json

if TYPE_CHECKING:
    from datetime import datetime

    from recovery.model import DicomNode

log = logging.getLogger(__name__)

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(slots=True)
class Memory:
    """The file's content. Times are seconds since 1970."""

    path: Path
    nodes: dict[str, NodeTraits] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    """When a question, such as `records of patient 4711`, was last asked."""
    owed: dict[str, str] = field(default_factory=dict)
    """Records that the R&V system had and the RT-PACS did not hold when last asked: patient by SOP Instance UID."""
    passed_over: list[str] = field(default_factory=list)
    """Objects of Modality RTRECORD that were read and are no deliveries, such as summaries."""
    first_look_done: bool = False
    """The R&V system was once looked through as far back as `first_days_back`."""

    @classmethod
    def load(cls, cache_path: Path) -> Memory:
        """Read the file; one that is absent, damaged or of another version is a blank memory."""
        path = cache_path / "memory.json"
        memory = cls(path)
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            said = unsealed_json(path.read_bytes())
            memory = cls(
                path=path,
                nodes={node: NodeTraits(**traits) for node, traits in said["nodes"].items()},
                asked={question: float(at) for question, at in said["asked"].items()},
                owed=dict(said["owed"]),
                passed_over=list(said["passed_over"]),
                first_look_done=bool(said["first_look_done"]),
            )
        return memory

    def save(self) -> None:
        """Write the file. A cache that cannot be written costs speed, and is told elsewhere."""
        content = asdict(self)
        del content["path"]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, lambda beside: beside.write_text(sealed_json(content), encoding="utf-8"))
        except OSError as error:
            log.warning("what was learnt in this run is not kept: %s", error)

    def traits(self, node: DicomNode) -> NodeTraits:
        return self.nodes.setdefault(str(node), NodeTraits())

    def is_due(self, question: str, now: datetime, every: float) -> bool:
        """Whether `question` was not asked in the last `every` seconds (nor in a future that a clock made)."""
        last = self.asked.get(question)
        return last is None or not 0 <= now.timestamp() - last < every

    def forget(self, prefix: str) -> None:
        """Every question that begins so is due again, also for the next run, should this one be killed."""
        self.asked = {question: at for question, at in self.asked.items() if not question.startswith(prefix)}
        self.save()

    def note(self, question: str, now: datetime) -> None:
        self.asked[question] = now.timestamp()
        if len(self.asked) > 20_000:
            horizon = now.timestamp() - DAY
            self.asked = {q: at for q, at in self.asked.items() if at >= horizon}
