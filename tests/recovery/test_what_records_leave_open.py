"""What records leave open: amounts that they do not tell, corrections, parts, numbers and people that do not agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from recovery.dicom.model import Patient
from recovery.dicom.plans import Plan, PlannedBeam
from recovery.dicom.records import TreatmentRecord
from recovery.words import notices
from recovery.words.notices import Next
from recovery.words.units import MU, SECONDS
from tests import objects as o
from tests.recovery.clinics import evidence, planned, row_of, rows_of, treated
from tests.recovery.courses import ONE_BEAM, TWO_BEAMS, as_record, day, delivery, plain_plan, plain_record, session

PLAN = plain_plan({1: 120.0})
STOPPED = "MACHINE"


def parts(fraction: int, *told: tuple[float, float, str], minutes: int = 0, **more: Any) -> list[TreatmentRecord]:
    """Records of one beam, `minutes` apart: what each asked for and got, and how it ended."""
    return [
        plain_record(
            f"{fraction} {n}",
            [delivery(1, fraction, got, specified=asked, termination=end)],
            at=day(fraction, minutes=n * minutes),
            **more,
        )
        for n, (asked, got, end) in enumerate(told)
    ]


def row(plan: Plan, *records: TreatmentRecord) -> dict[str, Any]:
    return row_of(evidence(records, [plan]), plan.ref.sop_instance_uid)


def next_of(plan: Plan, *records: TreatmentRecord) -> tuple[str, Next]:
    return notices.next_fraction(row(plan, *records))


WHOLE = [parts(n, (120.0, 120.0, "NORMAL"))[0] for n in (1, 2)]


@pytest.mark.parametrize("written", [None, "", "-50 "])
def test_of_a_beam_that_was_stopped_and_tells_no_meterset_nobody_reads_what_is_left(written: str | None) -> None:
    stopped = o.record(TWO_BEAMS.ref.sop_instance_uid, [o.beam_item(2, 1, None, 50.0, termination=STOPPED)], at=day(1))
    if written is not None:
        stopped.TreatmentSessionBeamSequence[0].DeliveredPrimaryMeterset = written
    told = row(TWO_BEAMS, session(TWO_BEAMS, 1, {1: 100.0}), as_record(stopped))
    assert (told["interrupted_fraction"], told["interrupted_meterset_remaining"]) == (1, None)
    assert told["interrupted_remaining_in_words"] == "— left"
    text, is_next = notices.next_fraction(told)
    assert is_next is Next.UNKNOWN and text.startswith("unknown: how much fraction 1 lacks of beam 2 is not known")


def test_what_is_recorded_in_another_unit_leaves_open_what_is_left() -> None:
    minutes = plain_record("m", [delivery(1, 1, 120.0, unit="MINUTE")], at=day(1))
    in_mu = replace(PLAN, beams=(replace(PLAN.beams[0], meterset_unit=MU),))
    assert next_of(in_mu, minutes)[1] is Next.UNKNOWN


def test_of_a_source_whose_time_of_the_day_no_record_tells_nobody_reads_what_is_left() -> None:
    beams = (PlannedBeam(1, None, 1, None, 200.0, None, SECONDS),)
    hdr = replace(PLAN, beams=beams)
    assert next_of(hdr, plain_record("s", [delivery(1, 1, 160.0, unit="s")]))[1] is Next.UNKNOWN
    of_day = delivery(1, 1, 160.0, specified=320.0, unit="s", termination=STOPPED)
    assert next_of(hdr, plain_record("s", [of_day]))[0] == "finish 1 of 20 first (0 given)"


@pytest.mark.parametrize(
    ("told", "is_doubted"),
    [
        (((120.0, 100.0, STOPPED), (120.0, 60.0, STOPPED)), True),
        (((120.0, 50.0, STOPPED), (120.0, 60.0, STOPPED)), True),
        (((120.0, 100.0, STOPPED), (120.0, 120.0, "NORMAL")), False),
        (((120.0, 100.0, STOPPED), (20.0, 20.0, "NORMAL")), False),
        (((120.0, 60.0, STOPPED), (120.0, 60.0, STOPPED)), False),
    ],
)
def test_two_records_of_one_second_that_differ_may_be_one_that_was_corrected(
    told: tuple[tuple[float, float, str], ...], *, is_doubted: bool
) -> None:
    """100 and 60 of 120 MU are no full fraction where the 60 stand in the place of the 100."""
    text, is_next = next_of(PLAN, *WHOLE, *parts(3, *told))
    assert (is_next is Next.UNKNOWN) is is_doubted, text
    assert ("of beam 1 of fraction 3 are told of one moment" in text) is is_doubted


def test_a_resumption_minutes_later_is_no_correction() -> None:
    assert next_of(PLAN, *parts(1, (120.0, 50.0, STOPPED), (120.0, 60.0, STOPPED), minutes=5))[1] is Next.DUE


@pytest.mark.parametrize("told", [((48.0, 48.0, "NORMAL"), (72.0, 72.0, "NORMAL")), ((12.0, 12.0, "NORMAL"),) * 10])
@pytest.mark.parametrize("fractions", [1, 3])
def test_wedges_and_segments_that_are_recorded_one_by_one_are_one_beam(
    told: tuple[tuple[float, float, str], ...], fractions: int
) -> None:
    found = row(PLAN, *(one for n in range(1, fractions + 1) for one in parts(n, *told, minutes=1)))
    assert (found["fractions_delivered"], found["disagreement"]) == (fractions, None)
    assert notices.next_fraction(found) == (f"{fractions + 1} next of 20 ({fractions} given)", Next.DUE)


def test_a_part_and_its_continuation_are_one_beam() -> None:
    first = [parts(n, (48.0, 48.0, "NORMAL"))[0] for n in (1, 2, 3)]
    rest = [
        plain_record(
            f"rest {n}", [delivery(1, n, 72.0, specified=72.0, delivery_type="CONTINUATION")], at=day(n, minutes=9)
        )
        for n in (1, 2)
    ]
    found = row(PLAN, *first, *rest)
    assert (found["fractions_delivered"], found["disagreement"]) == (2, None)
    assert (found["interrupted_fraction"], found["interrupted_meterset_remaining"]) == (3, 72.0)


def test_of_segments_that_were_stopped_the_rest_is_left() -> None:
    segment = (12.0, 12.0, "NORMAL")
    records = [*parts(1, *[segment] * 10, minutes=1), *parts(2, *[segment] * 4, minutes=1)]
    assert row(PLAN, *records)["interrupted_meterset_remaining"] == 72.0
    assert row(PLAN, *records, *parts(3, segment))["interrupted_meterset_remaining"] == 108.0


def test_a_meterset_that_was_halved_by_an_edit_is_no_part_though_one_fraction_was_given_twice() -> None:
    half = (60.0, 60.0, "NORMAL")
    records = [*parts(1, half), *parts(2, half, half, minutes=9), *parts(3, half), *parts(4, half)]
    assert "counted by 60.0 MU" in row(PLAN, *records)["disagreement"]


def test_segments_under_the_time_of_their_session_may_be_taken_for_copies_and_nobody_reads_what_is_left() -> None:
    text, is_next = next_of(PLAN, *parts(1, *[(12.0, 12.0, "NORMAL")] * 10))
    assert is_next is Next.UNKNOWN
    assert "9 deliveries recorded twice and counted once may be parts of fraction 1" in text


@pytest.mark.parametrize(("number", "is_told"), [(20, False), (25, True), (None, False)])
def test_the_number_of_fractions_of_the_newest_record_is_held_against_the_plans(
    number: int | None, *, is_told: bool
) -> None:
    records = [*treated("plan", [1], 1, number_of_fractions_planned=20)]
    records += treated("plan", [2], 2, number_of_fractions_planned=number)
    said = row(planned("plan"), *records)["disagreement"]
    text = f"fractions planned: 20 in the plan, {number} in its newest treatment record"
    assert said == (text if is_told else None)


def test_a_plan_of_one_day_whose_record_tells_the_number_of_the_course_contradicts_nothing() -> None:
    records = treated("plan", [1], 1, number_of_fractions_planned=5)
    assert row(planned("plan", 1), *records)["disagreement"] is None


@pytest.mark.parametrize(("number", "is_told"), [(25, False), (33, False), (28, False), (30, True), (24, True)])
def test_records_that_tell_the_number_of_base_and_boosts_contradict_neither_plan(number: int, *, is_told: bool) -> None:
    numbers = {"base": 20, "boost": 5, "last": 8}
    records = [
        one
        for n, uid in enumerate(numbers)
        for one in treated(uid, [1, 2], 1 + 3 * n, number_of_fractions_planned=number if uid == "base" else 33)
    ]
    other = planned("neck", 10, frame_of_reference_uid="other")
    known = evidence([*records, *treated("neck", [1], 9)], [other, *(planned(u, n) for u, n in numbers.items())])
    assert (row_of(known, "base")["disagreement"] is not None) is is_told
    assert row_of(known, "boost")["disagreement"] is row_of(known, "last")["disagreement"] is None


def test_two_people_under_one_patient_id_are_told_in_both_rows() -> None:
    ann, bob = (
        Patient("1", name, born, None) for name, born in (("A, Ann", date(1950, 1, 1)), ("B, Bob", date(1960, 2, 2)))
    )
    records = [*treated("a", [1], 1, patient=ann), *treated("b", [1], 1, patient=bob)]
    known = evidence(records, [planned("a", patient=ann), planned("b", patient=bob)])
    for uid in "ab":
        said = row_of(known, uid)["disagreement"]
        assert said == "born 1950-01-01 or 1960-02-02: objects of two people may bear this patient ID"
    nobodys = [replace(r, ref=replace(r.ref, patient_id=None)) for r in records]
    assert {found["disagreement"] for found in rows_of(evidence(nobodys))} == {None}, "no ID is nobody's"
    married = replace(ann, patient_name="C, Ann")
    alike = evidence([*treated("a", [1], 1, patient=ann), *treated("a", [2], 2, patient=married)], [planned("a")])
    assert row_of(alike, "a")["disagreement"] is None


@pytest.mark.parametrize(
    ("name", "uid", "is_told"),
    [("A, Ann", "a", False), ("B, Bob", "a", True), ("A, Ann", "b", True), (None, "a", True)],
)
def test_a_birth_date_that_was_corrected_in_the_midst_of_a_plan_is_no_second_person(
    name: str | None, uid: str, *, is_told: bool
) -> None:
    typed, right = (Patient("1", "A, Ann", born, None) for born in (date(1950, 7, 4), date(1950, 4, 7)))
    later = replace(right, patient_name=name)
    known = evidence([*treated("a", [1], 1, patient=typed), *treated(uid, [2], 2, patient=later)], [planned("a")])
    assert ("two people" in str(row_of(known, "a")["disagreement"])) is is_told
    nameless = [
        *treated("n", [1], 1, patient=typed, referenced_rt_plan_uid=None),
        *treated("n", [2], 2, patient=right, referenced_rt_plan_uid=None),
    ]
    assert "two people" in str(row_of(evidence(nameless), None)["disagreement"])


def test_in_whatever_order_records_came_what_may_be_of_two_plans_is_told_alike() -> None:
    records = [*treated("a", [1], 1), *treated("b", [1], 1), plain_record("n", [delivery()], at=day(1), plan_uid=None)]
    known, turned = evidence(records), evidence(records[::-1])
    assert row_of(known, None)["remarks"] == row_of(turned, None)["remarks"] != ""


def test_a_plain_interruption_is_told_as_it_is() -> None:
    stopped = session(ONE_BEAM, 2, {1: 60.0}, termination=STOPPED)
    assert next_of(ONE_BEAM, session(ONE_BEAM, 1, {1: 100.0}), stopped) == ("finish 2 of 20 first (1 given)", Next.DUE)
