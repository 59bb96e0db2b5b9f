"""A machine's day in a downtime: proposed from usual times, signed, merged, and then the day's appointments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest

from recovery.entries.day_plans import (
    DayPlanEntry,
    Slot,
    counting_at,
    day_plans_file,
    merge_day_plans,
    planned_twice,
    standing,
)
from recovery.entries.downtimes import DowntimeEntry, downtimes_file
from recovery.host.entry_lines import append_statement, entries_folder, read_statements
from recovery.lists import day_plan, gaps, rows
from recovery.lists.day_plan import Hours
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


def times_of(lines: pd.DataFrame) -> list[tuple[str, str]]:
    return [(day_plan.said_of(at), who) for at, who in zip(lines["slot"], lines["patient_id"], strict=True)]


def test_the_usual_times_are_kept_and_who_can_wait_least_chooses_first() -> None:
    schedule = booked(
        ("2", TODAY, time(8, 20)), ("3", TODAY, time(8, 25)), ("3", TODAY - timedelta(days=1), time(8)),
        ("1", TODAY, time(8, 40)), ("4", TOMORROW, time(8)),
    )  # fmt: skip
    lines = day_plan.proposed(described(), schedule, "TB1", TOMORROW, HOURS, ["3", "2", "1", "4"])
    assert times_of(lines) == [("08:00", "2"), ("08:20", "3"), ("08:40", "1"), ("—", "4")]
    assert lines.iloc[2]["plan"] == "Plan A (1 of 2) · Boost (2 of 2)", "one patient, one slot, all plans"
    assert day_plan.capacity(lines, HOURS) == "3 slots, 3 taken, 0 free · ▲ 1 patient has no slot, below"
    first = day_plan.proposed(described(), schedule, "TB1", TOMORROW, HOURS, ["4", "3", "2", "1"])
    assert times_of(first) == [("08:00", "2"), ("08:20", "3"), ("08:40", "4"), ("—", "1")], "4 has no usual time"
    without = day_plan.proposed(described(), None, "TB1", TOMORROW, HOURS, [])
    assert [at for at, _ in times_of(without)] == ["08:00", "08:20", "08:40", "—"], "no schedule: in turn"


def test_who_came_twice_a_day_comes_twice() -> None:
    schedule = booked(("2", TODAY, time(8)), ("2", TODAY, time(14)))
    lines = day_plan.proposed(described(), schedule, "TB1", TOMORROW, Hours(time(8), time(15), 60), ["2"])
    assert [at for at, who in times_of(lines) if who == "2"] == ["08:00", "14:00"]


def test_what_is_signed_stands_in_the_place_of_that_machines_appointments_while_a_downtime_lasts(
    tmp_path: Path,
) -> None:
    cache = tmp_path / "cache"
    plan = DayPlanEntry("TB1", TOMORROW, (Slot(time(8, 20), "4"), Slot(time(8), "9")), "T. Therapist", NOW)
    append_statement(day_plans_file(cache), plan)
    assert counting_at(cache) == {}, "no downtime: the R&V system's appointments hold"
    append_statement(downtimes_file(cache), DowntimeEntry("begin", "encrypted", "P", NOW, NOW))
    plans = counting_at(cache)
    assert plans == {("TB1", TOMORROW): plan}
    schedule = booked(("1", TOMORROW, time(9)), ("1", TODAY, time(9)))
    found = day_plan.with_day_plans(schedule, plans)
    assert found is not None and found["patient_id"].tolist() == ["1", "4", "9"]
    assert found["appointment_at"].dt.date.tolist() == [TODAY, TOMORROW, TOMORROW]
    bare = day_plan.with_day_plans(None, plans)
    assert bare is not None and len(bare) == 2 and day_plan.with_day_plans(None, {}) is None
    lines = day_plan.as_signed(described(), "TB1", plan)
    assert times_of(lines)[:2] == [("08:00", "9"), ("08:20", "4")], "also whoever is on no list any more"
    assert {who for at, who in times_of(lines) if at == "—"} == {"1", "2", "3"}
    assert day_plan.slots_of(lines) == tuple(sorted(plan.slots, key=lambda one: one.at))


def test_plans_of_two_workstations_merge_and_two_of_one_day_are_told(tmp_path: Path) -> None:
    one, other = tmp_path / "one" / "cache", tmp_path / "other" / "cache"
    first = DayPlanEntry("TB1", TOMORROW, (Slot(time(8), "1"),), "A", NOW)
    second = DayPlanEntry("TB1", TOMORROW, (Slot(time(8), "2"),), "B", NOW + timedelta(minutes=5))
    append_statement(day_plans_file(one), first)
    append_statement(day_plans_file(other), second)
    assert merge_day_plans(one, entries_folder(other)) == 1 and merge_day_plans(one, entries_folder(other)) == 0
    known = read_statements(day_plans_file(one), DayPlanEntry).all
    assert standing(known)["TB1", TOMORROW] == second
    assert planned_twice(known, "TB1", TOMORROW) == (first, second)
    settled = DayPlanEntry("TB1", TOMORROW, first.slots, "A", NOW + timedelta(hours=1), replaces=second.entered_at)
    assert planned_twice([*known, settled], "TB1", TOMORROW) == ()
    assert merge_day_plans(one, tmp_path) == 0, "a folder without plans"


@pytest.mark.parametrize("odd", [{"machine": ""}, {"signed_by": " "}, {"slots": (Slot(time(8), ""),)}])
def test_what_nobody_could_mean_is_no_plan(odd: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"plan"):
        DayPlanEntry(**({"machine": "TB1", "day": TODAY, "slots": (), "signed_by": "A", "entered_at": NOW} | odd))  # type: ignore[arg-type]
