"""Courses counted once in a run, however often they are asked for. Pure, no I/O.

Goal
    A cycle lays out the list twice, and writes summaries of the same courses: the arithmetic runs once for each.

How
    The same records and the same plan are the same course. They are told by identity: both are frozen, and what was
    counted is kept together with its course, so that no other object can take its place.

Why not count only what changed
    Nothing decides what changed. A record or a plan that was read again is another object, and is counted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recovery.course.fractions import Course, count_fractions

if TYPE_CHECKING:
    from recovery.course.metersets import ByFraction
    from recovery.dicom.plans import Plan
    from recovery.dicom.records import TreatmentRecord


@dataclass(slots=True)
class CourseCounts:
    """What `count_fractions` said of records and plans that still are in memory."""

    _known: dict[object, tuple[Course, Sequence[TreatmentRecord], Plan | None]] = field(default_factory=dict)

    def of(self, records: Sequence[TreatmentRecord], plan: Plan | None, told: ByFraction | None = None) -> Course:
        """What `records`, all of one patient and plan, delivered of `plan`; see `count_fractions`."""
        key = (id(plan), *map(id, records), frozenset((told or {}).items()))
        if key not in self._known:
            self._known[key] = count_fractions(records, plan, told), tuple(records), plan
        return self._known[key][0]
