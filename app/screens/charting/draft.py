"""What was given, filled in with the next fraction as planned. Nothing is signed yet; what is odd is said at once."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time

import streamlit as st

from app.access import rights
from app.desk import Desk
from app.screens.charting.whom import Chosen
from app.wording import words
from recovery.access.permissions import Permission
from recovery.course.charted_entries import ChartedBeam, ChartedFraction, beside, freed_by
from recovery.entries.charted import new_entry_id, read_charted
from recovery.on_treatment.charting_checks import Finding, findings, uncountable
from recovery.patient.file import PatientFile
from recovery.patient.plan import PlanFile
from recovery.patient.to_chart import beams_due, facts_of, known_of
from recovery.words.printable import printable
from recovery.words.values import ABSENT

WHOLE, IN_PART, NOT_TREATED, WITHDRAWN = "Treated in full", "In part", "Not treated", "Withdrawn: it was not so"
REASON_LACKS = "correction"
_NOBODY_YET = "nobody yet"
"""Stands for the second signature until it is there."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry as it would be signed, but for the second name; and what was found of it. `key`: of its widgets."""

    entry: ChartedFraction
    found: tuple[Finding, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Given:
    """What the fields say."""

    at: datetime
    machine: str
    number: int | None
    beams: tuple[ChartedBeam, ...]
    comment: str
    is_withdrawn: bool


def ask(
    desk: Desk, file: PatientFile, plan: PlanFile, chosen: Chosen, corrected: ChartedFraction | None
) -> Draft | None:
    """Draw the fields; returns what they say, None while they say nothing that could be signed."""
    key = f"{plan.course_uid} {chosen.at} {corrected.entry_id if corrected is not None else ''}"
    options = [WHOLE, IN_PART, NOT_TREATED, *([WITHDRAWN] if corrected is not None else [])]
    what = st.segmented_control(
        "What happened",
        options,
        default=WHOLE if corrected is None else IN_PART,
        required=True,
        format_func=words.as_markdown,
        key=f"what {key}",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        is_treated = what in {WHOLE, IN_PART}
        number = _number(plan, corrected, key) if is_treated else None
        at, machine = _when(desk, plan, chosen, corrected, f"{key} {NOT_TREATED if what == NOT_TREATED else ''}")
    due = beams_due(plan, number) if corrected is None or number != corrected.fraction_number else corrected.beams
    beams = _beams(due, key, is_open=what == IN_PART) if number is not None else ()
    comment = st.text_input(
        "Couch, images, what to know" if corrected is None else "Why it is corrected",
        key=f"comment {key}",
        max_chars=300,
    )
    lacks = _lacks(number, beams) if is_treated else ""
    if lacks or at is None or machine is None:
        st.markdown(f":red[■ {lacks or 'Say when and where it was.'}]")
        return None
    given = Given(at, machine, number, beams, printable(comment or "").strip(), is_withdrawn=what == WITHDRAWN)
    try:
        entry = _entry(desk, file, plan, given, corrected, _entry_id(key))
    except ValueError as error:
        st.markdown(f":red[■ {words.as_markdown(str(error))}]")
        return None
    return _judged(desk, file, plan, entry, corrected, key)


def _lacks(number: int | None, beams: tuple[ChartedBeam, ...]) -> str:
    """What has to be said of a fraction that was given; empty where nothing lacks."""
    if number is None:
        return "Say which fraction it was: no number is filled in, for here nobody can tell it."
    return "" if beams else f"Nothing of fraction {number} is left to be given, or its beams are not known."


def _entry(
    desk: Desk, file: PatientFile, plan: PlanFile, given: Given, corrected: ChartedFraction | None, entry_id: str
) -> ChartedFraction:
    """An entry of what is typed, with all that is known as it is. Raises `ValueError` if nobody could mean it."""
    who, number = file.identity, given.number
    return ChartedFraction(
        entry_id=entry_id,
        patient_id=who.patient_id,
        patient_name=who.patient_name,
        patient_birth_date=who.patient_birth_date,
        referenced_rt_plan_uid=plan.uid or "",
        fraction_number=number,
        treated_at=given.at,
        treatment_machine_name=given.machine,
        beams=given.beams,
        signed_by=rights.signer(Permission.CHARTING) or "",
        second_by=_NOBODY_YET,
        entered_at=desk.now(),
        known=known_of(file, plan, number, given.at) if number is not None else (),
        known_entries=tuple(e.entry_id for e in read_charted(desk.config.cache_path).entries if e.of_plan(plan.uid)),
        corrects=corrected.entry_id if corrected is not None else None,
        is_withdrawn=given.is_withdrawn,
        comment=given.comment,
    )


def _judged(
    desk: Desk, file: PatientFile, plan: PlanFile, entry: ChartedFraction, corrected: ChartedFraction | None, key: str
) -> Draft:
    entries = [e for e in read_charted(desk.config.cache_path).entries if e.of_plan(plan.uid)]
    facts = facts_of(file, plan, entry, corrected, freed_by(entry, entries))
    settings = desk.config.downtime
    found = findings(entry, facts, settings.own_checks, settings.limits)
    if entry.beams and (why := uncountable(facts)):
        found.insert(0, Finding("plan_not_held", why, is_refused=True))
    if not entry.is_withdrawn:
        found += [Finding("counts_beside", _counts_beside(one), is_refused=False) for one in beside(entry, entries)]
    if corrected is not None and not entry.comment:
        found.append(Finding(REASON_LACKS, "say why it is corrected", is_refused=True))
    for one in (one for one in found if one.check != REASON_LACKS):  # asked for below, where it is to be signed
        colour, mark = ("red", "■") if one.is_refused else ("orange", "▲")
        st.markdown(f":{colour}[{mark} {words.as_markdown(one.said)}]")
    accepted = tuple(one.said for one in found if not one.is_refused)
    return Draft(replace(entry, accepted=accepted), tuple(found), key)


def _counts_beside(other: ChartedFraction) -> str:
    said = other.in_words
    return f"{said[0].upper()}{said[1:]} then counts beside this: if both are one delivery, withdraw one instead"


def _entry_id(key: str) -> str:
    """One for each draft, until it is signed: a button pressed twice enters nothing twice."""
    ids: dict[str, str] = st.session_state.setdefault("charting_ids", {})
    return ids.setdefault(key, new_entry_id())


def _when(
    desk: Desk, plan: PlanFile, chosen: Chosen, corrected: ChartedFraction | None, key: str
) -> tuple[datetime | None, str | None]:
    """When and where, as it was booked: now, on the day itself, but for who was not treated, then. What nobody booked
    is not filled in."""
    now = desk.local(desk.now()).replace(tzinfo=None, second=0, microsecond=0)
    first = corrected.treated_at if corrected is not None else chosen.at
    is_booked = first is not None and (corrected is not None or key.endswith(NOT_TREATED))
    usual = now if chosen.day == now.date() and not is_booked else first
    planned = {field.treatment_machine_name for field in plan.treatment_fields}
    machines = sorted(str(name) for name in {chosen.machine, *planned} if name not in {None, ABSENT})
    day = st.date_input(
        "Day", usual.date() if usual is not None else chosen.day, key=f"day {key}", format="YYYY-MM-DD", width=150
    )
    at = st.time_input("Time", usual.time() if usual is not None else None, key=f"time {key}", step=60, width=120)
    place = machines.index(chosen.machine) if chosen.machine in machines else None
    machine = st.selectbox("Machine", machines, place, format_func=printable, key=f"machine {key}", width=150)
    is_said = isinstance(day, date) and isinstance(at, time)
    return datetime.combine(day, at) if is_said else None, machine  # type: ignore[arg-type]


def _number(plan: PlanFile, corrected: ChartedFraction | None, key: str) -> int | None:
    """Filled in where it is told: by the entry that is corrected, or as the next one."""
    told = plan.row.next_fraction_number if plan.is_next_told else None
    due = corrected.fraction_number if corrected is not None else told
    most = max(200, due or 1)
    asked = st.number_input("Fraction", min_value=1, max_value=most, value=due, key=f"number {key}", width=130)
    return int(asked) if asked is not None else None


def _beams(due: tuple[ChartedBeam, ...], key: str, *, is_open: bool) -> tuple[ChartedBeam, ...]:
    """MU by beam: as planned, unless somebody says that it was given in part."""
    names = [words.as_markdown(beam.beam_name or f"Beam {beam.beam_number}") for beam in due]
    if not is_open:
        given = zip(names, due, strict=True)
        st.markdown(" · ".join(f"{name} **{beam.delivered_meterset:.1f} MU**" for name, beam in given))
        return due
    found = []
    with st.container(horizontal=True):
        for name, beam in zip(names, due, strict=True):
            planned = "—" if beam.planned_meterset is None else f"{beam.planned_meterset:.1f}"
            mu = st.number_input(
                f"{name}, MU of {planned}",
                min_value=0.0,
                max_value=max(99_999.0, float(beam.delivered_meterset)),
                value=float(beam.delivered_meterset),
                step=0.1,
                format="%.1f",
                key=f"mu {beam.beam_number} {beam.delivered_meterset} {key}",
                width=190,
            )
            found.append(replace(beam, delivered_meterset=round(float(mu), 2)))
    return tuple(beam for beam in found if beam.delivered_meterset > 0)
