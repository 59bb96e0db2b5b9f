"""A plan of several fraction groups has a sheet for each: its fields, its metersets, and the number that is its own."""

from __future__ import annotations

from pathlib import Path

from pydicom import Dataset

from recovery.charting.sheet import ChartSheet, chart_sheets
from recovery.entries.next_decisions import NextDecision
from recovery.host.entry_lines import append_statement
from recovery.patient.file import PatientFile, read_patient_file
from tests import objects as o
from tests.recovery.patient_clinic import LOCAL, NOW, SITE, Clinic, treated, weekday, whose

WHO = "100731"


def in_two_groups(clinic: Clinic) -> Dataset:
    """Fields 1 and 2 in five fractions, then field 3 alone in three."""
    person = whose(WHO, "DAHL^Dina")
    slices = o.images(4, **person)
    contours = o.structure_set(slices, **person)
    plan = o.plan(
        {1: 100.0, 2: 50.0, 3: 80.0},
        fractions=5,
        structure_set_uid=contours.SOPInstanceUID,
        RTPlanLabel="Breast+boost",
        **person,  # type: ignore[arg-type]
    )
    first = plan.FractionGroupSequence[0]
    boost = o.item(FractionGroupNumber=2, NumberOfFractionsPlanned=3, NumberOfBeams=1)
    boost.ReferencedBeamSequence = [first.ReferencedBeamSequence[2]]
    first.ReferencedBeamSequence = list(first.ReferencedBeamSequence[:2])
    plan.FractionGroupSequence = [first, boost]
    clinic.add(slices, contours, plan)
    return plan


def read(clinic: Clinic, folder: Path) -> PatientFile:
    return read_patient_file(clinic.write(folder / "cache"), SITE, WHO, NOW)


def in_short(sheet: ChartSheet) -> tuple[str, str, list[tuple[str, str, str]]]:
    return sheet.plan_label, sheet.first_row, [(b.name, b.planned, b.first) for b in sheet.beams]


def test_each_group_has_its_sheet_and_the_one_that_is_next_its_number(tmp_path: Path) -> None:
    clinic = Clinic()
    plan = in_two_groups(clinic)
    clinic.add(treated(plan, range(1, 4), {1: 100.0, 2: 50.0}))
    first, boost = chart_sheets(read(clinic, tmp_path))
    assert in_short(first) == ("Breast+boost, fraction group 1", "4", [("1", "100.0", "100.0"), ("2", "50.0", "50.0")])
    assert in_short(boost) == ("Breast+boost, fraction group 2", "", [("3", "80.0", "—")])
    assert [row[1] for row in first.fields.rows] == ["Field 1", "Field 2"] and boost.fields.rows[0][1] == "Field 3"
    assert [row[0] for row in first.last_fractions.rows] == ["1", "2", "3"] and boost.last_fractions.rows == ()
    assert first.next_fraction == boost.next_fraction == "fraction group 1: 4 next of 8 (3 given)"
    assert "The next fraction is of fraction group 1, not of this one" in boost.rows_title
    assert first.rows_title == "Fractions given from this sheet"
    assert first.checksum != boost.checksum


def test_a_group_that_is_given_has_no_sheet_any_more(tmp_path: Path) -> None:
    clinic = Clinic()
    plan = in_two_groups(clinic)
    clinic.add(treated(plan, range(1, 6), {1: 100.0, 2: 50.0}, last=1), treated(plan, [1], {3: 80.0}))
    [boost] = chart_sheets(read(clinic, tmp_path))
    assert in_short(boost) == ("Breast+boost, fraction group 2", "2", [("3", "80.0", "80.0")])
    assert [row[0] for row in boost.last_fractions.rows] == ["1"]


def test_an_interrupted_fraction_is_finished_on_the_sheet_of_its_group(tmp_path: Path) -> None:
    clinic = Clinic()
    plan = in_two_groups(clinic)
    clinic.add(treated(plan, [1], {1: 100.0, 2: 50.0}, last=1))
    stopped = o.beam_item(1, 2, 60.0, 100.0, termination="MACHINE")
    clinic.add(o.record(str(plan.SOPInstanceUID), [stopped], at=weekday(0), PatientID=WHO))
    first, boost = chart_sheets(read(clinic, tmp_path))
    assert in_short(first)[1:] == ("2 rest", [("1", "100.0", "40.0"), ("2", "50.0", "50.0")])
    assert in_short(boost)[1:] == ("", [("3", "80.0", "—")])


def test_where_nobody_knows_which_group_is_next_none_has_a_number_until_a_physicist_decides(tmp_path: Path) -> None:
    clinic = Clinic()
    plan = in_two_groups(clinic)
    clinic.add(treated(plan, range(1, 6), {1: 100.0, 2: 50.0}))
    file = read(clinic, tmp_path)
    assert [sheet.first_row for sheet in chart_sheets(file)] == ["", ""]
    assert all("not known: ask" in sheet.rows_title for sheet in chart_sheets(file))
    doubted = file.plans[0].doubted
    assert doubted is not None and list(doubted.groups) == [1, 2]
    at = NOW.astimezone(SITE.zone)
    uid = str(plan.SOPInstanceUID)
    one = NextDecision(WHO, uid, "whole", 1, 2, {}, "by the plan's report", doubted.evidence, "Green, Gloria", at)
    assert doubted.refusal(one) == ""
    append_statement(tmp_path / "cache", one)
    [boost] = chart_sheets(read_patient_file(clinic.write(tmp_path / "cache"), SITE, WHO, NOW))
    assert in_short(boost)[1:] == ("1", [("3", "80.0", "80.0")])
    by = f"decided by Green, Gloria on {LOCAL:%a %-d %b %Y %H:%M}"
    assert boost.next_fraction == f"fraction group 2: 1 next, as 6th of 8, {by} (5 given)"
