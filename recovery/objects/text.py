"""Values of the cached tables, written as DICOM elements: texts that fit, names, numbers, dates.

PS3.5 section 6.2: a backslash separates values and control characters are not text, so both become spaces; free text is
cut at its VR's length, identities are refused. All text is UTF-8 (Specific Character Set ISO_IR 192).
"""

from datetime import date, datetime

LENGTHS = {"SH": 16, "LO": 64, "ST": 1024}
"""Characters (PS3.5 table 6.2-1)."""


class UnwritableError(ValueError):
    """A value that says who or what an object is about does not fit its element. The text names no patient."""


def written_text(value: object, vr: str) -> str:
    """A text of this VR; empty when there is none."""
    if value is None:
        return ""
    kept = "\n" if vr == "ST" else ""
    cleaned = "".join(c if (c.isprintable() and (c != "\\" or vr == "ST")) or c in kept else " " for c in str(value))
    cleaned = cleaned.encode("utf-8", "replace").decode("utf-8")
    return cleaned.strip(" ")[: LENGTHS[vr]].rstrip(" ")


def written_id(value: object) -> str:
    """A PatientID, exactly as it is.

    Raises `UnwritableError` if an LO cannot hold it: half an id is another patient's.
    """
    text = "" if value is None else str(value)
    if written_text(text, "LO") != text:
        raise UnwritableError("the PatientID cannot be written in DICOM: it is too long, or has a backslash in it")
    return text


def written_uid(value: object) -> str:
    """A UID. Raises `UnwritableError` if it is none (PS3.5 section 9.1)."""
    text = str(value)
    parts = text.split(".")
    if len(text) > 64 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UnwritableError("a UID of the database is none")
    return text


def written_name(value: object) -> str:
    """`FAMILY, Given` as a PN, `FAMILY^Given`; the last comma is the one between them."""
    if value is None:
        return ""
    family, comma, given = str(value).rpartition(", ")
    parts = [part.translate(_NOT_IN_NAMES) for part in ((family, given) if comma else (str(value),))]
    return "^".join(written_text(part, "LO") for part in parts)[:64]


_NOT_IN_NAMES = {ord("^"): " ", ord("="): " "}
"""They separate a name's components and groups (PS3.5 section 6.2.1)."""


def written_number(value: float) -> str:
    """A DS: at most 16 characters."""
    for digits in range(15, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise UnwritableError("a number does not fit its element")


def written_day(day: date | None) -> str:
    """A DA, `20261122`; empty when nothing is known."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}" if day is not None else ""


def written_time(at: datetime | None) -> str:
    """A TM, `143205`; empty when nothing is known. Midnight to the second stands for a time that nobody said."""
    return f"{at:%H%M%S}" if at is not None and (at.hour, at.minute, at.second) != (0, 0, 0) else ""
