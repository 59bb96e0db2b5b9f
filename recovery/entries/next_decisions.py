"""Which fraction is next where the records contradict themselves: a physicist's signed decision, each kept for good.

One JSON line per statement in `next_decisions.jsonl` (`entry_lines`). It names what it was made on, and holds for that
alone (`recovery.patient.next_decided`). Of a plan the latest counts. What stands before a line that cannot be read
counts no more: that line may have taken it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from recovery.dicom.course_uids import course_uid
from recovery.host.entry_lines import EntriesError, Statement, read_statements
from recovery.identity.one_patient import ids_of
from recovery.words.times import at_time

LONGEST_REASON = 200
Kind = Literal["whole", "rest", "none", "open"]


@dataclass(frozen=True, slots=True)
class NextEvidence:
    """What a decision is made on. `digest`: of the patient's `records`, so many, of what the plan's beams are to give,
    and of the `doubts`; `charted`: which of the records are charted fractions."""

    digest: str
    records: int
    doubts: tuple[str, ...]
    charted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NextDecision(Statement):
    """One statement: a `whole` fraction is next, the `rest` of one (`remaining`: MU by beam, of those that lack some),
    or `none`; `open` takes the decision back. `plan`: by `course_uid`; `entered_at`: aware, in the site's zone."""

    FILE = "next_decisions.jsonl"

    patient_id: str
    plan: str
    kind: Kind
    fraction_number: int | None
    fraction_group_number: int | None
    remaining: dict[int, float]
    reason: str
    evidence: NextEvidence
    signed_by: str
    entered_at: datetime

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError`, with what to mend."""
        if not self.patient_id or not self.plan or not self.signed_by.strip() or self.entered_at.tzinfo is None:
            raise ValueError("a decision names a patient, a plan and who signed, at an aware time")
        if not self.reason.strip() or len(self.reason) > LONGEST_REASON:
            raise ValueError(f"say why, in {LONGEST_REASON} letters at most")
        if (self.fraction_number is not None) is not (self.kind in {"whole", "rest"}):
            raise ValueError("say which fraction is next")
        if bool(self.remaining) is not (self.kind == "rest") or any(not 0 < mu < 1e5 for mu in self.remaining.values()):
            raise ValueError("say how many MU remain, of each field that lacks some")

    @property
    def what(self) -> str:
        """`fraction 5 is next`"""
        if self.kind == "none":
            return "nothing remains"
        of = f" of fraction group {self.fraction_group_number}" if self.fraction_group_number is not None else ""
        return f"{'the rest of ' if self.kind == 'rest' else ''}fraction {self.fraction_number}{of} is next"

    @property
    def by(self) -> str:
        """`Green, Gloria (physicist) on Sun 29 Nov 2026 17:02`"""
        return f"{self.signed_by} on {at_time(self.entered_at.replace(tzinfo=None))}"


Standing = Mapping[tuple[str, str], NextDecision]
"""The statement that counts, by patient number and plan."""


def standing_at(cache_path: Path) -> Standing:
    """By what can be read, also what was taken back; of a file that cannot be read none."""
    try:
        read = read_statements(cache_path, NextDecision)
    except EntriesError:
        return {}
    return {(one.patient_id, one.plan): one for one in read.all[read.before_damage :]}


def decision_of(row: Mapping[str, Any], standing: Standing) -> NextDecision | None:
    """What stands of a row of on_treatment, under whichever of the patient's numbers it was signed last."""
    plan = str(course_uid(row["referenced_rt_plan_uid"], row["prescription_id"]))
    told = [one for own in ids_of(row) if (one := standing.get((str(own), plan))) is not None]
    latest = max(told, key=lambda one: one.entered_at, default=None)
    return latest if latest is not None and latest.kind != "open" else None


def told_since(cache_path: Path, _: datetime) -> str:
    """What a list as it was built never tells; empty where nothing was decided."""
    if all(one.kind == "open" for one in standing_at(cache_path).values()):
        return ""
    return "Physicists decided on next fractions, which pages and charts tell, and this does not."
