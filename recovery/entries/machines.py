"""What a physicist signs of a machine, so that a network knows who could take whose patients: each kept for good.

One JSON line per statement in `machines.jsonl` (`entry_lines`); a copy off site carries it, and no clinic writes
another's. Of a machine the latest statement counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from recovery.host.entry_lines import Statement, read_statements

FURTHEST = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class MachineEntry(Statement):
    """One statement. `beam_data`: its name, the same wherever the data are the same; `energies`: as plans name them.

    `free_slots`: patients a day whom it could take beside its own, up to and with the day `free_until`; where none is
    named, on the day of the signature. `entered_at` aware.
    """

    FILE = "machines.jsonl"

    treatment_machine_name: str
    manufacturer_model_name: str
    beam_data: str
    energies: tuple[str, ...]
    free_slots: int
    signed_by: str
    entered_at: datetime
    free_until: date | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if a name lacks, or slots are no number of them."""
        names = (self.treatment_machine_name, self.manufacturer_model_name, self.beam_data, self.signed_by)
        if not all(name.strip() for name in names) or self.entered_at.tzinfo is None:
            raise ValueError("it names a machine, its model, its beam data and who signed, at an aware time")
        if isinstance(self.free_slots, bool) or not 0 <= self.free_slots <= 200:
            raise ValueError("free slots a day are 0 to 200")
        if not timedelta() <= self.told_until - self.entered_at.date() <= FURTHEST:
            raise ValueError(f"slots are free until a day that has not passed, {FURTHEST.days} days ahead at most")

    @property
    def told_until(self) -> date:
        return self.free_until or self.entered_at.date()

    def free_on(self, today: date) -> int | None:
        """What is told to be free on a day; None once that is over, for others have taken some since."""
        return self.free_slots if today <= self.told_until else None

    def lacks_of(self, other: "MachineEntry") -> tuple[str, ...] | None:
        """Energies of `other` that this one has not; None where model or beam data are not the same by name."""
        if (_plain(self.manufacturer_model_name), _plain(self.beam_data)) != (
            _plain(other.manufacturer_model_name),
            _plain(other.beam_data),
        ):
            return None
        own = {_plain(energy) for energy in self.energies}
        return tuple(energy for energy in other.energies if _plain(energy) not in own)


def machines_at(cache_path: Path) -> Mapping[str, MachineEntry]:
    """By machine, the statement that counts. Raises `EntriesError` if the file is there and cannot be read."""
    entries = read_statements(cache_path, MachineEntry).all
    return {entry.treatment_machine_name: entry for entry in entries}


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
