"""Where one number does not tell the next fraction, or may be given already, nobody reads it as due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recovery.course.courses import Chain, Member
from recovery.course.fractions import count_fractions
from recovery.dicom.plans import FractionGroup, Plan, PlannedBeam
from recovery.dicom.records import DELIVERY_OF_DATABASE, TreatmentRecord
from recovery.on_treatment.next_fraction import doubts
from recovery.words import notices
from recovery.words.notices import Next
from tests import objects as o
from tests.recovery.clinics import evidence, planned, row_of, treated
from tests.recovery.courses import (
    FULL,
    ONE_BEAM,
    TWO_BEAMS,
    as_plan,
    as_record,
    course,
    day,
    delivery,
    plain_plan,
    plain_record,
    session,
    states,
)

ONE, TWO = {1: 100.0}, {2: 50.0}


def said(plan: Plan, *records: TreatmentRecord) -> list[str]:
    member = Member(plan.ref.sop_instance_uid, plan, count_fractions(records, plan))
    return list(doubts(Chain((member,), number_of_fractions_planned=plan.number_of_fractions_planned), member))


def told(row: dict[str, object]) -> tuple[str, Next]:
    return notices.next_fraction(row)


def words(row: dict[str, object]) -> list[str]:
    return [notice.unmarked for notice in notices.of_row({"in_flight": None, **row}) if notice.is_stop]


def unnumbered(fraction: int, *beams: int) -> TreatmentRecord:
    """A whole session, of which these beams bear no fraction number."""
    items = [o.beam_item(n, None if n in beams else fraction, FULL[n], FULL[n]) for n in FULL]
    return as_record(o.record(TWO_BEAMS.ref.sop_instance_uid, items, at=day(fraction)))


def test_a_beam_without_a_number_may_be_what_a_fraction_lacks() -> None:
    row = row_of(evidence([session(TWO_BEAMS, 1, FULL), unnumbered(2, 1)], [TWO_BEAMS]), TWO_BEAMS.ref.sop_instance_uid)
    assert (row["next_fraction_number"], row["interrupted_fraction"]) == (2, 2)
    text, is_next = told(row)
    assert is_next is Next.UNKNOWN
    assert text.startswith("unknown: 1 delivered beam of Tue 3 Nov 2026 without fraction or beam number may be of it")
    assert any("left by what could be counted: it may have been done" in one for one in words(row))


def test_beams_without_numbers_may_be_a_whole_fraction_and_fewer_of_them_are_none() -> None:
    whole = session(TWO_BEAMS, 1, FULL)
    assert said(TWO_BEAMS, whole, unnumbered(2, 1, 2)) == [
        "2 delivered beams of Tue 3 Nov 2026 without fraction or beam number may be of it"
    ]
    again = session(TWO_BEAMS, None, ONE, at=day(1, hours=1))
    assert said(TWO_BEAMS, whole, again) == []
    nothing = session(TWO_BEAMS, None, {1: 0.0}, at=day(1, hours=1))
    assert said(TWO_BEAMS, whole, nothing, replace(nothing, ref=whole.ref)) == []


def test_a_setup_beam_without_a_number_is_no_part_of_a_fraction() -> None:
    plan = as_plan(o.plan({1: 100.0, 9: 2.0}, delivery_types={9: "SETUP"}))
    assert said(plan, session(plan, 1, {1: 60.0}), session(plan, None, {9: 2.0}, delivery_type=None)) == []


@pytest.mark.parametrize(
    ("beams", "doubt"),
    [
        (
            {101: 100.0, 102: 50.0},
            "4 delivered beams, the last of Tue 3 Nov 2026, that the plan does not have may be of it",
        ),
        (
            {1: 100.0, 102: 50.0},
            "2 delivered beams, the last of Tue 3 Nov 2026, that the plan does not have may be of it",
        ),
        ({**FULL, 102: 50.0}, ""),
        ({101: 0.0}, ""),
    ],
)
def test_beams_that_the_plan_does_not_have_may_be_its_own_under_other_numbers(
    beams: dict[int, float], doubt: str
) -> None:
    """A R&V system that numbers them anew: after two fractions nobody reads `1 next (0 given)`."""
    assert said(TWO_BEAMS, *(session(TWO_BEAMS, n, beams) for n in (1, 2))) == ([doubt] if doubt else [])


def test_records_without_beams_may_be_fractions_of_days_on_which_nothing_else_was_given() -> None:
    whole = session(TWO_BEAMS, 1, FULL)
    beamless = [session(TWO_BEAMS, None, {}, at=day(n)) for n in (1, 2)]
    assert said(TWO_BEAMS, whole, beamless[0]) == []
    assert said(TWO_BEAMS, whole, *beamless) == ["1 record of Tue 3 Nov 2026 without beams may be of it"]


@pytest.mark.parametrize(("machine", "first", "is_doubted"), [("TB1", 3, True), ("TB2", 3, False), ("TB1", -9, False)])
def test_records_that_name_no_plan_may_be_of_one_that_others_name(
    machine: str, first: int, *, is_doubted: bool
) -> None:
    unnamed = [
        plain_record(f"n{n}", [delivery(fraction=n)], at=day(first + n), plan_uid=None, treatment_machine_name=machine)
        for n in (2, 3)
    ]
    named = plain_record("a", [delivery()], at=day(1), plan_uid="a", treatment_machine_name="TB1")
    own = replace(planned("a"), patient=named.patient)
    for uid in ("a", None):
        remarks = str(row_of(evidence([named, *unnamed], [own]), uid)["remarks"])
        assert ("records of this patient that name no plan may be of plan A" in remarks) is is_doubted


@pytest.mark.parametrize(("numbers", "is_slip"), [((1, 2, 99), True), ((1, 2, 22), False), ((26, 27), False)])
def test_after_a_number_that_is_none_of_the_plan_no_number_follows(numbers: tuple[int, ...], *, is_slip: bool) -> None:
    found = said(ONE_BEAM, *(session(ONE_BEAM, n, ONE, at=day(at)) for at, n in enumerate(numbers, start=1)))
    assert found == (["fraction number 99, after 2, is none of a plan of 20 fractions"] if is_slip else [])


def test_parts_under_two_numbers_that_lack_each_other_may_be_one_fraction() -> None:
    """Five lesions of one fraction, on two days that the R&V system numbers 1 and 2: none is treated twice."""
    parts = [session(TWO_BEAMS, 1, ONE), session(TWO_BEAMS, 2, TWO)]
    [reason] = said(TWO_BEAMS, *parts)
    assert reason == "fractions 1 and 2 have parts of which each lacks the other: they may be one"
    assert said(TWO_BEAMS, session(TWO_BEAMS, 1, ONE), session(TWO_BEAMS, 2, ONE)) == []
    assert said(TWO_BEAMS, session(TWO_BEAMS, 1, ONE), session(TWO_BEAMS, 2, {1: 10.0, 2: 50.0})) == []


@pytest.mark.parametrize(("more", "is_doubted"), [(100.0, True), (99.8, True), (60.0, False), (50.0, False)])
def test_what_one_fraction_lacks_may_stand_beyond_anothers_plan(more: float, *, is_doubted: bool) -> None:
    rest = [session(TWO_BEAMS, 2, {1: 100.0, 2: more}), session(TWO_BEAMS, 1, ONE)]
    found = said(TWO_BEAMS, *rest)
    assert bool(found) is is_doubted
    if is_doubted:
        assert found == [f"fraction 2 got {more - 50.0:.1f} MU of beam 2 too much, which 1 lacks"]


def test_two_whole_fractions_under_one_number_are_no_plain_count() -> None:
    """A twice-daily course of which the R&V system numbers the days."""
    twice = [session(TWO_BEAMS, 1, FULL, at=day(1, hours=hours)) for hours in (0, 6)]
    [reason] = said(TWO_BEAMS, *twice)
    assert reason == (
        "every beam of fraction 1 was given twice over: two fractions under one number, or one given twice"
    )
    assert said(TWO_BEAMS, twice[0], session(TWO_BEAMS, 1, TWO, at=day(2))) == [], "one beam again is remarked on"


def test_one_part_told_twice_may_leave_a_fraction_short() -> None:
    parts = [session(ONE_BEAM, 1, {1: 60.0}, at=day(1, hours=hours)) for hours in (0, 1)]
    assert said(ONE_BEAM, *parts) == ["60.0 MU of beam 1 are told twice, of fraction 1, which may lack them"]
    rounded = session(ONE_BEAM, 1, {1: 59.6}, at=day(1, minutes=3))
    assert said(ONE_BEAM, parts[0], rounded), "two clocks, and one that keeps fewer digits"
    for other in (50.0, 50.4):
        halves = [session(ONE_BEAM, 1, {1: mu}, at=day(1, hours=n)) for n, mu in enumerate((50.0, other))]
        assert said(ONE_BEAM, *halves) == []


def of_database(record: TreatmentRecord) -> TreatmentRecord:
    """As `snapshot_tables` makes it of MOSAIQ's deliveries."""
    name = f"{DELIVERY_OF_DATABASE}{record.ref.sop_instance_uid}"
    return replace(record, beams=tuple(replace(beam, beam_description=name) for beam in record.beams))


def machines(fraction: int, delivered: dict[int, float | None], minutes: float = 3.0) -> TreatmentRecord:
    """The machine's own record of the session, by a clock of its own."""
    return session(TWO_BEAMS, fraction, delivered, at=day(fraction, minutes=minutes))


STOPPED = [of_database(session(TWO_BEAMS, 2, {1: 60.0})), of_database(session(TWO_BEAMS, 2, {1: 40.0, 2: 50.0}))]


@pytest.mark.parametrize(
    "records",
    [
        [of_database(session(TWO_BEAMS, 2, FULL)), machines(2, {1: 100.3, 2: 49.8})],
        [*STOPPED, machines(2, FULL)],
        [*STOPPED, machines(2, {1: 60.4}), machines(2, {1: 39.7, 2: 50.0}, minutes=9)],
    ],
    ids=["minutes apart", "an interruption as one", "in parts"],
)
def test_what_the_database_tells_in_full_and_a_machine_again_is_no_second_fraction(
    records: list[TreatmentRecord],
) -> None:
    first = [of_database(session(TWO_BEAMS, 1, FULL)), machines(1, FULL)]
    assert said(TWO_BEAMS, *first, *records) == []
    begun = of_database(session(TWO_BEAMS, 3, ONE, at=day(3)))
    assert said(TWO_BEAMS, *first, *records, begun) == [], "nor what an interrupted one lacks"


@pytest.mark.parametrize(
    "records",
    [
        [machines(2, FULL, minutes=0), machines(2, FULL, minutes=30)],
        [of_database(session(TWO_BEAMS, 2, FULL)), machines(2, FULL, minutes=360)],
        [of_database(session(TWO_BEAMS, 2, FULL)), machines(2, FULL), machines(2, FULL, minutes=30)],
        [of_database(session(TWO_BEAMS, 2, {1: 60.0})), machines(2, {1: 59.6, 2: 50.0})],
        [of_database(session(TWO_BEAMS, 2, {1: 40.0})), machines(2, {1: 40.2, 2: 50.0})],
        [of_database(session(TWO_BEAMS, 2, {1: 50.0})), machines(2, {1: 50.0, 2: 50.0})],
    ],
    ids=["two of the machine", "six hours apart", "once more", "a part, over", "a part, under", "a half"],
)
def test_what_may_have_been_given_twice_or_is_a_part_told_twice_stays_doubted(records: list[TreatmentRecord]) -> None:
    assert said(TWO_BEAMS, of_database(session(TWO_BEAMS, 1, FULL)), *records) != []


def test_nothing_is_doubted_where_nothing_remains() -> None:
    plan = as_plan(o.plan({1: 100.0}, fractions=1))
    assert said(plan, *(session(plan, 1, ONE, at=day(1, hours=hours)) for hours in (0, 6))) == []


# the record of a whole session beside those of its beams


def of_session(*delivered: dict[int, float], number: int = 1, apart: float = 60.0) -> list[TreatmentRecord]:
    records = (dict.items(one) for one in delivered)
    return [
        plain_record(
            f"{number} {n}",
            [delivery(b, number, m, termination="NORMAL" if m == FULL[b] else "OPERATOR") for b, m in beams],
            at=day(number) + timedelta(seconds=n * apart),
        )
        for n, beams in enumerate(records)
    ]


def test_a_record_of_the_whole_session_tells_nothing_new() -> None:
    plan = plain_plan(FULL)
    stopped = {1: 100.0, 2: 30.0}
    counted = course(plan, *of_session(ONE, {2: 30.0}, stopped))
    assert (states(counted), counted.duplicates) == ([(1, False)], 2)
    assert counted.interrupted is not None and counted.interrupted.meterset_remaining == 20.0
    resumed = course(plan, *of_session(ONE, {2: 30.0}, {2: 20.0}, FULL))
    assert (states(resumed), resumed.duplicates) == ([(1, True)], 2)
    assert resumed.fractions[0].beams[1].delivered == 50.0


@pytest.mark.parametrize(
    ("delivered", "apart"),
    [
        ([ONE, {2: 30.0}, {1: 100.0, 2: 20.0}], 60.0),
        ([{1: 50.0}, {2: 25.0}, {1: 50.0, 2: 25.0}], 60.0),
        ([ONE, TWO, FULL], 4 * 3600.0),
    ],
    ids=["another outcome", "no more than planned", "in the afternoon"],
)
def test_what_is_no_repetition_is_counted(delivered: list[dict[int, float]], apart: float) -> None:
    assert course(plain_plan(FULL), *of_session(*delivered, apart=apart)).duplicates == 0


# fraction groups


def in_groups(*planned_numbers: int | None) -> Plan:
    groups = tuple(FractionGroup(n, number) for n, number in enumerate(planned_numbers, start=1))
    beams = tuple(PlannedBeam(g, None, g, "TREATMENT", 100.0, "TB1") for g, _ in enumerate(groups, start=1))
    return plain_plan({}, fraction_groups=groups, beams=beams)


def given(*pairs: tuple[int, int]) -> list[TreatmentRecord]:
    """In order of time: fraction group and fraction number."""
    return [
        plain_record(f"{g} {n}", [delivery(g, n)], at=day(at), referenced_fraction_group_number=g)
        for at, (g, n) in enumerate(pairs, start=1)
    ]


FIVE = [(1, n) for n in range(1, 6)]


@pytest.mark.parametrize(
    ("plan", "pairs", "number", "text"),
    [
        (in_groups(5, None), [*FIVE, (2, 1)], 2, "fraction group 2: 2 next, as 7th of — (6 given)"),
        (in_groups(5, 8), [*FIVE, (2, 1)], 2, "fraction group 2: 2 next, as 7th of 13 (6 given)"),
        (in_groups(5, 8), [*FIVE, (2, 6)], 7, "fraction group 2: 7 next of 13 (6 given)"),
        (in_groups(5, 8), FIVE[:3], 4, "fraction group 1: 4 next of 13 (3 given)"),
        (
            in_groups(5, 8),
            FIVE,
            None,
            "unknown: the first of fraction group 2, numbered 1, or 6 if numbers run through",
        ),
        (
            in_groups(9, 9),
            [*FIVE, (2, 1)],
            None,
            "unknown: by the records it is fraction 6 of fraction group 1 or fr",
        ),
        (
            in_groups(9, 9),
            [(1, 1), (2, 1)],
            2,
            "unknown: by the records it is fraction 2 of fraction group 1 or fr",
        ),
        (in_groups(9, 9), [(1, 1), (2, 2), (1, 3)], 4, "unknown: by the records it is fraction 4 of fraction group 1"),
        (in_groups(1, 1, 1), [(1, 1), (2, 1)], 1, "fraction group 3: 1 next, as 3rd of 3 (2 given)"),
        (in_groups(1, 1, 1), [(1, 1)], None, "unknown: by the records it is the first of fraction group 2 or th"),
        (in_groups(5, 5), [*FIVE, *((2, n) for n in range(1, 6))], None, "none (10 of 10 given)"),
    ],
)
def test_of_several_fraction_groups_a_number_says_of_which(
    plan: Plan, pairs: list[tuple[int, int]], number: int | None, text: str
) -> None:
    row = row_of(evidence(given(*pairs), [plan]), "plan")
    assert row["next_fraction_number"] == number
    assert told(row)[0].startswith(text)


def test_a_fraction_that_was_begun_is_finished_in_its_group() -> None:
    records = [*given(*FIVE), plain_record("x", [delivery(2, 1, 40.0)], at=day(7), referenced_fraction_group_number=2)]
    row = row_of(evidence(records, [in_groups(5, 8)]), "plan")
    assert told(row)[0] == "fraction group 2: finish 1 first, as 6th of 13 (5 given)"
    assert "next is of fraction group 2: fraction 1 is to be finished, with the beams of that group alone" in str(
        row["remarks"]
    )


# plans beside each other


def test_a_fraction_begun_with_the_copy_of_a_plan_for_another_machine_is_not_plainly_open() -> None:
    """The linac broke down: beam 1 of fraction 3 there, beam 2 here."""
    there, here = (plain_plan(FULL, uid=uid) for uid in ("there", "here"))
    of = lambda uid, n, beams, at: plain_record(  # noqa: E731
        f"{uid} {n}", [delivery(b, n, FULL[b]) for b in beams], at=day(at), plan_uid=uid, treatment_machine_name=uid
    )
    records = [of("there", 1, FULL, 1), of("there", 2, FULL, 2), of("there", 3, ONE, 3), of("here", 3, TWO, 4)]
    row = row_of(evidence(records, [there, here]), "here")
    assert told(row)[0] == "unknown: fraction 3 was begun with plan There too, with other beams (0 of 20 given)"


@pytest.mark.parametrize(("beams", "is_doubted"), [(ONE, True), (TWO, False)])
def test_a_fraction_whose_rest_is_recorded_under_a_plan_that_nobody_has_is_not_plainly_open(
    beams: dict[int, float], *, is_doubted: bool
) -> None:
    """A bit of the plan's UID was altered on the way of one record."""
    elsewhere, rest = session("1.2.3", 2, beams), session(TWO_BEAMS, 2, TWO, at=day(2, hours=1))
    known = evidence([session(TWO_BEAMS, 1, FULL), elsewhere, rest], [TWO_BEAMS])
    text, is_next = told(row_of(known, TWO_BEAMS.ref.sop_instance_uid))
    assert (is_next is Next.UNKNOWN) is is_doubted
    assert ("fraction 2 was begun with plan 1.2.3 too, which is not held" in text) is is_doubted


def test_an_old_plan_that_was_treated_once_more_is_doubted_in_both_rows() -> None:
    known = evidence([*treated("a", range(1, 9), 1), *treated("b", [9, 10], 9), *treated("a", [9], 12)],
                     [planned("a"), planned("b")])  # fmt: skip
    for uid in "ab":
        assert "plan A was treated again on Fri 13 Nov 2026, after plan B had gone on from its fraction 8" in str(
            row_of(known, uid)["remarks"]
        )


@pytest.mark.parametrize(("planned_number", "missing"), [(8, ""), (40, "records of fractions 1-8")])
def test_a_boost_on_its_own_images_misses_nothing_that_the_base_gave(planned_number: int, missing: str) -> None:
    """Where the boost may have had so many fractions itself, nobody knows whose they were."""
    boost = replace(planned("b", planned_number), frame_of_reference_uid="another")
    elsewhere = [replace(r, treatment_machine_name="TB2") for r in treated("b", [9, 10], 9)]
    known = evidence([*treated("a", range(1, 9), 1), *elsewhere], [planned("a", 8), boost])
    assert row_of(known, "b")["missing"] == missing


# setup beams that a record calls treatment


def test_a_beam_that_the_plan_does_not_treat_with_treats_nobody_whatever_its_record_says() -> None:
    made: dict[str, Any] = {"metersets": {1: 100.0, 9: 2.0}, "delivery_types": {9: "SETUP"}}
    plan = as_plan(o.plan(**made))
    counted = course(plan, session(plan, 1, ONE), session(plan, 2, {9: 2.0}))
    assert (counted.is_treated, counted.last_treatment_at) == (True, day(1))
    assert not course(plan, session(plan, 1, {9: 2.0}, delivery_type=None)).is_treated
