"""The list, the machine's day, the patient's page, the chart and the archived summary tell one count and one next."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset

from recovery.charting.sheet import chart_sheets
from recovery.lists import rows
from recovery.objects.treatment_summary import summaries_of
from recovery.on_treatment.evidence import Evidence
from recovery.on_treatment.rows import build_rows
from recovery.patient import page_words
from recovery.patient.file import PatientFile, read_patient_file
from recovery.tables.object_rows import plans_of_rows, records_of_rows
from recovery.tables.schema import ON_TREATMENT, RT_PLANS, TREATMENT_RECORDS
from recovery.words import notices
from tests import objects as o
from tests.app.frames import frame_of
from tests.recovery.patient_clinic import LOCAL, NOW, SITE, Clinic, treated, weekday, whose

FULL = {1: 100.0, 2: 50.0}
PERSON = whose("100231", "ABELSEN^Anna")


def planned(fractions: int = 15) -> Dataset:
    return o.plan(FULL, fractions=fractions, RTPlanLabel="Breast_L", **PERSON)


def beams(plan: Dataset, number: int, *items: Dataset, at: int = 0, hours: float = 0) -> Dataset:
    when = weekday(at) + timedelta(hours=hours)
    return o.record(str(plan.SOPInstanceUID), list(items), at=when, **PERSON)


def as_planned(clinic: Clinic) -> None:
    plan = planned()
    clinic.add(plan, treated(plan, range(1, 8), FULL))


def interrupted(clinic: Clinic) -> None:
    plan = planned()
    clinic.add(plan, treated(plan, range(1, 5), FULL, last=1))
    clinic.add(beams(plan, 5, o.beam_item(1, 5, 60.0, 100.0), o.beam_item(2, 5, 50.0, 50.0)))


def twice_a_day(clinic: Clinic) -> None:
    plan = planned()
    for number in (1, 2):
        items = [o.beam_item(beam, number, meterset, meterset) for beam, meterset in FULL.items()]
        clinic.add(beams(plan, number, *items, hours=6 * (number - 1)))
    clinic.add(plan)


def numbers_skipped(clinic: Clinic) -> None:
    plan = planned()
    clinic.add(plan, treated(plan, (1, 2, 4, 6), FULL))


def numbers_of_the_plan_before(clinic: Clinic) -> None:
    plan = planned()
    clinic.add(plan, treated(plan, (14, 15), FULL))


def only_a_portfilm_since(clinic: Clinic) -> None:
    plan = planned()
    clinic.add(plan, treated(plan, (1, 2, 3), FULL, last=1))
    clinic.add(beams(plan, 4, o.beam_item(1, 4, 2.0, 2.0, "OPEN_PORTFILM")))


def an_older_one_in_part(clinic: Clinic) -> None:
    plan = planned()
    clinic.add(plan, treated(plan, (1, 3), FULL, last=1))
    clinic.add(beams(plan, 2, o.beam_item(1, 2, 60.0, 100.0)))


def plan_not_held(clinic: Clinic) -> None:
    clinic.add(o.plan(FULL, **whose("100999", "OTHER^Olga")))
    clinic.add(treated(planned(), range(1, 4), FULL))


def never_treated_or_nothing_counted(clinic: Clinic) -> None:
    plan = planned()
    clinic.add(plan, beams(plan, 1, o.beam_item(1, 1, 2.0, 2.0, "SETUP")))


def completed(clinic: Clinic) -> None:
    plan = planned(fractions=3)
    clinic.add(plan, treated(plan, range(1, 4), FULL))


def plan_of_another_patient_id(clinic: Clinic) -> None:
    """Filed by the planning system under the ID as it was before. The records know nothing of the second beam."""
    plan = planned()
    clinic.add(treated(plan, range(1, 4), {1: 100.0}))
    plan.PatientID = "0100231"
    clinic.add(plan)


CASES = {
    as_planned: ("7", "8"),
    interrupted: ("4", "5"),
    twice_a_day: ("2", "3"),
    numbers_skipped: ("4", "7"),
    numbers_of_the_plan_before: ("2", "—"),
    only_a_portfilm_since: ("3", "4"),
    an_older_one_in_part: ("2", "2"),
    plan_not_held: ("3", "4"),
    never_treated_or_nothing_counted: ("0", "1"),
    completed: ("3", "none"),
    plan_of_another_patient_id: ("0", "3"),
}


def number_in(said: str) -> str:
    """The number of the next fraction, `none`, or the dash, in whatever words."""
    plain = said.lower()
    if plain.startswith("—"):
        return "—"
    if plain.startswith("none"):
        return "none"
    found = re.search(r"\d+", plain)
    assert found is not None, said
    return found[0]


@pytest.mark.parametrize("course", CASES)
def test_everything_that_tells_a_count_or_the_next_fraction_tells_the_same(
    course: Callable[[Clinic], None], tmp_path: Path
) -> None:
    clinic = Clinic()
    course(clinic)
    cache = clinic.write(tmp_path)
    [row] = cache.read(ON_TREATMENT)
    file = read_patient_file(cache, SITE, "100231", NOW)
    assert isinstance(file, PatientFile)
    [plan], [sheet] = file.plans, chart_sheets(file)
    assert plan.ledger is not None
    records = list(records_of_rows(cache.read(TREATMENT_RECORDS)))
    held = {p.ref.sop_instance_uid: p for p in plans_of_rows(cache.read(RT_PLANS))}
    listed = build_rows(Evidence(records, held, {}, {}), LOCAL, on_treatment_days=14)
    [summary] = summaries_of(replace(listed, rows=[row]))
    delivered, following = CASES[course]  # type: ignore[index]
    counts = {
        "list": row["fractions_delivered"],
        "page": plan.ledger.fractions_delivered,
        "chart": int(dict(sheet.progress)["Delivered in full"].split()[0]),
        "summary": sum(group.fractions_delivered for group in summary.groups),
    }
    assert set(map(str, counts.values())) == {delivered}, counts
    told = {
        "list": rows.describe(frame_of([row])).loc[0, "fraction"],
        "page": page_words.next_fraction(file, plan).partition("Next fraction: ")[2],
        "chart": sheet.next_fraction,
    }
    assert set(told.values()) == {notices.next_fraction(row)[0]}, told
    assert number_in(sheet.next_fraction) == following
    assert not [said for said in plan.disagreements if "in the list" in said]
    assert sheet.first_row.split(" ")[0] == ("" if following in {"—", "none"} else following)
    is_begun = plan.ledger.next.unfinished is not None
    assert is_begun == (row["interrupted_fraction"] is not None) == ("rest" in sheet.first_row)


def test_what_began_and_was_not_recorded_stops_page_and_chart_too_and_counts_that_differ_are_told(
    tmp_path: Path,
) -> None:
    clinic = Clinic()
    as_planned(clinic)
    clinic.tell("patients", patient_id="100231", patient_birth_date=date(1958, 7, 5))
    cache = clinic.write(tmp_path)
    [row] = cache.read(ON_TREATMENT)
    begun = "fraction 8 began 2026-11-24 14:20, and its end was not recorded: look at the machine before treating"
    counts = "fractions delivered: 7 in the treatment records, 8 in the R&V database"
    told = {"in_flight": begun, "disagreement": f"born 1958-07-04 in DICOM, 1958-07-05 in the R&V database; {counts}"}
    cache.write(ON_TREATMENT, [{**row, **told}], taken_at=NOW, source="RT-PACS")
    file = read_patient_file(cache, SITE, "100231", NOW)
    [plan], [sheet] = file.plans, chart_sheets(file)
    assert f"NOT RECORDED: {begun}." in sheet.stops
    assert page_words.plan_title(file, plan).startswith("■")
    assert f"■ NOT RECORDED: {begun}" in page_words.warnings(plan)
    assert [said for said in plan.disagreements if "fractions delivered" in said] == [counts]
    assert f"DISAGREEMENT: {counts}." in sheet.stops
    assert f"■ DISAGREEMENT: {counts}" in page_words.warnings(plan)
    assert not any("born" in said for said in plan.disagreements), "that is the patient's, and told with the name"


def test_who_differs_as_a_person_is_marked_at_the_headline_of_each_plan_that_may_be_treated(tmp_path: Path) -> None:
    clinic = Clinic()
    as_planned(clinic)
    clinic.tell("patients", patient_id="100231", patient_birth_date=date(1958, 7, 5))
    file = read_patient_file(clinic.write(tmp_path), SITE, "100231", NOW)
    [plan] = (replace(one, row=replace(one.row, ready=True)) for one in file.plans)
    assert file.disagreements
    assert not plan.disagreements
    assert page_words.next_fraction(file, plan).startswith("■ Next fraction: 8 next")
    assert page_words.plan_title(file, plan).startswith("■ ")
    same = replace(file, disagreements=())
    assert page_words.next_fraction(same, plan).startswith("Next fraction: 8 next")
    over = replace(plan, row=replace(plan.row, status="closed"))
    assert not page_words.plan_title(file, over).startswith("■"), "nobody is treated with it"


def test_while_records_are_missing_nobody_says_that_a_begun_fraction_is_to_be_finished(tmp_path: Path) -> None:
    clinic = Clinic()
    interrupted(clinic)
    cache = clinic.write(tmp_path)
    file = read_patient_file(cache, SITE, "100231", NOW)
    [plan] = file.plans
    lost = replace(plan, row=replace(plan.row, records_held=False, ready=False, missing="1 treatment record"))
    [sheet] = chart_sheets(replace(file, plans=(lost,)))
    assert sheet.next_fraction == "— (5 begun, 4 of 15 proven, records are missing)"
    assert (sheet.first_row, [beam.first for beam in sheet.beams]) == ("", ["—", "—"])
    assert "so that it may have been done" in sheet.stops[0]
    assert page_words.next_fraction(file, lost) == f"■ Next fraction: {sheet.next_fraction}"
    assert LOCAL.date() >= weekday(0).date()
