"""Nodes that understand queries differently: relational, hierarchical, or silent about what they do not understand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pynetdicom import evt

from recovery.dicom.model import InstanceRef
from recovery.dimse import DimseError, find_by_uid, find_held, find_refs, open_link
from recovery.pacs.record_search import find_records_of_patients
from tests.dimse.limited import limited
from tests.dimse.scripted import PENDING, Scripted, by_uid, hierarchical, match, peer_of, ref_of, scp
from tests.objects import plan, record, uid

RECORDS = [record(uid("plan"), [], PatientID=f"10000{n % 3}", StudyInstanceUID=uid("study", n % 3)) for n in range(5)]
HOLDS = by_uid([*RECORDS, plan({1: 100.0}, PatientID="100000", StudyInstanceUID=uid("study", 0))])
RECORD_UIDS = {str(r.SOPInstanceUID) for r in RECORDS}


@pytest.mark.parametrize("refusal", [0xA900, 0xC000, 0xA700, None])
def test_a_node_that_must_be_walked_gives_all_it_holds_and_is_remembered(refusal: int | None) -> None:
    with scp({evt.EVT_C_FIND: hierarchical(HOLDS, refusal)}) as node:
        peer = peer_of(node.node)
        with open_link(peer) as link:
            first = find_refs(link, {"Modality": "RTRECORD"})
        assert {ref.sop_instance_uid for ref in first} == RECORD_UIDS
        assert peer.traits.relational is False
        asked = len(node.heard)
        with open_link(peer) as link:
            second = find_refs(link, {"Modality": "RTRECORD"})
        assert second == first
        later = node.levels()[asked:]
        assert later[0] == "STUDY"
        series, image = ([q for q in node.heard[asked:] if q.QueryRetrieveLevel == lv] for lv in ("SERIES", "IMAGE"))
        lists = [query for query in series if "NumberOfSeriesRelatedInstances" not in query]
        assert {query.get("Modality") for query in lists} == {"RTRECORD"}
        assert not any("Modality" in query for query in image)
        assert all(
            query.get("SeriesInstanceUID") for query in node.heard[asked:] if query.QueryRetrieveLevel == "IMAGE"
        )


def nameless(keyword: str, level: str, *, only_relational: bool = False) -> Any:
    """Answers all, and never names what it is of at this level; `only_relational`: within a series it does."""
    answers = limited([*HOLDS.values()])

    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        query = event.identifier
        is_met = query.QueryRetrieveLevel == level and not (only_relational and query.get("SeriesInstanceUID"))
        for status, answer in answers(here, event):
            if is_met:
                setattr(answer, keyword, "")
            yield status, answer

    return find


def test_a_node_that_names_objects_within_a_series_alone_is_walked() -> None:
    find = nameless("SOPInstanceUID", "IMAGE", only_relational=True)
    with scp({evt.EVT_C_FIND: find}) as node, open_link(peer_of(node.node)) as link:
        assert {ref.sop_instance_uid for ref in find_refs(link, {"Modality": "RTRECORD"})} == RECORD_UIDS
        assert link.peer.traits.relational is False


@pytest.mark.parametrize("is_relational", [True, False])
def test_matches_that_name_nothing_are_not_nothing(is_relational: bool) -> None:
    """0 records found, exit 0, would be a backup of nobody."""
    find = nameless("SOPInstanceUID", "IMAGE")
    with scp({evt.EVT_C_FIND: find}) as node, open_link(peer_of(node.node)) as link:
        link.peer.traits.relational = is_relational
        with pytest.raises(DimseError, match="and no SOPInstanceUID"):
            find_refs(link, {"Modality": "RTRECORD"})


@pytest.mark.parametrize(("keyword", "level"), [("StudyInstanceUID", "STUDY"), ("SeriesInstanceUID", "SERIES")])
def test_what_is_above_the_objects_has_to_be_named_too(keyword: str, level: str) -> None:
    with scp({evt.EVT_C_FIND: nameless(keyword, level)}) as node, open_link(peer_of(node.node)) as link:
        link.peer.traits.relational = False
        with pytest.raises(DimseError, match=f"and no {keyword}"):
            find_refs(link, {"Modality": "RTRECORD"})


def test_an_answer_of_a_walk_bears_the_names_above_it() -> None:
    with scp({evt.EVT_C_FIND: hierarchical(HOLDS, 0xA900)}) as node, open_link(peer_of(node.node)) as link:
        found = {ref.sop_instance_uid: ref for ref in find_refs(link, {"Modality": "RTRECORD"})}
    for ds in RECORDS:
        ref = found[ds.SOPInstanceUID]
        assert ref.series_instance_uid == ds.SeriesInstanceUID
        assert ref.study_instance_uid == ds.StudyInstanceUID
        assert ref.patient_id == ds.PatientID


@pytest.mark.parametrize("refusal", [0xA900, None])
def test_a_key_that_the_walk_asks_above_the_images_still_filters(refusal: int | None) -> None:
    with scp({evt.EVT_C_FIND: hierarchical(HOLDS, refusal)}) as node, open_link(peer_of(node.node)) as link:
        found = find_refs(link, {"Modality": "RTRECORD", "PatientID": "100001"})
    assert {r.sop_instance_uid for r in found} == {r.SOPInstanceUID for r in RECORDS if r.PatientID == "100001"}


def test_a_node_that_is_truly_empty_is_not_called_hierarchical() -> None:
    with scp({evt.EVT_C_FIND: hierarchical({}, None)}) as node:
        peer = peer_of(node.node)
        with open_link(peer) as link:
            assert find_refs(link, {"Modality": "RTRECORD"}) == set()
        assert peer.traits.relational is None


def test_a_relational_node_that_holds_none_of_it_is_asked_no_more_than_needed() -> None:
    """It holds other things, and finds them relationally: its nothing is nothing."""

    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        query = event.identifier
        ds = next(iter(HOLDS.values()))
        wanted = query.get("SOPInstanceUID") in {None, "", ds.SOPInstanceUID}
        if wanted and query.get("Modality") in {None, "", ds.Modality}:
            yield PENDING, match(query, ds.SOPInstanceUID, StudyInstanceUID=ds.StudyInstanceUID,
                                 SeriesInstanceUID=ds.SeriesInstanceUID)  # fmt: skip

    with scp({evt.EVT_C_FIND: find}) as node, open_link(peer_of(node.node)) as link:
        assert find_refs(link, {"Modality": "RTDOSE"}) == set()
        assert link.peer.traits.relational is not False


def test_a_node_that_fails_both_ways_is_no_empty_node() -> None:
    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        yield 0xC001, None

    with scp({evt.EVT_C_FIND: find}) as node:
        peer = peer_of(node.node)
        with open_link(peer) as link, pytest.raises(Exception, match="0xC001"):
            find_refs(link, {"Modality": "RTRECORD"})
        assert peer.traits.relational is None


def test_a_match_without_a_sop_instance_uid_is_none() -> None:
    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        nameless = Dataset()
        nameless.PatientID = "X"
        yield PENDING, nameless
        yield PENDING, match(event.identifier, "1.2.3")

    with scp({evt.EVT_C_FIND: find}) as node, open_link(peer_of(node.node)) as link:
        assert find_refs(link, {}) == {InstanceRef("1.2.3")}


def test_what_is_found_by_uid_keeps_all_that_the_node_said_of_it() -> None:
    """Whatever else is asked for beside it: a bare UID cannot be moved from a node that wants the upper keys."""

    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        for asked in event.identifier.SOPInstanceUID:
            if asked in HOLDS:
                ds = HOLDS[asked]
                yield PENDING, match(event.identifier, asked, SeriesInstanceUID=ds.SeriesInstanceUID,
                                     PatientID=ds.PatientID, SOPClassUID=ds.SOPClassUID)  # fmt: skip

    with scp({evt.EVT_C_FIND: find}) as node, open_link(peer_of(node.node)) as link:
        for asked in (sorted(HOLDS), [*sorted(HOLDS), "1.2.3"]):
            for ref in find_by_uid(link, asked):
                assert ref.series_instance_uid == HOLDS[ref.sop_instance_uid].SeriesInstanceUID
                assert ref.patient_id == HOLDS[ref.sop_instance_uid].PatientID


def test_an_answer_that_was_not_asked_for_is_not_found() -> None:
    """A node that ignores SOPInstanceUID as a key, and answers with all that it holds, proves nothing by it."""

    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        for held in HOLDS:
            yield PENDING, match(event.identifier, held)

    wanted = min(HOLDS)
    with scp({evt.EVT_C_FIND: find}) as node, open_link(peer_of(node.node)) as link:
        assert find_by_uid(link, [wanted, "1.2.3"]) == {InstanceRef(wanted)}


LAW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("is_walked", [False, True])
def test_found_is_held_and_missing_and_nothing_is_both(is_walked: bool) -> None:
    """Law: of what is asked about, held and missing are disjoint and together all; held is what the node holds."""
    pool = [record(uid("plan"), [], StudyInstanceUID=uid("s", n % 4)) for n in range(40)]
    holds: dict[str, Dataset] = {}

    def relational(here: Scripted, event: evt.Event) -> Iterator[Any]:
        value = event.identifier.get("SOPInstanceUID")
        wanted = [value] if isinstance(value, str) else list(value or holds)
        for held in wanted:
            if held in holds:
                yield PENDING, match(event.identifier, held)

    def find(here: Scripted, event: evt.Event) -> Any:
        return (hierarchical(holds, 0xA900) if is_walked else relational)(here, event)

    with scp({evt.EVT_C_FIND: find}) as node:
        peer = peer_of(node.node)

        @LAW
        @given(st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39)))
        def holds_for(asked: set[int], stored: set[int]) -> None:
            holds.clear()
            holds.update(by_uid(pool[n] for n in stored))
            found = {ref_of(pool[n]) for n in asked}
            with open_link(peer) as link:
                held = find_held(link, found)
            missing = found - held
            assert held | missing == found
            assert not held & missing
            assert {r.sop_instance_uid for r in held} == {str(pool[n].SOPInstanceUID) for n in asked & stored}
            assert all(ref.series_instance_uid for ref in held)

        holds_for()


def test_a_node_that_takes_the_first_of_a_list_of_patients_is_asked_for_each() -> None:
    """Else whoever stands behind the first would lack the older half of the course, and nobody would say so."""
    holds = {uid("r", n): f"P{n}" for n in range(3)}

    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        asked = event.identifier.PatientID
        for held, patient_id in holds.items():
            if patient_id == (asked if isinstance(asked, str) else asked[0]).split("\\")[0]:
                yield PENDING, match(event.identifier, held, PatientID=patient_id)

    with scp({evt.EVT_C_FIND: find}) as node:
        peer = peer_of(node.node, "rv")
        found = find_records_of_patients(peer, ["P0", "P1", "P2"])
        assert {ref.sop_instance_uid for ref in found} == set(holds)
        assert peer.traits.patient_lists is False
