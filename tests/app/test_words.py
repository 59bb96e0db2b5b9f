"""Ages, days and moments, on ordinary days and on the odd ones."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.wording import words
from recovery.words.printable import in_cell, printable
from recovery.words.times import age, age_in_full, ago, day, moment

ZURICH = ZoneInfo("Europe/Zurich")


@pytest.mark.parametrize(
    ("elapsed", "short", "long"),
    [
        (timedelta(seconds=59), "under 1 min", "less than a minute"),
        (timedelta(seconds=60), "1 min", "1 minute"),
        (timedelta(minutes=6), "6 min", "6 minutes"),
        (timedelta(minutes=59, seconds=59), "59 min", "59 minutes"),
        (timedelta(hours=2), "2 h", "2 h"),
        (timedelta(hours=2, minutes=10), "2 h 10 min", "2 h 10 min"),
        (timedelta(days=3, hours=4, minutes=50), "3 d 4 h", "3 d 4 h"),
        (timedelta(days=2), "2 d", "2 d"),
        (timedelta(seconds=-5), "under 1 min", "less than a minute"),
    ],
)
def test_an_age_has_at_most_two_units(elapsed: timedelta, short: str, long: str) -> None:
    assert age(elapsed) == short
    assert age_in_full(elapsed) == long


def test_an_age_is_what_a_reader_reckons_from_two_clock_times() -> None:
    at, now = datetime(2026, 11, 24, 11, 8, 40, tzinfo=UTC), datetime(2026, 11, 24, 13, 38, 2, tzinfo=UTC)
    assert ago(at, now) == "2 h 30 min ago"


@pytest.mark.parametrize(
    ("value", "today", "said"),
    [
        (date(2026, 11, 24), date(2026, 11, 24), "Tue 24 Nov"),
        (date(2028, 2, 29), date(2028, 3, 1), "Tue 29 Feb"),
        (date(2025, 12, 31), date(2026, 1, 1), "Wed 31 Dec 2025"),
    ],
)
def test_a_day_bears_its_year_only_when_it_is_another(value: date, today: date, said: str) -> None:
    assert day(value, today) == said


@pytest.mark.parametrize(
    ("at", "now", "said"),
    [
        (datetime(2026, 11, 24, 13, 32, tzinfo=UTC), datetime(2026, 11, 24, 13, 38, tzinfo=UTC), "Tue 14:32"),
        (datetime(2026, 11, 24, 22, 59, tzinfo=UTC), datetime(2026, 11, 24, 23, 1, tzinfo=UTC), "Tue 23:59"),
        (datetime(2026, 11, 10, 13, 32, tzinfo=UTC), datetime(2026, 11, 24, 13, 38, tzinfo=UTC), "Tue 10 Nov 14:32"),
        (datetime(2028, 2, 29, 9, 0, tzinfo=UTC), datetime(2028, 3, 14, 9, 0, tzinfo=UTC), "Tue 29 Feb 10:00"),
        (datetime(2025, 12, 1, 9, 0, tzinfo=UTC), datetime(2026, 3, 14, 9, 0, tzinfo=UTC), "Mon 1 Dec 2025 10:00"),
    ],
)
def test_a_moment_is_told_in_site_time(at: datetime, now: datetime, said: str) -> None:
    assert moment(at, now, ZURICH) == said


def test_an_hour_that_the_clock_strikes_twice_bears_its_zone() -> None:
    now = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
    assert moment(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), now, ZURICH) == "Sun 02:30 CEST"
    assert moment(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), now, ZURICH) == "Sun 02:30 CET"
    assert moment(datetime(2026, 10, 25, 2, 30, tzinfo=UTC), now, ZURICH) == "Sun 03:30"


def test_a_night_of_changing_clocks_makes_no_backup_older() -> None:
    before = datetime(2026, 3, 29, 1, 50, tzinfo=ZURICH)
    after = datetime(2026, 3, 29, 3, 10, tzinfo=ZURICH)
    assert ago(before, after) == "20 min ago"


@given(st.text())
@settings(deadline=None)
def test_a_text_from_outside_is_shown_letter_by_letter(text: str) -> None:
    escaped = re.sub(r":color\[(\\?.)\]", r"\1", words.as_markdown(text))
    bare = [letter for i, letter in enumerate(escaped) if escaped[i - 1 : i] != "\\"]
    assert not set("*_`[]<>$:#") & set(bare) - {"\\"}
    escaped.encode("utf-8")


def test_half_characters_and_control_characters_are_replaced() -> None:
    assert printable("a\x00b\ud800c\nd") == "a b?c d"


def test_a_cell_on_paper_lets_a_long_word_end_and_changes_no_letter() -> None:
    told = in_cell("<b>" + "x" * 45 + " short & plain")
    assert told == "&lt;b&gt;" + "x" * 17 + "<wbr>" + "x" * 20 + "<wbr>" + "x" * 8 + " short &amp; plain"
