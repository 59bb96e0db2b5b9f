"""Values of a delivered field as a treatment record can hold them. Pure."""

from collections.abc import Mapping
from typing import Any

from recovery.objects.text import written_number

TERMINATIONS = frozenset({"NORMAL", "OPERATOR", "MACHINE", "UNKNOWN"})


def termination(delivery: Mapping[str, Any]) -> str:
    """TreatmentTerminationStatus (3008,002A)."""
    status = delivery["termination_status"]
    return status if status in TERMINATIONS else "UNKNOWN"


def as_written(value: float | None) -> float | None:
    """A meterset after a DS has held it; a negative one is malformed, and no record tells it."""
    written = meterset_text(value)
    return float(written) if written is not None else None


def meterset_text(value: float | None) -> str | None:
    """A meterset as a DS; None where none is told, or a negative one."""
    return written_number(value) if value is not None and value >= 0 else None
