"""A node that ends every answer after N matches loses nothing, or it is said what was not asked to the end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from pydicom import Dataset
from pynetdicom import evt

from recovery.dicom.model import DateRange
from recovery.dimse import (
    NodeTraits,
    Peer,
    count_series_instances,
    find_by_uid,
    find_held,
    find_refs,
    find_series,
    open_link,
)
from recovery.pacs.record_search import find_all_records, find_objects_of_patients, find_records
from tests.dimse.limited import limited
from tests.dimse.scripted import by_uid, hierarchical, peer_of, ref_of, scp
from tests.objects import obj, record, uid
from tests.patience import seconds

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WINDOW = DateRange(date(2026, 11, 21), date(2026, 11, 29))


def clinic(patients: int = 60, days: int = 3, times: Iterable[str] = ()) -> list[Dataset]:
    """A record of each patient on each day and at each of the times, by default every ten minutes another patient."""
    made = []
    for n in range(patients):
        for back in range(1, days + 1):
            for time in times or (f"{8 + n // 6:02d}{n % 6}000",):
                day = f"{NOW - timedelta(days=back):%Y%m%d}"
                made.append(
                    record(uid("plan", n), [], PatientID=f"L{n:03d}", StudyInstanceUID=uid("study", n),
                           SeriesDate=day, SeriesTime=time, TreatmentDate=day, TreatmentTime=time,
                           InstanceCreationDate=day, InstanceCreationTime=time)
                )  # fmt: skip
    return made


RECORDS = clinic(patients=12)
"""Thirty-six, of three days: every question of a limited node costs some milliseconds."""

UIDS = {str(ds.SOPInstanceUID) for ds in RECORDS}


def found_of(records: set) -> set[str]:  # type: ignore[type-arg]
    return {ref.sop_instance_uid for ref in records}


@pytest.mark.parametrize("limit", [14, 3])
def test_all_records_of_a_window_are_found_whatever_the_limit(limit: int) -> None:
    with scp({evt.EVT_C_FIND: limited(RECORDS, limit)}) as node:
        peer = peer_of(node.node)
        assert found_of(find_records(peer, WINDOW, NOW)) == UIDS
        assert peer.traits.unfinished == []
        assert peer.traits.limits["IMAGE"] == limit


@pytest.mark.parametrize("status", [0xFE00, 0xB000, 0xB100, 0xA700, 0xA701])
def test_all_records_are_found_whatever_a_limit_is_told_by(status: int) -> None:
    records = clinic(patients=7)
    with scp({evt.EVT_C_FIND: limited(records, 8, status)}) as node:
        peer = peer_of(node.node)
        assert found_of(find_records(peer, WINDOW, NOW)) == {str(ds.SOPInstanceUID) for ds in records}
        assert peer.traits.unfinished == []
        assert peer.traits.limits["IMAGE"] == 8


@pytest.mark.parametrize("refuses", [True, False])
def test_a_node_that_refuses_what_is_too_much_is_asked_in_pieces(refuses: bool) -> None:
    """dcm4chee: more matches than it gives are a refusal, without any of them."""
    with scp({evt.EVT_C_FIND: limited(RECORDS, 12, 0xA700, refuses=refuses)}) as node:
        peer = peer_of(node.node)
        peer.traits.relational = True
        assert found_of(find_records(peer, WINDOW, NOW)) == UIDS
        assert peer.traits.unfinished == []


@pytest.mark.parametrize("limit", [25])
def test_a_node_that_counts_what_it_looks_at_is_divided_by_what_it_has_an_index_of(limit: int) -> None:
    """An Orthanc with a limit looks a TreatmentDate up in each object, and ends after N objects, matching or not."""
    records = clinic(patients=30, days=2, times=["101500"])
    unindexed = ("TreatmentDate", "TreatmentTime")
    find = limited(records, limit, 0xFE00, unindexed=unindexed, like_sql=True)
    with scp({evt.EVT_C_FIND: find}) as node:
        peer = peer_of(node.node)
        assert found_of(find_records(peer, WINDOW, NOW, ("TreatmentDate",))) == {str(d.SOPInstanceUID) for d in records}
        assert peer.traits.unfinished == []
        assert peer.traits.limits["IMAGE"] == limit


def test_sixty_patients_of_the_same_second() -> None:
    records = clinic(patients=60, days=1, times=["101500"])
    with scp({evt.EVT_C_FIND: limited(records, 50)}) as node:
        peer = peer_of(node.node)
        found = find_records(peer, WINDOW, NOW, ("InstanceCreationDate",))
        assert found_of(found) == {str(ds.SOPInstanceUID) for ds in records}
        assert peer.traits.unfinished == []


@pytest.mark.parametrize("days", [1, 3])
def test_a_limit_of_one_match_is_never_taken_for_all(days: int) -> None:
    records = clinic(patients=4, days=days)
    with scp({evt.EVT_C_FIND: limited(records, 1)}) as node:
        peer = peer_of(node.node)
        assert found_of(find_records(peer, WINDOW, NOW)) == {str(ds.SOPInstanceUID) for ds in records}
        assert peer.traits.unfinished, "in the second of each there may be another"
        assert peer.traits.limits["IMAGE"] == 1
        assert len(node.heard) <= 20 * len(records)


@pytest.mark.parametrize("limits", [{"IMAGE": 20, "SERIES": 7, "STUDY": 11}, {"SERIES": 4, "IMAGE": 10}, {"STUDY": 4}])
def test_limits_that_differ_by_level(limits: dict[str, int]) -> None:
    with scp({evt.EVT_C_FIND: limited(RECORDS, limits)}) as node:
        peer = peer_of(node.node)
        patients = sorted({str(ds.PatientID) for ds in RECORDS})
        assert found_of(find_records(peer, WINDOW, NOW)) == UIDS
        assert found_of(find_objects_of_patients(peer, patients, "RTRECORD")) == UIDS
        assert found_of(find_all_records(peer)) == UIDS
        assert peer.traits.unfinished == []


@pytest.mark.parametrize("limit", [20, 7])
def test_a_patient_with_more_records_than_the_limit(limit: int) -> None:
    """Nine fields a fraction, 54 records in one question, without any date."""
    times = [f"1015{n:02d}" for n in range(9)]
    records = clinic(patients=1, days=6, times=times)
    with scp({evt.EVT_C_FIND: limited(records, limit)}) as node:
        peer = peer_of(node.node)
        for _ in range(2):
            found = found_of(find_objects_of_patients(peer, ["L000"], "RTRECORD"))
            assert found == {str(ds.SOPInstanceUID) for ds in records}
        assert peer.traits.unfinished == []


def test_what_cannot_be_divided_is_named() -> None:
    """Nine records of one patient in the same second of the same series: seven are given, two nobody can ask for."""
    nine = [
        record(None, [], PatientID="77", SeriesInstanceUID="1.2.3", StudyInstanceUID="1.2", SeriesDate="20261127",
               InstanceCreationDate="20261127", InstanceCreationTime="101500", TreatmentDate="20261127")
        for _ in range(9)
    ]  # fmt: skip
    with scp({evt.EVT_C_FIND: limited([*nine, *RECORDS[:9]], 7)}) as node:
        peer = peer_of(node.node)
        found = found_of(find_records(peer, WINDOW, NOW))
        assert found >= set(by_uid(RECORDS[:9]))
        assert len(found) == 9 + 7
        assert peer.traits.unfinished
        assert "77" not in " ".join(peer.traits.unfinished), "no patient is named"


def test_lists_of_uids_are_asked_for_in_pieces() -> None:
    with scp({evt.EVT_C_FIND: limited(RECORDS, 30)}) as node:
        peer = peer_of(node.node)
        with open_link(peer) as link:
            assert found_of(find_by_uid(link, [*UIDS, *(uid("absent", n) for n in range(50))])) == UIDS
            assert find_held(link, [ref_of(ds) for ds in RECORDS]) == {ref_of(ds) for ds in RECORDS}
        assert peer.traits.unfinished == []


def test_slices_of_one_series() -> None:
    """A series of 150 slices bears one date and one time: what the node counts in it tells that there are more."""
    series = [obj("1.2.840.10008.5.1.4.1.1.2", "CT", SeriesInstanceUID="1.2.3", InstanceNumber=n) for n in range(150)]
    refs = {ref_of(ds) for ds in series}
    with scp({evt.EVT_C_FIND: limited(series, 100)}) as node:
        peer = peer_of(node.node)
        with open_link(peer) as link:
            assert len(find_refs(link, {"SeriesInstanceUID": "1.2.3"})) == 100
            assert peer.traits.unfinished, "100 of 150, and no way to ask for the others"
            assert find_held(link, refs) == refs, "by name they are found"


@pytest.mark.parametrize("held", [150, 120])
def test_slices_on_a_node_that_must_be_walked_and_has_a_limit(held: int) -> None:
    """Its list of the series is cut at 100; by name each slice is found, or told to be absent."""
    series = [obj("1.2.840.10008.5.1.4.1.1.2", "CT", PatientID="7", StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3")
              for _ in range(150)]  # fmt: skip
    with scp({evt.EVT_C_FIND: limited(series[:held], {"IMAGE": 100})}) as node:
        peer = peer_of(node.node)
        peer.traits.relational = False
        peer.traits.unfinished.append("another question")
        with open_link(peer) as link:
            assert find_held(link, [ref_of(ds) for ds in series]) == {ref_of(ds) for ds in series[:held]}
        assert peer.traits.unfinished == ["another question"]


def test_what_two_processes_learnt_of_one_node_is_joined() -> None:
    here = NodeTraits(limits={"IMAGE": 100}, proven={"IMAGE": 99, "STUDY": 7}, unfinished=["a", "b"])
    here.learn(NodeTraits(True, limits={"SERIES": 5, "IMAGE": 90}, proven={"STUDY": 9}, unfinished=["b", "c"]))
    assert (here.relational, here.unfinished) == (True, ["a", "b", "c"])
    assert here.limits == {"IMAGE": 90, "SERIES": 5}
    assert here.proven == {"IMAGE": 89, "STUDY": 9}


def test_lists_of_series_are_asked_for_in_pieces() -> None:
    series = [obj("1.2.840.10008.5.1.4.1.1.2", "CT", StudyInstanceUID="1.2", SeriesDate=f"202611{n % 28 + 1:02d}",
                  SeriesTime=f"10{n:02d}00") for n in range(60)]  # fmt: skip
    uids = {str(ds.SeriesInstanceUID) for ds in series}
    with scp({evt.EVT_C_FIND: limited(series, {"SERIES": 25})}) as node:
        peer = peer_of(node.node)
        with open_link(peer) as link:
            assert count_series_instances(link, sorted(uids)) == dict.fromkeys(uids, 1)
            assert set(find_series(link, "1.2")) == uids
        assert peer.traits.unfinished == []


@pytest.mark.parametrize("limits", [{"STUDY": 6, "SERIES": 2}])
def test_a_node_that_must_be_walked_and_has_a_limit(limits: dict[str, int]) -> None:
    records = clinic(patients=8)
    answers = limited(records, limits)
    refuses = hierarchical(by_uid(records), 0xA900)

    def find(here: object, event: evt.Event) -> object:
        query = event.identifier
        relational = query.QueryRetrieveLevel == "IMAGE" and not query.get("SeriesInstanceUID")
        relational |= query.QueryRetrieveLevel == "SERIES" and not query.get("StudyInstanceUID")
        yield from refuses(here, event) if relational else answers(here, event)  # type: ignore[arg-type, attr-defined]

    with scp({evt.EVT_C_FIND: find}) as node:
        peer = peer_of(node.node)
        assert found_of(find_records(peer, WINDOW, NOW)) == set(by_uid(records))
        assert peer.traits.relational is False
        assert peer.traits.unfinished == []


@pytest.mark.parametrize(
    "unmatched",
    [{"InstanceCreationTime", "SeriesTime", "TreatmentTime"}, {"InstanceCreationDate", "SeriesDate", "TreatmentDate"}],
)
def test_a_node_that_does_not_match_by_every_key(unmatched: set[str]) -> None:
    records = clinic(patients=9)
    with scp({evt.EVT_C_FIND: limited(records, 8, matches_by=lambda keyword: keyword not in unmatched)}) as node:
        peer = peer_of(node.node)
        assert found_of(find_records(peer, WINDOW, NOW)) == set(by_uid(records))


def test_a_node_without_wildcards_is_not_believed() -> None:
    with scp({evt.EVT_C_FIND: limited(RECORDS, 7, matches_by=lambda keyword: keyword != "PatientID")}) as node:
        peer = peer_of(node.node)
        assert found_of(find_records(peer, WINDOW, NOW)) == UIDS


def test_a_limit_that_was_raised_is_learnt_anew() -> None:
    with scp({evt.EVT_C_FIND: limited(RECORDS, 10)}) as node:
        peer = peer_of(node.node)
        find_records(peer, WINDOW, NOW)
    with scp({evt.EVT_C_FIND: limited(RECORDS, 25)}) as node:
        raised = Peer(peer.local, node.node, "rv", seconds(5), peer.traits)
        assert found_of(find_records(raised, WINDOW, NOW)) == UIDS
        assert raised.traits.limits["IMAGE"] == 25


def at_once(count: int) -> list[Dataset]:
    """So many records of one patient that all came in the same second: no date divides them."""
    return clinic(patients=1, days=1, times=["101500"] * count)


@pytest.mark.parametrize(
    "records",
    [RECORDS[:1], RECORDS[:2], RECORDS[:5], RECORDS, at_once(1)],
    ids=lambda records: len(records),
)
def test_a_node_without_a_limit_is_asked_few_questions_more(records: list[Dataset]) -> None:
    """A clinic's small window is the ordinary case. Where the node never gave more, two pieces check each answer."""
    with scp({evt.EVT_C_FIND: limited(records)}) as node:
        peer = peer_of(node.node)
        first = questions(node, peer)
        second = questions(node, peer)
        assert peer.traits.limits == {}
        assert peer.traits.unfinished == []
        assert first <= 40
        assert second <= 7


@pytest.mark.parametrize("count", [9])
def test_matches_that_nothing_divides_are_not_checked_in_every_run(count: int) -> None:
    """Nine records of one second on a node that holds no others: it cannot be shown that there is no tenth."""
    with scp({evt.EVT_C_FIND: limited(at_once(count))}) as node:
        peer = peer_of(node.node)
        asked = []
        for _ in range(5):
            asked.append(questions(node, peer))
            peer.traits.unfinished = []
        assert peer.traits.limits == {}
        assert peer.traits.unfinished == []
        assert sum(asked) <= 250
        assert asked[-1] <= 4


@pytest.mark.parametrize("limit", [9])
def test_an_answer_of_just_as_many_as_the_limit_is_not_believed_when_one_more_came(limit: int) -> None:
    """A window grows record by record, and once it has as many as the node gives."""
    records = clinic(patients=limit + 3, days=1)
    with scp({evt.EVT_C_FIND: limited(holds := records[:limit], limit)}) as node:
        peer = peer_of(node.node)
        for more in records[limit:]:
            assert found_of(find_records(peer, WINDOW, NOW)) == set(by_uid(holds))
            with open_link(peer) as link:  # lists of UIDs, and a series, of just as many
                assert len(find_by_uid(link, by_uid(holds[:limit]))) == limit
            holds.append(more)
        assert found_of(find_records(peer, WINDOW, NOW)) == set(by_uid(holds))
        assert peer.traits.limits["IMAGE"] == limit
        assert peer.traits.unfinished == []


def test_one_larger_answer_shows_that_smaller_ones_are_complete() -> None:
    with scp({evt.EVT_C_FIND: limited([*at_once(9), *RECORDS])}) as node:
        peer = peer_of(node.node)
        find_records(peer, WINDOW, NOW)
        before = len(node.heard)
        assert len(find_objects_of_patients(peer, ["L000"], "RTRECORD")) == 9 + 3
        assert len(node.heard) - before == 1


def questions(node: object, peer: Peer) -> int:
    before = len(node.heard)  # type: ignore[attr-defined]
    find_records(peer, WINDOW, NOW)
    return len(node.heard) - before  # type: ignore[attr-defined]
