"""Who may have been treated since the newest proof, as a page for paper: a table per machine, boxes to fill in."""

from __future__ import annotations

from datetime import date

import pandas as pd

from app.wording import words

_HEADINGS = (
    "Booked",
    "Patient",
    "Plan",
    "Fraction",
    "Why here",
    "By the machine's log: given? number, time",
    "Initials",
)


def sheet(title: str, lines: pd.DataFrame, told: str = "") -> str:
    """The sheet's markup; every text in it is escaped. `told`: of which moment it is."""
    parts = [f'<div class="rbrdt-sheet"><h3>{words.as_html(title)}</h3><p>{words.as_html(told)}</p>']
    for machine, own in lines.groupby("treatment_machine_name", sort=False):
        heads = "".join(f"<th>{words.as_html(heading)}</th>" for heading in _HEADINGS)
        rows = "".join(_row(row) for _, row in own.iterrows())
        parts.append(f"<h4>{words.as_html(str(machine))}: {len(own)}</h4>")
        parts.append(f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
    return "".join([*parts, "<p>■ do not treat before someone has looked · ▲ look · — not known</p></div>"])


def _row(row: pd.Series) -> str:
    born = words.known(row["patient_birth_date"])
    who = (
        f'<span class="name">{_said(row["mark"])} {_said(row["patient_name"])}</span><br>'
        f'<span class="whole">ID {_said(row["patient_id"])}</span> '
        f'<span class="whole">born {_said(born.isoformat() if isinstance(born, date) else None)}</span>'
    )
    cells = (
        ("time", _said(row["booked"])),
        ("", who),
        ("whole", _said(row["plan"])),
        ("", _said(row["fraction"])),
        ("", _said(row["why"])),
        ("box", ""),
        ("box", ""),
    )
    return "<tr>" + "".join(f'<td class="{kind}">{text}</td>' for kind, text in cells) + "</tr>"


def _said(value: object) -> str:
    known = words.known(value)
    return words.as_html(str(known)) if known not in {None, ""} else words.ABSENT
