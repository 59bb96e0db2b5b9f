"""How one question is divided into smaller ones that together ask the same.

How
    Lists and ranges of days in halves; one day by the time, one second by how PatientIDs end. The answers so
    far tell where to cut. Pieces of one division never overlap: where their answers do, the node does not match by
    that key, and the division is worth nothing.

Why cuts where the matches lie
    A window's records are in a few days of it. Halves of the window would find that out question by question.
"""

import string
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from recovery.dimse.peer import DimseError

Keys = dict[str, str]
Name = tuple[str, str | None, str | None]
"""A match: its own UID, PatientID and SeriesInstanceUID. One UID in two patients or two series is two objects."""

TIME_OF = {
    "InstanceCreationDate": "InstanceCreationTime",
    "SeriesDate": "SeriesTime",
    "StudyDate": "StudyTime",
    "TreatmentDate": "TreatmentTime",
}
_DATE_OF_LEVEL = {"STUDY": "StudyDate", "SERIES": "SeriesDate", "IMAGE": "InstanceCreationDate"}
RANGED = (*TIME_OF, *TIME_OF.values())
"""Keys whose values a division needs to be told."""

_ALL_DAYS = "18500101-29991231"
_LAST_SECOND = 24 * 3600 - 1
ENDS = "".join(c for c in string.printable if c.isprintable() and c not in "*?\\")
"""What a PatientID may end in."""

_ANY_MORE = "*?"
SQL_WILDCARDS = "%_"


@dataclass(slots=True)
class Answer:
    """What was heard to one question: the matches' names, and the values of the key that is a range."""

    names: set[Name] = field(default_factory=set)
    values: list[str] = field(default_factory=list)
    count: int = 0
    cut: DimseError | None = None

    def fits(self, asked_for: str) -> bool:
        """Whether every match has a PatientID that was asked for: else the node takes no wildcards."""
        end = asked_for.lstrip("*?").casefold()
        return all((patient_id or "").casefold().endswith(end) for _, patient_id, _ in self.names)


def divisions(
    level: str, keys: Mapping[str, str], values: Sequence[str], ends: str, without: Collection[str] = ()
) -> Iterator[list[Keys]]:
    """Ways to divide a question, the best first; each is a list of smaller questions of the same level.

    Parameters
    ----------
    values
        What the answers so far said of the key that is a range (`ranged_key`).
    ends
        By which last letters of PatientIDs it may be divided; where the node is known to end its answers early, a
        hundred questions are not too many.
    without
        Keys whose ranges were found to be of no help.
    """
    listed = next((keyword for keyword, value in keys.items() if "\\" in value), None)
    if listed is not None:
        parts = keys[listed].split("\\")
        middle = len(parts) // 2
        yield [{**keys, listed: "\\".join(half)} for half in (parts[:middle], parts[middle:])]
        return
    yield from _ranges(level, keys, values, without)
    if patients := _by_patient(keys, ends):
        yield patients


def _ranges(
    level: str, keys: Mapping[str, str], values: Sequence[str], without: Collection[str]
) -> Iterator[list[Keys]]:
    day_key = next((keyword for keyword in TIME_OF if keyword in keys and keyword not in without), None)
    if day_key is not None and len(days := _by_day(keys[day_key], values)) > 1:
        yield [{**keys, day_key: part} for part in days]
    if day_key is None:
        if _DATE_OF_LEVEL[level] not in keys:
            yield [{**keys, _DATE_OF_LEVEL[level]: _ALL_DAYS}]
    elif TIME_OF[day_key] not in without:
        times = _by_time(keys.get(TIME_OF[day_key], ""), values)
        if len(times) > 1 or TIME_OF[day_key] not in keys:
            yield [{**keys, TIME_OF[day_key]: part} for part in times]


def ranged_key(keys: Mapping[str, str]) -> str | None:
    """The key by which a question would be divided next: the time of its one day, or its days."""
    return next((keyword for keyword in (*TIME_OF.values(), *TIME_OF) if keyword in keys), None)


def is_one_second(keys: Mapping[str, str]) -> bool:
    """Whether a question asks for one second of one day: no range divides it any further."""
    time_key = next((keyword for keyword in TIME_OF.values() if keyword in keys), None)
    return time_key is not None and len(_by_time(keys[time_key], ())) == 1


def _by_day(days: str, values: Sequence[str]) -> list[str]:
    """A range of days in smaller ranges; a single day comes back alone."""
    first, last = _day(days[:8]), _day(days[-8:])
    if first is None or last is None or first >= last:
        return [days]
    told = [day for value in values if (day := _day(value)) is not None]
    return [f"{date.fromordinal(a):%Y%m%d}-{date.fromordinal(b):%Y%m%d}" for a, b in _parts(first, last, told)]


def _by_time(times: str, values: Sequence[str]) -> list[str]:
    """A range of times of day in smaller ranges, as of days; a single second comes back alone."""
    if not times:
        return [_times(0, _LAST_SECOND)]
    first, last = _second(times[:6]), _second(times.split("-")[1])
    if first is None or last is None or first >= last:
        return [times]
    told = [second for value in values if (second := _second(value)) is not None]
    return [_times(a, b) for a, b in _parts(first, last, told)]


def _parts(first: int, last: int, told: Sequence[int]) -> list[tuple[int, int]]:
    """A range cut in two so that both sides have answers, or around the one value that all answers have."""
    inside = sorted(value for value in told if first <= value <= last)
    if not inside:
        middle = (first + last) // 2
        return [(first, middle), (middle + 1, last)]
    if inside[0] == inside[-1]:
        only = inside[0]
        return [(a, b) for a, b in ((first, only - 1), (only, only), (only + 1, last)) if a <= b]
    middle = inside[(len(inside) - 1) // 2]
    if middle == inside[-1]:
        middle = max(value for value in inside if value < middle)
    return [(first, middle), (middle + 1, last)]


def _by_patient(keys: Mapping[str, str], letters: Sequence[str]) -> list[Keys]:
    """By how PatientIDs end, for most end in digits: `*1` is `1` itself and `*?1`, which is `*01`, `*11` and so on."""
    if not letters or keys.keys() & {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}:
        return []
    asked = keys.get("PatientID", _ANY_MORE)
    if asked.startswith(_ANY_MORE):
        end = asked.removeprefix(_ANY_MORE)
        return [{**keys, "PatientID": f"*{letter}{end}"} for letter in letters if end or letter != " "]
    if asked.startswith("*"):
        end = asked.removeprefix("*")
        return [{**keys, "PatientID": end}, {**keys, "PatientID": _ANY_MORE + end}]
    return []


def _times(first: int, last: int) -> str:
    return f"{_clock(first)}-{_clock(last)}.999999"


def _clock(second: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"


def _day(text: str) -> int | None:
    """The day of a DICOM date, as an ordinal."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
    except ValueError:
        return None


def _second(text: str) -> int | None:
    """Seconds since midnight of a DICOM time, which may end after its hours or minutes (PS3.5 table 6.2-1)."""
    digits = text[:6].ljust(6, "0")
    if not digits.isascii() or not digits.isdigit():
        return None
    second = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
    return min(second, _LAST_SECOND)
