"""A machine's day: nobody lost, the next fraction as the list says it, nothing guessed."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from app.components.output import day_export
from app.data import cached
from app.exports import excel
from app.screens.machine_day import day_chart
from recovery.cache.store import Cache
from recovery.entries.charted import enter
from recovery.lists import appointments, day_sheet, day_tables, filters, machine_day, rows
from recovery.tables.relational import PATIENTS, PLAN_FIELDS, SCHEDULE, SETUP_NOTES
from tests.app import clinic, golden, relational
from tests.recovery.charting import entry

TABLES = (SCHEDULE, PLAN_FIELDS, SETUP_NOTES, PATIENTS)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    clinic.make(tmp_path, "good", 13)
    relational.write(tmp_path / "data" / "cache")
    return tmp_path / "data" / "cache"


def tables_of(cache: Path) -> machine_day.Tables:
    return machine_day.Tables(**{schema.name: cached.load_table(Cache(cache), schema) for schema in TABLES})


def day_of(cache: Path, machine: str = "TB1", day: date = relational.TODAY) -> machine_day.Day:
    return machine_day.day_of(cached.load_on_treatment(cache).table, tables_of(cache), machine, day)


def said_of(lines: pd.DataFrame, patient_id: str, column: str) -> list[object]:
    return lines[lines["patient_id"] == patient_id][column].tolist()


def test_the_list_is_in_order_of_appointment_with_the_next_fraction(cache: Path) -> None:
    booked = day_of(cache).booked
    assert [f"{at:%H:%M}" for at in booked["appointment_at"]] == ["08:15", "09:00", "09:30", "11:00"]
    assert booked["patient_id"].tolist() == ["100231", "100892", "100555", "999999"]
    assert booked["next_fraction"].tolist() == [
        "— of 15 given",
        "12 next of 30 (11 given)",
        "13 next of 35 (12 given)",
        pd.NA,
    ]
    assert said_of(booked, "100231", "treated_that_day") == ["14:38"]
    assert said_of(booked, "100231", "energy") == ["6 MV, 10 MV"]
    assert said_of(booked, "100231", "technique") == ["ARC"]
    assert said_of(booked, "100231", "setup_note") == ["Match bone, Bladder full"]
    assert said_of(booked, "100231", "phone") == ["555-1"]


def test_what_was_charted_says_so_and_by_whom_on_page_paper_and_in_excel(cache: Path) -> None:
    table = cached.load_on_treatment(cache).table
    uid = str(table.loc[table["patient_id"] == "100231", "referenced_rt_plan_uid"].iloc[0])
    by_hand = entry("a", 8, {1: 1.0}, clinic.LOCAL, patient_id="100231", referenced_rt_plan_uid=uid)
    enter(cache, cache.parent / "key", by_hand)
    given = day_tables.charted_on(Cache(cache), relational.TODAY)
    known = appointments.DayFacts(relational.TODAY, relational.TODAY, given)
    that_day = machine_day.day_of(table, tables_of(cache), "TB1", relational.TODAY, known)
    told = ["8 of 15 given, charted", "14:38, charted by A and B"]
    booked = that_day.booked
    shown = [said_of(booked, "100231", name)[0] for name in ("next_fraction", "treated_that_day", "charted_by")]
    assert shown == [told[0], "14:38", "A and B"]
    paper = day_sheet.sheet("TB1", "", booked, that_day.unbooked, "below")
    workbook = {str(cell.value) for cells in sheet_of(that_day)[0].iter_rows() for cell in cells}
    for said in told:
        assert said in paper and said in workbook


def test_who_comes_twice_a_day_is_not_treated_in_the_afternoon_by_the_mornings_fraction(cache: Path) -> None:
    tables, list_of_all = tables_of(cache), cached.load_on_treatment(cache).table
    assert tables.schedule is not None
    morning = tables.schedule[tables.schedule["patient_id"] == "100231"].iloc[[0]]
    afternoon = morning.assign(
        appointment_id="again",
        appointment_at=pd.Timestamp(relational.TODAY) + pd.Timedelta(hours=16),
        ends_at=pd.Timestamp(relational.TODAY) + pd.Timedelta(hours=16, minutes=15),
    )
    twice = pd.concat([tables.schedule, afternoon], ignore_index=True)
    booked = machine_day.day_of(list_of_all, replace(tables, schedule=twice), "TB1", relational.TODAY).booked
    assert said_of(booked, "100231", "treated_that_day") == ["14:38", pd.NA]
    hers = pd.concat([morning, afternoon], ignore_index=True)
    states = day_chart.bars(hers, list_of_all, relational.TODAY)["state"].tolist()
    assert states[0] == "treated" and states[1] != "treated"


def two_plans(cache: Path, **second: object) -> tuple[pd.DataFrame, machine_day.Tables]:
    """Anna, booked once on TB1, with a second plan there that `second` describes; the first was treated at 14:38."""
    table = cached.load_on_treatment(cache).table
    hers = table[table["patient_id"] == "100231"].iloc[[0]]
    other = hers.assign(plan="Boost", referenced_rt_plan_uid="9.9", last_treatment_at=pd.NaT, mark="", check="")
    return pd.concat([table, other.assign(**second)], ignore_index=True), tables_of(cache)


def bars_of(table: pd.DataFrame, tables: machine_day.Tables) -> pd.DataFrame:
    on_day = appointments.on_day(tables.schedule, relational.TODAY)
    assert on_day is not None
    return day_chart.bars(on_day[~appointments.is_cancelled(on_day)], table, relational.TODAY)


def bar_at(bars: pd.DataFrame, hour: int, minute: int) -> pd.Series:
    at = pd.Timestamp(relational.TODAY) + pd.Timedelta(hours=hour, minutes=minute)
    return bars[bars["begins"] == at].iloc[0]


def test_of_two_plans_and_one_appointment_list_and_timeline_tell_the_same(cache: Path) -> None:
    table, tables = two_plans(cache)
    booked = machine_day.day_of(table, tables, "TB1", relational.TODAY).booked
    assert said_of(booked, "100231", "treated_that_day") == ["14:38", pd.NA]
    assert said_of(booked, "100231", "check")[1] == "▲ only Breast_L treated, 14:38"
    assert said_of(booked, "100231", "mark")[1] == "▲"
    bars = bars_of(table, tables)
    assert bar_at(bars, 8, 15)["state"] == "only some plans treated"
    assert day_chart.counted(bars, "TB1") == (
        "**4** booked · **0** treated · **1** with only some plans treated · **3** to come"
    )


def test_an_appointment_with_both_plans_treated_is_treated_and_counted_once(cache: Path) -> None:
    table, tables = two_plans(cache, last_treatment_at=clinic.LOCAL)
    assert bar_at(bars_of(table, tables), 8, 15)["state"] == "treated"
    assert day_chart.counted(bars_of(table, tables), "TB1") == "**4** booked · **1** treated · **3** to come"


def test_who_was_treated_and_must_be_looked_at_keeps_the_mark_on_the_timeline(cache: Path) -> None:
    table, tables = two_plans(cache, last_treatment_at=clinic.LOCAL, mark="■", check="■ NOT READY: plan")
    bars = bars_of(table, tables)
    assert bar_at(bars, 8, 15)["look"] and bar_at(bars, 8, 15)["state"] == "treated"
    drawn = day_chart.chart(bars, "TB1", None, is_dark=False).to_dict()
    marked = drawn["datasets"][drawn["layer"][1]["data"]["name"]]
    assert [row["begins"] for row in marked if row["machine"] == "TB1"] == ["2026-11-24T08:15:00"]


def test_a_course_that_ended_today_is_treated_and_no_appointment_without_a_plan(cache: Path) -> None:
    table = cached.load_on_treatment(cache).table
    hers = table["patient_id"] == "100231"
    ended = table.assign(
        status=table["status"].where(~hers, "completed"),
        fractions_remaining=table["fractions_remaining"].where(~hers, 0),
    )
    ended = rows.describe(ended)
    booked = machine_day.day_of(ended, tables_of(cache), "TB1", relational.TODAY).booked
    assert said_of(booked, "100231", "treated_that_day") == ["14:38"]
    assert said_of(booked, "100231", "next_fraction") == ["— of 15 given"]
    assert bar_at(bars_of(ended, tables_of(cache)), 8, 15)["state"] == "treated"


def test_the_day_opens_on_the_machine_with_most_appointments_that_stand(cache: Path) -> None:
    schedule, machines = tables_of(cache).schedule, ["GTR1", "TB1", "TB2"]
    assert schedule is not None
    assert appointments.busiest(schedule, relational.TODAY, machines) == "TB1"
    hers = schedule["treatment_machine_name"] == "TB1"
    fallen = schedule.assign(status=schedule["status"].where(~hers, "cancelled"))
    assert appointments.busiest(fallen, relational.TODAY, machines) == "TB2"
    assert appointments.busiest(fallen, relational.TODAY + timedelta(days=9), machines) == "GTR1"
    assert appointments.busiest(None, relational.TODAY, machines) == "GTR1"


def test_no_alert_and_alerts_that_nobody_knows_are_told_apart(cache: Path) -> None:
    booked = day_of(cache).booked
    assert said_of(booked, "100231", "alerts") == ["Pacemaker"]
    assert said_of(booked, "100892", "alerts") == ["none"]
    assert said_of(booked, "100555", "alerts") == [pd.NA]
    assert machine_day.with_marked_alerts(booked).set_index("patient_id")["alerts"].drop_duplicates().to_dict() == {
        "100231": "▲ Pacemaker",
        "100892": "none",
        "100555": None,
    }, "no page and no sheet in Excel has bold letters for it"


def test_who_is_booked_without_a_plan_stands_on_the_list_and_is_to_be_looked_at(cache: Path) -> None:
    booked = day_of(cache).booked
    assert said_of(booked, "999999", "patient_name") == ["NOBODY, Nora"]
    assert said_of(booked, "999999", "check") == ["▲ booked, and no unfinished plan of this patient is known"]


def test_who_has_no_appointment_is_below_with_what_the_schedule_says_instead(cache: Path) -> None:
    that_day = day_of(cache)
    assert {"100410", "100602", "100601", "100700"} <= set(that_day.unbooked["patient_id"])
    assert that_day.cancelled == 1
    assert "08:30 cancelled" in said_of(that_day.unbooked, "100410", "check")[0]
    assert "booked 10:00 on TB2" in said_of(that_day.unbooked, "100601", "check")[0]
    assert "▲ on break" in said_of(that_day.unbooked, "100700", "check")[0]


def test_an_interrupted_fraction_must_be_finished_first(cache: Path) -> None:
    assert said_of(day_of(cache, "TB2").booked, "100377", "next_fraction") == ["finish 5 of 20 first (4 given)"]
    assert said_of(day_of(cache, "TB2").booked, "100377", "mark") == ["■"]


def test_who_is_booked_on_another_machine_than_the_last_is_marked(cache: Path) -> None:
    assert "▲ last treated on TB1" in said_of(day_of(cache, "TB2").booked, "100601", "check")[0]


def test_on_every_machine_together_nobody_unfinished_is_lost_with_or_without_a_schedule(cache: Path) -> None:
    table = cached.load_on_treatment(cache).table
    unfinished = set(table.loc[filters.is_unfinished(table), "referenced_rt_plan_uid"])
    for tables in (tables_of(cache), machine_day.Tables()):
        plans = set()
        for machine in machine_day.machines_of(table, tables.schedule):
            for day in (relational.TODAY, relational.TODAY + timedelta(days=1)):
                that_day = machine_day.day_of(table, tables, machine, day)
                found = pd.concat([that_day.booked, that_day.unbooked])
                plans |= set(zip(found["patient_id"], found["plan"], strict=True))
        wanted = table[table["referenced_rt_plan_uid"].isin(unfinished)]
        assert set(zip(wanted["patient_id"], wanted["plan"], strict=True)) <= plans


def sheet_of(that_day: machine_day.Day, remark: str = "") -> tuple[Worksheet, Worksheet]:
    file = excel.worklist("TB1", relational.TODAY, that_day, golden.ABOUT, remark)
    first, second = load_workbook(io.BytesIO(file)).worksheets
    return first, second


def test_the_worklist_is_typed_lies_on_its_side_and_says_how_old_it_is(cache: Path) -> None:
    sheet, about = sheet_of(day_of(cache), "there is no table x")
    assert sheet["A2"].number_format == "hh:mm"
    assert f"{sheet['A2'].value:%H:%M}" == "08:15"
    assert sheet.page_setup.orientation == "landscape"
    assert (sheet.page_setup.fitToWidth, sheet.print_title_rows) == (1, "$1:$1")
    assert sheet.oddHeader is not None
    assert sheet.oddHeader.left.text == "TB1 Tue 24 Nov 2026 - Demo clinic"
    told = {row[0].value: row[1].value for row in about.iter_rows()}
    assert told["Machine"] == "TB1"
    assert told["What this list may lack"] == "there is no table x"
    assert "Unfinished plans on TB1, no appointment known that day: 4" in [row[0].value for row in sheet.iter_rows()]


@pytest.mark.parametrize("attack", ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1"])
def test_no_cell_of_the_worklist_is_a_formula(cache: Path, attack: str) -> None:
    that_day = day_of(cache)
    texts = [name for name in that_day.booked.columns if that_day.booked[name].dtype == "string"]
    attacked = machine_day.Day(that_day.booked.assign(**dict.fromkeys(texts, attack)), that_day.unbooked, 0)
    for sheet in sheet_of(attacked, attack):
        cells = [cell for cells in sheet.iter_rows() for cell in cells]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert sheet_of(attacked)[0]["C2"].quotePrefix


def test_a_name_is_text_on_the_printed_sheet_never_markup(cache: Path) -> None:
    that_day = day_of(cache)
    evil = that_day.booked.assign(patient_name="<script>alert(1)</script>", check="<img src=x>")
    html = day_sheet.sheet("TB1", "<b>", evil, that_day.unbooked, "below")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_the_files_name_bears_no_patient_and_nothing_that_leaves_a_folder() -> None:
    assert day_export.file_name("TB1", relational.TODAY) == "worklist_TB1_2026-11-24.xlsx"
    assert day_export.file_name("../TB 1", relational.TODAY) == "worklist____TB_1_2026-11-24.xlsx"


def test_texts_of_a_list_are_pythons_own_which_are_read_quickly(cache: Path) -> None:
    tables = tables_of(cache)
    frames = (cached.load_on_treatment(cache).table, tables.schedule, tables.patients, day_of(cache).booked)
    texts = [dtype for frame in frames if frame is not None for dtype in frame.dtypes if dtype == "string"]
    assert len(texts) > 40 and {dtype.storage for dtype in texts} == {"python"}
