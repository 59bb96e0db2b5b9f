"""Three hours without the R&V system: who may have been treated since is neither treated nor to come, anywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.data import cached
from app.screens import since_last_proof
from app.screens.machine_day import day_chart
from recovery.cache.store import Cache
from recovery.lists import appointments, day_sheet, machine_day, rows, since_proof
from recovery.lists.appointments import DayFacts, Given
from recovery.on_treatment.unknown_since import Doubt
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic, relational
from tests.app.conftest import said
from tests.app.test_worklist import TABLES

TODAY = relational.TODAY


def at(hour: int, minute: int = 0, days: int = 0) -> datetime:
    return datetime.combine(TODAY, datetime.min.time()).replace(hour=hour, minute=minute) + timedelta(days=days)


NINE = Doubt(at(9, 5), at(12, 5))
"""Noon, three hours after the last proof."""
ANNA, BO, REMI = "100231", "100892", "100555"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The notable patients, as at 12:05; Anna was treated at 08:20, and nobody else today."""
    clinic.make(tmp_path, "good", 13)
    path = tmp_path / "data" / "cache"
    rows = Cache(path).read(ON_TREATMENT)
    hers = [{**row, "last_treatment_at": at(8, 20)} if row["patient_id"] == ANNA else row for row in rows]
    Cache(path).write(ON_TREATMENT, hers, taken_at=clinic.NOW, source="RT-PACS")
    relational.write(path)
    return path


def seen(
    cache: Path, doubt: Doubt | None = NINE, day: date = TODAY, given: object = None
) -> tuple[pd.DataFrame, DayFacts]:
    tables = machine_day.Tables(**{schema.name: cached.load_table(Cache(cache), schema) for schema in TABLES})
    table = rows.with_unknown(cached.load_on_treatment(cache).table, tables.schedule, doubt)
    known = DayFacts(day, TODAY, given or {}, doubt)  # type: ignore[arg-type]
    return machine_day.day_of(table, tables, "TB1", day, known).booked, known


def bars(cache: Path, known: DayFacts) -> pd.DataFrame:
    schedule = cached.load_table(Cache(cache), TABLES[0])
    table = cached.load_on_treatment(cache).table
    on_day = appointments.on_day(schedule, known.day)
    assert on_day is not None
    return day_chart.bars(on_day[~appointments.is_cancelled(on_day)], table, known.day, known)


def column(lines: pd.DataFrame, patient_id: str, name: str) -> list[object]:
    return lines[lines["patient_id"] == patient_id][name].tolist()


def test_whoever_was_booked_since_the_proof_is_unknown_and_has_no_plain_next_number(cache: Path) -> None:
    booked, _ = seen(cache)
    assert column(booked, REMI, "next_fraction") == [
        "unknown: 13 next of 35 (12 given), unless treated since Tue 24 Nov 09:05"
    ]
    assert column(booked, REMI, "check")[0].startswith(  # type: ignore[attr-defined]
        "▲ UNKNOWN since Tue 24 Nov 09:05: may have been treated since, ask the machine"
    )
    assert column(booked, ANNA, "next_fraction") == ["— of 15 given"]
    assert "UNKNOWN" not in column(booked, ANNA, "check")[0]  # type: ignore[operator]
    fresh, _ = seen(cache, None)
    assert column(fresh, REMI, "next_fraction") == ["13 next of 35 (12 given)"]


def test_what_forbids_treatment_stands_before_what_is_unknown(cache: Path) -> None:
    table = cached.load_on_treatment(cache).table
    odd = {"disagreement": "x", "remarks": "y"}
    told = rows.with_unknown(table.assign(**odd), None, NINE).set_index("patient_id")
    said = told.loc[ANNA, "check"]
    assert [part[:12] for part in said.split(" · ")] == ["■ DISAGREEME", "▲ UNKNOWN si", "▲ REMARK: y"]


def test_the_timeline_hatches_what_is_unknown_and_counts_it(cache: Path) -> None:
    _, known = seen(cache)
    drawn = bars(cache, known)
    here = drawn[drawn["machine"] == "TB1"]
    assert here["state"].tolist() == ["treated", "▲ unknown", "▲ unknown", "▲ unknown"]
    assert day_chart.counted(drawn, "TB1") == (
        "**4** booked · **1** treated · :orange[▲ **3** unknown] · **0** to come"
    )
    layers = day_chart.chart(drawn, "TB1", None, is_dark=False).to_dict()["layer"]
    assert any(isinstance(layer["mark"].get("color"), dict) for layer in layers), "no bar is hatched"
    fresh = bars(cache, DayFacts(TODAY, TODAY))
    assert not any(
        isinstance(layer["mark"].get("color"), dict)
        for layer in day_chart.chart(fresh, "TB1", None, is_dark=False).to_dict()["layer"]
    )


def test_after_now_an_appointment_is_still_to_come_and_a_day_gone_by_is_neither(cache: Path) -> None:
    early = bars(cache, DayFacts(TODAY, TODAY, doubt=Doubt(at(9, 5), at(10))))
    assert early[early["machine"] == "TB1"]["state"].tolist() == ["treated", "▲ unknown", "▲ unknown", "to come"]
    assert day_chart.counted(bars(cache, DayFacts(TODAY, TODAY + timedelta(days=1))), "TB1") == (
        "**4** booked · **1** treated · **3** with no treatment recorded"
    )


def test_a_treated_row_shows_what_was_given_and_never_the_next_number(cache: Path) -> None:
    [key] = [
        (row["patient_id"], row["referenced_rt_plan_uid"])
        for row in Cache(cache).read(ON_TREATMENT)
        if row["patient_id"] == ANNA
    ]
    booked, _ = seen(cache, None, given={key: [Given(at(8, 20), 7)]})
    assert column(booked, ANNA, "next_fraction") == ["7 of 15 given"]
    html = day_sheet.sheet("TB1", "", booked, booked.iloc[:0], "")
    assert '<td class="fraction given">7 of 15 given</td>' in html and "8 next" not in html


def test_on_paper_too_a_number_that_may_be_given_already_is_not_bold(cache: Path) -> None:
    booked, _ = seen(cache)
    html = day_sheet.sheet("TB1", "", booked, booked.iloc[:0], "")
    assert '<td class="fraction given">unknown: 13 next of 35' in html
    fresh, _ = seen(cache, None)
    assert '<td class="fraction">13 next of 35' in day_sheet.sheet("TB1", "", fresh, fresh.iloc[:0], "")


def test_of_another_day_the_number_is_said_to_be_of_now(cache: Path) -> None:
    booked, _ = seen(cache, None, TODAY + timedelta(days=1))
    assert column(booked, ANNA, "next_fraction") == ["8 next of 15 (7 given) as of now"]
    gone, _ = seen(cache, None, TODAY - timedelta(days=1))
    assert gone.empty


def test_two_of_a_day_belong_to_their_own_appointments() -> None:
    row = {"patient_id": ANNA, "referenced_rt_plan_uid": "1.2", "last_treatment_at": at(14, 10)}
    known = DayFacts(TODAY, TODAY, {(ANNA, "1.2"): [Given(at(8, 4), 7), Given(at(14, 10), 8)]})
    morning = {"appointment_at": at(8), "is_again": False, "following_at": at(14)}
    afternoon = {"appointment_at": at(14), "is_again": True, "following_at": pd.NaT}
    assert [one.number for one in appointments.given_for(row, known, morning)] == [7]
    assert [one.number for one in appointments.given_for(row, known, afternoon)] == [8]
    only = DayFacts(TODAY, TODAY, {(ANNA, "1.2"): [Given(at(8, 4), 7)]}, Doubt(at(9, 5), at(14, 20)))
    assert appointments.state_of([row], only, morning) == "treated"
    assert appointments.state_of([row], only, afternoon) == "unknown"
    late = DayFacts(TODAY, TODAY, {(ANNA, "1.2"): [Given(at(14, 10), 7)]})
    assert appointments.state_of([row], late, morning) == "to come", "one treatment is not two"
    assert appointments.state_of([row], late, afternoon) == "treated"
    soon = {**morning, "following_at": at(14, 15), "appointment_at": at(14)}
    assert appointments.state_of([row], late, soon) == "treated", "two plans, one after the other"


def test_everybody_booked_since_the_proof_is_listed_per_machine_in_order_of_time(cache: Path) -> None:
    schedule = cached.load_table(Cache(cache), TABLES[0])
    table = rows.with_unknown(cached.load_on_treatment(cache).table, schedule, NINE)
    lines = since_proof.lines_of(table, schedule, NINE)
    booked = lines[lines["why"] == "booked"]
    told = list(zip(booked["treatment_machine_name"], booked["booked"], booked["patient_id"], strict=True))
    assert told == [
        ("TB1", "Tue 09:00", "100892"),
        ("TB1", "Tue 09:30", "100555"),
        ("TB1", "Tue 11:00", "999999"),
        ("TB2", "Tue 09:45", "100377"),
        ("TB2", "Tue 10:00", "100601"),
    ]
    assert lines[lines["why"] != "booked"][["treatment_machine_name", "patient_id", "why"]].to_numpy().tolist() == [
        ["—", "100555", "another plan of a patient who is booked"]
    ]
    html = since_last_proof.sheet("May have been treated", lines.assign(patient_name="<script>x"))
    assert "<script" not in html and html.count("<h4>") == 3
    told_of_nobody = since_proof.lines_of(rows.with_unknown(table, None, NINE), None, NINE)
    assert ANNA in set(told_of_nobody["patient_id"]) and told_of_nobody["booked"].isna().all()


def test_who_was_in_flight_at_the_proof_is_listed_without_an_appointment(cache: Path) -> None:
    schedule = cached.load_table(Cache(cache), TABLES[0])
    table = cached.load_on_treatment(cache).table
    begun = table.assign(in_flight=table["in_flight"].where(table["patient_id"] != ANNA, "fraction 8 began 09:04"))
    lines = since_proof.lines_of(rows.with_unknown(begun, schedule, NINE), schedule, NINE)
    assert lines[lines["patient_id"] == ANNA]["why"].tolist() == ["begun before, end not recorded"]


def test_the_page_lists_them_and_says_when_nothing_is_unknown(open_dashboard: Callable[..., AppTest]) -> None:
    assert "**Nobody is on this list.**" in said(open_dashboard("good", 13, page="since_last_proof"))
    visit = open_dashboard("down", 13, page="since_last_proof")
    assert not visit.exception
    assert "may have been treated since Tue 24 Nov 12:08" in said(visit)
    sheet = "".join(one.proto.body for one in visit.get("html"))
    assert "ABELSEN, Anna" in sheet and "on treatment, appointments unknown" in sheet
    assert visit.get("download_button")


def test_the_legend_names_what_is_unknown_only_where_something_is(cache: Path) -> None:
    def legend(doubt: Doubt | None) -> list[str]:
        drawn = day_chart.chart(bars(cache, seen(cache, doubt)[1]), "TB1", None, is_dark=False).to_dict()
        told: list[str] = drawn["layer"][0]["encoding"]["fill"]["legend"]["values"]
        return told

    assert legend(NINE) == ["treated", "▲ unknown", "to come", "■ look first"]
    assert legend(None) == ["treated", "to come", "■ look first"]


def test_what_may_have_been_given_is_counted_and_filtered_where_there_is_any(
    open_dashboard: Callable[..., AppTest],
) -> None:
    """The strip says that the R&V system is down; the line of counts says for how many that matters."""
    fresh, down = open_dashboard("good", 13), open_dashboard("down", 13)
    assert "unknown" not in said(fresh).split("plans shown")[0]
    assert ":orange[▲ **9** unknown]" in said(down)
    assert list(fresh.button_group(key="problem").options) == ["interrupted", "not ready"]
    assert list(down.button_group(key="problem").options) == ["interrupted", "not ready", "unknown"]
    shown = down.button_group(key="problem").set_value(["unknown"]).run()
    assert "9 plans shown" in said(shown)


def test_the_machines_day_gives_the_browser_its_whole_sheet_without_print_view(
    open_dashboard: Callable[..., AppTest],
) -> None:
    """Ctrl+P on the screen's table printed the columns and rows in sight, in silence."""
    visit = open_dashboard("down", 60, page="machine_day", machine="TB1")
    assert not visit.exception
    names = [one.proto.component_name for one in visit.get("bidi_component")]
    assert [name.endswith("paper_sheet") for name in names].count(True) == 1


def test_the_list_is_described_once_for_all_that_is_typed_in_a_minute(
    open_dashboard: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = open_dashboard("down")
    assert "UNKNOWN since Tue 24 Nov" in said(visit)
    described: list[int] = []
    describe = rows.describe
    monkeypatch.setattr(rows, "describe", lambda table: described.append(len(table)) or describe(table))
    for typed in ("m", "ma", "mal"):
        visit.text_input(key="search").set_value(typed).run()
    assert not described
