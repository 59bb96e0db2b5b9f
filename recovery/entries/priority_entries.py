"""What physicians said about a patient's priority, each statement kept for good.

One JSON line per statement in `priorities.jsonl` (`entry_lines`). The latest statement about a patient is the one that
counts; one without a category withdraws.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from recovery.host.entry_lines import Statement
from recovery.on_treatment.priorities import CATEGORIES, INTENTS


@dataclass(frozen=True, slots=True)
class PriorityEntry(Statement):
    """One statement. `decided_by`: the physician; `signed_by`: who was signed in. `entered_at` aware, UTC."""

    FILE = "priorities.jsonl"

    patient_id: str
    category: int | None
    concurrent_chemotherapy: bool | None
    intent: str | None
    comment: str
    decided_by: str
    signed_by: str
    entered_at: datetime

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if a field is none of those that it may be."""
        if not self.patient_id or not self.decided_by.strip() or not self.signed_by.strip():
            raise ValueError("an entry names the patient, the physician who decided and who signed it")
        if self.category is not None and (isinstance(self.category, bool) or self.category not in CATEGORIES):
            raise ValueError("a category is 1, 2 or 3, or absent to withdraw")
        if self.intent is not None and self.intent not in INTENTS:
            raise ValueError(f"an intent is {' or '.join(INTENTS)}, or absent")
        if self.entered_at.tzinfo is None:
            raise ValueError("the time of an entry is aware")


def latest(entries: Iterable[PriorityEntry]) -> dict[str, PriorityEntry]:
    """By patient, the statement that counts. Later lines supersede earlier ones, whatever their clocks said."""
    return {entry.patient_id: entry for entry in entries}
