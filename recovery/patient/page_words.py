"""What the patient's page says: sentences and short texts of a patient's file. No Streamlit.

Pure functions of `recovery.patient.file`. ■ means do not treat before someone has looked, ▲ means look.
"""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from recovery.course.ledger import Gap, Ledger
from recovery.on_treatment import overall_time
from recovery.patient import notices as plan_notices
from recovery.patient.file import PatientFile
from recovery.patient.plan import HeldObject, PlanFile
from recovery.words.notices import LOOK_MARK, STOP_MARK
from recovery.words.prescription import is_no_side, prescribed
from recovery.words.radiation import energy_in_words
from recovery.words.times import day, moment
from recovery.words.values import ABSENT, absent, counted

_EACH_WEEKDAY = ("daily", "qd", "once a day", "5x", "5 x")
"""Words of a FractionPattern, in small letters, by which one fraction each weekday is meant."""


def energy(value: float | None, radiation_type: str | None) -> str:
    """`6 MV`; without a unit where the radiation is unknown."""
    return energy_in_words(value, radiation_type) or ABSENT


def plan_title(file: PatientFile, plan: PlanFile) -> str:
    """`■ Prost: finish 5 of 20 first (4 given)`, for a tab: marked when it must be looked at before treating."""
    mark = f"{STOP_MARK} " if plan_notices.is_stopped(file, plan) else ""
    return f"{mark}{absent(plan.label)}: {plan_notices.next_fraction(plan)}"


def summary(plan: PlanFile) -> str:
    """Site, technique, energies and machine of a plan in one line.

    A side that is the diagnosis' says so: where a course treats a metastasis elsewhere, it is not the site's.
    """
    own, fields = plan.prescription, plan.treatment_fields
    named, side = own.site if own is not None else None, plan.laterality or ""
    is_told = is_no_side(side.partition(":")[0]) or side.casefold() in (named or "").casefold()
    site = " ".join(filter(None, (named, None if is_told else side)))
    energies = dict.fromkeys(energy(f.nominal_beam_energy, f.radiation_type) for f in fields)
    machines = dict.fromkeys(f.treatment_machine_name for f in fields if f.treatment_machine_name)
    techniques = dict.fromkeys(f.technique for f in fields if f.technique)
    parts = (
        site or None,
        plan.prescribed or prescribed(None, plan.row.number_of_fractions_planned, None),
        " ".join(filter(None, (", ".join(e for e in energies if e != ABSENT), ", ".join(techniques)))) or None,
        ", ".join(machines) or plan.row.treatment_machine_name,
    )
    return " · ".join(absent(part) for part in parts)


def approval(plan: PlanFile, today: date) -> str:
    """Who approved it and when; both sources where there are two."""
    told = plan.approval
    said = []
    if told.approval_status is not None:
        by = f" by {told.approved_by}" if told.approved_by else ""
        on = f" on {day(told.approved_at.date(), today)}" if told.approved_at else ""
        said.append(f"{told.approval_status}{by}{on} (R&V database)")
    if told.dicom_approval_status is not None:
        said.append(f"{told.dicom_approval_status} (plan in the RT-PACS)")
    return " · ".join(said) or ABSENT


def next_fraction(file: PatientFile, plan: PlanFile) -> str:
    """What comes next, as the one sentence that this page is opened for, with the mark of what forbids it."""
    mark = f"{STOP_MARK} " if plan_notices.is_stopped(file, plan) else ""
    is_to_look_at = plan.ledger is None or plan.row.unknown_since is not None or plan.row.next_decided is not None
    mark = mark or (f"{LOOK_MARK} " if is_to_look_at else "")
    return f"{mark}Next fraction: {plan_notices.next_fraction(plan)}"


def warnings(plan: PlanFile) -> list[str]:
    """What to look at before treating with this plan, as list and chart say it, each with its mark."""
    return list(map(str, plan_notices.of_plan(plan)))


def readiness(plan: PlanFile, now: datetime, zone: ZoneInfo) -> str:
    """Of a plan that is ready: what is held, and when the oldest of its proofs was given (`now` is aware)."""
    asked = [thing.asked_at for thing in plan.held_objects if thing.asked_at is not None]
    proven = f", proven {moment(min(asked), now, zone)}" if asked and len(asked) == len(plan.held_objects) else ""
    return f"Ready: the RT-PACS holds {', '.join(_kinds(plan.held_objects)) or 'all that is needed'}{proven}"


def held(thing: HeldObject) -> str:
    """`142 of 142 slices`, `held`, `not held`, `never asked`."""
    if thing.held is None or thing.wanted is None:
        return "never asked"
    if thing.kind == "image series":
        return f"{thing.held} of {thing.wanted} slices"
    return "held" if thing.is_held else "not held"


def overall(plan: PlanFile, today: date) -> str | None:
    """`Overall time: day 23 of 33, 4 fractions behind, …`; None where a pattern other than daily is prescribed."""
    pattern = (plan.prescription.fraction_pattern or "daily") if plan.prescription is not None else "daily"
    said = overall_time.in_words(plan.told, today)
    if said is None or not any(word in pattern.casefold() for word in _EACH_WEEKDAY):
        return None
    return f"Overall time, against one fraction each weekday: {said}"


def gaps(ledger: Ledger, today: date) -> list[str]:
    """`gap of 3 d (1 weekday) before Mon 23 Nov`, the longest first, then the one that goes on."""
    past = sorted((g for g in ledger.gaps if g.first_day_after is not None), key=lambda g: -g.weekdays)
    ahead = [g for g in ledger.gaps if g.first_day_after is None]
    return [_gap(g, today) for g in (*ahead, *past)]


def missing_tables(file: PatientFile, names: Iterable[str]) -> list[str]:
    """A sentence for each of these tables that could not be read: what it would tell is unknown, not absent."""
    return [f"{LOOK_MARK} {name}: {why}" for name in names if (why := file.tables_missing.get(name)) is not None]


def _gap(gap: Gap, today: date) -> str:
    length = f"gap of {gap.days} d ({counted(gap.weekdays, 'weekday')})"
    if gap.first_day_after is None:
        return f"{LOOK_MARK} {length} since {day(gap.last_day_before, today)}, going on"
    return f"{length} before {day(gap.first_day_after, today)}"


def _kinds(things: Iterable[HeldObject]) -> list[str]:
    said: dict[str, int] = {}
    for thing in things:
        said[thing.kind] = said.get(thing.kind, 0) + (thing.held or 0)
    names = {"image series": "image", "image": "image", "reference image": "reference image"}
    return [counted(n, names[kind]) if kind in names else kind for kind, n in said.items()]
