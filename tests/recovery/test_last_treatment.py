"""When a course was last treated: the last delivery of its last day, not the first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.recovery.courses import ONE_BEAM, course, day, delivery, plain_record

MORNING, AFTERNOON = day(3), day(3, hours=6)


def test_a_record_of_two_sessions_of_a_day_tells_of_the_second() -> None:
    beams = [delivery(fraction=5, at=MORNING), delivery(fraction=6, at=AFTERNOON)]
    counted = course(ONE_BEAM, plain_record("1", beams, at=MORNING))
    assert (counted.first_treatment_at, counted.last_treatment_at) == (MORNING, AFTERNOON)
    assert [f.last_treatment_at for f in counted.fractions] == [MORNING, AFTERNOON]


@pytest.mark.parametrize(
    ("began", "last"),
    [
        (None, MORNING),
        (MORNING - timedelta(minutes=4), MORNING),
        (MORNING + timedelta(minutes=4), MORNING + timedelta(minutes=4)),
        (MORNING + timedelta(hours=23), MORNING + timedelta(hours=23)),
        (MORNING + timedelta(days=300), MORNING),
        (datetime(1970, 1, 1), MORNING),  # noqa: DTZ001  a clock that was never set
    ],
)
def test_a_beams_own_time_counts_where_it_is_of_the_session(began: datetime | None, last: datetime) -> None:
    counted = course(ONE_BEAM, plain_record("1", [delivery(fraction=5, at=began)], at=MORNING))
    assert counted.last_treatment_at == last


def test_a_record_with_a_date_and_no_time_tells_when_its_beams_began() -> None:
    record = plain_record("1", [delivery(fraction=5, at=MORNING), delivery(2, 5, at=AFTERNOON)], at=MORNING)
    assert course(ONE_BEAM, replace(record, treatment_time=None)).last_treatment_at == AFTERNOON
