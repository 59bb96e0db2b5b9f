"""An object's dates and times in the site's zone: 23:30 in UTC is 00:30 of the next day in Zurich.

TimezoneOffsetFromUTC (0008,0201) holds for every DA and TM of its object (PS3.3 C.12.1.1.8). A date is moved together
with its time; alone it stays the day that was written, because nothing says which part of it is meant. Without the
element, times are the site's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from pydicom import Dataset

from recovery.dicom import elements as el

_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)", re.ASCII)
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)
"""The range of an offset (PS3.3 C.12.1.1.8)."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """Reads the dates and times of one object. `zone` None: whoever reads needs no time, and none is moved."""

    written_in: tzinfo | None
    zone: tzinfo | None

    @classmethod
    def of(cls, ds: Dataset, zone: tzinfo | None) -> LocalTime:
        """For the elements of `ds` and of all items in it."""
        return cls(offset(el.text(ds, "TimezoneOffsetFromUTC")), zone)

    def moment(self, ds: Dataset | None, day_keyword: str, time_keyword: str) -> datetime | None:
        """A DA and its TM, local to the site and naive; None where one of them is absent or malformed."""
        day, clock_time = el.day(ds, day_keyword), el.clock_time(ds, time_keyword)
        return None if day is None or clock_time is None else self.local(datetime.combine(day, clock_time))

    def day(self, ds: Dataset | None, day_keyword: str, time_keyword: str) -> date | None:
        """The day of `moment`; of a date without a time, the day as it was written."""
        at = self.moment(ds, day_keyword, time_keyword)
        return at.date() if at is not None else el.day(ds, day_keyword)

    def clock_time(self, ds: Dataset | None, day_keyword: str, time_keyword: str) -> time | None:
        """The time of `moment`; of a time without a date, the time as it was written."""
        at = self.moment(ds, day_keyword, time_keyword)
        return at.time() if at is not None else el.clock_time(ds, time_keyword)

    def local(self, written: datetime) -> datetime:
        """A moment as the object writes it, in the site's zone; `fold` 1 in an hour that a DST night repeats."""
        if self.written_in is None or self.zone is None:
            return written
        try:
            return written.replace(tzinfo=self.written_in).astimezone(self.zone).replace(tzinfo=None)
        except OverflowError:  # the first and the last day of the calendar
            return written


def offset(said: str | None) -> tzinfo | None:
    """`+0100` as a time zone; None where it is absent or malformed: then the object's times are taken as local."""
    found = _OFFSET.fullmatch(said or "")
    if found is None:
        return None
    sign, hours, minutes = found.groups()
    from_utc = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    return timezone(from_utc) if _WEST <= from_utc <= _EAST else None
