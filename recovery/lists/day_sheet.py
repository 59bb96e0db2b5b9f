"""A machine's day as a plain sheet for paper, of page and bundle: black on white, nothing cut, a box to tick."""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

import pandas as pd

from recovery.lists.appointments import records
from recovery.lists.machine_day import with_signers
from recovery.words import notices
from recovery.words.notices import Next
from recovery.words.printable import as_html, in_cell
from recovery.words.values import ABSENT, absent, or_none

STYLE = """.rbrdt-sheet {background: #FFFFFF; color: #111827; padding: 8px 10px; font-size: 12px; line-height: 1.3;
  overflow-wrap: break-word;}
.rbrdt-sheet h3 {font-size: 16px; margin: 0; padding: 0; color: #111827;}
.rbrdt-sheet h4 {font-size: 13px; margin: 12px 0 2px 0; padding: 0; color: #111827;}
.rbrdt-sheet p {margin: 2px 0 6px 0; color: #111827;}
.rbrdt-sheet table {border-collapse: collapse; width: 100%; color: #111827;}
.rbrdt-sheet th {text-align: left; border-bottom: 1.5px solid #111827; padding: 3px 5px; font-weight: 600;}
.rbrdt-sheet td {border-bottom: 1px solid #9CA3AF; padding: 4px 5px; vertical-align: top;}
.rbrdt-sheet .whole {white-space: nowrap;}
.rbrdt-sheet td.time, .rbrdt-sheet td.fraction {font-weight: 700; font-variant-numeric: tabular-nums;}
.rbrdt-sheet td.time {white-space: nowrap;}
.rbrdt-sheet td.time {font-size: 14px;}
.rbrdt-sheet td.given {font-weight: 400;}
.rbrdt-sheet tr.stop td {background: #EDEDED;}
.rbrdt-sheet .name {font-weight: 700;}
.rbrdt-sheet .box {min-width: 90px;}
.rbrdt-sheet thead {display: table-header-group;}
.rbrdt-sheet tr {break-inside: avoid;}
.rbrdt-sheet table.pages {table-layout: fixed;}
.rbrdt-sheet table.pages > tbody > tr {break-inside: auto;}
.rbrdt-sheet table.pages > * > tr > td {border: 0; padding: 0;}
@page {size: landscape; margin: 9mm;}
"""
"""CSS of a sheet, wherever it stands."""
_HEADINGS = (
    "Time",
    "Patient",
    "Plan",
    "Fraction due or given",
    "Set up",
    "Check before treating",
    "Phone",
    "Treated",
    "Done",
)
_LONGEST_WHOLE = 24


def sheet(
    title: str,
    told: str,
    booked: pd.DataFrame,
    unbooked: pd.DataFrame,
    unbooked_title: str,
    hrefs: Mapping[str | None, str] = MappingProxyType({}),
) -> str:
    """The sheet's markup; every text in it is escaped. `hrefs`: by patient ID where a name leads to."""
    parts = [_table(booked, hrefs) if len(booked) else "<p><b>No appointment is known.</b></p>"]
    if len(unbooked):
        parts.append(f"<h4>{as_html(unbooked_title)}</h4>{_table(unbooked, hrefs)}")
    return framed(title, told, parts)


def framed(title: str, told: str, parts: Iterable[str]) -> str:
    """A sheet's markup: its title, what it is of, its parts, and what the marks mean.

    A browser repeats a table's head on each page of paper: whichever comes out of the printer says what it is of and
    how old that is.
    """
    head = f"<thead><tr><td><h3>{as_html(title)}</h3><p>{as_html(told)}</p></td></tr></thead><tbody><tr><td>"
    foot = "<p>■ do not treat before someone has looked · ▲ look · — not known</p></td></tr></tbody>"
    body = "".join([head, *parts, foot])
    return f'<div class="rbrdt-sheet"><table class="pages" role="presentation">{body}</table></div>'


def table(headings: Iterable[str], rows: Iterable[str]) -> str:
    """A table's markup, of rows that are markup."""
    heads = "".join(f"<th>{as_html(heading)}</th>" for heading in headings)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def who(row: Mapping[str, Any], hrefs: Mapping[str | None, str] = MappingProxyType({})) -> str:
    """Mark, name, ID and birth date in one cell; the name is a link where `hrefs` has one for the ID."""
    born, name = or_none(row["patient_birth_date"]), said(row["patient_name"])
    href = hrefs.get(or_none(row["patient_id"]))
    linked = f'<a href="{as_html(href)}">{name}</a>' if href is not None else name
    return (
        f'<span class="name">{said(row["mark"], "")} {linked}</span><br>'
        f'<span class="{whole(said(row["patient_id"]))}">ID {said(row["patient_id"])}</span> '
        f'<span class="whole">born {said(born.isoformat() if isinstance(born, date) else None)}</span>'
    )


def cells_of(cells: Iterable[tuple[str, str]]) -> str:
    """Cells of markup, each with its class."""
    return "".join(f'<td class="{whole(text) if kind == "whole" else kind}">{text}</td>' for kind, text in cells)


def _table(lines: pd.DataFrame, hrefs: Mapping[str | None, str]) -> str:
    return table(_HEADINGS, (_row(row, hrefs) for row in records(with_signers(lines))))


def _row(row: Mapping[str, Any], hrefs: Mapping[str | None, str]) -> str:
    how = " · ".join(said(row[name]) for name in ("energy", "technique") if absent(or_none(row[name])) != "—")
    setup = "<br>".join(filter(None, (how, said(row["setup_note"], ""), _alert(row["alerts"]))))
    at, phones = or_none(row["appointment_at"]), said(row["phone"]).split(", ")
    cells = (
        ("time", f"{at:%H:%M}" if at is not None else ABSENT),
        ("", who(row, hrefs)),
        (whole(said(row["plan"])), said(row["plan"])),
        (_weight(row), said(row["next_fraction"])),
        ("", setup or ABSENT),
        ("", said(row["check"], "")),
        (whole(max(phones, key=len)), "<br>".join(phones)),
        ("", said(row["treated_that_day"], "")),
        ("box", ""),
    )
    stop = ' class="stop"' if row["mark"] == "■" else ""
    return f"<tr{stop}>{cells_of(cells)}</tr>"


def whole(markup: str) -> str:
    """The class of what stays on one line: an ID, a plan, phones; not of a text that would leave the paper by it."""
    return "whole" if max(map(len, markup.split("<br>"))) <= _LONGEST_WHOLE else ""


def _weight(row: Mapping[str, Any]) -> str:
    """Bold is what is due: not what was given that day, nor what may have been."""
    is_due = not or_none(row["treated_that_day"]) and row["next_is"] != Next.UNKNOWN
    return "fraction" if is_due else "fraction given"


def _alert(alerts: object) -> str:
    known = or_none(alerts)
    return f"<b>{said(str(notices.alert(known)))}</b>" if known not in {None, "", "none"} else ""


def said(value: object, nothing: str = ABSENT) -> str:
    """A value as markup; what is absent as `nothing`."""
    known = or_none(value)
    return in_cell(str(known)) if known not in {None, ""} else nothing
