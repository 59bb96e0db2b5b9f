"""What became of each difference between this copy and a restored R&V system: who entered it there, or accepts it.

One JSON line per statement in `reconciled.jsonl` (`entry_lines`). "Entered by hand" closes nothing: the database has
to say the same. "Agrees" closes a difference for as long as both sides say what they said when it was signed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from recovery.host.entry_lines import Statement


@dataclass(frozen=True, slots=True)
class Worked(Statement):
    """One statement of an item of the work list; `sides`: what both sides said then, `said`: why that agrees."""

    FILE = "reconciled.jsonl"

    item: str
    kind: Literal["entered", "agrees"]
    sides: str
    signed_by: str
    entered_at: datetime
    said: str = ""

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if a name, a zone or a reason lacks."""
        if not (self.item and self.sides and self.signed_by.strip()) or self.entered_at.tzinfo is None:
            raise ValueError("a statement names its item, a person and an aware time")
        if self.kind == "agrees" and not self.said.strip():
            raise ValueError("say why that agrees")


def newest_of(statements: Iterable[Worked]) -> Mapping[str, Worked]:
    """By item, what was said of it last."""
    return {one.item: one for one in statements}
