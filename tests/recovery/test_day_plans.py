"""A machine's day in a downtime: proposed from usual times, signed, merged, and then the day's appointments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest

from recovery.entries.day_plans import DayPlanEntry, Slot, merge_day_plans, planned_at
from recovery.entries.downtimes import DowntimeEntry
from recovery.host.entry_lines import append_statement, entries_folder, file_of
from recovery.lists import day_plan, day_tables, gaps, list_sheet, rows
from recovery.lists.columns import DAY_PLAN
from recovery.lists.day_plan import Hours
from recovery.lists.machine_day import Tables, day_of
from tests.app import clinic
from tests.app.frames import frame_of

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
TODAY = clinic.LOCAL.date()
TOMORROW = TODAY + timedelta(days=1)
HOURS = Hours(time(8), time(9), 20)


def described() -> pd.DataFrame:
    people = (("A", "1"), ("B", "2"), ("C", "3"), ("D", "4"))
    told = [clinic.row(f"{name}, X", number, f"Plan {name}", 4) for name, number in people]
    told += [clinic.row("A, X", "1", "Boost", 0), clinic.row("E, X", "5", "Plan E", 4, treatment_machine_name="TB2")]
    return gaps.with_gaps(rows.describe(frame_of(told)), TODAY).assign(clock=None)


def booked(*times: tuple[str, date, time], status: str = "booked") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "appointment_id": str(number),
            "patient_id": patient_id,
            "appointment_at": pd.Timestamp(datetime.combine(day, at)),
            "treatment_machine_name": "TB1",
            "status": status,
            "activity": None,
        }
        for number, (patient_id, day, at) in enumerate(times)
    )


def begun(cache: Path, at: datetime = NOW - timedelta(hours=4)) -> None:
    append_statement(cache, DowntimeEntry("begin", "encrypted", "P", at, at))


def times_of(lines: pd.DataFrame) -> list[tuple[str, str]]:
    return [(day_plan.said_of(at), who) for at, who in zip(lines["slot"], lines["patient_id"], strict=True)]


def test_the_usual_times_are_kept_and_who_can_wait_least_chooses_first() -> None:
    schedule = booked(
        ("2", TODAY, time(8, 20)), ("3", TODAY, time(8, 25)), ("3", TODAY - timedelta(days=1), time(8)),
        ("1", TODAY, time(8, 40)), ("4", TOMORROW, time(8)),
    )  # fmt: skip
    lines = day_plan.proposed(described(), schedule, ["TB1"], TOMORROW, HOURS, ["3", "2", "1", "4"])
    assert times_of(lines) == [("08:00", "2"), ("08:20", "3"), ("08:40", "1"), ("—", "4")]
    assert lines.iloc[2]["plan"] == "Plan A (1 of 2) · Boost (2 of 2)", "one patient, one slot, all plans"
    assert day_plan.capacity(lines, HOURS) == "3 slots, 3 taken, 0 free · ▲ 1 patient has no slot, below"
    first = day_plan.proposed(described(), schedule, ["TB1"], TOMORROW, HOURS, ["4", "3", "2", "1"])
    assert times_of(first) == [("08:00", "2"), ("08:20", "3"), ("08:40", "4"), ("—", "1")], "4 has no usual time"
    without = day_plan.proposed(described(), None, ["TB1"], TOMORROW, HOURS, [])
    assert [at for at, _ in times_of(without)] == ["08:00", "08:20", "08:40", "—"], "no schedule: in turn"


def test_who_came_twice_a_day_comes_twice() -> None:
    schedule = booked(("2", TODAY, time(8)), ("2", TODAY, time(14)))
    lines = day_plan.proposed(described(), schedule, ["TB1"], TOMORROW, Hours(time(8), time(15), 60), ["2"])
    assert [at for at, who in times_of(lines) if who == "2"] == ["08:00", "14:00"]


def test_what_is_signed_stands_in_the_place_of_that_machines_appointments_while_a_downtime_lasts(
    tmp_path: Path,
) -> None:
    cache = tmp_path / "cache"
    plan = DayPlanEntry("TB1", TOMORROW, (Slot(time(8, 20), "4"), Slot(time(8), "9")), "T. Therapist", NOW)
    append_statement(cache, plan)
    assert planned_at(cache).counting == {}, "no downtime: the R&V system's appointments hold"
    begun(cache)
    plans = planned_at(cache).counting
    assert plans == {("TB1", TOMORROW): plan}
    schedule = booked(("1", TOMORROW, time(9)), ("1", TODAY, time(9)))
    found = day_plan.with_day_plans(schedule, plans)
    assert found is not None and found["patient_id"].tolist() == ["1", "4", "9"]
    assert found["appointment_at"].dt.date.tolist() == [TODAY, TOMORROW, TOMORROW]
    bare = day_plan.with_day_plans(None, plans)
    assert bare is not None and len(bare) == 2 and day_plan.with_day_plans(None, {}) is None
    lines = day_plan.as_signed(described(), found, ["TB1"], plan)
    assert times_of(lines)[:2] == [("08:00", "9"), ("08:20", "4")], "also whoever is on no list any more"
    assert {who for at, who in times_of(lines) if at == "—"} == {"1", "2", "3"}
    assert day_plan.slots_of(lines) == tuple(sorted(plan.slots, key=lambda one: one.at))


def test_plans_of_two_workstations_merge_and_two_of_one_day_are_told(tmp_path: Path) -> None:
    one, other = tmp_path / "one" / "cache", tmp_path / "other" / "cache"
    first = DayPlanEntry("TB1", TOMORROW, (Slot(time(8), "1"),), "A", NOW)
    second = DayPlanEntry("TB1", TOMORROW, (Slot(time(8), "2"),), "B", NOW + timedelta(minutes=5))
    append_statement(one, first)
    append_statement(other, second)
    assert merge_day_plans(one, entries_folder(other)) == 1 and merge_day_plans(one, entries_folder(other)) == 0
    begun(one)
    planned = planned_at(one)
    assert planned.counting["TB1", TOMORROW] == second and planned.twice("TB1", TOMORROW) == "A and B"
    again = DayPlanEntry("TB1", TOMORROW, (Slot(time(9), "1"),), "A", NOW + timedelta(minutes=7), (first.entered_at,))
    append_statement(one, again)
    assert planned_at(one).twice("TB1", TOMORROW) == "B and A", "B's differs still from what A made of A's"
    of_both = (second.entered_at, again.entered_at)
    settled = DayPlanEntry("TB1", TOMORROW, first.slots, "C", NOW - timedelta(hours=1), of_both)
    append_statement(one, settled)
    planned = planned_at(one)
    assert planned.counting["TB1", TOMORROW] == settled, "made from both, by a clock an hour behind"
    assert planned.twice("TB1", TOMORROW) == ""
    assert merge_day_plans(one, tmp_path) == 0, "a folder without plans"


def test_what_was_planned_in_a_downtime_that_is_over_counts_in_no_later_one(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    begun(cache)
    old = DayPlanEntry("TB1", TOMORROW, (Slot(time(8), "1"),), "A", NOW)
    append_statement(cache, old)
    append_statement(cache, DowntimeEntry("end", "equal", "P", NOW + timedelta(hours=1)))
    begun(cache, NOW + timedelta(hours=2))
    assert planned_at(cache).counting == {}
    new = replace(old, entered_at=NOW + timedelta(hours=3))
    append_statement(cache, new)
    assert planned_at(cache).counting == {("TB1", TOMORROW): new}


def test_a_plan_that_cannot_be_read_is_said_and_so_is_one_made_twice(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    begun(cache)
    for name in "AB":
        append_statement(cache, DayPlanEntry("TB1", TOMORROW, (Slot(time(8), name),), name, NOW))
    with file_of(cache, DayPlanEntry).open("ab") as file:
        file.write(file_of(cache, DayPlanEntry).read_bytes().splitlines()[0].replace(b"08:00", b"08:20") + b"\n")
    _, told = day_tables.with_plans(Tables(), cache, TODAY)
    assert told[0] == "▲ 1 plan of a machine's day cannot be read: what it said does not count."
    assert told[2] == "■ TB1 on Wed 25 Nov is planned twice, by A and B: the newest counts."
    assert len(day_tables.with_plans(Tables(), cache, TOMORROW + timedelta(days=1))[1]) == 2, "not of a day gone by"
    file_of(cache, DayPlanEntry).unlink()
    file_of(cache, DayPlanEntry).mkdir()
    tables, told = day_tables.with_plans(Tables(), cache, TODAY)
    assert tables.schedule is None and "What was planned of machines' days is not here" in told[0]


def test_one_planned_day_tells_nothing_of_other_machines(tmp_path: Path) -> None:
    begun(tmp_path / "cache")
    plan = DayPlanEntry("TB1", TOMORROW, (Slot(time(8), "1"),), "A", NOW)
    append_statement(tmp_path / "cache", plan)
    tables, _ = day_tables.with_plans(Tables(), tmp_path / "cache", TODAY)
    asked = (("TB1", TOMORROW), ("TB1", TODAY), ("TB2", TOMORROW))
    assert [day_of(described(), tables, *one).is_schedule_known for one in asked] == [True, False, False]
    tables, _ = day_tables.with_plans(Tables(booked(("2", TODAY, time(9)))), tmp_path / "cache", TODAY)
    assert day_of(described(), tables, "TB2", TOMORROW).is_schedule_known


def test_whoever_is_on_no_machine_any_more_keeps_the_name_and_who_is_expected_elsewhere_is_told() -> None:
    people = [clinic.row("A, X", "1", "P", 4), clinic.row("C, X", "3", "P", 30, status="completed")]
    people += [clinic.row("E, X", "5", "P", 4, treatment_machine_name="TB2", other_patient_ids="55")]
    table = gaps.with_gaps(rows.describe(frame_of(people)), TODAY).assign(clock=None)
    plan = DayPlanEntry(
        "TB1", TOMORROW, tuple(Slot(time(8, 5 * i), who) for i, who in enumerate(("3", "55", "9"))), "A", NOW
    )
    other = DayPlanEntry("TB2", TOMORROW, (Slot(time(9), "1"), Slot(time(10), "5")), "B", NOW)
    schedule = day_plan.with_day_plans(None, {(one.machine, one.day): one for one in (plan, other)})
    lines = day_plan.as_signed(table, schedule, ["TB1"], plan)
    told = [
        (who, None if pd.isna(name) else name, look)
        for who, name, look in zip(lines["patient_id"], lines["patient_name"], lines["check"], strict=True)
    ]
    assert told == [
        ("3", "C, X", "▲ no unfinished plan of this patient is known"),
        ("5", "E, X", "▲ last treated on TB2 · ▲ booked 10:00 on TB2"),
        ("9", None, "▲ not on the list of patients"),
        ("1", "A, X", "▲ booked 09:00 on TB2"),
    ]
    assert set(lines["mark"]) == {"▲"}
    block = list_sheet.Block("Day plan", lines.assign(time="", initials=""), DAY_PLAN.paper)
    assert "booked 09:00 on TB2" in list_sheet.sheet("T", "S", [block]), "on paper, too"


def test_the_patients_of_a_machine_that_is_down_are_planned_on_another() -> None:
    schedule = booked(("1", TODAY, time(8, 20)), ("5", TODAY, time(8)))
    lines = day_plan.proposed(described(), schedule, ["TB2", "TB1"], TOMORROW, Hours(time(8), time(10), 20), [])
    assert {who for _, who in times_of(lines)} == {"1", "2", "3", "4", "5"}
    assert times_of(lines)[1] == ("08:20", "1") and lines.iloc[1]["check"].endswith("▲ last treated on TB1")


@pytest.mark.parametrize("odd", [{"machine": ""}, {"signed_by": " "}, {"slots": (Slot(time(8), ""),)}])
def test_what_nobody_could_mean_is_no_plan(odd: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"plan"):
        DayPlanEntry(**({"machine": "TB1", "day": TODAY, "slots": (), "signed_by": "A", "entered_at": NOW} | odd))  # type: ignore[arg-type]
