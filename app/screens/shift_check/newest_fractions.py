"""Per machine the newest fraction that the copy knows: what differs first when the copy falls behind."""

import pandas as pd

from recovery.lists.appointments import Record, machine_of, records
from recovery.words.values import or_none


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
