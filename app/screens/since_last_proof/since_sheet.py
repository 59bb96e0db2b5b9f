"""Who may have been treated since the newest proof, as a page for paper: a table per machine, boxes to fill in."""

import pandas as pd

from recovery.lists.columns import COLUMNS
from recovery.lists.day_sheet import cells_of, framed, said, table, who
from recovery.words.markup import as_html

_TO_FILL_IN = ("by_the_log", "initials")
_HEADINGS = (
    *("Booked", "Patient", "Plan", "Fraction", "Why here"),
    *(COLUMNS[name].heading for name in _TO_FILL_IN),
)


def sheet(title: str, lines: pd.DataFrame, told: str = "") -> str:
    """The sheet's markup; every text in it is escaped. `told`: of which moment it is."""
    parts = []
    for machine, own in lines.groupby("treatment_machine_name", sort=False):
        parts.append(f"<h4>{as_html(str(machine))}: {len(own)}</h4>")
        parts.append(table(_HEADINGS, (_row(row) for _, row in own.iterrows())))
    return framed(title, told, parts)


def _row(row: pd.Series) -> str:
    cells = (
        ("time", said(row["booked"])),
        ("", who(row)),
        ("whole", said(row["plan"])),
        ("", said(row["fraction"])),
        ("", said(row["why"])),
        *(("box", "") for _ in _TO_FILL_IN),
    )
    return f"<tr>{cells_of(cells)}</tr>"
