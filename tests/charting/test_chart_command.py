"""`python -m recovery chart`: a machine's day from the cache alone, with the exit statuses of the contract."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.patient.chosen import machine_day
from recovery.tables.relational import SCHEDULE
from recovery.tables.schema import ON_TREATMENT
from tests import objects as o
from tests.app.clinic import CONFIG
from tests.charting.pages import texts
from tests.forked import PROJECT, run_module
from tests.recovery.patient_clinic import LOCAL, NOW, TB1, Clinic, anna, bo, treated, whose

TOMORROW = "2026-11-25"


@pytest.fixture
def clinic() -> Clinic:
    """Bo at 8:00, Anna at 8:15, a phantom at 8:30 and one who cancelled, all on TB1 tomorrow."""
    made = Clinic()
    anna(made)
    bo(made)
    for patient_id in ("$QA", "CANCELLED"):
        plan = o.plan({1: 100.0}, **whose(patient_id, f"{patient_id}^X"))
        made.add(plan, treated(plan, [1], {1: 100.0}))
    for patient_id, minutes, status in (("100377", 0, "booked"), ("$QA", 30, "booked"), ("CANCELLED", 5, "cancelled")):
        at = LOCAL.replace(hour=8, minute=minutes) + timedelta(days=1)
        made.tell("schedule", appointment_id=f"B{patient_id}", patient_id=patient_id, treatment_machine_name=TB1,
                  appointment_at=at, status=status)  # fmt: skip
    return made


def run(folder: Path, *arguments: str, minutes: int = 0) -> tuple[int, str]:
    """The command as a user runs it, on Tuesday 24 November; its exit status and what it said."""
    config, clock = folder / "config.toml", folder / "clock.json"
    config.write_text(CONFIG + '[dashboard]\nexclude_patient_ids = ["$*"]\n', encoding="utf-8")
    now = NOW + timedelta(minutes=minutes)
    clock.write_text(json.dumps({"real": 0, "speed": 0, "simulated": now.isoformat()}), encoding="utf-8")
    environment = {**os.environ, "RBRDT_CLOCK": str(clock)}
    done = run_module("recovery", "chart", *arguments, "--config", str(config), environment=environment)
    assert done.stdout == "" and "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def test_a_machines_day_comes_in_order_of_appointment_without_phantoms_and_cancelled_ones(
    clinic: Clinic, tmp_path: Path
) -> None:
    clinic.write(tmp_path / "data" / "cache")
    file = tmp_path / "tb1.pdf"
    status, said = run(tmp_path, "--machine", "tb1", "--date", TOMORROW, "-o", str(file))
    assert status == 0, said
    names = [page.split("\n")[0] for page in texts(file.read_bytes())]
    assert list(dict.fromkeys(names)) == ["BERG, Bo", "ABELSEN, Anna"]
    assert "Charts of 2 patients are in" in said and "1 more patient is on treatment on TB1 and not booked" in said
    assert "BERG" not in said and "100377" not in said


def test_without_a_schedule_everybody_on_treatment_comes_by_name_and_it_is_said(clinic: Clinic, tmp_path: Path) -> None:
    clinic.write(tmp_path / "data" / "cache", with_database=False)
    file = tmp_path / "tb1.pdf"
    status, said = run(tmp_path, "--machine", "TB1", "-o", str(file))
    names = [page.split("\n")[0] for page in texts(file.read_bytes())]
    assert status == 0 and list(dict.fromkeys(names)) == ["ABELSEN, Anna", "BERG, Bo", "CANCELLED, X"]
    assert "no schedule" in said


def test_a_day_without_appointments_writes_no_file_and_is_no_success(clinic: Clinic, tmp_path: Path) -> None:
    clinic.write(tmp_path / "data" / "cache")
    status, said = run(tmp_path, "--machine", "TB1", "-o", str(tmp_path / "tb1.pdf"))
    assert (status, said) == (1, "Nobody is booked on TB1 on Tue 24 Nov 2026. No file was written.\n")
    assert not (tmp_path / "tb1.pdf").exists()


def test_a_machine_that_there_is_not_lists_those_that_there_are(clinic: Clinic, tmp_path: Path) -> None:
    clinic.write(tmp_path / "data" / "cache")
    status, said = run(tmp_path, "--machine", "TB9", "-o", str(tmp_path / "tb9.pdf"))
    assert (status, said) == (2, "No machine TB9 in the cache. There are: TB1.\n")


def test_the_whole_department_is_one_file_a_pile_per_machine_booked_or_not(clinic: Clinic, tmp_path: Path) -> None:
    """Who has no appointment known is on treatment all the same: in a downtime nobody's chart may lack."""
    third = o.plan({1: 100.0}, **whose("100900", "AABYE^Åse"))
    clinic.add(third, treated(third, [1], {1: 100.0}, TreatmentMachineSequence=[o.item(TreatmentMachineName="TB2")]))
    clinic.write(tmp_path / "data" / "cache")
    file = tmp_path / "all.pdf"
    status, said = run(tmp_path, "--everybody", "-o", str(file))
    names = [page.split("\n")[0] for page in texts(file.read_bytes())]
    assert status == 0, said
    assert list(dict.fromkeys(names)) == ["ABELSEN, Anna", "BERG, Bo", "CANCELLED, X", "AABYE, Åse"]
    assert "Charts of 4 patients are in" in said
    assert run(tmp_path, "--everybody", "--date", TOMORROW, "-o", str(file))[0] == 2


def test_a_days_charts_are_those_of_every_number_that_the_booked_patient_bears(clinic: Clinic, tmp_path: Path) -> None:
    cache = clinic.write(tmp_path / "data" / "cache")
    rows = cache.read(ON_TREATMENT)
    rows = [{**row, "other_patient_ids": "100377"} if row["patient_id"] == "100231" else row for row in rows]
    cache.write(ON_TREATMENT, rows, taken_at=NOW, source="RT-PACS")
    asked = machine_day(cache, TB1, (LOCAL + timedelta(days=1)).date(), ["$*"])
    assert asked.patient_ids == ("100377", "100231")
    without = [row for row in cache.read(SCHEDULE) if row["patient_id"] != "100231"]
    cache.write(SCHEDULE, without, taken_at=NOW, source="aria")
    assert machine_day(cache, TB1, (LOCAL + timedelta(days=1)).date(), ["$*"]).patient_ids == ("100377", "100231")


def test_patients_come_as_asked_and_one_who_is_not_there_is_told_by_place(clinic: Clinic, tmp_path: Path) -> None:
    clinic.write(tmp_path / "data" / "cache")
    file = tmp_path / "two.xlsx"
    status, said = run(tmp_path, "--patient", "100231", "nobody", "-o", str(file), "--paper", "letter")
    assert status == 1 and "the patient in place 2 of those asked for" in said and "nobody" not in said
    assert file.read_bytes()[:2] == b"PK"
    status, said = run(tmp_path, "--patient", "nobody", "-o", str(tmp_path / "none.pdf"))
    assert status == 2 and "None of these patients is in the cache" in said and not (tmp_path / "none.pdf").exists()


def test_an_old_copy_says_how_old_it_is(clinic: Clinic, tmp_path: Path) -> None:
    clinic.write(tmp_path / "data" / "cache")
    status, said = run(tmp_path, "--patient", "100231", "-o", str(tmp_path / "a.pdf"), minutes=14 * 60)
    assert status == 0 and "The copy is 14 h 6 min old" in said
    assert "OLD COPY" in "".join(texts((tmp_path / "a.pdf").read_bytes()))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--machine", "TB1", "-o", "nowhere/tb1.pdf", "--date", TOMORROW), "nowhere/tb1.pdf cannot be written"),
        (("--patient", "100231", "-o", "x.pdf", "--date", TOMORROW), "--date belongs to --machine"),
        (("--machine", "TB1", "-o", "x.pdf", "--date", "24.11.2026"), "is no day; write it like 2026-11-24"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    clinic: Clinic, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    clinic.write(tmp_path / "data" / "cache")
    status, said = run(tmp_path, *arguments)
    assert status == 2 and told in said
    assert not (PROJECT / "x.pdf").exists()


def test_a_cache_that_was_never_written_says_what_to_run(tmp_path: Path) -> None:
    status, said = run(tmp_path, "--machine", "TB1", "-o", str(tmp_path / "x.pdf"))
    assert status == 2 and "python -m recovery rebuild" in said
