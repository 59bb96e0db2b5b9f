"""How many fractions a course of several plans has, which remain, and which number comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from recovery.course.courses import Chain, Member, chains, shares_anatomy
from recovery.course.fractions import count_fractions
from recovery.course.planned_number import Prescribed, is_origin, with_number
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import Plan, PlannedBeam, anatomy_of
from tests.recovery.clinics import planned, treated
from tests.recovery.courses import day, delivery, plain_record

UNKNOWN = "how many fractions the whole course has is not known"


def plan(uid: str, fractions: int | None, machine: str | None = "TB1", frame: str = "frame", **more: Any) -> Plan:
    beams = (PlannedBeam(1, None, 1, "TREATMENT", 100.0, machine),)
    return planned(uid, fractions, frame_of_reference_uid=frame, beams=beams, **more)


def member(
    uid: str, fractions: int | None, numbers: Sequence[int] = (), first_day: int = 1, machine: str = "TB1", **more: Any
) -> Member:
    """A plan, and a whole fraction a day of these numbers."""
    records = treated(uid, numbers, first_day, treatment_machine_name=machine)
    own = plan(uid, fractions, machine)
    return Member(uid, own, count_fractions(records, own))


def chain(*newest_first: Member, references: Sequence[str] = ()) -> Chain:
    return Chain(newest_first, frozenset(references))


def number(
    of: Chain, plans: Sequence[Plan] = (), waiting: Sequence[Plan] = (), told: dict[str, Prescribed] | None = None
) -> tuple[int | None, str]:
    found = with_number(of, {p.ref.sop_instance_uid: p for p in plans}, waiting, told or {})
    return found.number_of_fractions_planned, found.remark


RX20, RX2 = Prescribed("rx", 20), Prescribed("other", 2)


# one plan


@pytest.mark.parametrize(
    ("says", "numbers", "prescribed", "planned_for"),
    [
        (20, [1, 2], None, 20),
        (20, [1, 2], Prescribed("rx", 25), 20),
        (None, [1, 2], Prescribed("rx", 25), None),
        (1, [1], None, 1),
        (1, [1], Prescribed("rx", 5), 5),
        (1, [1], Prescribed("rx", 1), 1),
        (1, [3], None, None),
        (1, [3], Prescribed("rx", 5), 5),
        (1, [2], None, None),
        (1, [1, 3], None, None),
        (1, [3], Prescribed("rx", 1), None),
        (1, [1], Prescribed("rx", 2), 2),
    ],
)
def test_one_plan_has_its_own_number_unless_it_says_1_and_something_says_more(
    says: int | None, numbers: list[int], prescribed: Prescribed | None, planned_for: int | None
) -> None:
    alone = chain(member("a", says, numbers))
    assert number(alone, told={"a": prescribed} if prescribed else {}) == (planned_for, "")


def test_a_plan_of_one_fraction_may_be_the_first_day_of_a_plan_that_waits_on_its_anatomy() -> None:
    day_1 = chain(member("a", 1, [1]))
    found, remark = number(day_1, waiting=[plan("elsewhere", 5, frame="x"), plan("one", 1), plan("ref", 5)])
    assert (found, remark) == (
        None, "a plan of 1 fraction: whether it is one day of plan Ref, 5 fractions, is not known",
    )  # fmt: skip
    assert number(day_1, waiting=[plan("ref", 2)])[0] is None
    for waiting in (plan("one", 1), plan("none", None), plan("far", 5, frame="x"), plan("there", 5, "TB2")):
        assert number(day_1, waiting=[waiting]) == (1, ""), waiting.ref.sop_instance_uid
    assert number(chain(member("a", 1)), waiting=[plan("ref", 5)]) == (1, ""), "nothing was given yet"
    assert number(chain(member("a", 2, [1])), waiting=[plan("ref", 5)]) == (2, "")
    assert number(day_1, waiting=[plan("ref", 5)], told={"a": Prescribed("rx", 1)}) == (1, "")


def test_a_plan_of_one_fraction_whose_patient_is_booked_again_is_not_known_to_be_over() -> None:
    found = with_number(chain(member("a", 1, [1])), {}, [], {}, is_only_booked=True)
    assert found.number_of_fractions_planned is None
    assert found.remark == "a plan of 1 fraction, and the patient is booked again: what for is not known"
    assert with_number(chain(member("a", 1, [1])), {}, [], {}).number_of_fractions_planned == 1


# several plans


def daily(each: int | None = None, days: int = 3, **more: Any) -> Chain:
    return chain(*(member(f"ad{n}", each, [n], n) for n in range(days, 0, -1)), **more)


def test_the_plan_that_the_others_name_says_the_number() -> None:
    of = daily(references=["ref"])
    assert number(of, [plan("ref", 5), plan("other", 9)]) == (5, "")
    assert number(of, [plan("ref", 5)], told={"ad1": RX20}) == (5, ""), "before any prescription"
    assert number(of, [plan("ref", None)]) == (None, UNKNOWN)
    assert number(of) == (None, UNKNOWN), "it is not held"
    assert number(of, [plan("ref", 1)]) == (None, UNKNOWN), "the plan of one day"
    assert number(daily(days=2, references=["ref"]), [plan("ref", 1)]) == (None, UNKNOWN)
    assert number(daily(days=1, references=["ref"]), [plan("ref", 1)]) == (1, "")


def test_of_several_that_are_named_the_first_of_them_says_it_and_two_that_differ_say_nothing() -> None:
    of = daily(references=["ref", "earlier"])
    assert number(of, [plan("ref", 7, predecessor_uids=("earlier",)), plan("earlier", 5)]) == (5, "")
    assert number(of, [plan("ref", 7), plan("earlier", 5)]) == (None, UNKNOWN)
    assert number(of, [plan("ref", 5), plan("earlier", 5)]) == (5, "")
    assert number(of, [plan("ref", 5), plan("earlier", None)]) == (5, "")


def test_one_prescription_says_it_and_two_say_nothing_of_the_whole() -> None:
    assert number(daily(), told={"ad1": RX20, "ad3": RX20}) == (20, "")
    assert number(daily(), told={"ad1": RX20, "ad3": RX2}) == (None, UNKNOWN)
    assert number(daily(references=["ref"]), told={"ref": RX20}) == (20, "")


def test_a_prescription_may_be_given_with_several_plans_of_which_none_says_the_whole() -> None:
    parts = chain(member("b", 10, [4, 5], 4), member("a", 15, [1, 2, 3]))
    assert number(parts, told={"a": RX20}) == (20, "")
    assert number(chain(member("b", 17, [4], 4), member("a", 20, [1, 2, 3])), told={"a": RX20}) == (20, "")
    assert number(chain(member("b", 18, [4], 4), member("a", 20, [1, 2, 3])), told={"a": RX20})[0] != 20
    assert number(chain(member("b", 2, [4], 4), member("a", 30, [1, 2, 3])), told={"a": RX20})[0] != 20


def test_phases_that_followed_each_other_complete_add_up() -> None:
    base, boost = member("base", 3, [1, 2, 3]), member("boost", 2, [4], 4)
    assert number(chain(boost, base)) == (5, "")
    assert number(chain(member("boost", None, [4], 4), base)) == (None, UNKNOWN)
    assert number(chain(boost, base, references=["ref"])) == (None, UNKNOWN)
    left_early = member("middle", 4, [4, 5], 4)
    assert number(chain(member("last", 2, [6], 6), left_early, base)) == (None, UNKNOWN)


def test_a_plan_left_before_it_was_complete_says_the_number_where_the_next_says_the_same_or_the_rest() -> None:
    first = member("a", 20, [1, 2, 3])
    assert number(chain(member("b", 20, [4], 4), first)) == (20, "")
    assert number(chain(member("b", 17, [4], 4), first)) == (20, "")
    assert number(chain(member("b", None, [4], 4), first)) == (20, "")
    assert number(chain(member("b", 1, [4], 4), first)) == (20, "")
    assert number(chain(member("b", 16, [4], 4), first)) == (None, UNKNOWN)
    assert number(chain(member("c", 16, [5], 5), member("b", 17, [4], 4), first)) == (20, "")


def test_the_one_plan_that_waits_on_the_anatomy_says_it_and_is_named() -> None:
    said = "5 fractions of the course are those of plan Ref, approved and not treated itself"
    assert number(daily(), waiting=[plan("ref", 5)]) == (5, said)
    nameless = plan("ref", 5, rt_plan_label=None)
    assert number(daily(), waiting=[nameless])[1] == said.replace("Ref", "ref")
    assert number(daily(), waiting=[plan("ref", 5), plan("far", 9, frame="x")]) == (5, said)
    assert number(daily(days=2), waiting=[plan("ref", 2)])[0] == 2
    not_held = Member("lost", None, member("lost", None, [4], 4).course)
    assert number(chain(not_held, *daily().members), waiting=[plan("ref", 5)])[0] == 5
    for waiting in ([plan("ref", 5), plan("too", 9)], [plan("ref", 1)], [plan("ref", None)], [plan("ad1", 5)], []):
        assert number(daily(), waiting=waiting) == (None, UNKNOWN)
    assert number(daily(each=7), waiting=[plan("ref", 5)])[0] != 5, "it does not fit to what the plans say"


def test_a_plan_that_waits_is_where_the_daily_plans_are_from_when_each_repeats_its_number_or_prescription() -> None:
    assert is_origin(plan("ref", 5), daily(each=5), {})
    assert not is_origin(plan("ref", 6), daily(each=5), {})
    told = dict.fromkeys(("ad1", "ad2", "ad3", "ref"), RX20)
    assert is_origin(plan("ref", 20), daily(), told)
    assert not is_origin(plan("ref", 20), daily(), told | {"ad2": RX2})
    assert not is_origin(plan("ref", 20), daily(), {k: v for k, v in told.items() if k != "ad2"})
    assert not is_origin(plan("ref", 20), daily(), {k: v for k, v in told.items() if k != "ref"})
    assert not is_origin(plan("boost", 5, "TB2"), daily(each=5), {}), "on another machine"
    assert not is_origin(plan("boost", 5, frame="x"), daily(each=5), {}), "on other anatomy"
    setup = plain_record("setup", [delivery(delivery_type="SETUP")], treatment_machine_name="TB2")
    looked_at = Member("looked at", plan("looked at", 5), count_fractions([setup], plan("looked at", 5)))
    assert not is_origin(plan("boost", 5, "TB2"), chain(looked_at, *daily(each=5).members), {}), "only set up there"
    assert is_origin(plan("ref", 5, None), daily(each=5), {}), "a plan that names no machine is nowhere else"
    assert not is_origin(plan("ref", 20), chain(member("a", 20, [1])), {}), "one plan is no course of daily plans"


# what remains, and which comes next


def numbered(of: Chain, planned_for: int | None) -> Chain:
    return Chain(of.members, of.reference_uids, planned_for)


def test_what_remains_is_the_courses_else_the_plans_own_of_several() -> None:
    of = chain(member("b", 17, [4], 4), member("a", 20, [1, 2, 3]))
    newest, first = of.members
    assert (of.fractions_delivered, of.fractions_remaining) == (4, None)
    assert numbered(of, 20).fractions_remaining == numbered(of, 20).remaining_with(first) == 16
    assert numbered(of, 3).fractions_remaining == 0
    assert (of.remaining_with(newest), of.remaining_with(first)) == (16, 17)
    days = daily(each=1)
    assert [days.remaining_with(one) for one in days.members] == [None, None, None]


def test_numbers_that_run_through_the_course_go_on_and_others_begin_anew_with_the_plan() -> None:
    through = chain(member("b", 17, [4, 5], 4), member("a", 20, [1, 2, 3]))
    assert [numbered(through, 20).next_number(one) for one in through.members] == [6, 6]
    anew = chain(member("b", 17, [1], 4), member("a", 20, [1, 2, 3]))
    assert anew.next_number(anew.members[0]) == 2
    assert numbered(through, 5).next_number(through.members[0]) is None
    waiting = chain(member("c", 5), member("a", 20, [1, 2, 3]))
    assert (waiting.newest.uid, waiting.next_number(waiting.members[1])) == ("a", 4)
    assert chain(member("c", 5)).next_number(member("c", 5)) == 1
    assert chain(member("z", 5, [0])).next_number(member("z", 5, [0])) == 1


def test_of_plans_for_one_day_each_that_all_call_it_1_the_next_is_the_one_after_those_given() -> None:
    of = numbered(chain(*(member(f"ad{n}", 1, [1], n) for n in (3, 2, 1)), references=["ref"]), 5)
    assert (of.fractions_delivered, of.fractions_remaining) == (3, 2)
    assert [of.next_number(one) for one in of.members] == [4, 4, 4]


def test_the_next_number_counts_what_was_given_where_the_reference_plan_gave_some_before_daily_plans() -> None:
    for given in ([1], [1, 2]):
        reference = member("ref", 8, given)
        of = numbered(chain(*(member(f"ad{n}", 1, [1], 2 + n) for n in (3, 2, 1)), reference), 8)
        assert of.fractions_delivered == len(given) + 3
        assert {of.next_number(one) for one in of.members} == {len(given) + 4}


def test_what_cannot_be_counted_begins_no_numbers_anew() -> None:
    first = member("a", 20, [1, 2, 3])

    def uncounted(*numbers: int, counted: int | None = None) -> Member:
        beams = [delivery(None, n) for n in numbers] + ([delivery(1, counted)] if counted else [])
        own = plain_record("b", beams, at=day(9), treatment_machine_name="TB1")
        return Member("b", plan("b", 17), count_fractions([own], plan("b", 17)))

    for numbers, following in (((4,), 4), ((3,), 4), ((0, -2, 5), 4), ((2,), 1)):
        newest = uncounted(*numbers)
        assert chain(newest, first).next_number(newest) == following, numbers
    assert uncounted(0, -2, 5).numbers == {5}
    anew = uncounted(5, counted=2)
    assert chain(anew, first).next_number(anew) == 3
    twice = chain(member("c", 9, [2], 6), member("b", 9, [1], 5), first)
    assert twice.next_number(twice.members[0]) == 3, "once begun anew, numbers do not run through"


def test_of_plans_that_all_wait_the_first_is_the_newest() -> None:
    assert chain(member("c", 5), member("b", 6)).newest.uid == "c"


def test_an_interrupted_fraction_comes_first() -> None:
    records = treated("b", [4], 4, meterset=40.0, treatment_machine_name="TB1")
    begun = Member("b", plan("b", 17), count_fractions(records, plan("b", 17)))
    assert chain(begun, member("a", 20, [1, 2, 3])).next_number(begun) == 4


def test_a_plan_is_older_when_another_was_first_treated_after_its_last_day_or_was_made_from_it() -> None:
    new, old = member("b", 17, [4], 4), member("a", 20, [1, 2, 3])
    assert [chain(new, old).is_older(one) for one in (new, old)] == [False, True]
    at_once = member("b", 17, [4], 3)
    assert not chain(at_once, old).is_older(old), "in turn, or on the same day"
    reference = member("ref", 5)
    assert chain(new, reference, references=["ref"]).is_older(reference)
    assert not chain(new, reference).is_older(reference)
    assert not chain(reference, references=["ref"]).is_older(reference)


def test_two_plans_share_anatomy_by_frame_structure_set_or_study_and_never_by_what_neither_says() -> None:
    def of(frame: str | None, study: str | None, *structure_sets: str) -> Plan:
        ref = InstanceRef("p", patient_id="1", study_instance_uid=study)
        return planned("p", 5, frame_of_reference_uid=frame, ref=ref, structure_set_uids=structure_sets)

    assert shares_anatomy(of("f", None), of("f", "s"))
    assert shares_anatomy(of(None, "s"), of("f", "s"))
    assert shares_anatomy(of("f", "s", "x", "y"), of("g", "t", "y"))
    assert not shares_anatomy(of("f", "s", "x"), of("g", "t", "y"))
    assert not shares_anatomy(of(None, None), of(None, None))
    assert not shares_anatomy(None, of("f", "s")) and not shares_anatomy(of("f", "s"), None)
    assert anatomy_of(None, {}) == set() == anatomy_of(of(None, None), {})
    assert anatomy_of(of("f", None, "x", "y"), {}) == {"f", "x", "y"}


# which plans make one course


def made(
    uid: str, *made_from: str, numbers: Sequence[int] = (), first_day: int = 1, fractions: int | None = 20
) -> Member:
    own = plan(uid, fractions, frame=f"frame {uid}", predecessor_uids=made_from)
    records = treated(uid, numbers, first_day, treatment_machine_name=f"machine of {uid}")
    return Member(uid, own, count_fractions(records, own))


def courses(*members: Member, known: Sequence[Plan] = ()) -> list[tuple[list[str | None], list[str]]]:
    """Of each course its members, newest first, and what they were made from."""
    plans = {p.ref.sop_instance_uid: p for p in (*(m.plan for m in members if m.plan), *known)}
    found = chains(members, plans)
    return sorted(([m.uid for m in one.members], sorted(one.reference_uids)) for one in found)


def test_plans_that_name_where_they_were_made_from_are_one_course_however_far_back() -> None:
    known = [plan("ad1", 20, predecessor_uids=("ref",)), plan("ref", 20)]
    assert courses(made("ad2", "ad1", numbers=[1]), made("own", numbers=[1]), known=known) == [
        (["ad2"], ["ad1", "ref"]),
        (["own"], []),
    ]
    both = courses(made("x", "ref", numbers=[1]), made("y", "ref", numbers=[2], first_day=2), known=known)
    assert both == [(["y", "x"], ["ref"])]


def test_a_boost_that_names_the_complete_plan_and_counts_from_one_is_a_course_of_its_own() -> None:
    base = made("base", numbers=[1, 2, 3], fractions=3)

    def boost(*numbers: int) -> Member:
        return made("boost", "base", numbers=numbers, first_day=9)

    alone = [(["base"], []), (["boost"], [])]
    together = [(["boost", "base"], [])]
    assert courses(base, boost(1, 2)) == alone
    assert courses(base, boost(3, 4)) == alone, "3 was given"
    assert courses(base, boost(1, 9)) == alone
    assert courses(base, boost(2)) == alone
    assert courses(base, boost()) == alone, "it waits"
    assert courses(base, boost(4, 5)) == together, "its numbers go on"
    assert courses(made("base", numbers=[1, 2], fractions=3), boost(1)) == together, "the first was not complete"


def test_a_record_that_names_no_plan_is_a_course_of_its_own() -> None:
    nameless = Member(None, None, count_fractions(treated("x", [5], 9), None))
    [one] = chains([nameless], {})
    assert one.members == (nameless,)
