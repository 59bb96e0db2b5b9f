"""Where two sources tell different things of one plan or of its patient, in sentences. Pure, no I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from recovery.course.ledger import Ledger
from recovery.dicom.model import Patient
from recovery.dicom.plans import Plan
from recovery.on_treatment.second_source import numbers_planned
from recovery.patient.plan import DOSE_TOLERANCE, Prescription
from recovery.words.sentences import each_differing, in_dicom_and_database, parted


def disagreements(
    row: Mapping[str, Any],
    plan: Plan | None,
    told_plan: Mapping[str, Any] | None,
    prescription: Prescription | None,
    ledger: Ledger | None,
) -> Iterator[str]:
    """Sentences about what two sources tell differently of one plan."""
    prescribed = asdict(prescription) if prescription is not None else {}
    yield from numbers_planned(row, plan, told_plan or {}, prescribed)
    doses = {
        "in the R&V database's plan": told_plan["dose_per_fraction"] if told_plan is not None else None,
        "prescribed": prescribed.get("dose_per_fraction"),
    }
    known = [dose for dose in doses.values() if dose is not None]
    if known and max(known) - min(known) > DOSE_TOLERANCE:
        yield from each_differing("dose per fraction, Gy", doses)
    yield from parted(row["disagreement"])
    listed = row["course_fractions_delivered"]
    if ledger is not None and ledger.fractions_delivered != listed:
        yield f"{ledger.fractions_delivered} fractions in the records, {listed} in the list: reload"
    if ledger is not None and ledger.only_in_database:
        numbers_said = ", ".join(map(str, ledger.only_in_database))
        yield f"The R&V database shows fraction {numbers_said} as treated; no record of it is held"


def of_person(people: Sequence[Patient], told: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Each value of DICOM that differs from the database's, once."""
    if told is None:
        return ()
    columns = {"patient_name": "name", "patient_birth_date": "born", "patient_sex": "sex"}
    said = [
        in_dicom_and_database(what, ours, told[column])
        for column, what in columns.items()
        for person in people
        if told[column] is not None and (ours := getattr(person, column)) not in {None, told[column]}
    ]
    return tuple(dict.fromkeys(said))
