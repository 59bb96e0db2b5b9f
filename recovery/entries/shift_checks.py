"""Who compared the copy with the R&V system, shift by shift, each statement kept for good.

One JSON line per statement in `shift_checks.jsonl` (`entry_lines`).
"""

from dataclasses import dataclass
from datetime import datetime

from recovery.host.entry_lines import Statement


@dataclass(frozen=True, slots=True)
class ShiftCheck(Statement):
    """One statement. `agrees`: list and newest fractions are those of the R&V system; `entered_at` aware."""

    FILE = "shift_checks.jsonl"

    agrees: bool
    remark: str
    signed_by: str
    entered_at: datetime

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if it lacks a name, its zone or what differs."""
        if not self.signed_by.strip() or self.entered_at.tzinfo is None:
            raise ValueError("a shift check names who compared, at an aware time")
        if not self.agrees and not self.remark.strip():
            raise ValueError("a shift check that does not agree says what differs")
