"""Slices are proven by name; where there are too many for one run, in turn, and a count holds until then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from recovery.cache.store import Cache
from recovery.dicom.model import DicomNode
from recovery.dicom.plans import ReferencedSeries
from recovery.dimse import Peer
from recovery.pacs import holdings as pacs_holdings
from recovery.pacs.holdings import Holdings
from tests.objects import encode, images
from tests.orthanc import HOW_TO_INSTALL, Orthanc, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


@pytest.fixture
def series(pacs: Orthanc) -> Iterator[list[ReferencedSeries]]:
    made = [images(4) for _ in range(5)]
    for ds in (ds for one in made for ds in one):
        pacs.put(encode(ds))
    yield [
        ReferencedSeries(
            str(one[0].SeriesInstanceUID), str(one[0].StudyInstanceUID), tuple(str(ds.SOPInstanceUID) for ds in one)
        )
        for one in made
    ]


def run(tmp_path, pacs: Orthanc, series: list[ReferencedSeries], at: datetime) -> tuple[Holdings, set[str]]:  # type: ignore[no-untyped-def]
    cache = Cache(tmp_path)
    holdings = Holdings.load(cache)
    held = holdings.ask_series(Peer(DicomNode("RBRDT", "127.0.0.1", 1), pacs.node, "pacs", 20), series, at)
    holdings.save(cache, at)
    return holdings, held


def exchange(pacs: Orthanc, one: ReferencedSeries) -> None:
    """One slice goes, another object comes: the count stays."""
    other = images(1, SeriesInstanceUID=one.series_instance_uid, StudyInstanceUID=one.study_instance_uid)[0]
    pacs.put(encode(other))
    pacs.delete_instance(one.sop_instance_uids[2])


def test_where_a_run_can_ask_for_all_slices_an_exchange_is_seen_at_once(tmp_path, pacs, series) -> None:
    assert run(tmp_path, pacs, series, NOW)[1] == {s.series_instance_uid for s in series}
    exchange(pacs, series[3])
    holdings, held = run(tmp_path, pacs, series, NOW)
    assert held == {s.series_instance_uid for s in series} - {series[3].series_instance_uid}
    assert holdings.missing_slices[series[3].series_instance_uid] == (series[3].sop_instance_uids[2],)


def test_more_slices_than_a_run_asks_for_take_turns_and_the_time_of_the_proof_stays(
    tmp_path, pacs, series, monkeypatch
) -> None:
    monkeypatch.setattr(pacs_holdings, "SLICES_PER_RUN", 8)
    for _ in range(2):
        run(tmp_path, pacs, series, NOW)
    exchange(pacs, series[3])
    seen = []
    for number in range(1, 4):
        at = NOW - timedelta(days=number)  # a clock that is set back starves nobody
        holdings, held = run(tmp_path, pacs, series, at)
        seen.append(series[3].series_instance_uid not in held)
        proven = [holdings.answers[s.series_instance_uid].asked_at for s in series]
        assert proven.count(at) == 2 + (any(seen[:-1]) and 1), "what is missing is asked for in every run"
    assert seen[-1]


def test_a_count_that_rises_or_falls_is_looked_at_by_name_at_once(tmp_path, pacs, series, monkeypatch) -> None:
    monkeypatch.setattr(pacs_holdings, "SLICES_PER_RUN", 1)
    for _ in range(2):
        run(tmp_path, pacs, series, NOW)
    for one in series:
        exchange(pacs, one)
        for ds in images(1, SeriesInstanceUID=one.series_instance_uid, StudyInstanceUID=one.study_instance_uid):
            pacs.put(encode(ds))
    assert run(tmp_path, pacs, series, NOW)[1] == set()
