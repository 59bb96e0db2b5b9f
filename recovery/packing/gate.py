"""The safety gate: which plans may lie in a pack, and in one sentence each why not the others. Pure, no I/O.

`Case` is what is known of one plan when it is to be packed. A rule is a function that returns why not, or None. Those
in `OF_TABLES` need the cache alone; those in `OF_OBJECTS` look at what came from the RT-PACS. A physicist may answer
for what is a decision; a plan that nobody has, or an object whose content is another than it was, is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recovery.identity.namesakes import fold
from recovery.patient.notices import not_approved
from recovery.words import next_unknown
from recovery.words.sentences import joined
from recovery.words.statuses import why_over
from recovery.words.times import at_time
from recovery.words.values import ABSENT, counted

if TYPE_CHECKING:
    from recovery.dicom.model import Patient
    from recovery.dicom.plans import Plan
    from recovery.patient.file import PatientFile
    from recovery.patient.plan import PlanFile

NOT_FOR_TREATMENT = frozenset({"VERIFICATION", "MACHINE_QA", "RESEARCH", "SERVICE"})
"""PlanIntent (300A,000A) of plans that no patient is treated with (PS3.3 C.8.8.9)."""
ON_A_DEVICE = "TREATMENT_DEVICE"
"""RTPlanGeometry (300A,000C) of a plan that knows no patient's anatomy: a phantom's, a verification's."""


@dataclass(frozen=True, slots=True)
class PackedObject:
    """An object as it lies in the folder, read back: its name there, hash and digest, and whose it is."""

    name: str
    uid: str
    sha256: str
    digest: str
    patient: Patient
    is_plan: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One plan that is to be packed. Times are naive, local to the site.

    `objects`, `lacking` and `changed` are known once it was fetched: what came, and of what it needs the UIDs that did
    not come, or are not what they were.
    """

    file: PatientFile
    plan: PlanFile
    dicom: Plan | None
    machine: str | None
    """Where it is to be treated."""
    proven_at: datetime | None
    proven_hours: int
    objects: Sequence[PackedObject] = ()
    lacking: Sequence[str] = ()
    changed: Sequence[str] = ()

    def fetched(self, objects: Sequence[PackedObject], lacking: Sequence[str], changed: Sequence[str]) -> Case:
        return replace(self, objects=objects, lacking=lacking, changed=changed)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which rule refused, and its sentence."""

    rule: str
    why: str
    lasts: bool = False
    """Whether nobody may override it."""


def is_held(case: Case) -> str | None:
    if case.dicom is None:
        return "The safety copy has no plan object of it: there is nothing to load."
    return None


def is_approved(case: Case) -> str | None:
    """Both as the clinic's database has it, and in the object itself, which is all that a console reads."""
    if (word := not_approved(case.plan)) is not None:
        return f"It is not approved for treatment: the plan is {word}."
    own = case.plan.approval.dicom_approval_status
    return None if own == "APPROVED" else f"Its ApprovalStatus is {own or ABSENT}, and file mode treats APPROVED only."


def is_for_this_machine(case: Case) -> str | None:
    beams = [beam for beam in (case.dicom.beams if case.dicom is not None else ()) if beam.treats]
    names = {beam.treatment_machine_name for beam in beams}
    if names == {case.machine} and case.machine is not None:
        return None
    own = ", ".join(sorted(name or ABSENT for name in names)) or ABSENT
    return f"It was planned for {own}, and is to be treated on {case.machine or ABSENT}."


def is_to_treat_with(case: Case) -> str | None:
    intents = {case.plan.plan_intent, case.dicom.plan_intent if case.dicom is not None else None}
    if found := sorted(NOT_FOR_TREATMENT & {(intent or "").upper() for intent in intents}):
        return f"Its PlanIntent is {', '.join(found)}: no patient is treated with it."
    if case.dicom is not None and case.dicom.rt_plan_geometry == ON_A_DEVICE:
        return "Its RTPlanGeometry is TREATMENT_DEVICE, as that of a verification plan."
    return None


def has_fractions_left(case: Case) -> str | None:
    row = case.plan.row
    if (over := why_over(row.status)) is not None:
        return f"It is {row.status}: {over}."
    if row.fractions_remaining is None:
        return "How many fractions remain is not known."
    if reasons := next_unknown.unsettled(case.plan.told):
        return f"Its next fraction is not known: {joined(reasons)}."
    if row.fractions_remaining <= 0 or row.next_fraction_number is None:
        return "No fraction remains to be given."
    return None


def says_what_was_interrupted(case: Case) -> str | None:
    """A fraction begun and not complete is no hindrance once it is known what it lacks: folder, index and chart say so.
    One that nobody knows the end of is."""
    row = case.plan.row
    if row.in_flight:
        return f"A fraction began and nobody recorded its end: {row.in_flight.rstrip('.')}."
    if row.interrupted_fraction is not None and not row.interrupted_remaining_in_words:
        return f"Fraction {row.interrupted_fraction} was interrupted, and what it lacks is not known."
    return None


def is_agreed(case: Case) -> str | None:
    told = [*case.plan.disagreements, *case.file.disagreements, *filter(None, [case.plan.row.charted_conflict])]
    if case.plan.row.disagreement and not told:
        told = [case.plan.row.disagreement]
    return f"Two sources disagree: {'; '.join(said.rstrip('.') for said in told)}." if told else None


def is_complete(case: Case) -> str | None:
    """By the list, and once it was fetched by what came."""
    if case.plan.row.ready is not True:
        return f"Not everything that it needs is held: missing {case.plan.row.missing or 'nobody knows what'}."
    return f"{counted(len(case.lacking), 'object')} that it needs did not come." if case.lacking else None


def was_proven_lately(case: Case) -> str | None:
    """A time that has not come yet was written by a clock that was wrong: it proves nothing."""
    if case.proven_at is None:
        return "It was never proven whole by re-reading, as verify_backup does every night."
    age, said = case.file.now - case.proven_at, f"It was last proven {at_time(case.proven_at)}"
    if age < timedelta():
        return f"{said}, which has not come yet: a clock is wrong."
    return f"{said}, and not within {case.proven_hours} hours." if age > timedelta(hours=case.proven_hours) else None


def is_unchanged(case: Case) -> str | None:
    if not case.changed:
        return None
    return f"{counted(len(case.changed), 'object')} came with another content than when first read."


def is_one_plan(case: Case) -> str | None:
    plans = [one.uid for one in case.objects if one.is_plan]
    return None if plans == [case.plan.uid] else f"{counted(len(plans), 'plan')} would lie in its folder, not one."


def is_one_patient(case: Case) -> str | None:
    """The same ID, name, birth date and sex in every object, and one that the list knows. What an object leaves out
    contradicts nothing, but for the ID."""
    person = case.file.identity
    seen = [one.patient for one in case.objects]
    ids = {one.patient_id for one in seen}
    known = {person.patient_id, *case.file.older_patient_ids}
    said: dict[str, set[object]] = {
        "name": {fold(one.patient_name) for one in seen if one.patient_name} | {fold(person.patient_name or "")} - {""},
        "birth date": {one.patient_birth_date for one in seen} | {person.patient_birth_date},
        "sex": {one.patient_sex for one in seen},
    }
    odd = [what for what, values in said.items() if len(values - {None}) > 1]
    if len(ids) != 1 or not ids <= known:
        odd.insert(0, "ID")
    return f"Its objects are not all of this patient: the {', '.join(odd)} differs." if odd else None


Rule = Callable[[Case], str | None]

OF_TABLES: tuple[Rule, ...] = (
    is_held,
    is_approved,
    is_for_this_machine,
    is_to_treat_with,
    has_fractions_left,
    says_what_was_interrupted,
    is_agreed,
    is_complete,
    was_proven_lately,
)
OF_OBJECTS: tuple[Rule, ...] = (is_complete, is_unchanged, is_one_plan, is_one_patient)
_LASTING = frozenset({is_held, is_unchanged, is_one_plan})
OF_PROOF = frozenset({is_complete.__name__, was_proven_lately.__name__})
"""Rules that doubt the archive's copy, not the plan: a pack that was made before stays until it can be made anew."""


IN_SHORT: Mapping[str, str] = {
    is_held.__name__: "without a plan object",
    is_approved.__name__: "not approved",
    is_for_this_machine.__name__: "for another machine",
    is_to_treat_with.__name__: "not to treat with",
    has_fractions_left.__name__: "with no fraction left",
    says_what_was_interrupted.__name__: "begun, and nobody knows how it ended",
    is_agreed.__name__: "in disagreement",
    is_complete.__name__: "incomplete",
    was_proven_lately.__name__: "not proven lately",
}
"""By rule, for a line that counts."""


def refusals(case: Case, rules: Sequence[Rule]) -> Iterator[Refusal]:
    """Each rule that refuses, in their order; of a plan that nobody has there is no more to say."""
    for rule in rules:
        if (why := rule(case)) is not None:
            yield Refusal(rule.__name__, why, rule in _LASTING)
            if rule is is_held:
                return
