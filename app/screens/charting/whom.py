"""Whom to chart: a machine's patients of a day in order of appointment, or everybody whom nobody has answered for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.data import cached, charted, unknown
from app.desk import Desk
from app.screens.machine_day import sources
from app.wording import words
from recovery.course.charted_entries import ChartedFraction
from recovery.lists import appointments, day_tables, machine_day, since_proof
from recovery.lists.appointments import DayFacts
from recovery.on_treatment.unknown_since import Doubt
from recovery.words.notices import STOP_MARK
from recovery.words.times import day as day_in_words
from recovery.words.values import absent, or_none

UNANSWERED = "Not answered"
WHOM = "chart_whom"
"""How the key of the list begins."""
_TURN, _SIGNED = "chart_turn", "chart_signed"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line of the list. `at`: when the patient was booked, local to the site; None without an appointment."""

    patient_id: str
    label: str
    day: date
    machine: str
    at: datetime | None


def choose(
    desk: Desk, loaded: cached.Loaded, corrected: ChartedFraction | None, corrected_key: str, above: DeltaGenerator
) -> Chosen | None:
    """Draw the list, and `above` it of which machine and day; returns whom somebody chose."""
    if corrected is not None:
        day, machine = corrected.treated_at.date(), corrected.treatment_machine_name
        st.markdown(f"**To be corrected:** {words.as_markdown(corrected.in_words)}")
        if st.button("Leave it as it is", key="leave_it"):
            st.session_state.pop(corrected_key)
            st.rerun()
        return Chosen(corrected.patient_id, "", day, machine, corrected.treated_at)
    found = sources.load(desk, loaded.table)
    machines = machine_day.machines_of(loaded.table, found.tables.schedule)
    doubt = unknown.doubt_now(loaded, desk)
    busiest = appointments.busiest(found.tables.schedule, desk.today(), machines) if machines else UNANSWERED
    options = [*machines, UNANSWERED]
    with above:
        machine = st.segmented_control(
            "Machine", options, default=busiest, required=True, format_func=words.as_markdown, key="chart_machine"
        )
        chosen_date = _day(desk) if machine != UNANSWERED else None
    chosen_day = chosen_date or desk.today()
    if chosen_day != desk.today():  # as of a page that was open overnight
        said = f"What is charted from this list is of {day_in_words(chosen_day)}, not of today."
        st.markdown(f":orange[▲ **{said}**]")
    if machine == UNANSWERED:
        lines = list(_unanswered(desk, loaded, doubt)) if doubt is not None else []
    else:
        path = desk.config.cache_path
        told = charted.given_on(path, loaded.table, chosen_day)
        known = DayFacts(chosen_day, desk.today(), told, doubt, charted.answered(path))
        that_day = machine_day.day_of(loaded.table, found.tables, str(machine), chosen_day, known)
        lines = list(_of_day(that_day, chosen_day, str(machine)))
    return _one_of(lines, f"{WHOM} {st.session_state.get(_TURN, 0)} {machine} {chosen_day}")


def _day(desk: Desk) -> date | None:
    """Of which day the list is; none while the field is empty."""
    day = st.date_input("Day", desk.today(), key="chart_day", format="YYYY-MM-DD", max_value=desk.today(), width=150)
    return day if isinstance(day, date) else None


def _one_of(lines: Sequence[Chosen], key: str) -> Chosen | None:
    if not lines:
        st.markdown("Nobody is on this list.")
        return None
    labels = [line.label for line in lines]
    heading = f"{len(lines)} on the list, in order of appointment"
    place_of = st.radio(heading, range(len(lines)), index=None, format_func=labels.__getitem__, key=key)
    if place_of is None:
        return None
    st.session_state.pop(_SIGNED, None)
    return lines[place_of]


def choose_anew(said: str) -> None:
    """After a signature nobody is chosen, in the browser too: nobody is charted twice by a second press."""
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    st.session_state[_SIGNED] = said


def show_signed() -> None:
    """What was entered last, until somebody else is chosen."""
    if said := st.session_state.get(_SIGNED):
        st.markdown(f":green[✓ **{words.as_markdown(said)}**]")


def _of_day(that_day: machine_day.Day, day: date, machine: str) -> Iterator[Chosen]:
    seen: set[str] = set()
    for frame in (that_day.booked, that_day.unbooked):
        for row in appointments.records(frame):
            patient_id, at = or_none(row["patient_id"]), or_none(row["appointment_at"])
            if patient_id is None or f"{patient_id} {at}" in seen:
                continue  # a second plan of the same appointment: the plan is chosen beside it
            seen.add(f"{patient_id} {at}")
            done = or_none(row["treated_that_day"])
            when = f"{at:%H:%M}" if at is not None else "no time"
            mark = str(or_none(row["mark"]) or "")
            if done:  # what is to be settled stays marked
                mark = f":green[✓ {words.as_markdown(str(done))}]" + (f" {mark}" if mark == STOP_MARK else "")
            yield Chosen(patient_id, _label(when, row, mark), day, machine, at)


def _unanswered(desk: Desk, loaded: cached.Loaded, doubt: Doubt) -> Iterator[Chosen]:
    """Everybody who may have been treated since the newest proof, appointment by appointment."""
    told = unknown.answers(loaded, desk, doubt)

    def facts(one: date) -> DayFacts:
        return DayFacts(one, doubt.now.date(), day_tables.charted_on(desk.cache, one), doubt, told)

    lines = since_proof.lines_of(loaded.table, unknown.schedule_of(desk.cache), doubt, None, facts)
    lines = lines.drop_duplicates(["patient_id", "treatment_machine_name", "at"])  # the plan is chosen beside it
    for row in appointments.records(lines):
        patient_id, at = or_none(row["patient_id"]), or_none(row["at"])
        if patient_id is not None:
            when = f"{row['treatment_machine_name']} {or_none(row['booked']) or 'no time'}"
            day = at.date() if at is not None else doubt.now.date()
            yield Chosen(patient_id, _label(when, row, "▲"), day, str(row["treatment_machine_name"]), at)


def _label(when: str, row: appointments.Record, mark: str) -> str:
    who = words.as_markdown(f"{absent(or_none(row['patient_name']))} · {absent(or_none(row['patient_id']))}")
    return f"**{words.as_markdown(when)}** {who} {mark}"
