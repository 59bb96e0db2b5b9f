"""What is asked for records again in the next run, and what is put off: a record that comes is found all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from pydicom import Dataset
from pynetdicom import evt

from recovery.dicom.model import DateRange
from recovery.dimse import Peer
from recovery.pacs.record_search import DATES, find_records, search_records
from tests.dimse.limited import limited
from tests.dimse.scripted import PENDING, Scripted, match, peer_of, scp
from tests.objects import record, uid

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WINDOW = DateRange(date(2026, 11, 20), date(2026, 11, 29))
SOON, LATER = NOW + timedelta(minutes=10), NOW + timedelta(minutes=61)


def made(number: int, day: str, dates: tuple[str, ...] = DATES) -> Dataset:
    """A record that bears the day in these of its dates alone."""
    said = dict.fromkeys(DATES) | dict.fromkeys(dates, day)
    return record(uid("plan", number), [], PatientID=f"P{number}", StudyInstanceUID=uid("study", number), **said)


def cheap(peer: Peer) -> None:
    """On a busy machine, too, no date took long."""
    for told in peer.traits.asked.values():
        told[1] = 0.1


def told_by(query: Dataset) -> str | None:
    return next((keyword for keyword in DATES if query.get(keyword)), None)


def test_a_date_that_found_nothing_of_its_own_is_asked_of_the_newest_days_alone_for_an_hour() -> None:
    holds = [*(made(n, "20261126") for n in range(3)), made(7, "20260801")]
    with scp({evt.EVT_C_FIND: limited(holds)}) as node:
        peer = peer_of(node.node)
        assert len(find_records(peer, WINDOW, NOW)) == 3
        cheap(peer)
        node.heard.clear()
        assert len(find_records(peer, WINDOW, SOON)) == 3
        days: dict[str | None, str] = {}
        for query in node.heard:
            keyword = told_by(query)
            days.setdefault(keyword, str(query[keyword].value) if keyword else "")
        assert days["InstanceCreationDate"] == str(WINDOW)
        assert days["SeriesDate"] == days["TreatmentDate"] == "20261127-20261129"

        holds.append(made(8, "20261123", ("SeriesDate",)))
        assert len(find_records(peer, WINDOW, SOON)) == 3
        assert len(find_records(peer, WINDOW, LATER)) == 4, "after an hour"
        assert len(find_records(peer, WINDOW, LATER)) == 4, "and it found one of its own: from now on in every run"


def test_a_new_record_with_but_one_date_is_found_in_the_same_run_with_older_ones_of_its_kind() -> None:
    holds = [made(n, "20261126") for n in range(3)]
    with scp({evt.EVT_C_FIND: limited(holds)}) as node:
        peer = peer_of(node.node)
        find_records(peer, WINDOW, NOW)
        cheap(peer)
        holds += [made(8, "20261128", ("SeriesDate",)), made(9, "20261121", ("SeriesDate",))]
        assert len(find_records(peer, WINDOW, SOON)) == 5


def test_a_node_that_holds_much_is_not_listed_in_every_run() -> None:
    def find(here: Scripted, event: evt.Event) -> Iterator[tuple[int, Dataset]]:
        query = event.identifier
        for number in range(3 if told_by(query) else 600):
            yield PENDING, match(query, uid("of", number), SeriesInstanceUID=uid("series", number), PatientID="P")

    with scp({evt.EVT_C_FIND: find}) as node:
        peer = peer_of(node.node)
        for now, listings in ((NOW, 1), (SOON, 0), (LATER, 1)):
            cheap(peer)
            node.heard.clear()
            found = search_records(peer, WINDOW, now)
            assert (len(found.records), found.everything) == (3, None)
            assert sum(told_by(query) is None and not query.SOPInstanceUID for query in node.heard) == listings
