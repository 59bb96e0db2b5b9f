"""The code on every page: which patient, which plan, which content. What a scanner reads, and back.

Four lines: the format's name, patient ID, plan UID, and the checksum of what the sheet says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import segno

FORMAT = "RBRDT-CHART-1"
_LINES = 4
_LONGEST = 128
"""Letters; DICOM allows 64 in a PatientID and in a UID."""
TOO_LONG = "(too long for a code: read the sheet)"


@dataclass(frozen=True, slots=True)
class ChartCode:
    """What the QR code of a chart says. `plan_uid` None: the sheet has no plan."""

    patient_id: str
    plan_uid: str | None
    checksum: str

    @property
    def text(self) -> str:
        """What a scanner reads: lines, in UTF-8."""
        return "\n".join((FORMAT, _on_one_line(self.patient_id), _on_one_line(self.plan_uid or ""), self.checksum))

    @property
    def modules(self) -> tuple[tuple[bool, ...], ...]:
        """The QR code's rows, dark is True, without its quiet zone of four modules; error correction M."""
        return _modules(self.text)

    @classmethod
    def from_text(cls, scanned: str) -> ChartCode:
        """Read what a scanner gave. Raises `ValueError` if it is no code of a chart."""
        lines = scanned.replace("\r\n", "\n").rstrip("\n").split("\n")
        if len(lines) != _LINES or lines[0] != FORMAT:
            raise ValueError("This is not the code of a paper chart of RBRDT.")
        return cls(lines[1], lines[2] or None, lines[3])


def _on_one_line(text: str) -> str:
    """An ID as the code bears it. Half of a long one would be another's, and all of it may not fit into any code."""
    return " ".join(text.splitlines()) if len(text) <= _LONGEST else TOO_LONG


@lru_cache(maxsize=8)
def _modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Kept, because each page of a chart bears the same code, and to choose its mask takes longer than to draw it."""
    made = segno.make_qr(text, error="m", boost_error=False, encoding="utf-8", eci=not text.isascii())
    return tuple(tuple(bool(module) for module in row) for row in made.matrix)
