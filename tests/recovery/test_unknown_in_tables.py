"""The list, a patient's file and the chart know who may have been treated since the newest proof."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from recovery.cache.memory import Memory
from recovery.charting.sheet import chart_sheets
from recovery.overview.build import with_unknown
from recovery.pacs.workspace import open_workspace
from recovery.patient.file import read_patient_file
from recovery.settings.config import load_config
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic, relational
from tests.recovery import patient_clinic as pc


def built(folder: Path, state: str, *, has_schedule: bool) -> dict[object, object]:
    """By patient, `unknown_since` as the job writes it at 14:38; records are proven up to 12:08 in state `down`."""
    config = load_config(clinic.make(folder, state, 13))
    if has_schedule:
        relational.write(config.cache_path)
    space = open_workspace(config, Memory.load(config.cache_path), clinic.NOW)
    rows = with_unknown(space, space.cache.read(ON_TREATMENT))
    space.cache.write(ON_TREATMENT, rows, taken_at=clinic.NOW, source="RT-PACS")
    return {row["patient_id"]: row["unknown_since"] for row in space.cache.read(ON_TREATMENT)}


def test_the_job_writes_since_when_somebody_may_have_been_treated(tmp_path: Path) -> None:
    since = clinic.LOCAL - timedelta(minutes=150)
    told = built(tmp_path / "a", "down", has_schedule=True)
    assert {patient for patient, at in told.items() if at == since} == {"100892", "100377", "100555", "100601"}
    assert {patient for patient, at in told.items() if at is None} >= {"100231", "100410", "100602", "100701"}
    told = built(tmp_path / "b", "down", has_schedule=False)
    assert {at for patient, at in told.items() if patient not in {"100700", "100701", "100702", "QX_9"}} == {since}
    assert set(built(tmp_path / "c", "good", has_schedule=False).values()) == {None}


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(hours=3)])
def test_a_chart_of_somebody_who_may_have_been_treated_says_so_and_has_no_number_to_sign(
    tmp_path: Path, age: timedelta
) -> None:
    made = pc.Clinic()
    pc.anna(made)
    made.tell(
        "schedule", appointment_id="noon", patient_id="100231", treatment_machine_name=pc.TB1, status="booked",
        appointment_at=pc.LOCAL.replace(hour=12, minute=15), activity="Treatment",
    )  # fmt: skip
    is_aged = age > timedelta(hours=1)
    file = read_patient_file(made.write(tmp_path, proven=age), pc.SITE, "100231", pc.NOW)
    [sheet] = chart_sheets(file)
    looks = [look for look in sheet.looks if look.startswith("UNKNOWN since Tue 24 Nov 11:38: may have been")]
    assert bool(looks) is is_aged
    assert ("unless treated since Tue 24 Nov 11:38" in sheet.next_fraction) is is_aged
    assert (sheet.first_row == "") is is_aged
