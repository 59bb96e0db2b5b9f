"""One value of a database's row as a clinical value; None where it says nothing: padding, a date in 1753 or 9999.

One function per kind of value, for both engines' types: SQLite gives text where SQL Server gives a datetime or Decimal.
"""

import math
import re
from datetime import date, datetime
from decimal import Decimal

_PADDING = " \t\r\n\x00"
_FIRST_YEAR, _LAST_YEAR = 1753, 9999
"""SQL Server's first and a database's last day stand for `no date`."""


_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
"""A text that was cut within a character of UTF-16: no file can hold it."""


_THOUSANDS_OR_DECIMALS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
"""`5,000`: five thousand to one clinic, five to another."""


class UnreadableError(ValueError):
    """A value is not of its column's kind. The text holds no value."""


class AmbiguousError(UnreadableError):
    """The database says what a value is in more than one way. The text says which, and holds no value of a patient."""


def text(value: object) -> str | None:
    """Text without padding. Numbers become digits: an id that is all digits stays an id."""
    if value is None:
        return None
    if isinstance(value, str):
        said = value.strip(_PADDING)
        return (said if said.isascii() else _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", said)) or None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return str(int(value)) if value == int(value) else str(value)
    raise UnreadableError("not text")


def line(value: object) -> str | None:
    """Text on one line: a name with a newline in it is still one name."""
    said = text(value)
    return " ".join(said.split()) if said else None


def number(value: object) -> float | None:
    """A finite number; text with a comma or a point, as people type it."""
    if isinstance(value, str):
        said = value.strip(_PADDING)
        if not said:
            return None
        if _THOUSANDS_OR_DECIMALS.fullmatch(said):
            raise AmbiguousError("in which a comma parts thousands or decimals")
        try:
            value = float(said.replace(",", ".") if said.count(",") == 1 and "." not in said else said)
        except ValueError:
            raise UnreadableError("not a number") from None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnreadableError("not a number")
    try:
        read = float(value)
    except (OverflowError, ValueError):
        raise UnreadableError("not a number") from None
    if not math.isfinite(read):
        raise UnreadableError("not a number")
    return read


def integer(value: object) -> int | None:
    """A whole number of 64 bits, as the tables hold it."""
    read = value if type(value) is int else number(value)
    if read is None:
        return None
    if read != int(read) or abs(read) >= 2**63:
        raise UnreadableError("not a whole number")
    return int(read)


def truth(value: object) -> bool | None:
    """A flag: 0 or 1, Y or N, true or false."""
    if isinstance(value, bool):
        return value
    said = text(value)
    if said is None:
        return None
    known = {"1": True, "y": True, "true": True, "0": False, "n": False, "false": False}.get(said.lower())
    if known is None:
        raise UnreadableError("not a flag")
    return known


def moment(value: object) -> datetime | None:
    """A local time, to the microsecond."""
    if isinstance(value, str):
        said = value.strip(_PADDING)
        if not said:
            return None
        try:
            value = datetime.fromisoformat(said)
        except ValueError:
            raise UnreadableError("not a date") from None
    if value is None:
        return None
    if not isinstance(value, date):
        raise UnreadableError("not a date")
    if not _FIRST_YEAR < value.year < _LAST_YEAR:
        return None
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  local to the site, as the database says
    if value.tzinfo is not None:
        raise UnreadableError("not a time of the site")
    return value


def day(value: object) -> date | None:
    """A date; a time of day in it says nothing."""
    read = moment(value)
    return read.date() if read is not None else None
