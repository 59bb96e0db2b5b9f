"""Whether a physicist's decision on a next fraction holds, and what is next by it. Pure, no I/O, no clock.

How
    A decision holds for the evidence that it was made on, and no other: all records of the patient, what the plan's
    beams are to give, and the doubts. Only what was charted with the plan since goes on from it: the decided fraction,
    then the one after it, each begun after the decision. Anything else ends it, and that is said.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recovery.course.charted import Settled
from recovery.course.courses import Chain, Member
from recovery.course.metersets import Planned, ToGive, is_absurd, is_enough
from recovery.dicom.records import TreatmentRecord
from recovery.entries.next_decisions import NextDecision, NextEvidence
from recovery.on_treatment.next_fraction import doubts
from recovery.words import next_unknown
from recovery.words.sentences import joined, parted
from recovery.words.units import MU, amount
from recovery.words.values import counted


@dataclass(frozen=True, slots=True)
class Doubted:
    """A plan whose next fraction is in doubt, as a decision needs it. `groups`: by fraction group, what each beam is to
    give, and `planned`, how many fractions; a plan of one group has it under None. `numbers`: those that records bear;
    `decision`: what was signed last, whether it holds or not."""

    evidence: NextEvidence
    groups: Planned
    planned: Mapping[int | None, int | None]
    numbers: frozenset[int]
    number_of_fractions_planned: int | None
    decision: NextDecision | None = None

    def to_give(self, group: int | None) -> Mapping[int, ToGive]:
        return self.groups.get(group, {})

    def refusal(self, decision: NextDecision) -> str:
        """Why nobody may sign it; empty where a physicist may."""
        number, group = decision.fraction_number, decision.fraction_group_number
        most = max(filter(None, (self.number_of_fractions_planned, self.planned.get(group))), default=0) + 1
        if not self.evidence.doubts and self.decision is None:
            return "the records tell the next fraction by themselves"
        if number is None:
            return ""
        if group not in self.groups:
            return "say of which fraction group it is"
        if number < 1 or (number > most and not self.numbers & {number, number - 1}):
            return f"fraction {number} is none: {most - 1 or 'no'} are planned, and the records bear no such number"
        for beam, mu in decision.remaining.items():
            whole = self.to_give(group).get(beam)
            if whole is None or whole.meterset is None or whole.unit != MU:
                return f"how many MU beam {beam} was to give is not known: a rest of it cannot be signed"
            if mu > whole.meterset + 1e-6:
                return f"beam {beam} gives {whole.meterset:.1f} MU in a fraction: {mu:.1f} cannot remain"
        return ""


def doubted(chain: Chain, member: Member, beside: Sequence[Member], records: Iterable[TreatmentRecord]) -> Doubted:
    """`beside`: all plans of the patient; `records`: all of the patient that count."""
    course, reasons, told = member.course, tuple(doubts(chain, member, beside)), sorted(records, key=_uid)
    is_several = len(course.groups) > 1
    groups: Planned = course.next_by_group if is_several else {None: course.next_metersets}
    planned = {g.fraction_group_number: g.number_of_fractions_planned for g in course.groups if is_several}
    held = reasons, [_in_short(one) for one in told], [sorted(own.items()) for own in groups.values()]
    digest = hashlib.sha256(repr(held).encode()).hexdigest()
    return Doubted(
        NextEvidence(digest, len(told), reasons, tuple(_uid(one) for one in told if _is_charted(one))),
        groups,
        planned,
        member.numbers,
        chain.number_of_fractions_planned or course.number_of_fractions_planned,
    )


def _uid(record: TreatmentRecord) -> str:
    return record.ref.sop_instance_uid


def _in_short(record: TreatmentRecord) -> tuple[object, ...]:
    """All of a record that a count may depend on."""
    named = record.referenced_rt_plan_uid, record.referenced_fraction_group_number, record.treatment_machine_name
    return _uid(record), record.treatment_date, record.treatment_time, *named, record.beams


def _is_charted(record: TreatmentRecord) -> bool:
    return any(beam.charted_by for beam in record.beams)


def before(decision: NextDecision, records: Iterable[TreatmentRecord]) -> list[TreatmentRecord]:
    """The records without what was charted since a decision."""
    return [one for one in records if not _is_charted(one) or _uid(one) in decision.evidence.charted]


def by_decision(
    decision: NextDecision,
    row: Mapping[str, Any],
    then: Doubted,
    since: Sequence[TreatmentRecord],
    chain: Chain,
    charted: Settled | None,
) -> dict[str, Any]:
    """What a decision changes in a row of on_treatment, whose remarks tell the doubts; where it holds no more, that it
    ended. `then`: the plan without what was charted since, which `since` is; `chain`: the course; `charted`: with it.

    A fraction that was charted as it was decided is in no conflict with what the records tell of its number.
    """
    why = _ended(decision.evidence, then.evidence)
    ahead = why or _gone_on(decision, then, since, {m.uid for m in chain.members})
    if isinstance(ahead, str):
        said = f"what {decision.by} decided ({decision.what}) holds no more: {ahead}"
        is_unsettled = not why or next_unknown.reasons(row["remarks"])  # against a decision nobody charts a doubt away
        told = next_unknown.why(said) if is_unsettled else said
        return {"remarks": joined((*parted(row["remarks"]), told))}
    number, rest = ahead
    group, left = decision.fraction_group_number, round(sum(rest.values()), 4)
    of_group = [next_unknown.in_group(group, f"fraction {number}")] if None not in {group, number} else []
    numbers = {b.current_fraction_number for one in since if one.course_uid == decision.plan for b in one.beams}
    settled = {said for of, said in charted.beyond_planned if of in numbers} if charted is not None else set()
    reasons = map(next_unknown.why, then.evidence.doubts)
    return {
        "remarks": joined((*next_unknown.of_others(row["remarks"]), *reasons, *of_group)),
        "charted_conflict": joined(one for one in parted(row["charted_conflict"]) if one not in settled) or None,
        "next_decided": f"by {decision.by}: {decision.reason}",
        "next_fraction_number": number,
        "next_group": group,
        "next_rest": rest,
        "interrupted_fraction": number if rest else None,
        "interrupted_meterset_remaining": left if rest else None,
        "interrupted_remaining_in_words": f"{amount(left, MU)} left" if rest else None,
    }


def _ended(then: NextEvidence, now: NextEvidence) -> str:
    """What is another than it was; empty where nothing is."""
    if then.digest == now.digest:
        return ""
    if then.records != now.records:
        return f"it was made on {counted(then.records, 'treatment record')}, and there are {now.records}"
    if then.doubts != now.doubts:
        return "it was made on other doubts"
    return "a treatment record, or what the plan is to give, is another than it was"


def _gone_on(
    decision: NextDecision, then: Doubted, since: Iterable[TreatmentRecord], plans: Iterable[str | None]
) -> tuple[int | None, Mapping[int, float]] | str:
    """The number that is next and, where it was begun, the MU that each beam lacks; in words why nobody can tell."""
    number, rest = decision.fraction_number, decision.remaining
    whole = {beam: one.meterset for beam, one in then.to_give(decision.fraction_group_number).items()}
    planned = then.planned.get(decision.fraction_group_number), then.number_of_fractions_planned
    last = min((most for most in planned if most and number and number <= most), default=None)
    own = [one for one in since if one.course_uid in set(plans)]
    for record in sorted(own, key=lambda one: (str(one.treated_at), _uid(one))):
        left = rest or whole
        given = {b.beam_number or 0: b.delivered_meterset or 0.0 for b in record.beams}
        is_of_it = record.course_uid == decision.plan and {b.current_fraction_number for b in record.beams} == {number}
        is_later = record.treated_at is not None and record.treated_at >= decision.entered_at.replace(tzinfo=None)
        is_known = None not in whole.values() and given.keys() <= left.keys()
        is_more = is_known and any(is_absurd(mu, left[beam] or 0.0) for beam, mu in given.items() if beam in left)
        if number is None or not (is_of_it and is_later and is_known) or is_more:
            return "what was charted since does not go on from it"
        known = {beam: mu or 0.0 for beam, mu in whole.items()}
        after = {beam: (mu or 0.0) - given.get(beam, 0.0) for beam, mu in left.items()}
        rest = {beam: mu for beam, mu in after.items() if not is_enough(known[beam] - mu, known[beam], MU)}
        if not rest and number == last:
            return f"fraction {number}, the last that is planned, was charted since"
        number += not rest
    return number, rest
