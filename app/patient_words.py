"""What the patient's page says: sentences and short texts of a patient's file. No Streamlit.

Goal
    The next fraction, what is unfinished and what is missing are read in one glance, and mean the same on every page.

How
    Pure functions of `recovery.patient_file`. ■ means do not treat before someone has looked, ▲ means look.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from app.rows import LOOK_MARK, STOP_MARK
from app.words import ABSENT, absent, ago, counted, day
from recovery.ledger import Gap, Ledger, LedgerFraction
from recovery.patient_file import PatientFile
from recovery.plan_file import HeldObject, PlanFile, Prescription
from recovery.radiation_words import energy_in_words
from recovery.unknown_since import unless_given

_NO_SIDE = {"", "not applicable", "none", "unspecified"}
"""What an R&V system writes where a site has no side; the tab Prescription shows it as it is."""
_MOST_NAMESAKES = 4


def at_time(at: datetime | None, today: date) -> str:
    """`Tue 24 Nov 09:30`, of a time that is local to the site."""
    return ABSENT if at is None else f"{day(at.date(), today)} {at:%H:%M}"


def gray(dose: float | None) -> str:
    return ABSENT if dose is None else f"{dose:.2f} Gy"


def energy(value: float | None, radiation_type: str | None) -> str:
    """`6 MV`; without a unit where the radiation is unknown."""
    return energy_in_words(value, radiation_type) or ABSENT


def prescribed(prescription: Prescription | None, ledger: Ledger | None) -> str:
    """`2.67 Gy × 15 = 40.05 Gy`; what is not known is a dash."""
    per_fraction = prescription.dose_per_fraction if prescription is not None else None
    number = prescription.number_of_fractions if prescription is not None else None
    total = prescription.total_dose if prescription is not None else None
    if prescription is None and ledger is not None:
        per_fraction, number = ledger.dose_per_fraction, ledger.number_of_fractions_planned
    said = f"{gray(per_fraction)} × {absent(number)}"
    return f"{said} = {gray(total)}" if total is not None else said


def plan_title(plan: PlanFile) -> str:
    """`■ Prost 4 / 20`, for a tab: marked when it must be looked at before treating."""
    row = plan.row
    is_alarming = row.interrupted_fraction is not None or not row.ready or bool(row.in_flight or row.disagreement)
    is_stopped = plan.is_unfinished and is_alarming
    mark = f"{STOP_MARK} " if is_stopped else ""
    return f"{mark}{absent(row.rt_plan_label)} {absent(row.fractions_delivered)} / " + absent(
        row.number_of_fractions_planned
    )


def summary(plan: PlanFile) -> str:
    """Site, technique, energies and machine of a plan in one line.

    A side that is the diagnosis' says so: where a course treats a metastasis elsewhere, it is not the site's.
    """
    prescription, fields = plan.prescription, plan.treatment_fields
    named, side = prescription.site if prescription is not None else None, plan.laterality or ""
    is_told = side.partition(":")[0].casefold() in _NO_SIDE or side.casefold() in (named or "").casefold()
    site = " ".join(filter(None, (named, None if is_told else side)))
    energies = dict.fromkeys(energy(f.nominal_beam_energy, f.radiation_type) for f in fields)
    machines = dict.fromkeys(f.treatment_machine_name for f in fields if f.treatment_machine_name)
    techniques = dict.fromkeys(f.technique for f in fields if f.technique)
    parts = (
        site or None,
        prescribed(prescription, plan.ledger),
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


def next_fraction(plan: PlanFile, today: date) -> str:
    """What comes next, as the one sentence that this page is opened for; also that it may have been given."""
    said, since = _next(plan), plan.row.unknown_since
    if since is None or not plan.is_unfinished:
        return said
    mark = "" if said.startswith((STOP_MARK, LOOK_MARK)) else f"{LOOK_MARK} "
    return f"{mark}{unless_given(said, since, today)}: ask the machine"


def _next(plan: PlanFile) -> str:
    ledger = plan.ledger
    if ledger is None:
        return f"{LOOK_MARK} Next fraction unknown: the tables that it is counted from are not all there"
    ahead = ledger.next
    if plan.row.status == "superseded":
        return "Superseded by another plan: nothing is given with this one"
    if plan.row.status == "closed":
        return f"Closed in the R&V system ({plan.approval.approval_status}): nothing is given with this one"
    if ahead.fraction_number is None:
        return "Completed: nothing remains to be given"
    if not plan.is_next_proven:
        begun = "begun and not complete" if ahead.unfinished is not None else "next"
        return (
            f"{STOP_MARK} Next fraction not proven, for records are missing: "
            f"by those held, fraction {ahead.fraction_number} is {begun}"
        )
    of = f" of {ledger.number_of_fractions_planned}" if ledger.number_of_fractions_planned is not None else ""
    if ahead.unfinished is not None:
        return (
            f"{STOP_MARK} Next: finish fraction {ahead.fraction_number}{of} first, {left_of(ahead.unfinished, ledger)}"
        )
    number = f"Next: fraction {ahead.fraction_number}{of}"
    is_odd = ahead.counts_as is not None and ahead.counts_as != ahead.fraction_number
    return f"{number}, which counts as the {ordinal(ahead.counts_as or 0)} whole one" if is_odd else number


def not_recorded(plan: PlanFile) -> list[str]:
    """What began and whose end nobody recorded, with its mark: nothing, or one line."""
    return [f"{STOP_MARK} NOT RECORDED: {plan.row.in_flight}"] if plan.row.in_flight else []


def left_of(fraction: LedgerFraction, ledger: Ledger) -> str:
    """`50.0 MU left (A1 12.0, A2 38.0)`."""
    beams = [b for b in fraction.beams if b.remaining is None or b.remaining > 0]
    each = ", ".join(f"{absent(b.beam_name or b.beam_number)} {number(b.remaining)}" for b in beams)
    return f"{number(fraction.meterset_remaining)} {ledger.unit} left" + (f" ({each})" if each else "")


def readiness(plan: PlanFile, now: datetime) -> str:
    """Ready, and when the oldest of its proofs was given (`now` is aware); or what is missing, with its mark."""
    row = plan.row
    if row.ready:
        asked = [thing.asked_at for thing in plan.held_objects if thing.asked_at is not None]
        proven = f", proven {ago(min(asked), now)}" if asked and len(asked) == len(plan.held_objects) else ""
        return f"Ready: the RT-PACS holds {', '.join(_kinds(plan.held_objects)) or 'all that is needed'}{proven}"
    why = row.missing or ("not asked yet" if row.ready is None else "the table does not say why")
    mark = STOP_MARK if plan.is_unfinished else LOOK_MARK
    return f"{mark} NOT READY: {why}"


def held(thing: HeldObject) -> str:
    """`142 of 142 slices`, `held`, `not held`, `never asked`."""
    if thing.held is None or thing.wanted is None:
        return "never asked"
    if thing.kind == "image series":
        return f"{thing.held} of {thing.wanted} slices"
    return "held" if thing.is_held else "not held"


def namesakes(file: PatientFile) -> list[str]:
    """A line for each patient who could be taken for this one, the likeliest first."""
    lines = [
        f"{LOOK_MARK} {n.why}: {absent(n.patient_name)} · ID {n.patient_id} · born {absent(n.patient_birth_date)}"
        for n in file.namesakes[:_MOST_NAMESAKES]
    ]
    more = len(file.namesakes) - len(lines)
    return [*lines, f"{LOOK_MARK} and {counted(more, 'more patient')} with a similar name or the same birth date"][
        : len(lines) + (more > 0)
    ]


def gaps(ledger: Ledger, today: date) -> list[str]:
    """`gap of 3 d (1 weekday) before Mon 23 Nov`, the longest first, then the one that goes on."""
    past = sorted((g for g in ledger.gaps if g.first_day_after is not None), key=lambda g: -g.weekdays)
    ahead = [g for g in ledger.gaps if g.first_day_after is None]
    return [_gap(g, today) for g in (*ahead, *past)]


def number(value: float | None, digits: int = 1) -> str:
    return ABSENT if value is None else f"{value:.{digits}f}"


def ordinal(number_of_it: int) -> str:
    """`1st`, `12th`, `23rd`."""
    last = number_of_it % 10 if number_of_it % 100 not in {11, 12, 13} else 0
    return f"{number_of_it}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


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
    names = {"image series": "image", "reference image": "reference image"}
    return [counted(n, names[kind]) if kind in names else kind for kind, n in said.items()]
