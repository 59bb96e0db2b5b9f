"""What stands under an older ID of a patient is found under the newest, on every page."""

from __future__ import annotations

import pandas as pd

from recovery.lists import machine_day, older_ids, since_proof
from recovery.lists.filters import matching_search
from recovery.lists.rows import describe, with_unknown
from recovery.on_treatment.unknown_since import Doubt
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic


def table() -> pd.DataFrame:
    rows = [
        clinic.row("NEWMAN, Nora", "MRN", "Brain", 12, other_patient_ids="TMP\\OLD"),
        clinic.row("BERG, Bo", "2", "Prostate", 4),
    ]
    return describe(ON_TREATMENT.to_arrow(rows).to_pandas())


def schedule(patient_id: str) -> pd.DataFrame:
    at = clinic.LOCAL.replace(hour=9, minute=15)
    return pd.DataFrame(
        {"patient_id": [patient_id], "appointment_at": [at], "treatment_machine_name": ["TB1"], "status": ["booked"]}
    )


def test_rows_and_entries_under_an_older_id_come_under_the_newest_and_those_under_the_newest_first() -> None:
    names = older_ids.names_of(table())
    assert names == {"TMP": "MRN", "OLD": "MRN"}
    frame = pd.DataFrame({"patient_id": ["TMP", "2", "MRN"], "phone": ["a", "b", "c"]})
    moved = older_ids.under_newest(frame, names)
    assert list(zip(moved["patient_id"], moved["phone"], strict=True)) == [("2", "b"), ("MRN", "c"), ("MRN", "a")]
    assert older_ids.by_newest({"TMP": 1, "2": 2}, names) == {"MRN": 1, "2": 2}
    assert older_ids.by_newest({"MRN": 3, "TMP": 1}, names) == {"MRN": 3}


def test_a_patient_is_searched_by_an_older_id() -> None:
    assert list(matching_search(table(), "tmp")) == [True, False]


def test_somebody_booked_under_an_older_id_may_have_been_treated() -> None:
    doubt = Doubt(clinic.LOCAL.replace(hour=9, minute=5), clinic.LOCAL)
    told = with_unknown(table(), schedule("TMP"), doubt)
    assert list(told["unknown_since"].notna()) == [True, False]


def test_an_appointment_is_for_every_row_that_bears_its_number_on_machine_day_timeline_and_list() -> None:
    """The database has the new number; one plan was treated under the old one, another under the new one."""
    bearers = [
        clinic.row("NEWMAN, Nora", "OLD", "Brain", 12, other_patient_ids="NEW"),
        clinic.row("NEWMAN, Nora", "NEW", "Boost", 1),
    ]
    rows = describe(ON_TREATMENT.to_arrow(bearers).to_pandas())
    booked = schedule("NEW").assign(appointment_id="1", ends_at=pd.NaT, activity="", note=None)
    doubt = Doubt(clinic.LOCAL.replace(hour=9, minute=5), clinic.LOCAL)
    told = with_unknown(rows, booked, doubt)
    assert told["unknown_since"].notna().all()
    that_day = machine_day.day_of(told, machine_day.Tables(booked), "TB1", clinic.LOCAL.date())
    assert that_day.booked["plan"].tolist() == ["Brain", "Boost"] and that_day.unbooked.empty
    lines = since_proof.lines_of(told, booked, doubt)
    assert list(zip(lines["plan"], lines["why"], strict=True)) == [("Brain", "booked"), ("Boost", "booked")]
