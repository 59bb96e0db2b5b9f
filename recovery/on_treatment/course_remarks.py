"""What is said of a course of several plans: its plans' labels, and what is odd about it. Pure, no I/O, no clock."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

from recovery.course.courses import Chain, Member, shares_anatomy
from recovery.dicom.records import TreatmentRecord
from recovery.on_treatment.evidence import Evidence
from recovery.on_treatment.missing import in_ranges
from recovery.on_treatment.whose_row import newest_first
from recovery.words.sentences import each_differing, joined
from recovery.words.values import absent


def course_remarks(chain: Chain, member: Member) -> Iterator[str]:
    """Yield one sentence per oddity of the course that this plan is of; none for a plan alone."""
    if chain.remark:
        yield chain.remark
    yield from _gaps(chain, member)
    if not chain.is_several:
        return
    planned, delivered = chain.number_of_fractions_planned, chain.fractions_delivered
    if planned is not None and delivered > planned:
        yield f"{delivered} fractions of the course delivered of {planned} planned"
    yield from _left_open(chain, member)


def _gaps(chain: Chain, member: Member) -> Iterator[str]:
    """Numbers between two that are held, and that no plan of the course has: skipped, or a record is lost."""
    own = member.numbers
    held = sorted(n for n in {n for m in chain.members for n in m.numbers} if own and min(own) <= n <= max(own))
    runs = [range(before + 1, after) for before, after in pairwise(held) if after - before > 1]
    if runs:
        noun = "fraction" if len(runs) == 1 and len(runs[0]) == 1 else "fractions"
        yield f"no record of {noun} {in_ranges(runs)}, between others: given or not is not known"


def _left_open(chain: Chain, member: Member) -> Iterator[str]:
    """Fractions begun with another plan of the course: what two plans gave of one is not added up."""
    complete = {f.fraction_number for m in chain.members for f in m.course.fractions if f.is_complete}
    own = {f.fraction_number for f in member.course.fractions}
    for other in chain.members:
        open_there = [f.fraction_number for f in other.course.fractions if not f.is_complete]
        for number in open_there if other is not member else ():
            label = (other.plan.rt_plan_label if other.plan is not None else None) or other.uid
            if number in own:
                yield f"fraction {number} was begun with plan {label} too: what two plans gave is not added up"
            elif number not in complete:
                yield f"fraction {number} was begun with plan {label} and is not complete"


def planned_otherwise(
    chain: Chain, member: Member, beside: Iterable[Member], records: Iterable[TreatmentRecord]
) -> Iterator[str]:
    """A number of fractions that was changed in the R&V system, and not in the plan that is held, for `disagreement`.

    Nothing of a plan that is one of several, or of one day: its records may tell the number of the course. So do those
    of a base and its boost, though each is a course for itself. `beside`: all plans of the patient.
    """
    told = (r.number_of_fractions_planned for r in newest_first(records) if not r.is_of_database)
    number, plan = next((n for n in told if n is not None), None), member.plan
    ours = plan.number_of_fractions_planned if plan is not None and len(plan.treating_groups) == 1 else None
    if ours is None or ours <= 1 or chain.is_several:
        return
    plans = (m.plan for m in beside if m is not member and shares_anatomy(m.plan, plan))
    others = [one.number_of_fractions_planned or 0 for one in plans if one is not None]
    if number not in {ours + more for more in (*others, sum(others))}:
        yield from each_differing("fractions planned", {"in the plan": ours, "in its newest treatment record": number})


def earlier_in_words(members: Iterable[Member]) -> str:
    """What was given with the plans that another one replaced, in order of time: `Cervix: 8 of 25`."""
    ordered = sorted(members, key=lambda m: m.course.first_treatment_at or datetime.min)  # noqa: DTZ901  for order only
    planned = [(m, absent(m.course.number_of_fractions_planned)) for m in ordered]
    return joined(
        f"{(m.plan.rt_plan_label if m.plan is not None else None) or m.uid}: {m.course.fractions_delivered} of {number}"
        for m, number in planned
    )


def course_labels(chain: Chain, evidence: Evidence) -> str:
    """The labels of all plans of a course, newest first; a plan without one is named by its UID."""
    if not chain.is_several:
        return ""
    treated = [m.uid for m in chain.members if m.uid is not None]
    uids = [*treated, *sorted(chain.reference_uids - set(treated))]
    labels = [plan.rt_plan_label if (plan := evidence.plans.get(uid)) is not None else None for uid in uids]
    return ", ".join(label or evidence.labels.get(uid, uid) for uid, label in zip(uids, labels, strict=True))
