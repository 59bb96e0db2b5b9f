"""What a database's value says, and what says nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_jobs.rv import values


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("\x00", None),
        (" 00017R  ", "00017R"),
        (20240503, "20240503"),
        (Decimal(12), "12"),
        (12.0, "12"),
        ("山田 ", "山田"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_text_loses_its_padding_and_nothing_else(raw: object, said: str | None) -> None:
    assert values.text(raw) == said


@pytest.mark.parametrize("raw", ["1753-01-01 00:00:00", "9999-12-31", datetime(1753, 1, 1), datetime(9999, 12, 31), ""])  # noqa: DTZ001
def test_the_first_and_the_last_day_of_a_database_say_nothing(raw: object) -> None:
    assert values.moment(raw) is None
    assert values.day(raw) is None


def test_a_local_time_is_read_alike_from_both_engines() -> None:
    at = datetime(2026, 11, 22, 8, 5, 1)  # noqa: DTZ001
    assert values.moment("2026-11-22 08:05:01") == values.moment("2026-11-22T08:05:01") == values.moment(at) == at
    assert values.day(at) == values.day(date(2026, 11, 22)) == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("raw", "number"), [("2,5", 2.5), ("0,125", 0.125), (" 70 ", 70.0), (Decimal("1.8"), 1.8), (3, 3.0), ("", None)]
)
def test_a_number_is_read_as_people_type_it(raw: object, number: float | None) -> None:
    assert values.number(raw) == number


@pytest.mark.parametrize("raw", ["5,000", "-1,800"])
def test_a_comma_before_three_digits_is_five_to_one_clinic_and_five_thousand_to_another(raw: str) -> None:
    with pytest.raises(values.AmbiguousError):
        values.number(raw)


@pytest.mark.parametrize("raw", ["2026-11-22T08:05:01+00:00", datetime(2026, 11, 22, tzinfo=UTC)])
def test_a_time_of_another_zone_is_none_of_the_sites(raw: object) -> None:
    with pytest.raises(values.UnreadableError):
        values.moment(raw)


@pytest.mark.parametrize("raw", ["2 Gy x 5", "1,000.5", "nan", True, b"1", "inf"])
def test_what_is_no_number_is_refused_without_saying_what_it_was(raw: object) -> None:
    with pytest.raises(values.UnreadableError) as caught:
        values.number(raw)
    assert str(raw) not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "flag"), [(1, True), (0, False), ("Y", True), ("N ", False), (None, None), (True, True)]
)
def test_a_flag_is_read_from_what_databases_use(raw: object, flag: bool | None) -> None:
    assert values.truth(raw) is flag


@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_comes_back_from_every_type(number: int) -> None:
    assert values.integer(number) == values.integer(str(number)) == values.integer(Decimal(number)) == number


@given(
    st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.binary(), st.booleans(), st.datetimes(), st.dates())
)
def test_any_value_is_read_or_refused_and_nothing_else_happens(raw: object) -> None:
    for read in (values.text, values.line, values.number, values.integer, values.truth, values.moment, values.day):
        try:
            read(raw)
        except values.UnreadableError:
            continue
