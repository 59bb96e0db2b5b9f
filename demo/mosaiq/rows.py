"""How a row gets into the simulated MOSAIQ: numbers, versions, padding, and nothing made up for the rest.

How
    The first column of a table is its number, given here unless it is named; `Create_DtTm` is the clinic's clock.
    `versions` writes a tip (Version 0) and an older row of the same set, as every edit leaves one behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.aria.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

CHAR_LENGTH = 64
WITHOUT_NUMBER = frozenset({"RtPlan", "ObjFilenames", "TxFieldPoint_Hst"})


def padded(text: str) -> str:
    """Text as a CHAR column gives it back."""
    return text.ljust(CHAR_LENGTH)


class MosaiqRows(Rows):
    """One transaction's worth of rows, created `now`."""

    def add(self, table: str, **columns: Any) -> int:
        """Insert a row; its rowid, which is also its number where it has one and none is given."""
        known = self.columns(table)
        if "Create_DtTm" in known:
            columns.setdefault("Create_DtTm", self.now)
        if table not in WITHOUT_NUMBER and known[0] not in columns:
            columns[known[0]] = self._next(table, known[0])
        names, marks = ", ".join(f"[{name}]" for name in columns), ", ".join("?" * len(columns))
        cursor = self.connection.execute(
            f"INSERT INTO [{table}] ({names}) VALUES ({marks})",  # noqa: S608  names are ours
            tuple(columns.values()),
        )
        return int(columns.get(known[0]) or cursor.lastrowid or 0)

    def versions(self, table: str, together: str, older: Mapping[str, Any], **columns: Any) -> tuple[int, int]:
        """A tip and an older version that says `older`; the set's number, and the older version's own.

        The set has the tip's number.
        """
        tip = self.add(table, Version=0, **columns)
        self.connection.execute(
            f"UPDATE [{table}] SET {together} = ? WHERE rowid = last_insert_rowid()",  # noqa: S608  names are ours
            (tip,),
        )
        return tip, self.add(table, Version=1, **(columns | dict(older) | {together: tip}))

    def patient(self, patient_id: str) -> int:
        """Pat_ID1 of the patient whose number this is now."""
        return self.key("Ident", "Pat_Id1", IDA=patient_id, Version=0)

    def machine(self, name: str) -> int:
        return self.key("Staff", "Staff_ID", Last_Name=padded(name))

    def _next(self, table: str, number: str) -> int:
        (last,) = self.connection.execute(f"SELECT MAX([{number}]) FROM [{table}]").fetchone()  # noqa: S608
        return int(last or 0) + 1
