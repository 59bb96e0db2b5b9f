"""Pages of the rescue bundle: plain HTML that any browser opens from a folder, with nothing installed and no network.

How
    Every text is escaped where it becomes markup, and a policy in each page lets no script run but ours. Without
    scripts a page shows all its rows; with them it searches, filters, and says how old it is by the reader's clock.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from recovery.bundling import calls
from recovery.bundling.department import Department
from recovery.identity.namesakes import fold
from recovery.lists import day_sheet
from recovery.lists.appointments import records
from recovery.lists.columns import NOT_STARTED, ON_TREATMENT, described
from recovery.lists.filters import written_out
from recovery.lists.list_sheet import text_of
from recovery.lists.machine_day import heading_of_unbooked
from recovery.words.printable import as_html, in_cell
from recovery.words.statuses import NOW_TREATED, in_words
from recovery.words.times import at_time
from recovery.words.times import day as day_in_words
from recovery.words.values import absent, or_none

_CSS, _JS = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("bundle.css", "bundle.js"))
_POLICY = (
    "default-src 'none'; img-src data: file:; style-src 'unsafe-inline'; "
    f"script-src 'sha256-{base64.b64encode(hashlib.sha256(_JS.encode()).digest()).decode()}'"
)
_WHOLE = {
    *("patient_id", "patient_birth_date", "fraction", "phone"),
}
_SHORT = 30
"""Letters that a column may be wide without a break."""
_LIST = (*ON_TREATMENT.paper, "status_words")
_STARTING = tuple(name for name in NOT_STARTED.excel if name != "initials")

_MARK = '<span class="unseen">Mark</span>'

_KINDS = {0: "strong", 1: "whole", 2: "whole", 5: "whole"}
"""Of the call list's columns: name, ID, birth date, phones."""

Links = Mapping[str | None, str]
"""By patient ID the name of the patient's page and chart, without an ending."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page says around its own: `nav` by file the words of a link."""

    told: Department
    nav: Mapping[str, str]
    lacks: tuple[str, ...] = field(default=())

    def page(self, file: str, title: str, body: str) -> bytes:
        """A whole page, for the file `file` of the bundle."""
        up = "../" * file.count("/")
        links = "".join(
            f'<a href="{up}{quote(to)}"{" aria-current=page" if to == file else ""}>{as_html(said)}</a>'
            for to, said in self.nav.items()
        )
        as_of = self.told.as_of.isoformat() if self.told.as_of is not None else ""
        site = self.told.config.site.name
        said = "".join(f"<p>{as_html(one)}</p>" for one in (*self.told.told, *self.lacks))
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{as_html(f"{title} · {site}")}</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            f'<meta name="viewport" content="width=device-width"><style>{_CSS}{day_sheet.STYLE}</style></head><body>'
            f'<header><strong>{as_html(site)}: rescue copy</strong><nav aria-label="Pages">{links}</nav></header>'
            f'<div class="age" role="note"><p>{as_html(self.told.age)}. What was given after that is not counted here: '
            f'ask the machine. <span id="age" data-as-of="{as_of}"></span></p>{said}</div>'
            f"<main><h1>{as_html(title)}</h1>{body}</main><script>{_JS}</script></body></html>\n"
        ).encode()


def table(headings: Iterable[str], rows: Iterable[str]) -> str:
    """`rows` are markup; a heading that is empty is the mark's."""
    heads = "".join(f'<th scope="col">{as_html(said) or _MARK}</th>' for said in headings)
    head, body = f"<thead><tr>{heads}</tr></thead>", f"<tbody>{''.join(rows)}</tbody>"
    return f'<div class="wide" tabindex="0"><table class="data">{head}{body}</table></div>'


def row_of(cells: Sequence[str], mark: str = "", attributes: str = "") -> str:
    """A row of cells that are markup."""
    kind = {"■": ' class="stop"', "▲": ' class="look"'}.get(mark, "")
    return f"<tr{kind}{attributes}>{''.join(cells)}</tr>"


def cell(text: str, kind: str = "") -> str:
    said = "<br>".join(map(in_cell, text.split("\n")))
    return f'<td class="{kind}">{said}</td>' if kind else f"<td>{said}</td>"


def listed(told: Department, links: Links) -> str:
    """Everybody on the list, with search and filters; whoever may still be treated has a page and a chart."""
    machines = "".join(f'<option value="{as_html(one)}">{as_html(one)}</option>' for one in told.machines)
    statuses = dict.fromkeys(str(status) for status in told.table["status"].dropna())
    options = "".join(f'<option value="{as_html(one)}">{as_html(in_words(one))}</option>' for one in statuses)
    usual = f'<option value="{" ".join(NOW_TREATED)}">on treatment or ready to start</option>'
    controls = (
        '<form class="controls" role="search" autocomplete="off" hidden>'
        '<label>Name or ID<input type="search" id="search" autofocus autocomplete="off"></label>'
        f'<label>Machine<select id="machine"><option value="">all</option>{machines}</select></label>'
        f'<label>Status<select id="status">{usual}<option value="">all</option>{options}</select></label>'
        '<p id="count" aria-live="polite"></p></form>'
    )
    headings = [*(column.heading for column in described(_LIST)), "Chart"]
    return controls + table(headings, (_listed_row(row, links) for row in records(told.table)))


def _listed_row(row: Mapping[str, Any], links: Links) -> str:
    base = links.get(or_none(row["patient_id"]))
    text = " ".join(str(or_none(row[name]) or "") for name in ("patient_name", "patient_id", "other_patient_ids"))
    data = {
        "plain": fold(text),
        "out": fold(written_out(text)),
        "machine": absent(or_none(row["treatment_machine_name"])),
    }
    data["status"] = or_none(row["status"]) or ""
    attributes = "".join(f' data-{name}="{as_html(value)}"' for name, value in data.items())
    cells = [_cell(name, row[name], base) for name in _LIST]
    chart = f'<td class="whole"><a href="charts/{quote(base)}.pdf">print</a></td>' if base else "<td></td>"
    return row_of([*cells, chart], row["mark"], attributes)


def _cell(name: str, value: object, base: str | None) -> str:
    text = text_of(value)
    if name == "patient_name" and base:
        return f'<td class="strong"><a href="patients/{quote(base)}.html">{in_cell(text)}</a></td>'
    kind = {"fraction": "strong", "check": "wide-text" if text else ""}.get(
        name, "when" if name.endswith("_at") else ""
    )
    return cell(text, f"{kind} whole" if name in _WHOLE and len(text) < _SHORT else kind)


def days_of(told: Department, machine: str, links: Links) -> str:
    """A machine's days, one below the other; each is printed on pages of its own."""
    hrefs = {patient_id: f"patients/{quote(base)}.html" for patient_id, base in links.items()}
    parts = []
    for day in told.days:
        that_day = told.day_of(machine, day)
        below = heading_of_unbooked(machine, len(that_day.unbooked), is_schedule_known=that_day.is_schedule_known)
        title = f"{machine}, {day_in_words(day)}"
        sheet = day_sheet.sheet(title, told.age, that_day.booked, that_day.unbooked, below, hrefs)
        parts.append(f'<section class="day">{sheet}</section>')
    return "".join(parts)


def not_started(told: Department) -> str:
    if told.not_started is None:
        return "<p>Not known: the cache has no table of it that can be read.</p>"
    rows = (row_of([_cell(name, row[name], None) for name in _STARTING]) for row in records(told.not_started))
    return table((column.heading for column in described(_STARTING)), rows)


def call_list(told: Department) -> str:
    parts = []
    for machine, lines in calls.by_machine(told.treated_files).items():
        rows = (row_of([cell(text, _KINDS.get(at, "")) for at, text in enumerate(line)]) for line in lines)
        parts.append(f"<h2>{as_html(machine)}</h2>{table(calls.HEADINGS, rows)}")
    return "".join(parts)


def runbook(told: Department, files: Sequence[tuple[str, str]]) -> str:
    """What to do, in the clinic's own steps; and what lies in the bundle: file and words."""
    steps = "".join(f"<li>{as_html(step)}</li>" for step in told.config.downtime.steps)
    inside = "".join(f'<li><a href="{quote(file)}">{as_html(file)}</a>: {as_html(said)}</li>' for file, said in files)
    made = at_time(told.local_now)
    return (
        f"<p>This copy was made on {as_html(made)}, from the safety copy and not from the R&amp;V system.</p>"
        f'<h2>Steps</h2><ol class="steps">{steps}</ol><h2>What is in this folder</h2><ul>{inside}</ul>'
        "<h2>Is it whole?</h2><p>On Linux <code>sha256sum -c SHA256SUMS</code> in this folder; in PowerShell "
        "<code>Get-FileHash FILE</code> beside its line in SHA256SUMS. Delete the folder when it is not needed: "
        "nothing in it is encrypted.</p>"
    )
