"""What is refused or warned of before a fraction is signed, each check by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recovery.course.charted_entries import ChartedBeam, ChartedFraction, KnownDelivery
from recovery.on_treatment.charting_checks import Facts, Finding, findings, uncountable
from recovery.on_treatment.charting_limits import Checks, Limits
from recovery.settings.pages import DowntimeSettings
from tests.recovery.charting import FULL, entry
from tests.recovery.courses import day

ROW: dict[str, Any] = {
    "status": "on_treatment",
    "plan_held": True,
    "ready": True,
    "missing": "",
    "next_fraction_number": 4,
    "number_of_fractions_planned": 20,
    "course_number_of_fractions_planned": 20,
    "course_fractions_delivered": 3,
    "charted_conflict": None,
}
FACTS = Facts(
    ROW,
    now=day(4, minutes=10),
    times=[(n, day(n)) for n in (1, 2, 3)],
    planned={1: 100.0, 2: 50.0},
    machines=frozenset({"TB1"}),
    fraction_pattern="once a day, Mon to Fri",
)
GIVEN = entry("a", 4, FULL)


def told(
    facts: dict[str, Any] | None = None, row: dict[str, Any] | None = None, one: ChartedFraction = GIVEN
) -> dict[str, str]:
    """By check what it says; a refusal begins with `REFUSED`."""
    changed = replace(FACTS, **(facts or {}), row=ROW | (row or {}))
    return {f.check: f"{'REFUSED ' * f.is_refused}{f.said}" for f in findings(one, changed)}


def beams(**of_first: Any) -> ChartedFraction:
    first = replace(GIVEN.beams[0], **of_first)
    return replace(GIVEN, beams=(first, GIVEN.beams[1]))


def test_the_next_whole_fraction_on_the_next_day_asks_nothing() -> None:
    assert told() == {}


@pytest.mark.parametrize(
    ("check", "said", "how"),
    [
        ("more_fractions_than_planned", "REFUSED all 3 planned", {"row": {"course_number_of_fractions_planned": 3}}),
        ("not_the_next_fraction", "fraction 4 is charted, and 5 is next", {"row": {"next_fraction_number": 5}}),
        ("plan_over", "REFUSED the plan is superseded", {"row": {"status": "superseded"}}),
        ("plan_over", "REFUSED the plan is transferred", {"row": {"status": "transferred"}}),
        ("plan_not_held", "REFUSED the RT-PACS does not hold", {"row": {"plan_held": False}}),
        ("plan_not_held", "REFUSED Field 2: how many MU", {"facts": {"planned": {1: 100.0, 2: None}}}),
        ("not_ready", "missing 3 images", {"row": {"ready": False, "missing": "3 images"}}),
        ("not_ready", "nobody knows what", {"row": {"ready": None, "missing": None}}),
        ("wrong_machine", "is for TB2, and TB1 is charted", {"facts": {"machines": frozenset({"TB2"})}}),
        ("conflict_open", "charted twice", {"row": {"charted_conflict": "charted twice: …"}}),
        ("meterset_absurd", "REFUSED Field 1: 10000.0 MU", {"one": beams(delivered_meterset=10_000.0)}),
        ("meterset_absurd", "REFUSED nothing was given", {"one": entry("a", 4, {1: 0.0, 2: 0.0})}),
        ("meterset_beyond_tolerance", "Field 1: 106.0 MU", {"one": beams(delivered_meterset=106.0)}),
        ("meterset_beyond_tolerance", "Field 1: 60.0 MU", {"one": beams(delivered_meterset=60.0)}),
        ("meterset_absurd", "REFUSED Field 1: 200.0 MU", {"facts": {"given": {1: 100.0}}}),
        (
            "second_fraction_same_day",
            "fraction 3 was given that day",
            {"one": replace(GIVEN, treated_at=day(3, hours=7))},
        ),
        ("interval_too_short", "2 h from fraction 3, 6 h", {"one": replace(GIVEN, treated_at=day(3, hours=2))}),
        ("gap_too_long", "5 days without", {"one": replace(GIVEN, treated_at=day(9)), "facts": {"now": day(10)}}),
        ("clock", "REFUSED Thu 5 Nov 10:41 has not come", {"one": replace(GIVEN, treated_at=day(4, minutes=71))}),
        (
            "clock",
            "is the clock wrong",
            {"facts": {"now": day(3) - timedelta(hours=1)}, "one": entry("a", 4, FULL, day(2))},
        ),
        ("clock", "REFUSED the safety copy is of Thu 5 Nov", {"facts": {"copied_at": day(4, minutes=16)}}),
        (
            "told_already",
            "100.0 MU are recorded at 09:28",
            {"facts": {"known": [KnownDelivery(4, 1, day(4, minutes=-2), 100.2)]}},
        ),
    ],
)
def test_each_check_says_both_sides(check: str, said: str, how: dict[str, Any]) -> None:
    assert said in told(**how)[check]


def test_twice_a_day_by_prescription_asks_for_the_interval_alone() -> None:
    evening = replace(GIVEN, treated_at=day(3, hours=7))
    assert told({"fraction_pattern": "BID, 6 h apart"}, one=evening) == {}
    assert list(told({"fraction_pattern": "BID"}, one=replace(GIVEN, treated_at=day(3, hours=2)))) == [
        "interval_too_short"
    ]


def test_the_rest_of_a_begun_fraction_is_judged_by_the_whole() -> None:
    rest = beams(delivered_meterset=40.0, planned_meterset=40.0, is_continuation=True)
    assert told({"given": {1: 60.0}}, {"course_fractions_delivered": 19}, one=rest) == {}
    assert told({"given": {1: 60.0}}, {"course_fractions_delivered": 20}, one=rest) == {}, "begun, and planned"


def test_not_treated_is_asked_for_its_time_alone() -> None:
    absent = entry("a", None, {}, day(4))
    assert told(row={"status": "closed", "plan_held": False}, one=absent) == {}
    assert "clock" in told(one=replace(absent, treated_at=day(5)))


def test_not_treated_is_held_against_what_was_given_that_day() -> None:
    absent = entry("a", None, {}, day(3, hours=2))
    assert told(one=absent) == {"told_already": "fraction 3 was given that day at 09:30, and not treated is charted"}
    assert told(one=replace(absent, corrects="b", is_withdrawn=True)) == {}


def test_the_config_refuses_warns_and_turns_off_once_a_physicist_signed_it() -> None:
    late = replace(FACTS, row=ROW | {"next_fraction_number": 5, "ready": False})
    own = Checks(not_the_next_fraction="refuse", not_ready="off")
    assert findings(GIVEN, late, own) == [
        Finding("not_the_next_fraction", "fraction 4 is charted, and 5 is next", True)
    ]
    assert DowntimeSettings(checks=own).own_checks == Checks()
    assert DowntimeSettings(checks=own, checks_signed_by="P. Physicist").own_checks == own
    assert findings(beams(delivered_meterset=106.0), FACTS, None, Limits(meterset_share=0.1)) == []


def test_what_has_no_beams_in_mu_is_kept_on_paper() -> None:
    assert uncountable(FACTS) == ""
    assert "keep it on paper" in uncountable(replace(FACTS, planned={}))
    assert "only MU are charted" in uncountable(replace(FACTS, units=frozenset({"s"})))
    assert ChartedBeam(1, None, None, 1.0).is_continuation is False
