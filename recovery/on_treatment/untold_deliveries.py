"""Deliveries in treatment records made of the R&V database, which it does not tell any more. Pure, no I/O.

Goal
    A delivery that disappears from the database, or is called brachytherapy or ions later, is neither forgotten nor
    counted in silence: its record keeps it, and whoever reads the list learns which one it is.

How
    A record bears the key of the row of each of its beams. What has no such row any more, nor one of the same beam
    that began in the same second, is untold; so is what cannot be told by a record of beams now.

Why it goes on counting
    A row may be missing because somebody voided it, because an attacker deleted it, or because a reading without
    locks passed it by. Dose that was given and is not counted may be given again; dose that is counted and named is a
    question that a physicist can answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from recovery.course.deliveries import TREATING
from recovery.dicom.beam_kinds import no_beam
from recovery.dicom.records import BeamDelivery, TreatmentRecord
from recovery.tables.delivered import DELIVERIES

MOST_SENTENCES = 3
"""More fractions than these are told in one sentence."""


@dataclass(frozen=True, slots=True)
class Untold:
    """One delivery. `row` is what its record tells, as a row of `deliveries`; `is_now`: what the database calls its
    radiation, None where the row is gone."""

    row: Mapping[str, Any]
    is_now: str | None


def untold_deliveries(
    records: Iterable[TreatmentRecord], deliveries: Iterable[Mapping[str, Any]], since: date
) -> list[Untold]:
    """What `records` tell and `deliveries` do not, from `since` on: of what is older that table tells nothing.

    Only records that were made of that table; those that another replaces are to be left out beforehand.
    """
    listed = list(deliveries)
    told = {str(row["delivery_id"]): row for row in listed}
    entered_again = {
        (row["patient_id"], row["beam_number"], row["treated_at"].replace(microsecond=0))
        for row in listed
        if row["treated_at"] is not None and not no_beam(row)
    }
    found: dict[str, Untold] = {}
    for record in records:
        for beam in record.beams:
            key, at = beam.delivery_id, beam.started_at
            if key is None or key in found or at is None or at.date() < since:
                continue
            row = told.get(key)
            if row is None and (record.ref.patient_id, beam.beam_number, at) not in entered_again:
                found[key] = Untold(_row(record, beam), None)
            elif row is not None and no_beam(row):
                found[key] = Untold(_row(record, beam), str(row["radiation_type"]))
    return list(found.values())


def _row(record: TreatmentRecord, beam: BeamDelivery) -> dict[str, Any]:
    return {
        **dict.fromkeys(DELIVERIES.columns),
        "delivery_id": beam.delivery_id,
        "patient_id": record.ref.patient_id,
        "referenced_rt_plan_uid": record.referenced_rt_plan_uid,
        "prescription_id": beam.prescription_id,
        "fraction_number": beam.current_fraction_number,
        "beam_number": beam.beam_number,
        "beam_name": beam.beam_name,
        "treatment_machine_name": record.treatment_machine_name,
        "treated_at": beam.started_at,
        "planned_meterset": beam.specified_meterset,
        "delivered_meterset": beam.delivered_meterset,
        "termination_status": beam.treatment_termination_status,
        "delivery_type": beam.treatment_delivery_type,
    }


def in_words(untold: Iterable[Untold]) -> Iterator[str]:
    """A sentence per fraction; where there are many, one for all. Only of what treats."""
    groups: dict[str | None, list[Untold]] = {}
    for one in untold:
        if one.row["delivery_type"] in TREATING:
            groups.setdefault(one.is_now, []).append(one)
    for is_now, members in groups.items():
        now = "no longer in the R&V database" if is_now is None else f"{is_now} in the R&V database now"
        fractions: dict[Any, list[Mapping[str, Any]]] = {}
        for row in sorted((one.row for one in members), key=lambda r: (r["treated_at"], r["beam_number"] or 0)):
            fractions.setdefault((row["fraction_number"], row["treated_at"].date()), []).append(row)
        if len(fractions) > MOST_SENTENCES:
            yield _said([row for rows in fractions.values() for row in rows], now)
        else:
            yield from (_said(rows, now) for rows in fractions.values())


def _said(rows: Sequence[Mapping[str, Any]], now: str) -> str:
    numbers = list(dict.fromkeys(row["fraction_number"] for row in rows))
    days = sorted({row["treated_at"].date() for row in rows})
    fractions = ", ".join("—" if n is None else str(n) for n in numbers)
    on = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    beams = ", ".join(dict.fromkeys(_beam(row) for row in rows)) if len(numbers) == 1 else f"{len(rows)} beams"
    given = [row["delivered_meterset"] for row in rows]
    dose = "—" if None in given else f"{sum(given):.1f}"
    whose = "its treatment record" if len(numbers) == 1 and len(days) == 1 else "their treatment records"
    noun = "fraction" if len(numbers) == 1 else "fractions"
    return f"{noun} {fractions} of {on}, {beams}: {dose} MU in {whose}, {now}, still counted here"


def _beam(row: Mapping[str, Any]) -> str:
    number, name = row["beam_number"], row["beam_name"]
    return f"beam {'—' if number is None else number}" + (f" ({name})" if name else "")
