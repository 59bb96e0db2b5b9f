"""Read one element of a Dataset as a Python value; None where it is absent, empty or malformed.

pydicom converts lazily, so a malformed value raises on access; that is caught here and nowhere else: one odd element
must not hide the rest of a patient's record.
"""

import logging
import math
import struct
import zlib
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.valuerep import PersonName

from recovery.words.sentences import joined

log = logging.getLogger(__name__)


class InvalidObjectError(ValueError):
    """An object lacks what makes it what it claims to be, such as its SOP Instance UID."""


UNREADABLE = (
    ValueError, TypeError, AttributeError, LookupError, ArithmeticError, NotImplementedError, RecursionError,
    OSError, EOFError, struct.error, zlib.error, BytesLengthException, InvalidDicomError,
)  # fmt: skip
"""What pydicom raises for bytes that are no object, or a value that is none: OSError for a sequence that ends before
its length says, RecursionError for sequences nested without end, BytesLengthException for a number of half its bytes.
UnicodeError is a ValueError. Nobody has a list of his own."""

_LARGEST_IS = 2**31 - 1
"""An IS fits 32 bits (PS3.5 section 6.2); a larger one is an accident, and no table could hold it."""


_OF_EVERY_ANSWER = {
    keyword: Tag(keyword)
    for keyword in (
        *("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality"),
        "SeriesDescription",
    )
}
"""Elements of the thousand answers to one question. pydicom's conversion of one takes 30 times what reading it does."""

_NOT_PLAIN = frozenset(b"\\~\x1b")


def _value(ds: Dataset | None, keyword: str) -> Any:
    """The element's value; None when absent, empty or malformed."""
    if ds is None:
        return None
    try:
        value = ds.get(keyword)
    except UNREADABLE:
        log.warning("element %s cannot be read; it is taken as absent", keyword)
        return None
    return None if value in ("", None) else value


def text(ds: Dataset | None, keyword: str) -> str | None:
    """The first value as text, without the padding of PS3.5 section 6.2."""
    if keyword in _OF_EVERY_ANSWER and ds is not None:
        raw = ds.get_item(_OF_EVERY_ANSWER[keyword])
        if raw is None:
            return None
        if isinstance(raw, RawDataElement) and raw.value is not None and _is_plain(raw.value):
            return raw.value.decode("ascii").strip(" \x00") or None
    value = _value(ds, keyword)
    if isinstance(value, Sequence):  # what a sender put where a text belongs; its items may not even be readable
        return None
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    stripped = str(value).strip(" \x00") if value is not None else ""
    return stripped or None


def _is_plain(value: bytes) -> bool:
    """Whether the bytes mean the same in every character set, and are one value: ASCII without `\\`, `~`, escapes."""
    return value.isascii() and not _NOT_PLAIN.intersection(value)


def required_uid(ds: Dataset, keyword: str) -> str:
    """A UID without which the object is not one. Raises `InvalidObjectError` if it is absent or empty."""
    uid = text(ds, keyword)
    if uid is None:
        raise InvalidObjectError(f"the object has no {keyword}")
    return uid


def integer(ds: Dataset | None, keyword: str) -> int | None:
    """The first value as a whole number of 32 bits."""
    value = number(ds, keyword)
    if value is None or value != int(value) or abs(value) > _LARGEST_IS:
        return None
    return int(value)


def count(ds: Dataset | None, keyword: str) -> int | None:
    """A number of things: less than none of them is malformed."""
    value = integer(ds, keyword)
    return value if value is not None and value >= 0 else None


def positive(ds: Dataset | None, keyword: str) -> int | None:
    """A count of what is to come: 0 or less of something that is planned says nothing about it."""
    value = integer(ds, keyword)
    return value if value is not None and value > 0 else None


def number(ds: Dataset | None, keyword: str) -> float | None:
    """The first value as a finite number."""
    value = _value(ds, keyword)
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    if value is None:
        return None
    try:
        as_float = float(value)
    except (ValueError, TypeError):
        return None
    return as_float if math.isfinite(as_float) else None


def amount(ds: Dataset | None, keyword: str) -> float | None:
    """The first value as a finite number that is not below nothing: a negative amount is malformed."""
    value = number(ds, keyword)
    return value if value is not None and value >= 0 else None


def numbers(ds: Dataset | None, keyword: str) -> tuple[float, ...]:
    """All values of a DS, FD or FL element; none when it is absent, or when one of them is no finite number.

    A DS that nobody has read yet is taken apart as bytes: a structure set holds millions of them.
    """
    raw = _raw_decimals(ds, keyword)
    value = raw if raw is not None else _value(ds, keyword)
    if value is None:
        return ()
    try:
        found = tuple(map(float, value if raw is not None or isinstance(value, MultiValue | list) else [value]))
    except (ValueError, TypeError):
        return ()
    return found if all(map(math.isfinite, found)) else ()


def _raw_decimals(ds: Dataset | None, keyword: str) -> list[bytes] | None:
    """The values of a DS as they are encoded; None where it was converted already, or is no DS."""
    if ds is None or keyword not in ds:
        return None
    element = ds.get_item(keyword)
    if not isinstance(element, RawDataElement) or element.value is None or dictionary_VR(Tag(keyword)) != "DS":
        return None
    said = element.value.strip(b" \x00")
    return said.split(b"\\") if said else []


def day(ds: Dataset | None, keyword: str) -> date | None:
    """A DA value, `20261122`; also the `2026.11.22` of ACR-NEMA 300 (PS3.5 section 6.2, note on DA)."""
    written = text(ds, keyword) or ""
    digits = written if len(written) == 8 else written.replace(".", "")
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):  # strptime would take `2026112` for a day
        return None
    try:
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007  a DA has no zone
    except ValueError:
        return None


def clock_time(ds: Dataset | None, keyword: str) -> time | None:
    """A TM value, to the microsecond: `14`, `1432`, `143205`, `143205.25`; also with colons, as of old."""
    value = (text(ds, keyword) or "").replace(":", "")
    whole, _, fraction = value.partition(".")
    pattern = {2: "%H", 4: "%H%M", 6: "%H%M%S"}.get(len(whole))
    if pattern is None or not (whole + fraction).isascii() or not (whole + fraction).isdigit():
        return None
    if fraction and len(whole) != 6:
        return None
    try:
        read = datetime.strptime(whole, pattern)  # noqa: DTZ007  a TM has no zone
    except ValueError:
        return None
    return read.time().replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)


def moment(ds: Dataset | None, keyword: str) -> datetime | None:
    """A DT value to the second, `20261122143205`, without a zone; one that says less, or a zone, is None."""
    written = text(ds, keyword) or ""
    if len(written) != 14 or not (written.isascii() and written.isdigit()):
        return None
    try:
        return datetime.strptime(written, "%Y%m%d%H%M%S")  # noqa: DTZ007  local to the site
    except ValueError:
        return None


def person_name(ds: Dataset | None, keyword: str) -> str | None:
    """`FAMILY, Given` of the first component group that says something (PS3.5 section 6.2.1.1)."""
    return _family_given(_value(ds, keyword), capitals=True)


def person_names(ds: Dataset | None, keyword: str) -> str | None:
    """All values of a PN, `Family, Given; Family, Given`, spelled as they came."""
    value = _value(ds, keyword)
    values = list(value) if isinstance(value, MultiValue) else [value]
    names = [name for v in values if (name := _family_given(v, capitals=False)) is not None]
    return joined(names) or None


def _family_given(value: Any, *, capitals: bool) -> str | None:
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    if value is None:
        return None
    try:
        groups = str(value if isinstance(value, PersonName) else PersonName(value)).split("=")
    except UNREADABLE:
        return None
    for group in groups:
        family, given, *_ = [*(part.strip(" \x00") for part in group.split("^")), "", ""]
        if capitals:
            family = family.upper()
        if family or given:
            return ", ".join(part for part in (family, given) if part)
    return None


def first_item(ds: Dataset | None, keyword: str) -> Dataset | None:
    found = items(ds, keyword)
    return found[0] if found else None


def items(ds: Dataset | None, keyword: str) -> list[Dataset]:
    """The items of a sequence; none when it is absent, empty or not a sequence."""
    value = _value(ds, keyword)
    if value is None or isinstance(value, str | bytes):
        return []
    try:
        return list(value)
    except TypeError:
        return []


def sum_if_all_known(numbers: Iterable[float | None]) -> float | None:
    """None when one of them is: a sum of what is known would be a value that nobody recorded."""
    values = list(numbers)
    if not values or any(v is None for v in values):
        return None
    return sum(v for v in values if v is not None)
