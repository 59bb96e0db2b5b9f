"""Ages, days and moments as people say them.

Goal
    A time on a page is read once and understood: `6 min ago`, `Tue 24 Nov`, `Tue 14:32`.

How
    Pure functions of a moment, of `now` and of the site's time zone. Ages are differences in UTC, so that a night
    of changing clocks does not make a backup an hour older or younger; moments are shown in site time, and an hour
    that the clock strikes twice bears the name of its zone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from recovery.words.printable import printable as printable
from recovery.words.printable import printable_lines as printable_lines

ABSENT = "—"
"""How an absent value is shown, everywhere."""

_WEEK = timedelta(days=6)
_READ_LATER = re.compile(
    r":(?=[\w+/-]*[A-Za-z][\w+/-]*:|\+1:|-1:|100:|1234:)"  # :material/home:, :smile:
    r"|(?<=(?<!\S)<)-(?=>?(?!\S))|(?<!\S)-(?=[->](?!\S))|(?<=(?<!\S)[<>~])=(?!\S)"  # <-> <- -> -- <= >= ~=
    r"|(?<=[wW]{3})\.(?=\w)|(?<=[a-zA-Z]):(?=//)|(?<=\w)@(?=[-\w]+\.\w)"  # www.a.b, https://a.b, a@b.c
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def age(elapsed: timedelta) -> str:
    """A time span in at most two units: `6 min`, `2 h 10 min`, `3 d 4 h`."""
    minutes = max(0, int(elapsed.total_seconds() // 60))
    if minutes < 1:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def age_in_full(elapsed: timedelta) -> str:
    """As `age`, for the middle of a sentence: `6 minutes`, `less than a minute`."""
    minutes = max(0, int(elapsed.total_seconds() // 60))
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return age(elapsed)


def between(at: datetime, now: datetime) -> timedelta:
    """From one aware moment to another in whole minutes, as someone reckons who reads both from a clock."""
    return now.astimezone(UTC).replace(second=0, microsecond=0) - at.astimezone(UTC).replace(second=0, microsecond=0)


def ago(at: datetime, now: datetime) -> str:
    """How long ago an aware moment was: `6 min ago`."""
    return f"{age(between(at, now))} ago"


def day(value: date, today: date) -> str:
    """A day: `Tue 24 Nov`, with its year when that is not this one."""
    words = f"{value:%a} {value.day} {value:%b}"
    return words if value.year == today.year else f"{words} {value.year}"


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An aware moment in site time: `Tue 14:32` within the week, else `Tue 24 Nov 14:32`."""
    local = at.astimezone(zone)
    today = now.astimezone(zone).date()
    is_near = abs(today - local.date()) <= _WEEK
    words = f"{local:%a %H:%M}" if is_near else f"{day(local.date(), today)} {local:%H:%M}"
    strikes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{words} {local:%Z}" if strikes_twice else words


def counted(number: int, noun: str) -> str:
    """`1 plan`, `3 plans`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def absent(value: object) -> str:
    """A text, or the dash that stands for none."""
    return ABSENT if value is None or value != value or value == "" else str(value)


def known(value: Any) -> Any:
    """A value of a table's cell, None where it is one of the ways to say nothing: None, NaN, NA, NaT."""
    is_absent = value is None or type(value).__name__ == "NAType" or value != value
    return None if is_absent else value


def as_html(text: str) -> str:
    """A text from outside on one line, in which no letter is a tag's or turns another's direction."""
    return escape(printable(text))


def as_markdown(text: str) -> str:
    """A text from outside, shown letter by letter by Streamlit's markdown.

    Backslashes keep markdown off. What Streamlit looks for after that (icons, emoji, arrows, addresses) it looks for
    in one run of text: an empty color directive, which changes nothing, makes two runs of it.
    """
    shown, done = re.sub(" {2,}", " ", printable(text)).strip(), 0
    escaped = []
    for found in _READ_LATER.finditer(shown):
        escaped += [_escaped(shown[done : found.start()]), f":color[{_escaped(found[0])}]"]
        done = found.end()
    return "".join((*escaped, _escaped(shown[done:])))


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
