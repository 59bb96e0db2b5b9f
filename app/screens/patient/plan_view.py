"""One plan: the next fraction, whether it can be treated from the backup, its ledger, its dose, its beams."""

import streamlit as st

from app.components import marked
from app.desk import Desk
from app.screens.patient import beam_view, decision_form, details, dose_chart
from app.wording.words import as_markdown
from recovery.lists import patient_tables
from recovery.patient import page_words
from recovery.patient.file import PatientFile
from recovery.patient.plan import PlanFile
from recovery.words.prescription import gray
from recovery.words.times import day_or_time
from recovery.words.units import unit_word
from recovery.words.values import absent

_LEDGER_ROWS = 9


def show(desk: Desk, file: PatientFile, plan: PlanFile) -> None:
    """Draw it."""
    _headline(desk, file, plan)
    decision_form.show(desk, file, plan)
    ledger, dose, beam = st.columns([6.1, 2.8, 2.1])
    with ledger:
        _ledger(file, plan)
    with dose:
        dose_chart.show(plan, file.now)
    with beam:
        beam_view.show(desk, plan)
    details.show(desk, file, plan)


def _headline(desk: Desk, file: PatientFile, plan: PlanFile) -> None:
    row, today = plan.row, file.now.date()
    st.markdown(f"### {_coloured(page_words.next_fraction(file, plan))}", anchors=False)
    appointment = file.next_appointment
    when = "no appointment booked"
    if appointment is not None:
        machine = f" on {appointment.treatment_machine_name}" if appointment.treatment_machine_name else ""
        when = f"next appointment {day_or_time(appointment.appointment_at, today)}{machine}"
    elif "schedule" in file.tables_missing:
        when = "appointments unknown"
    label = as_markdown(absent(plan.label))
    lines = [
        f"**{label}** · {as_markdown(page_words.summary(plan))} · {as_markdown(when)}",
        f"Approval: {as_markdown(page_words.approval(plan, today))}",
    ]
    if row.earlier_plans:
        lines.append(f"Earlier plans: {as_markdown(row.earlier_plans)}")
    if (overall := page_words.overall(plan, today)) is not None:
        lines.append(as_markdown(overall))
    if row.ready:
        lines.append(as_markdown(page_words.readiness(plan, desk.now(), desk.config.site.zone)))
    lines += [_coloured(sentence) for sentence in page_words.warnings(plan)]
    st.markdown("  \n".join(lines))


def _ledger(file: PatientFile, plan: PlanFile) -> None:
    book = plan.ledger
    if book is None:
        for sentence in page_words.missing_tables(file, ("treatment_records", "rt_plans")):
            st.markdown(f":orange[{as_markdown(sentence)}]")
        return
    given = f"{book.fractions_delivered} of {absent(book.number_of_fractions_planned)} fractions given in full"
    dose = f", {gray(book.dose_delivered)}" if book.dose_delivered is not None else ""
    st.markdown(f"**Fraction ledger** · {as_markdown(given + dose)}")
    appointment = file.next_appointment
    when = day_or_time(appointment.appointment_at, file.now.date()) if appointment is not None else ""
    rows = patient_tables.ledger(plan, book, file.now.date(), when)
    column = st.column_config
    config = {
        "mark": column.TextColumn("", width=26, pinned=True),
        "fraction": column.TextColumn("#", width=34, pinned=True, alignment="right"),
        "when": column.TextColumn("Date", width=118),
        "machine": column.TextColumn("Machine", width=66),
        "given": column.TextColumn(f"{unit_word(book.unit)} given", width=98, alignment="right"),
        "notes": column.TextColumn("State", width=280, help="Double-click to read all of it"),
        "beams": column.TextColumn("Per beam, given/planned", width=260),
    }
    alt = "Fractions given, newest first, the next one on top"
    marked.table(rows, f"ledger_{plan.course_uid}", config, most=_LEDGER_ROWS, alt=alt)


def _coloured(text: str) -> str:
    """Markdown of a sentence in the colour that its mark means."""
    said = as_markdown(text)
    return f":red[{said}]" if text.startswith("■") else f":orange[{said}]" if text.startswith("▲") else said
