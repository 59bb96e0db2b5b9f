"""How many fractions a course of several plans is planned for. Pure, no I/O, no clock.

Goal
    A daily plan's 1 is never taken for the course's number, and a number that nobody planned is never made up.

How
    In this order: the reference plan's that the plans name and that was not treated itself; the prescription's; the
    sum of plans of several fractions that followed each other complete; that of the first plan, left before it was
    complete; that of the one approved plan, never treated, on the same study, frame of reference or structure set. All
    but the first have to fit to what every plan says of itself: the whole course, what was left of it, or one day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from recovery.course.courses import Chain, Member, shares_anatomy

if TYPE_CHECKING:
    from recovery.dicom.plans import Plan


@dataclass(frozen=True, slots=True)
class Prescribed:
    """A prescription by its key in the R&V database, and how many fractions it says."""

    prescription_id: str
    number_of_fractions: int


def with_number(
    chain: Chain,
    plans: Mapping[str, Plan],
    waiting: Sequence[Plan],
    prescribed: Mapping[str, Prescribed],
    *,
    is_only_booked: bool = False,
) -> Chain:
    """The chain with the number that it is planned for.

    `plans`: the patient's, by UID; `waiting`: those of them that are approved and were never treated; `prescribed`: by
    plan, its prescription; `is_only_booked`: the patient is booked again, and no other plan is known to be meant.
    """
    uids = [*chain.reference_uids, *(m.uid for m in chain.members if m.uid is not None)]
    told = {prescribed[uid] for uid in uids if uid in prescribed}
    if not chain.is_several:
        said = _more_than_one(chain, waiting, is_only_booked=is_only_booked) if not told else ""
        return replace(
            chain, number_of_fractions_planned=None if said else _of_one(chain.members[0], told), remark=said
        )
    if (named := _of_named(chain, plans)) is not None:
        return replace(chain, number_of_fractions_planned=named)
    if (number := _one_number(told)) is not None and _fits(chain, number, is_prescribed=True):
        return replace(chain, number_of_fractions_planned=number)
    if all(m.is_complete for m in chain.members[1:]) and (number := _sum_of_phases(chain)) is not None:
        return replace(chain, number_of_fractions_planned=number)
    first = chain.members[-1]
    if first.own_number is not None and not first.is_complete and _fits(chain, first.own_number):
        return replace(chain, number_of_fractions_planned=first.own_number)
    alike = [p for p in waiting if p.ref.sop_instance_uid not in uids and _is_reference(p, chain)]
    number = alike[0].number_of_fractions_planned if len(alike) == 1 else None
    if number is not None and number > 1 and _fits(chain, number):
        label = alike[0].rt_plan_label or alike[0].ref.sop_instance_uid
        said = f"{number} fractions of the course are those of plan {label}, approved and not treated itself"
        return replace(chain, number_of_fractions_planned=number, remark=said)
    return replace(chain, remark="how many fractions the whole course has is not known")


def is_origin(plan: Plan, chain: Chain, prescribed: Mapping[str, Prescribed]) -> bool:
    """Whether a waiting plan, which nobody names, surely is the one that the chain's plans were made from.

    Each of them repeats its number, or they are of one prescription. Any other plan that waits may be a boost.
    """
    own = {member.own_number for member in chain.members}
    of_plan = prescribed.get(plan.ref.sop_instance_uid)
    of_chain = {prescribed.get(member.uid or "") for member in chain.members}
    repeats = own == {plan.number_of_fractions_planned} or (
        own == {None} and of_plan is not None and of_chain == {of_plan}
    )
    return chain.is_several and repeats and _is_reference(plan, chain)


def _of_one(member: Member, told: set[Prescribed]) -> int | None:
    """The plan's own. One that says 1, and whose prescription or fraction number says more, is one day of a course."""
    number = member.course.number_of_fractions_planned
    if number != 1:
        return number
    if (whole := _one_number(told)) is not None and whole > 1:
        return whole
    return None if any(held > 1 for held in member.numbers) else number


def _more_than_one(chain: Chain, waiting: Iterable[Plan], *, is_only_booked: bool) -> str:
    """Why a plan of 1 fraction that was given may be the first day of a course, in words; else empty."""
    course = chain.members[0].course
    if course.number_of_fractions_planned != 1 or not course.is_treated:
        return ""
    for plan in waiting:
        number = plan.number_of_fractions_planned
        if number is not None and number > 1 and _is_reference(plan, chain):
            label = plan.rt_plan_label or plan.ref.sop_instance_uid
            return f"a plan of 1 fraction: whether it is one day of plan {label}, {number} fractions, is not known"
    return "a plan of 1 fraction, and the patient is booked again: what for is not known" if is_only_booked else ""


def _one_number(told: set[Prescribed]) -> int | None:
    """Of one prescription; two, of a base and its boost, say nothing of the whole."""
    return next(iter(told)).number_of_fractions if len(told) == 1 else None


def _sum_of_phases(chain: Chain) -> int | None:
    """Of plans of several fractions, each complete before the next began; None where one of them does not say."""
    own = [member.own_number for member in chain.members]
    known = [number for number in own if number is not None]
    return sum(known) if len(known) == len(own) and not chain.reference_uids else None


def _of_named(chain: Chain, plans: Mapping[str, Plan]) -> int | None:
    """Of the reference plans that are held; where several were made one from another, of the first of them."""
    held = {uid: plans[uid] for uid in chain.reference_uids if uid in plans}
    roots = [p for p in held.values() if not held.keys() & set(p.predecessor_uids)]
    numbers = {p.number_of_fractions_planned for p in roots} - {None}
    number = next(iter(numbers)) if len(numbers) == 1 else None
    is_of_one_day = number == 1 and chain.fractions_delivered > 1
    return None if is_of_one_day else number


def _is_reference(plan: Plan, chain: Chain) -> bool:
    """On the same anatomy and machine as the course."""
    machines = {m.course.treatment_machine_name for m in chain.members if m.course.is_treated}
    planned = {beam.treatment_machine_name for beam in plan.beams} - {None}
    is_elsewhere = bool(planned) and not planned & machines
    return not is_elsewhere and any(shares_anatomy(plan, member.plan) for member in chain.members)


def _fits(chain: Chain, number: int, *, is_prescribed: bool = False) -> bool:
    """Whether every plan says this number of itself, or what of it was left when the plan began, or one day.

    A prescription may be given with several plans of which none says the whole: a part of what was left fits too.
    """
    given = 0
    for member in reversed(chain.members):
        own = member.own_number
        left = number - given
        if own is not None and own not in {number, left} and not (is_prescribed and own < left):
            return False
        given += member.course.fractions_delivered
    return True
