"""Dates and times that an object writes in another zone than the site's (TimezoneOffsetFromUTC, PS3.3 C.12.1.1.8)."""

# ruff: noqa: DTZ001  treatment times are local to the site, and naive
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from recovery.cache.store import Cache
from recovery.dicom.local_time import LocalTime, offset
from recovery.dicom.model import DateRange
from recovery.pacs.collection import Collection
from recovery.pacs.record_search import _was_ignored
from recovery.tables.object_rows import record_rows, records_of_rows
from tests import objects as o
from tests.archive_clinic import NOBODY, OneSite
from tests.recovery.clinics import evidence, planned, row_of
from tests.recovery.courses import ONE_BEAM, ZURICH, as_record, course, reread, states

LATE = datetime(2026, 11, 22, 23, 30)


def treated(at: datetime | None = LATE, said: str | None = "+0000", **more: Any) -> Dataset:
    ds = o.record("plan", [o.beam_item(1, 1, 100.0, specified=100.0)], at=at, **more)
    if said is not None:
        ds.TimezoneOffsetFromUTC = said
    return ds


def row(*objects: Dataset) -> dict[str, Any]:
    return row_of(evidence([as_record(ds) for ds in objects], [planned("plan", patient_id="100001")]), "plan")


@pytest.mark.parametrize(
    ("at", "said", "local"),
    [
        (LATE, "+0000", datetime(2026, 11, 23, 0, 30)),
        (LATE, None, LATE),
        (LATE, "", LATE),
        (LATE, "+0100", LATE),
        (datetime(2026, 7, 22, 23, 30), "+0000", datetime(2026, 7, 23, 1, 30)),
        (LATE, "+1345", datetime(2026, 11, 22, 10, 45)),
        (LATE, "-0330", datetime(2026, 11, 23, 4, 0)),
        (datetime(2026, 11, 22, 0, 15), "+1400", datetime(2026, 11, 21, 11, 15)),
        (datetime(2026, 10, 25, 0, 30), "+0000", datetime(2026, 10, 25, 2, 30)),
        (datetime(2026, 10, 25, 1, 30), "+0000", datetime(2026, 10, 25, 2, 30)),
        (datetime(2026, 3, 29, 1, 0), "+0000", datetime(2026, 3, 29, 3, 0)),
        (datetime(2028, 2, 28, 23, 30), "+0000", datetime(2028, 2, 29, 0, 30)),
        (datetime(2026, 12, 31, 23, 30), "+0000", datetime(2027, 1, 1, 0, 30)),
    ],
)
def test_a_treatment_is_told_in_the_time_of_the_site(at: datetime, said: str | None, local: datetime) -> None:
    assert row(treated(at, said))["last_treatment_at"] == local
    record = as_record(treated(at, said))
    assert (record.treatment_date, record.treated_at) == (local.date(), local)


@pytest.mark.parametrize("said", ["0100", "+1", "UTC", "+01:00", "+2500", "-1300", "+0160", "+9999", "Z", "½"])
def test_an_offset_that_cannot_be_read_is_taken_as_local_time_and_remarked_on(said: str) -> None:
    told = row(treated(LATE, said))
    assert told["last_treatment_at"] == LATE
    assert "1 record with a time zone that cannot be read, taken as local time" in told["remarks"]


def test_a_date_without_a_time_stays_the_day_that_was_written() -> None:
    record = as_record(treated(TreatmentTime=""))
    assert (record.treatment_date, record.treated_at) == (date(2026, 11, 22), datetime(2026, 11, 22))


@pytest.mark.parametrize("time", ["240000", "2400", "253000", "233000.1234567", "nonsense"])
def test_a_time_that_cannot_be_read_moves_no_date(time: str) -> None:
    ds = treated()
    ds["TreatmentTime"]._value = time
    record = as_record(ds)
    assert record.treatment_date in {date(2026, 11, 22), date(2026, 11, 23)}
    assert (record.treatment_date == date(2026, 11, 23)) == time.startswith("233000.")


def with_points(at: str, **more: Any) -> Dataset:
    point = o.item(TreatmentControlPointDate="20261122", TreatmentControlPointTime=at)
    beam = o.beam_item(1, 1, 100.0, specified=100.0, ControlPointDeliverySequence=[point])
    return o.record("plan", [beam], at=LATE, TimezoneOffsetFromUTC="+0000", **more)


def test_beams_start_in_the_time_of_the_site() -> None:
    (beam,) = as_record(with_points("233505.25")).beams
    assert beam.started_at == datetime(2026, 11, 23, 0, 35, 5, 250000)


def test_a_date_without_a_time_moves_with_the_first_control_point_of_that_day() -> None:
    record = as_record(with_points("233505", TreatmentTime=""))
    assert record.treatment_date == date(2026, 11, 23)
    assert record.treated_at == datetime(2026, 11, 23, 0, 35, 5)


def test_the_day_on_which_a_record_was_written_is_the_sites() -> None:
    written = {"InstanceCreationDate": "20261122", "InstanceCreationTime": "233000"}
    assert as_record(treated(None, **written)).written_date == date(2026, 11, 23)
    assert as_record(treated(None, SeriesDate="20261122", SeriesTime="2330")).written_date == date(2026, 11, 23)
    assert as_record(treated(None, InstanceCreationDate="20261122")).written_date == date(2026, 11, 22)


def test_a_birth_date_is_the_same_everywhere() -> None:
    assert as_record(treated(PatientBirthDate="19580704")).patient.patient_birth_date == date(1958, 7, 4)


@pytest.mark.parametrize("at", ["00010101", "99991231"])
def test_the_ends_of_the_calendar_break_nothing(at: str) -> None:
    for said in ("+1400", "-1200"):
        ds = treated(TreatmentDate=at, TreatmentTime="000000" if at == "00010101" else "235959")
        ds.TimezoneOffsetFromUTC = said
        assert as_record(ds).treatment_date is not None


@given(st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)), st.integers(-12 * 4, 14 * 4))
def test_what_is_moved_is_the_same_moment(at: datetime, quarters: int) -> None:
    hours, quarter = divmod(abs(quarters), 4)
    zone = offset(f"{'-' if quarters < 0 else '+'}{hours:02}{quarter * 15:02}")
    assert zone is not None
    local = LocalTime(zone, ZURICH).local(at)
    assert local.tzinfo is None
    moments = {local.replace(tzinfo=ZURICH, fold=fold).astimezone(UTC) for fold in (0, 1)}
    assert at.replace(tzinfo=zone).astimezone(UTC) in moments


def test_the_cache_is_read_anew_when_the_config_gets_another_zone(tmp_path: Path) -> None:
    cache, now = Cache(tmp_path), datetime(2026, 11, 24, tzinfo=UTC)
    collection = Collection(ZURICH)
    collection.add(reread(treated()))
    collection.save(cache, now)
    assert {r.treated_at for r in Collection.load(cache, ZURICH).records.values()} == {LATE + timedelta(hours=1)}
    assert Collection.load(cache, ZoneInfo("America/New_York")).records == {}


# the days that are asked for


def answer(written: str) -> Dataset:
    return o.item(SOPInstanceUID=o.uid(), TreatmentDate=written)


@pytest.mark.parametrize(("written", "is_ignored"), [("20261114", False), ("20261124", False), ("20261101", True)])
def test_a_day_that_another_zone_moved_does_not_show_that_a_node_ignores_dates(written: str, is_ignored: bool) -> None:
    week = DateRange(date(2026, 11, 15), date(2026, 11, 23))
    assert _was_ignored([answer("20261120"), answer(written)], "TreatmentDate", week) is is_ignored


def test_the_window_holds_a_record_that_was_written_a_day_earlier_or_later(tmp_path: Path) -> None:
    space = OneSite(tmp_path, NOBODY).space()
    window, today = space.window(7), space.local_now.date()
    for days in (-8, -7, 0, 1):
        assert today + timedelta(days=days) in window


@pytest.mark.parametrize(("second", "complete"), [("013000", True), ("003000", False)])
def test_the_same_time_in_the_hour_that_a_night_repeats_is_another_delivery(second: str, complete: bool) -> None:
    """25 October 2026 in Zurich: 00:30 UTC and 01:30 UTC are both 02:30. Also of what was read from the cache again."""
    records = []
    for written in ("003000", second):
        ds = o.record("1.2.3", [o.beam_item(1, 1, 50.0, 100.0, termination="MACHINE")], TimezoneOffsetFromUTC="+0000")
        ds.TreatmentDate, ds.TreatmentTime = "20261025", written
        records.append(as_record(ds))
    kept = list(records_of_rows([row for record in records for row in record_rows(record)]))
    assert kept == records
    for listed in (records, kept):
        assert {r.treated_at for r in listed} == {datetime(2026, 10, 25, 2, 30)}
        assert states(course(ONE_BEAM, *listed)) == [(1, complete)]
