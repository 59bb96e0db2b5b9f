"""Who could take whose patients, machine by machine of a network, by what physicists signed of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from recovery.entries.machines import MachineEntry
from recovery.words.notices import LOOK_MARK, STOP_MARK
from recovery.words.statuses import NOW_TREATED
from recovery.words.times import at_time, day
from recovery.words.values import counted

NOT_SIGNED = "not signed yet: a physicist there signs it on Machine day"
NO_MATCH = "nobody: no other clinic has this model and beam data"
NONE_FREE = "nobody: matching machines elsewhere have no free slot"


@dataclass(frozen=True, slots=True)
class Fleet:
    """A clinic's machines as its copy says. `listed`: its rows of on_treatment; `mark`: of its copy."""

    copy: str
    clinic: str
    listed: pd.DataFrame
    signed: Mapping[str, MachineEntry]
    mark: str = ""


def rows_of(fleets: Sequence[Fleet], today: date) -> pd.DataFrame:
    """A row per machine that is signed or has patients, in the clinics' order. What was told to be free up to a day
    before `today` counts no more."""
    rows: list[dict[str, Any]] = []
    for fleet in fleets:
        own = fleet.listed[fleet.listed["status"].isin(NOW_TREATED)]
        patients = own.groupby("treatment_machine_name")["patient_id"].nunique()
        for machine in sorted({*map(str, patients.index), *fleet.signed}):
            entry = fleet.signed.get(machine)
            free, words = _elsewhere(fleet, entry, fleets, today)
            count = int(patients.get(machine, 0))
            rows.append(
                {
                    "mark": LOOK_MARK if count and not free else "",
                    "copy": fleet.copy,
                    "clinic": fleet.clinic,
                    "treatment_machine_name": machine,
                    "patients": count,
                    "free_elsewhere": free,
                    "could_take": words,
                    "model": entry.manufacturer_model_name if entry else None,
                    "beam_data": entry.beam_data if entry else None,
                    "energies": ", ".join(entry.energies) if entry else None,
                    "free_slots": entry.free_on(today) if entry else None,
                    "signed_by": f"{entry.signed_by}, {at_time(entry.entered_at, today)}" if entry else None,
                }
            )
    columns = {"patients": "Int64", "free_elsewhere": "Int64", "free_slots": "Int64"}
    return pd.DataFrame(rows).astype(columns) if rows else pd.DataFrame()


def _elsewhere(own: Fleet, entry: MachineEntry | None, fleets: Sequence[Fleet], today: date) -> tuple[int, str]:
    """How many a day the others could take of a machine's patients, and where, the most first, in words.

    Of a clinic whose copy is not to be relied on, and of what was told for days that are over, nobody knows what is
    free now: it is named last, and not counted.
    """
    if entry is None:
        return 0, NOT_SIGNED
    others = [
        (f"{fleet.mark} {fleet.clinic}".strip(), other)
        for fleet in fleets
        if fleet is not own
        for other in fleet.signed.values()
    ]
    matching = [(clinic, other, lacks) for clinic, other in others if (lacks := other.lacks_of(entry)) is not None]
    free = sorted(
        (one for one in matching if one[1].free_slots),
        key=lambda one: (not _is_known(one[0], one[1], today), -one[1].free_slots),
    )
    said = [
        f"{clinic} {other.treatment_machine_name}: {_told(other, today)}"
        + (f", without {' and '.join(lacks)}" if lacks else "")
        for clinic, other, lacks in free
    ]
    total = sum(other.free_slots for clinic, other, _ in free if _is_known(clinic, other, today))
    return total, "; ".join(said) or (NONE_FREE if matching else NO_MATCH)


def _is_known(clinic: str, other: MachineEntry, today: date) -> bool:
    return clinic[0] != STOP_MARK and other.free_on(today) is not None


def _told(other: MachineEntry, today: date) -> str:
    said = f"{counted(other.free_slots, 'patient')} a day"
    return said if other.free_on(today) is not None else f"{said} until {day(other.told_until, today)}: ask anew"
