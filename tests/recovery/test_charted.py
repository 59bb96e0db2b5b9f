"""What was charted counts at once, by the one arithmetic, and no delivery ever counts twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.course.charted import settle
from recovery.course.charted_entries import ChartedBeam, ChartedFraction, freed_by, standing
from recovery.course.fractions import Course
from recovery.dicom.records import TreatmentRecord
from tests.recovery.charting import FULL, counted, entry, knowing
from tests.recovery.courses import day, delivery, plain_plan, plain_record

PLAN = plain_plan({1: 100.0, 2: 50.0}, 20)


def record(number: int, given: dict[int, float], at: datetime | None = None, uid: str = "") -> TreatmentRecord:
    """A machine's own record, by default of the day of its number."""
    at = at if at is not None else day(number)
    beams = [delivery(beam, number, mu, at=at, specified=None) for beam, mu in given.items()]
    return plain_record(uid or f"{number} {given} {at}", beams, at=at)


def given_of(course: Course) -> dict[tuple[int, int], float]:
    return {(f.fraction_number, b.beam_number): b.delivered for f in course.fractions for b in f.beams}


def told(entries: list[ChartedFraction], records: list[TreatmentRecord]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Disagreements and conflicts."""
    settled = settle(standing(entries)["plan"], records)
    return settled.disagreements, settled.conflicts


def test_a_charted_fraction_counts_and_says_who_signed_it() -> None:
    course = counted([entry("a", 1, FULL), entry("b", 2, FULL)], [], PLAN)
    assert (course.fractions_delivered, course.next_fraction_number) == (2, 3)
    assert course.fractions[0].deliveries[0].beam.charted_by == "A and B"
    assert course.fractions[0].deliveries[0].treatment_record_content_origin == "USER"
    assert settle(standing([entry("a", 1, FULL)])["plan"], []).said.startswith(
        "fraction 1 by hand, the newest Mon 2 Nov"
    )


def test_a_part_that_was_charted_is_finished_first_and_its_rest_adds_up() -> None:
    part = entry("a", 1, {1: 100.0, 2: 20.0})
    course = counted([part], [], PLAN)
    assert course.fractions_delivered == 0 and course.interrupted is not None
    assert course.interrupted.meterset_remaining == 30.0
    rest = entry("b", 1, {}, day(2), beams=(ChartedBeam(2, None, 30.0, 30.0, True),), known_entries=("a",))
    assert counted([rest, part], [], PLAN).fractions_delivered == 1
    machine = record(1, {2: 20.0, 1: 100.0})
    seen = replace(rest, known=knowing([machine]), known_entries=())
    assert counted([seen], [machine], PLAN).fractions_delivered == 1, "a rest of what a machine recorded"


def test_the_machines_own_record_stands_in_the_place_of_what_was_charted() -> None:
    entries = [entry("a", 1, FULL, day(1, minutes=4))]
    for records in ([record(1, FULL)], [record(1, {1: 100.0}), record(1, {2: 50.0}, day(1, minutes=1))]):
        assert given_of(counted(entries, records, PLAN)) == {(1, 1): 100.0, (1, 2): 50.0}
        assert told(entries, records) == ((), ())
    one_beam = [record(1, {1: 100.0})]
    assert given_of(counted(entries, one_beam, PLAN)) == {(1, 1): 100.0, (1, 2): 50.0}, "the other is still charted"


def test_another_meterset_is_told_and_the_machines_counts() -> None:
    entries = [entry("a", 1, FULL)]
    more, less = [record(1, {1: 103.0, 2: 50.0})], [record(1, {1: 60.0, 2: 50.0})]
    assert given_of(counted(entries, more, PLAN))[1, 1] == 103.0
    (said,), conflicts = told(entries, more)
    assert "100.0 MU of Field 1 charted as fraction 1" in said and "103.0 MU, which counts" in said and not conflicts
    assert given_of(counted(entries, less, PLAN))[1, 1] == 60.0
    assert told(entries, less)[0] == () and "60.0 MU" in told(entries, less)[1][0], "nobody gives a rest unseen"


@pytest.mark.parametrize(
    ("machine", "why"),
    [(record(1, FULL, day(3)), "on Wed 4 Nov 2026"), (record(2, FULL, day(1)), "as fraction 2")],
)
def test_another_day_or_number_is_one_delivery_and_a_conflict(machine: TreatmentRecord, why: str) -> None:
    entries = [entry("a", 1, FULL)]
    course = counted(entries, [machine], PLAN)
    assert course.fractions_delivered == 1 and sum(given_of(course).values()) == 150.0
    assert all(why in said for said in told(entries, [machine])[1]) and len(told(entries, [machine])[1]) == 2


def test_two_fractions_a_day_are_two_by_hand_and_by_machine() -> None:
    morning, evening = entry("a", 1, FULL), entry("b", 2, FULL, day(1, hours=6), known_entries=("a",))
    records = [record(1, FULL), record(2, FULL, day(1, hours=6))]
    for own in ([], records[:1], records[1:], records):
        assert counted([morning, evening], own, PLAN).fractions_delivered == 2
        assert told([morning, evening], own) == ((), ())


def test_one_machine_record_of_a_fraction_charted_in_two_parts_is_not_added_to_either() -> None:
    parts = [
        entry("a", 1, {1: 60.0}),
        entry("b", 1, {}, day(1, hours=1), beams=(ChartedBeam(1, None, 40.0, 40.0, True),), known_entries=("a",)),
    ]
    for mu, total in (({1: 100.0}, 100.0), ({1: 60.0}, 100.0), ({1: 40.0}, 80.0)):
        assert given_of(counted(parts, [record(1, mu)], PLAN))[1, 1] == total


def test_two_workstations_that_did_not_know_of_each_other_are_a_conflict_and_count_once() -> None:
    one, other = entry("a", 1, FULL), entry("b", 1, {1: 100.0, 2: 40.0}, day(1, minutes=9), signed_by="C")
    course = counted([one, other], [], PLAN)
    assert given_of(course) == {(1, 1): 100.0, (1, 2): 50.0}
    (said,) = told([one, other], [])[1]
    assert said.startswith("charted twice: fraction 1 on") and "by A and B" in said and "by C and B" in said
    absent = entry("c", None, {}, day(1, hours=2))
    assert "not treated" in told([one, absent], [])[1][0], "whether he was treated at all"
    settled = entry("d", 1, FULL, corrects="b", known_entries=("a", "b"))
    withdrawn = replace(settled, beams=(), fraction_number=None, is_withdrawn=True)
    assert told([one, other, withdrawn], []) == ((), ()), "people settled it"
    assert counted([one, other, withdrawn], [], PLAN).fractions_delivered == 1


def test_a_correction_stands_in_the_place_of_what_it_names_and_two_of_them_are_a_conflict() -> None:
    wrong = entry("a", 1, {1: 100.0, 2: 5.0})
    right = entry("b", 1, FULL, corrects="a", known_entries=("a",))
    assert given_of(counted([right, wrong], [], PLAN)) == {(1, 1): 100.0, (1, 2): 50.0}
    other = entry("c", 3, FULL, day(9), corrects="a", known_entries=("a",))
    assert len(told([wrong, right, other], [])[1]) == 1
    assert counted([wrong, right, other], [], PLAN).fractions_delivered == 1


def test_what_a_correction_was_signed_in_the_knowledge_of_adds_up() -> None:
    machine = record(1, {1: 60.0})
    late = entry("a", 1, {1: 40.0}, day(2))
    assert given_of(counted([late], [machine], PLAN))[1, 1] == 60.0 and told([late], [machine])[1]
    again = replace(late, entry_id="b", corrects="a", known=knowing([machine]))
    rest = replace(again, beams=(ChartedBeam(1, None, 40.0, 40.0, True),))
    assert given_of(counted([late, rest], [machine], PLAN))[1, 1] == 100.0 and told([late, rest], [machine]) == ((), ())
    exported = replace(machine, ref=replace(machine.ref, sop_instance_uid="exported anew"))
    assert given_of(counted([late, rest], [machine, exported], PLAN))[1, 1] == 100.0, "the same, under another UID"


@pytest.mark.parametrize(
    "odd",
    [
        {"second_by": "A"},
        {"signed_by": " "},
        {"fraction_number": None},
        {"beams": ()},
        {"is_withdrawn": True},
        {"patient_id": ""},
        {"entered_at": datetime(2026, 11, 24)},  # noqa: DTZ001
        {"beams": (ChartedBeam(1, None, 100.0, -1.0),)},
        {"beams": (ChartedBeam(1, None, 100.0, float("nan")),)},
        {"beams": (ChartedBeam(1, None, 100.0, 1e6),)},
        {"beams": (ChartedBeam(1, None, 100.0, 1.0),) * 2},
    ],
)
def test_what_two_people_could_not_have_meant_is_no_entry(odd: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"entry|withdrawn|meterset"):
        replace(entry("a", 1, FULL), **odd)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Truth:
    """A session as it was, and who told of it: a person, a machine, or both; `arrives`: the step of its record."""

    number: int
    at: datetime
    given: tuple[tuple[int, float], ...]
    is_charted: bool
    is_recorded: bool
    arrives: int


@st.composite
def histories(draw: st.DrawFn) -> list[Truth]:
    """Whole fractions on following days, some of them interrupted and finished later, some twice a day."""
    found: list[Truth] = []
    at = day(1)
    for number in range(1, draw(st.integers(1, 5)) + 1):
        at += timedelta(hours=draw(st.sampled_from([6, 24, 48])))
        parts = draw(st.sampled_from([[1.0], [1.0], [0.6, 0.4], [0.3, 0.3, 0.4]]))
        for share in parts:
            given = tuple((beam, round(mu * share, 1)) for beam, mu in FULL.items())
            told_by = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
            found.append(Truth(number, at, given, *told_by, draw(st.integers(0, 12))))
            at += timedelta(hours=draw(st.sampled_from([1, 24])))
    return found


def as_record(one: Truth) -> TreatmentRecord:
    return record(one.number, dict(one.given), one.at)


def as_entries(truth: list[Truth]) -> list[ChartedFraction]:
    """Signed in order of time, each in the knowledge of the entries before it and the records that had arrived; nobody
    charts what the list has already."""
    entries: list[ChartedFraction] = []
    for step, one in enumerate(truth):
        arrived = [t for t in truth if t.is_recorded and t.arrives <= step and t.at <= one.at]
        if not one.is_charted or one in arrived:
            continue
        is_rest = any(t.number == one.number for t in truth[:step])
        beams = tuple(ChartedBeam(beam, None, mu, mu, is_rest) for beam, mu in one.given)
        known = knowing([as_record(t) for t in arrived])
        before = tuple(e.entry_id for e in entries)
        new = entry(f"{step:02}", one.number, {}, one.at, beams=beams, known=known, known_entries=before)
        entries.append(new)
    return entries


@given(histories(), st.data())
def test_charted_and_recorded_in_any_order_never_come_to_more_than_was_given(
    truth: list[Truth], data: st.DataObject
) -> None:
    entries = as_entries(truth)
    is_known = [t for t in truth if t.is_recorded or t.is_charted]
    records = [as_record(t) for t in is_known if t.is_recorded]
    come = [r for r in records if data.draw(st.booleans())]
    true: dict[tuple[int, int], float] = {}
    for one in truth:
        for beam, mu in one.given:
            true[one.number, beam] = true.get((one.number, beam), 0.0) + mu
    for own in (come, records):
        course = counted(entries, own, PLAN)
        for place, mu in given_of(course).items():
            assert mu <= true[place] + 1e-6, (place, told(entries, own) if entries else None)
        assert course.fractions_delivered <= len({t.number for t in truth})
        again = counted(data.draw(st.permutations([*entries, *entries])), data.draw(st.permutations(own)), PLAN)
        assert again.fractions == course.fractions
    whole = counted(entries, [as_record(t) for t in truth], PLAN)
    machines = counted([], [as_record(t) for t in truth], PLAN)
    assert given_of(whole) == given_of(machines), "once every record is there, nothing that was charted counts"


@given(histories(), st.integers(-2, 2), st.integers(-30, 30))
def test_a_number_or_a_time_that_was_typed_wrong_doubles_nothing(truth: list[Truth], off: int, hours: int) -> None:
    """One session, charted with another number or hour: the machine's record alone counts."""
    one = truth[0]
    wrong = entry("a", max(1, one.number + off), dict(one.given), one.at + timedelta(hours=hours))
    machine = as_record(one)
    is_one = wrong.fraction_number == one.number or wrong.treated_at.date() == one.at.date()
    if is_one:
        assert given_of(counted([wrong], [machine], PLAN)) == given_of(counted([], [machine], PLAN))
        differs = wrong.fraction_number != one.number or wrong.treated_at.date() != one.at.date()
        is_other_part = dict(one.given) != FULL and hours != 0
        assert bool(told([wrong], [machine])[1]) is (differs or is_other_part)


def rest_of_40(**more: object) -> ChartedFraction:
    beams = (ChartedBeam(1, None, 40.0, 40.0, True),)
    return replace(entry("b", 1, {}, day(1, hours=1), beams=beams), **more)  # type: ignore[arg-type]


def test_a_record_that_came_twice_is_held_against_what_was_charted_once() -> None:
    machine = record(1, {1: 60.0, 2: 50.0})
    copied = [machine, replace(machine, ref=replace(machine.ref, sop_instance_uid="exported anew"))]
    assert len(told([entry("a", 1, FULL)], copied)[1]) == 1, "60 MU in two objects are fewer than 100"
    parts = [entry("a", 1, {1: 60.0, 2: 50.0}), rest_of_40(known_entries=("a",))]
    assert given_of(counted(parts, copied, PLAN)) == {(1, 1): 100.0, (1, 2): 50.0} and told(parts, copied) == ((), ())


@pytest.mark.parametrize("mu", [55.0, 60.0])
def test_a_part_and_a_larger_part_by_the_machine_may_be_two_and_are_a_conflict(mu: float) -> None:
    by_hand = entry("a", 1, {1: 40.0, 2: 50.0}, day(1, minutes=9))
    (said,) = told([by_hand], [record(1, {1: mu})])[1]
    assert f"{mu} MU" in said, "else the 40 MU would be given once more"
    seen = rest_of_40(known=knowing([record(1, {1: 60.0, 2: 50.0})]))
    assert told([seen], [record(1, {1: mu}, day(1, minutes=50))])[1], "what was known is told anew, otherwise"


def test_half_of_a_fraction_at_another_time_of_the_day_may_be_the_other_half() -> None:
    half = entry("a", 1, {1: 50.0, 2: 25.0})
    later = [record(1, {1: 50.0, 2: 25.0}, day(1, hours=1))]
    assert len(told([half], later)[1]) == 2 and "at 10:30" in told([half], later)[1][0]
    assert told([half], [record(1, {1: 50.0, 2: 25.0}, day(1, minutes=9))]) == ((), ())
    assert told([entry("a", 1, FULL)], [record(1, FULL, day(1, hours=1))]) == ((), ()), "a clock an hour wrong"


def test_only_what_counts_stands_in_the_place_of_what_was_charted() -> None:
    """A record without the number of its beam or fraction counts nothing, one without MU perhaps nothing."""
    entries = [entry("a", 1, FULL)]
    for beam, number, mu in ((None, 1, 150.0), (None, 1, None), (1, None, 100.0)):
        odd = plain_record("odd", [delivery(beam, number, mu, at=day(1))], at=day(1))  # type: ignore[arg-type]
        assert counted(entries, [odd], PLAN).fractions_delivered == 1
    silent = plain_record("odd", [delivery(1, 1, None, at=day(1), termination="UNKNOWN")], at=day(1))
    assert "no MU" in told(entries, [silent])[1][0]


def test_a_part_of_another_number_is_held_against_the_part_that_no_record_tells_yet() -> None:
    parts = [entry("a", 1, {1: 60.0, 2: 50.0}), rest_of_40(known_entries=("a",))]
    records = [record(1, {1: 60.0, 2: 50.0}), record(2, {1: 40.0}, day(1, hours=1))]
    assert "as fraction 2" in told(parts, records)[1][0]
    assert given_of(counted(parts, records, PLAN)) == {(1, 1): 60.0, (1, 2): 50.0, (2, 1): 40.0, (2, 2): 0.0}


def test_a_fraction_that_comes_to_twice_what_was_planned_is_a_conflict() -> None:
    machine = record(1, FULL)
    again = replace(entry("a", 1, FULL), known=knowing([machine]))
    assert any("comes to 200.0 MU of beam 1, 100.0 were planned" in said for said in told([again], [machine])[1])


def test_corrections_that_go_back_to_one_entry_never_both_count() -> None:
    first = entry("a", 1, FULL)
    second = entry("b", 1, {1: 100.0, 2: 45.0}, corrects="a", known_entries=("a",))
    third = entry("c", 1, {1: 100.0, 2: 47.0}, corrects="b", known_entries=("a", "b"))
    elsewhere = entry("d", 2, FULL, day(2), corrects="a", known_entries=("a",))
    entries = [first, second, third, elsewhere]
    assert len(told(entries, [])[1]) == 1
    assert sum(given_of(counted(entries, [], PLAN)).values()) == 150.0
    withdrawn = replace(elsewhere, beams=(), fraction_number=None, is_withdrawn=True)
    assert len(told([first, second, third, withdrawn], [])[1]) == 1, "here corrected, there withdrawn"
    settled = replace(withdrawn, entry_id="e", corrects="d", known_entries=("a", "b", "c", "d"))
    assert told([*entries, settled], []) == ((), ())
    assert given_of(counted([*entries, settled], [], PLAN))[1, 2] == 47.0


def test_what_two_workstations_withdrew_is_withdrawn_and_no_conflict() -> None:
    gone = replace(entry("b", 1, FULL, corrects="a"), beams=(), fraction_number=None, is_withdrawn=True)
    assert told([entry("a", 1, FULL), gone, replace(gone, entry_id="c")], []) == ((), ())


def test_a_correction_that_knows_both_frees_the_other_which_then_counts() -> None:
    one, other = entry("a", 1, FULL), entry("b", 1, {1: 90.0, 2: 40.0})
    right = entry("c", 1, {1: 95.0, 2: 40.0}, corrects="a", known_entries=("a", "b"))
    assert freed_by(right, [one, other]) == (other,)
    assert freed_by(replace(right, corrects="b"), [one, other]) == ()


def test_numbers_that_run_against_their_days_are_a_conflict() -> None:
    """One delivery, charted with a wrong day here and a wrong number there; or two, one of them with a wrong day."""
    wrong_day, wrong_number = entry("a", 1, FULL, day(2)), entry("b", 2, FULL, day(1), signed_by="C")
    for both in ([wrong_day, wrong_number], [wrong_number, wrong_day]):
        (said,) = told(both, [])[1]
        assert "numbers against days: fraction 2 on Mon 2 Nov" in said and "before fraction 1 on Tue 3 Nov" in said
    assert told([wrong_day, wrong_number], [record(1, FULL, day(1))])[1], "what is left may be the same"
    knows = replace(wrong_day, known_entries=("b",))
    assert told([knows, wrong_number], []) == ((), ()), "as a rest is that was given after the next fraction"
    assert told([entry("a", 1, FULL), entry("b", 2, FULL)], []) == ((), ())
