"""A patient's page in the rescue bundle: what the dashboard's page says, in one piece and without a server."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd

from recovery.bundling.pages import cell, row_of, table
from recovery.lists import patient_tables
from recovery.lists.appointments import records
from recovery.patient import notices, page_words
from recovery.patient.file import PatientFile
from recovery.patient.plan import PlanFile
from recovery.words.printable import as_html
from recovery.words.times import day_or_time
from recovery.words.units import unit_word
from recovery.words.values import ABSENT, absent, or_none

_MOST_OPEN = 40
"""Lines of a table that a page shows without being asked."""

Pictures = Mapping[str | None, Sequence[tuple[str, str]]]
"""By plan UID: a picture's file in the bundle, and what it shows."""


def body_of(file: PatientFile, base: str, pictures: Pictures) -> str:
    """Everything of one patient; `base`: the name of the chart's file, without its ending."""
    person, born = file.identity, file.identity.patient_birth_date
    who = (
        f"ID {person.patient_id} · born {absent(born.isoformat() if born else None)} · {absent(person.patient_sex)}"
        f"{f' · also {person.other_patient_ids}' if person.other_patient_ids else ''}"
    )
    photo = f'<img src="{as_html(file.photo.data_uri)}" alt="Photo of the patient">' if file.photo is not None else ""
    return "".join(
        (
            f'<div class="person"><div><p class="who">{as_html(who)}</p>',
            f'<p><a class="button" href="../charts/{quote(base)}.pdf">Paper chart, to print and sign</a></p>',
            _notices(notices.of_patient(file)),
            f"</div>{photo}</div>",
            *(_plan(file, plan, pictures.get(plan.uid, ())) for plan in file.plans),
            f"<h2>Whom to call</h2>{_pairs(patient_tables.contacts(file))}",
            _frame("Appointments", patient_tables.schedule(file)),
            _frame("Documents, notes and checks", patient_tables.papers(file)),
        )
    )


def _plan(file: PatientFile, plan: PlanFile, pictures: Sequence[tuple[str, str]]) -> str:
    today, ahead, book = file.now.date(), file.next_appointment, plan.ledger
    parts = [
        f"<h2>Plan {as_html(absent(plan.label) if plan.is_unfinished else page_words.plan_title(file, plan))}</h2>",
        f'<p class="next">{as_html(page_words.next_fraction(file, plan))}</p>' if plan.is_unfinished else "",
        _notices(notices.of_plan(plan)),
        f"<p>{as_html(page_words.summary(plan))}<br>Approval: {as_html(page_words.approval(plan, today))}</p>",
    ]
    if book is not None:
        booked = day_or_time(ahead.appointment_at, today) if ahead is not None else ""
        names = {
            "mark": "",
            "fraction": "No",
            "when": "Date",
            "machine": "Machine",
            "notes": "State",
            "given": f"{unit_word(book.unit)} given / planned",
            "beams": "By field, given/planned",
        }
        parts.append(_frame("Fractions", patient_tables.ledger(plan, book, today, booked).rename(columns=names)))
    parts.append(f"<h3>Prescription</h3>{_pairs(patient_tables.prescription(plan))}")
    parts += [_frame("Fields", patient_tables.fields(plan)), _frame("Setup", patient_tables.setup(plan))]
    if pictures:
        shown = (
            f'<figure><img src="../{quote(where)}" alt="Beam\'s eye view: {as_html(said)}" loading="lazy">'
            f"<figcaption>{as_html(said)}</figcaption></figure>"
            for where, said in pictures
        )
        parts.append(f'<h3>Beam\'s eye views</h3><div class="beams">{"".join(shown)}</div>')
    parts.append(_frame("Couch, cm", patient_tables.couch(plan, today)))
    return "".join(parts)


def _notices(found: Iterable[Any]) -> str:
    lines = "".join(f"<li{' class=stop' if one.is_stop else ''}>{as_html(str(one))}</li>" for one in found)
    return f'<ul class="notices">{lines}</ul>' if lines else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Labels and values; what is not known is left to the chart, which has a dash for it."""
    known = ((label, value) for label, value in pairs if value != ABSENT)
    told = "".join(f"<div><dt>{as_html(label)}</dt><dd>{as_html(value)}</dd></div>" for label, value in known)
    return f'<dl class="pairs">{told}</dl>' if told else "<p>Not known.</p>"


def _frame(title: str, frame: pd.DataFrame) -> str:
    """A table of what is known; columns that say nothing are left out."""
    lines = [{name: _said(value) for name, value in row.items()} for row in records(frame)]
    names = [name for name in frame.columns if any(line[name] not in {ABSENT, ""} for line in lines)]
    if not names:
        return ""
    mark = next((name for name in ("", "mark") if name in names), None)
    rows = (row_of([cell(line[name]) for name in names], line[mark] if mark is not None else "") for line in lines)
    drawn = table(map(str, names), rows)
    if len(lines) > _MOST_OPEN:
        return f"<details><summary>{as_html(title)}: {len(lines)} lines</summary>{drawn}</details>"
    return f"<h3>{as_html(title)}</h3>{drawn}"


def _said(value: object) -> str:
    known = or_none(value)
    return f"{known:.1f}" if isinstance(known, float) else absent(known) if known != "" else ""
