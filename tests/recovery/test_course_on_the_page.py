"""Page and chart speak for the whole course, and find what lies under any of the patient's IDs."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.charting.sheet import chart_sheets
from recovery.patient.chosen import machine_day
from recovery.patient.file import PatientFile, read_patient_file, read_patient_files
from tests import objects as o
from tests.recovery.patient_clinic import LOCAL, NOW, SITE, TB1, Clinic, tell_of, weekday, whose


def daily(clinic: Clinic, patient_id: str = "B11") -> str:
    """Fractions 1 to 3 of 5, each with a plan of its own that was made from one that is never treated."""
    about = whose(patient_id, "DAILY^Dan")
    reference = o.plan({1: 100.0}, fractions=5, RTPlanLabel="Ref", **about)
    clinic.add(reference)
    made_from = o.item(ReferencedSOPInstanceUID=reference.SOPInstanceUID, RTPlanRelationship="PARENT")
    uid = ""
    for number in (1, 2, 3):
        plan = o.plan({1: 100.0}, fractions=1, RTPlanLabel=f"Ad{number}", **about)
        plan.ReferencedRTPlanSequence = [made_from]
        uid = str(plan.SOPInstanceUID)
        clinic.add(plan, o.record(uid, [o.beam_item(1, number, 100.0, 100.0)], at=weekday(4 - number), **about))
    return uid


def renamed(clinic: Clinic) -> None:
    """Fractions 1 to 10 under TMP, 11 and 12 under MRN; the database knows the old number alone."""
    plan = o.plan({1: 100.0}, fractions=30, RTPlanLabel="Brain", **whose("TMP", "NEWMAN^Nora"))
    clinic.add(plan)
    for number in range(1, 13):
        about = whose("TMP" if number < 11 else "MRN", "NEWMAN^Nora")
        beam = o.beam_item(1, number, 100.0, 100.0)
        clinic.add(o.record(str(plan.SOPInstanceUID), [beam], at=weekday(13 - number), **about))
    tell_of(clinic, plan)


def read(clinic: Clinic, folder: Path, patient_id: str) -> PatientFile:
    return read_patient_file(clinic.write(folder), SITE, patient_id, NOW)


def test_the_page_of_a_plan_for_one_day_tells_of_the_whole_course(tmp_path: Path) -> None:
    clinic = Clinic()
    uid = daily(clinic)
    file = read(clinic, tmp_path, "B11")
    [newest] = file.unfinished_plans
    assert newest.uid == uid and newest.ledger is not None
    book = newest.ledger
    assert (book.fractions_delivered, book.number_of_fractions_planned) == (3, 5)
    assert book.next.fraction_number == 4
    assert [number for _, number in book.fractions_over_time] == [1, 2, 3]
    assert newest.disagreements == ()


def test_the_chart_of_a_plan_for_one_day_counts_the_course(tmp_path: Path) -> None:
    clinic = Clinic()
    daily(clinic)
    [sheet] = chart_sheets(read(clinic, tmp_path, "B11"))
    assert ("Delivered in full", "3 of 5") in sheet.progress
    assert sheet.next_fraction.startswith("4 next of 5") and sheet.first_row == "4"
    assert not any(stop.startswith("COMPLETED") for stop in sheet.stops)


@pytest.mark.parametrize("asked", ["MRN", "TMP"])
def test_a_patient_is_found_under_the_old_and_the_new_id(asked: str, tmp_path: Path) -> None:
    clinic = Clinic()
    renamed(clinic)
    file = read(clinic, tmp_path, asked)
    [plan] = file.plans
    assert (file.identity.patient_id, file.older_patient_ids) == ("MRN", ("TMP",))
    assert file.identity.other_patient_ids == "TMP"
    assert plan.ledger is not None and plan.ledger.fractions_delivered == 12
    assert plan.ledger.next.fraction_number == 13
    assert file.contacts.phone_mobile == "+41 79 555 01 23"
    assert plan.prescription is not None and plan.prescription.site == "Breast"
    assert file.next_appointment is not None
    assert file.namesakes == ()
    assert not [said for said in plan.disagreements if "reload" in said]


def test_both_ids_are_one_chart_and_one_place_in_a_machines_day(tmp_path: Path) -> None:
    clinic = Clinic()
    renamed(clinic)
    clinic.tell(
        "schedule", appointment_id="today", patient_id="TMP", treatment_machine_name=TB1, status="booked",
        appointment_at=LOCAL.replace(hour=16, minute=0), activity="Treatment",
    )  # fmt: skip
    cache = clinic.write(tmp_path)
    assert machine_day(cache, TB1, LOCAL.date()).patient_ids == ("MRN",)
    [file] = read_patient_files(cache, SITE, ["TMP", "MRN"], NOW)
    assert file.identity.patient_id == "MRN"
