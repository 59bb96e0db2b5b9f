"""The binder: one PDF of everything to print: lists, machines' days, whom to call, all charts, forms for eight
hours."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from recovery.bundling import calls
from recovery.bundling.binder_pages import BinderCanvas
from recovery.bundling.department import Department
from recovery.charting.canvas import Paper
from recovery.charting.letters import letters_for
from recovery.charting.pdf import chart_texts, draw_charts, stamp
from recovery.charting.sheet import ChartSheet, Table, chart_sheets
from recovery.lists.appointments import records
from recovery.lists.columns import NOT_STARTED, ON_TREATMENT, described
from recovery.lists.list_sheet import text_of
from recovery.lists.machine_day import heading_of_unbooked, with_signers
from recovery.patient.file import PatientFile
from recovery.words import notices
from recovery.words.times import day as day_in_words
from recovery.words.values import ABSENT, absent, counted, or_none

_LIST_WIDTHS = (7, 36, 17, 19, 20, 15, 40, 46, 30, 30, 24)
_DAY = (
    "Time",
    "",
    "Name",
    "ID",
    "Born",
    "Plan",
    "Fraction due or given",
    "Set up",
    "Check",
    "Phone",
    "Treated",
    "Done",
)
_DAY_WIDTHS = (12, 7, 36, 18, 19, 22, 40, 42, 41, 27, 16, 14)
_STARTING = tuple(name for name in NOT_STARTED.excel if name not in {"intent", "initials"})
_STARTING_WIDTHS = (25, 32, 17, 20, 20, 19, 26, 21, 17, 23, 26, 28, 26)
_CALL_WIDTHS = (34, 19, 19, 32, 32, 40, 38, 30, 34)
_LOG = ("Time", "Name, born", "ID", "Plan", "Fraction", "MU given, by field", "In full?", "By", "By", "Remarks")
_LOG_WIDTHS = (14.0, 48.0, 24.0, 28.0, 16.0, 62.0, 14.0, 18.0, 18.0, 44.0)
_LINES_IN_CELL = 12
"""Of the widest letters: a landscape page is lower than a chart's."""
_LOG_PAGES = 2
"""A page for four hours at four patients an hour."""

Block = tuple[str, Table]
"""What stands above a table, or nothing; and the table."""


@dataclass(frozen=True, slots=True)
class Section:
    """A list of the binder: `nothing` stands where a table has no rows."""

    title: str
    blocks: Sequence[Block]
    widths: Sequence[float]
    nothing: str


def binder_pdf(told: Department, paper: Paper | None = None) -> bytes:
    """The binder, on the config's paper. Raises `FontError` if the config's font is none."""
    config = told.config
    charts = [(file, chart_sheets(file)) for file in told.treated_files]
    lists = list(_sections(told))
    texts = [*chart_texts(sheet for _, sheets in charts for sheet in sheets), *told.told, *told.machines]
    blocks = [block for section in lists for block in section.blocks]
    texts += [text for above, table in blocks for row in (*table.rows, (above,)) for text in row]
    pdf = BinderCanvas(
        paper or config.charts.paper, letters_for(texts, config.chart_font), f"{config.site.name}  ·  {told.age}"
    )
    pdf.set_title("Binder")
    stamp(pdf, told.files)
    _draw(pdf, told, lists, charts)
    return bytes(pdf.output())


def _sections(told: Department) -> Iterator[Section]:
    nobody = "No appointment is known."
    yield Section("Who is on treatment", [("", _listed(told))], _LIST_WIDTHS, nobody)
    for machine, day, title in _days(told):
        yield Section(title, _of_day(told, machine, day), _DAY_WIDTHS, nobody)
    nobody = "Nobody is known." if told.not_started is not None else "Not known: there is no table of it."
    yield Section("Not started yet", [("", _not_started(told))], _STARTING_WIDTHS, nobody)
    for machine, lines in calls.by_machine(told.treated_files).items():
        yield Section(f"Whom to call, {machine}", [("", _calls(lines))], _CALL_WIDTHS, nobody)


def _draw(
    pdf: BinderCanvas,
    told: Department,
    lists: Sequence[Section],
    charts: Sequence[tuple[PatientFile, Sequence[ChartSheet]]],
) -> None:
    entries = len(lists) + len(charts) + 2 + len(told.machines)
    _begin(pdf, told)
    kept = pdf.keep_free(entries)
    for section in lists:
        pdf.begin_section(section.title)
        pdf.enter(section.title, is_section=True)
        _tables(pdf, section.blocks, section.widths, section.nothing)
    pdf.first_page = pdf.page + 1
    pdf.enter(f"Charts, {counted(len(charts), 'patient')}", is_section=True, page=pdf.page + 1)
    for file, sheets in charts:
        pdf.enter(f"{absent(file.identity.patient_name)} ({file.identity.patient_id})", page=pdf.page + 1)
        draw_charts(pdf, file, sheets)
    pdf.enter("To write on, for eight hours", is_section=True, page=pdf.page + 1)
    for machine in _machines(told):
        pdf.enter(f"Treated by hand, {machine}", page=pdf.page + 1)
        for number in range(1, _LOG_PAGES + 1):
            pdf.begin_section(
                f"Treated by hand, {machine}     date ..................     sheet {number} of {_LOG_PAGES}"
            )
            pdf.draw_form(_LOG_WIDTHS, _LOG)
    pdf.draw_contents(kept)


def _begin(pdf: BinderCanvas, told: Department) -> None:
    """What must be known before it is believed, in front of the contents."""
    pdf.begin_section("Binder: what to go on with when every screen is dark")
    for sentence in (*told.told, "Fractions given after the time above are not counted here: ask the machine."):
        pdf.write_text(sentence, pdf.epw, size=11, bold=sentence.startswith(("▲", "■")))


def _tables(pdf: BinderCanvas, blocks: Iterable[Block], widths: Sequence[float], nothing: str) -> None:
    for above, table in blocks:
        if above:
            pdf.heading(above, room=34)
        if table.rows:
            names = [place for place, heading in enumerate(table.headings) if heading in _STRONG]
            pdf.draw_table(table, widths, size=8, bold=names, lines=_LINES_IN_CELL)
        else:
            pdf.write_text(nothing, pdf.epw, size=10)


_STRONG = {"", "Name", "Next fraction", "Time"}
"""Headings of what must be seen from afar; not of a fraction that may have been given."""


def _listed(told: Department) -> Table:
    return _table_of(told.treated, ON_TREATMENT.paper)


def _calls(lines: Iterable[Sequence[str]]) -> Table:
    return Table(calls.HEADINGS, tuple(tuple(text.replace("\n", ", ") for text in line) for line in lines))


def _not_started(told: Department) -> Table:
    headings = tuple(column.heading for column in described(_STARTING))
    return Table(headings, ()) if told.not_started is None else _table_of(told.not_started, _STARTING)


def _table_of(lines: pd.DataFrame, names: Sequence[str]) -> Table:
    headings = tuple(column.heading for column in described(names))
    return Table(headings, tuple(tuple(text_of(row[name]) for name in names) for row in records(lines)))


def _days(told: Department) -> Iterator[tuple[str, date, str]]:
    """Machine, day and title, the days of a machine together."""
    for machine in _machines(told):
        for day in told.days:
            yield machine, day, f"{machine}, {day_in_words(day)}"


def _machines(told: Department) -> list[str]:
    """Without the dash under which the dashboard lists plans of no machine."""
    return [machine for machine in told.machines if machine != ABSENT]


def _of_day(told: Department, machine: str, day: date) -> list[Block]:
    that_day = told.day_of(machine, day)
    below = heading_of_unbooked(machine, len(that_day.unbooked), is_schedule_known=that_day.is_schedule_known)
    found = [("", that_day.booked), *([(below, that_day.unbooked)] if len(that_day.unbooked) else [])]
    return [(above, Table(_DAY, tuple(map(_day_line, records(with_signers(lines)))))) for above, lines in found]


def _day_line(row: dict[str, Any]) -> tuple[str, ...]:
    told = {name: or_none(value) for name, value in row.items()}
    at, alerts = told["appointment_at"], told["alerts"]
    alert = str(notices.alert(alerts)) if alerts not in {None, "", "none"} else None
    set_up = " · ".join(filter(None, (told["energy"], told["technique"], told["setup_note"], alert)))
    return (
        f"{at:%H:%M}" if isinstance(at, datetime) else ABSENT,
        told["mark"] or "",
        *(text_of(row[name]) for name in ("patient_name", "patient_id", "patient_birth_date", "plan", "next_fraction")),
        set_up or ABSENT,
        told["check"] or "",
        absent(_unbroken(told["phone"])),
        told["treated_that_day"] or "",
        "",
    )


def _unbroken(phones: str | None) -> str | None:
    """Each number on one line."""
    return phones and ", ".join(phone.replace(" ", "\u00a0") for phone in phones.split(", "))
