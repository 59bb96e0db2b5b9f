"""How a value that is absent reads, and a number of things. Pure."""

from typing import Any

ABSENT = "—"
"""How an absent value is shown, everywhere."""


def absent(value: object) -> str:
    """A value as text, or the dash that stands for none."""
    return ABSENT if value is None or value != value or value == "" else str(value)


def counted(number: int, noun: str, several: str | None = None) -> str:
    """`1 plan`, `3 plans`; `several` where the plural is another than with an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {several or f'{noun}s'}"


def or_none(value: Any) -> Any:
    """A value of a table's cell, None where it is one of the ways to say nothing: None, NaN, NA, NaT."""
    is_absent = value is None or type(value).__name__ == "NAType" or value != value
    return None if is_absent else value
