"""Ages, days and moments as people say them, the same on page, paper and in messages. Pure, no clock.

Ages are differences in UTC, so that a night of changing clocks makes no backup an hour older; aware moments are shown
in site time, and an hour that the clock strikes twice bears the name of its zone.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.words.values import ABSENT, counted

_WEEK = timedelta(days=6)


def age(elapsed: timedelta) -> str:
    """A time span in at most two units: `under 1 min`, `6 min`, `2 h 10 min`, `3 d 4 h`."""
    minutes = max(0, int(elapsed.total_seconds() // 60))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else "under 1 min"


def age_in_full(elapsed: timedelta) -> str:
    """As `age`, for the middle of a sentence: `6 minutes`, `less than a minute`."""
    minutes = max(0, int(elapsed.total_seconds() // 60))
    if minutes < 1:
        return "less than a minute"
    return counted(minutes, "minute") if minutes < 60 else age(elapsed)


def between(at: datetime, now: datetime) -> timedelta:
    """From one aware moment to another in whole minutes, as someone reckons who reads both from a clock."""
    return now.astimezone(UTC).replace(second=0, microsecond=0) - at.astimezone(UTC).replace(second=0, microsecond=0)


def ago(at: datetime, now: datetime) -> str:
    """How long ago an aware moment was: `6 min ago`."""
    return f"{age(between(at, now))} ago"


def day(value: date | None, today: date | None = None) -> str:
    """`Tue 24 Nov 2026`; without its year when that is today's."""
    if value is None:
        return ABSENT
    said = f"{value:%a} {value.day} {value:%b}"
    return said if today is not None and value.year == today.year else f"{said} {value.year}"


def at_time(at: datetime | None, today: date | None = None) -> str:
    """`Tue 24 Nov 2026 09:30`, of a time that is local to the site, the year as in `day`."""
    return ABSENT if at is None else f"{day(at, today)} {at:%H:%M}"


def at_time_this_year(at: datetime | None) -> str:
    """`Tue 24 Nov 09:30`, where no reader can take it for another year's."""
    return at_time(at, at)


def day_or_time(at: datetime | None, today: date | None = None) -> str:
    """As `at_time`; a time of midnight stands for a day alone."""
    return day(at, today) if at is not None and (at.hour, at.minute) == (0, 0) else at_time(at, today)


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An aware moment in site time: `Tue 14:32` within the week, else `Tue 24 Nov 14:32`."""
    local = at.astimezone(zone)
    today = now.astimezone(zone).date()
    is_near = abs(today - local.date()) <= _WEEK
    said = f"{local:%a %H:%M}" if is_near else at_time(local, today)
    strikes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{said} {local:%Z}" if strikes_twice else said
