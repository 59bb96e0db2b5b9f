"""Numbers, days and names as a paper chart says them. Absent is a dash, everywhere."""

from collections.abc import Iterable
from datetime import date, datetime

from recovery.patient.plan import PlanField
from recovery.words.notices import LOOK_MARK, STOP_MARK
from recovery.words.radiation import energy_in_words, gantry_in_words
from recovery.words.values import ABSENT


def text(value: object) -> str:
    """A text on one line or more, or the dash."""
    said = str(value).replace("\r\n", "\n").replace("\r", "\n").strip() if value is not None else ""
    return said or ABSENT


def with_its_mark(said: str) -> str:
    """A text whose marks stay on the line of their first word."""
    return said.replace(f"{STOP_MARK} ", f"{STOP_MARK}\u00a0").replace(f"{LOOK_MARK} ", f"{LOOK_MARK}\u00a0")


def fixed(value: float | None, digits: int) -> str:
    """`12.5`"""
    return ABSENT if value is None else f"{value:.{digits}f}"


def birth(value: date | None, now: datetime) -> str:
    """`1958-07-04 (68 y)`"""
    if value is None:
        return ABSENT
    years = now.year - value.year - ((now.month, now.day) < (value.month, value.day))
    return f"{value.isoformat()} ({years} y)" if 0 <= years < 130 else value.isoformat()


def energy(field: PlanField) -> str:
    """`6 MV` for photons, `9 MeV` for electrons; the number alone where the kind of radiation is not told."""
    return energy_in_words(field.nominal_beam_energy, field.radiation_type) or ABSENT


def gantry(field: PlanField) -> str:
    """`305.0`, or for an arc `181.0 to 179.0 CW`"""
    return gantry_in_words(field.gantry_angle, field.gantry_stop_angle, field.gantry_direction) or ABSENT


def short_uid(uid: str | None) -> str:
    """The last 12 characters, which tell two plans apart; the page's foot has all of it."""
    return ABSENT if uid is None else uid if len(uid) <= 16 else f"…{uid[-12:]}"


def one_of(values: Iterable[str | None]) -> str:
    """Each value once, with commas."""
    return ", ".join(dict.fromkeys(v for v in values if v)) or ABSENT


def triple(*values: float | None) -> str:
    """Vertical, longitudinal and lateral with signs, `0.0 / -0.5 / +1.2`; a dash when none is told."""
    if all(v is None for v in values):
        return ABSENT
    return " / ".join(ABSENT if v is None else f"{v:+.1f}" if v else "0.0" for v in values)
