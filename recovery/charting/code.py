"""The code on every page: which patient, which plan, which content. What a scanner reads, and back.

Goal
    A sheet of paper is matched with its plan by machine, and a sheet that was printed from other data is noticed.

How
    Four lines: the format's name, patient ID, plan UID, and the checksum of what the sheet says.
"""

from __future__ import annotations

from dataclasses import dataclass

import segno

FORMAT = "RBRDT-CHART-1"
_LINES = 4


@dataclass(frozen=True, slots=True)
class ChartCode:
    """What the QR code of a chart says. `plan_uid` None: the sheet has no plan."""

    patient_id: str
    plan_uid: str | None
    checksum: str

    @property
    def text(self) -> str:
        """What a scanner reads: lines, in UTF-8."""
        return "\n".join((FORMAT, " ".join(self.patient_id.splitlines()), self.plan_uid or "", self.checksum))

    @property
    def modules(self) -> tuple[tuple[bool, ...], ...]:
        """The QR code's rows, dark is True, without its quiet zone of four modules; error correction M."""
        made = segno.make_qr(self.text, error="m", boost_error=False, encoding="utf-8", eci=not self.text.isascii())
        return tuple(tuple(bool(module) for module in row) for row in made.matrix)

    @classmethod
    def from_text(cls, scanned: str) -> ChartCode:
        """Read what a scanner gave.

        Raises
        ------
        ValueError
            If it is no code of a chart.
        """
        lines = scanned.replace("\r\n", "\n").rstrip("\n").split("\n")
        if len(lines) != _LINES or lines[0] != FORMAT:
            raise ValueError("This is not the code of a paper chart of RBRDT.")
        return cls(lines[1], lines[2] or None, lines[3])
