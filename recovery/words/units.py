"""Units of metersets, and how an amount in one of them reads. One place for list, page, paper and Excel.

PrimaryDosimeterUnit (300A,00B3) is MU, MINUTE or, for ions, NP (number of particles). Brachytherapy has seconds of
channel time, and for pulsed dose rate pulses too. A unit that is none of these is shown as it was written.
"""

from collections.abc import Iterable

from recovery.words.values import ABSENT

MU, MINUTES, PARTICLES, SECONDS, PULSES = "MU", "MINUTE", "NP", "s", "pulses"

_WORDS = {MINUTES: "min", PARTICLES: "particles"}


def unit_of(said: str | None) -> str | None:
    """PrimaryDosimeterUnit as a code string; None where nothing is said."""
    return said.upper() if said else None


def unit_word(unit: str | None) -> str:
    """`MU`, `min`, `particles`, `s`, `pulses`; the word for a column whose units differ is `meterset`."""
    return "meterset" if unit is None else _WORDS.get(unit, unit)


def number(value: float | None, unit: str | None) -> str:
    """`50.0` MU or seconds, `4.4` minutes, `2e+08` particles."""
    if value is None:
        return ABSENT
    if unit in {MU, SECONDS}:
        return f"{value:.1f}"
    return f"{round(value, 2):g}" if unit == MINUTES else f"{value:.4g}"


def amount(value: float | None, unit: str | None) -> str:
    """`50.0 MU`; the dash alone where nothing is known."""
    return ABSENT if value is None else f"{number(value, unit)} {unit_word(unit)}"


def common(units: Iterable[str]) -> str | None:
    """The unit that all have; None where they differ, MU where there is none."""
    found = set(units)
    return next(iter(found)) if len(found) == 1 else None if found else MU
