"""What is compared with the R&V system, as a page for paper: a line per machine, a box for what the R&V system has."""

import pandas as pd

from recovery.lists.appointments import Record, machine_of, records
from recovery.lists.day_sheet import cells_of, framed, said, table, who
from recovery.words.values import or_none

_HEADINGS = ("Machine", "On treatment", "Newest fraction", "Patient", "Plan", "Then", "R&V system: agrees / differs")


def sheet(title: str, lines: pd.DataFrame, told: str) -> str:
    """The sheet's markup; every text in it is escaped. `told`: of which moment the copy is."""
    if lines.empty:
        return framed(title, told, ["<p><b>The copy knows no fraction of anybody on treatment.</b></p>"])
    signed = "<p>Compared by ______________________ at ____________</p>"
    return framed(title, told, [table(_HEADINGS, (_row(row) for row in records(lines))), signed])


def _row(row: Record) -> str:
    at = row["last_treatment_at"]
    cells = (
        ("whole", said(row["treatment_machine_name"])),
        ("fraction", said(row["plans"])),
        ("time", f"{at:%a %H:%M}"),
        ("", who(row)),
        ("whole", said(row["plan"])),
        ("", said(row["fraction"])),
        ("box", ""),
    )
    return f"<tr>{cells_of(cells)}</tr>"


def by_machine(table: pd.DataFrame) -> pd.DataFrame:
    """The newest treated row of each machine, by the machine's name, with `plans`: how many are on treatment there.

    `table`: all plans, as `rows.describe` makes it. A course that ended with its newest fraction counts as any other.
    """
    machines: dict[str, list[Record]] = {}
    for row in records(table):
        machines.setdefault(machine_of(row), []).append(row)
    lines = []
    for machine, rows in sorted(machines.items()):
        treated = [row for row in rows if or_none(row["last_treatment_at"]) is not None]
        plans = sum(row["status"] == "on_treatment" for row in rows)
        if treated and plans:
            newest = max(treated, key=lambda row: row["last_treatment_at"])
            lines.append(newest | {"treatment_machine_name": machine, "plans": plans})
    return pd.DataFrame(lines, columns=[*table.columns, "plans"])
