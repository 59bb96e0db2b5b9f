"""C-MOVE against nodes that refuse lists, lose objects, know no destination, or allow one association."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt

from recovery.dicom.model import DicomNode, InstanceRef
from recovery.dimse import DimseError, fetch, move, move_series
from tests.dimse.scripted import (
    PENDING,
    Scripted,
    asked_uids,
    at,
    by_uid,
    gives,
    keep,
    peer_of,
    ref_of,
    scp,
    sends,
)
from tests.objects import record
from tests.orthanc import free_port
from tests.patience import seconds, wait_until

OBJECTS = [record(None, []) for _ in range(56)]
HOLDS = by_uid(OBJECTS)
FEW = by_uid(OBJECTS[:12])
REFS = {ref_of(ds) for ds in OBJECTS}
FEW_REFS = {ref_of(ds) for ds in OBJECTS[:12]}
"""For what is sent one by one: each takes an association of its own."""


def _no_lists(query: Dataset) -> int | None:
    return 0xA900 if len(asked_uids(query)) > 1 else None


def test_a_move_arrives_whole_and_counts_its_progress() -> None:
    progress: list[int] = []
    with scp() as archive, scp({evt.EVT_C_MOVE: sends(HOLDS, archive.node)}) as rv:
        peer = peer_of(rv.node, "rv")
        assert move(peer, iter(REFS), archive.node.ae_title, on_progress=progress.append) == {}
        assert set(archive.stored) == set(HOLDS)
    assert sum(progress) == len(REFS)
    lists = [count for query in rv.heard if (count := len(asked_uids(query))) > 1]
    assert sorted(lists) == [len(REFS) - 50, 50], "singly comes what the scripted sender lost of a list"
    assert peer.traits.uid_lists is True


def test_a_node_that_refuses_lists_sends_one_by_one_and_is_remembered() -> None:
    progress: list[int] = []
    with scp() as archive, scp({evt.EVT_C_MOVE: sends(HOLDS, archive.node, _no_lists)}) as rv:
        peer = peer_of(rv.node, "rv", timeout=3)
        assert move(peer, FEW_REFS, archive.node.ae_title, on_progress=progress.append) == {}
        assert set(archive.stored) == set(FEW)
        assert sum(progress) == len(FEW_REFS)
        assert peer.traits.uid_lists is False
        before = len(rv.heard)
        some = set(list(REFS)[:3])
        assert move(peer, some, archive.node.ae_title) == {}
        assert [len(asked_uids(query)) for query in rv.heard[before:]] == [1, 1, 1]


def test_one_refused_object_makes_no_node_forget_lists() -> None:
    bad = OBJECTS[7].SOPInstanceUID

    def refuses(query: Dataset) -> int | None:
        return 0xC000 if bad in asked_uids(query) else None

    few = {ref_of(ds) for ds in OBJECTS[:20]}
    with scp() as archive, scp({evt.EVT_C_MOVE: sends(HOLDS, archive.node, refuses)}) as rv:
        peer = peer_of(rv.node, "rv")
        failures = move(peer, few, archive.node.ae_title)
        assert set(failures) == {bad}
        assert "0xC000" in failures[bad]
        assert set(archive.stored) == {str(ds.SOPInstanceUID) for ds in OBJECTS[:20]} - {bad}
        assert peer.traits.uid_lists is not False


def test_an_unknown_destination_is_told_as_what_to_enter_where() -> None:
    def refuse(here: Scripted, event: evt.Event) -> Iterator[Any]:
        yield None, None

    with scp({evt.EVT_C_MOVE: refuse}) as rv:
        started = time.monotonic()
        with pytest.raises(
            DimseError, match=r"does not know NOWHERE as a move destination\. Enter its AE title, host"
        ) as told:
            move(peer_of(rv.node, "rv"), REFS, "NOWHERE")
        assert time.monotonic() - started < seconds(15), "asked once, and no waiting for a time-out"
    assert (told.value.fault, told.value.status) == ("rv", 0xA801)


def test_failed_suboperations_are_tried_alone_and_then_named() -> None:
    """0xB000: the destination refuses two of fifty for good, and one the first time."""
    refused = {str(ds.SOPInstanceUID) for ds in OBJECTS[3:5]}
    once = {str(OBJECTS[9].SOPInstanceUID)}

    def store(here: Scripted, event: evt.Event) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)
        if uid in refused or uid in once:
            once.discard(uid)
            return 0xA700
        return keep(here, event)

    few = {ref_of(ds) for ds in OBJECTS[:50]}
    with scp({evt.EVT_C_STORE: store}) as archive, scp({evt.EVT_C_MOVE: sends(HOLDS, archive.node)}) as rv:
        failures = move(peer_of(rv.node, "rv"), few, archive.node.ae_title)
        assert set(failures) == refused
        assert set(archive.stored) == {ref.sop_instance_uid for ref in few} - refused
        assert sorted(len(asked_uids(query)) for query in rv.heard) == [1, 1, 1, 50]


def test_a_list_that_fails_after_some_were_sent_is_asked_for_one_by_one() -> None:
    lost = str(OBJECTS[0].SOPInstanceUID)
    here_are = {uid: ds for uid, ds in HOLDS.items() if uid != lost}

    def vague(here: Scripted, event: evt.Event) -> Iterator[Any]:
        asked = asked_uids(event.identifier)
        found = [uid for uid in asked if uid in here_are]
        yield at(archive.node, OBJECTS)
        yield len(asked)
        for uid in found:
            yield PENDING, here_are[uid]
        if lost in asked:
            yield 0xC512, None

    few = {ref_of(ds) for ds in OBJECTS[:4]}
    with scp() as archive, scp({evt.EVT_C_MOVE: vague}) as rv:
        failures = move(peer_of(rv.node, "rv"), few, archive.node.ae_title)
        assert set(failures) == {lost}
        assert set(archive.stored) == {ref.sop_instance_uid for ref in few} - {lost}


def test_a_node_that_aborts_at_one_object_still_sends_all_others() -> None:
    bad = str(OBJECTS[8].SOPInstanceUID)

    def aborts(here: Scripted, event: evt.Event) -> Iterator[Any]:
        if bad in asked_uids(event.identifier):
            event.assoc.abort()
            return
        yield from sends(HOLDS, archive.node)(here, event)

    with scp() as archive, scp({evt.EVT_C_MOVE: aborts}) as rv:
        failures = move(peer_of(rv.node, "rv"), FEW_REFS, archive.node.ae_title)
        assert set(failures) == {bad}
        assert "ended the association" in failures[bad]
        assert set(archive.stored) == set(FEW) - {bad}


@pytest.mark.parametrize("no_lists", [False, True])
def test_a_node_that_allows_one_association_sends_everything(no_lists: bool) -> None:
    refuses = _no_lists if no_lists else lambda _: None
    with (
        scp() as archive,
        scp({evt.EVT_C_MOVE: sends(HOLDS, archive.node, refuses)}, most_associations=1, patience=2) as rv,
    ):
        assert move(peer_of(rv.node, "rv"), FEW_REFS, archive.node.ae_title) == {}
        assert set(archive.stored) == set(FEW)


def test_a_node_that_allows_one_association_and_breaks_it_sends_everything() -> None:
    """The association that broke may still be counted when the next is asked for."""
    seen: list[str] = []

    def breaks(here: Scripted, event: evt.Event) -> Iterator[Any]:
        yield from sends(HOLDS, archive.node)(here, event)
        if len(here.heard) % 2 and len(here.heard) < 8:
            seen.append("abort")
            event.assoc.abort()

    with scp() as archive, scp({evt.EVT_C_MOVE: breaks}, most_associations=1, patience=2) as rv:
        failures = move(peer_of(rv.node, "rv"), FEW_REFS, archive.node.ae_title)
        assert seen
        assert failures == {}
        assert set(archive.stored) == set(FEW)


def test_a_get_from_a_node_that_allows_one_association_brings_everything() -> None:
    came: list[str] = []
    with scp({evt.EVT_C_GET: gives(HOLDS)}, most_associations=1) as pacs:
        assert fetch(peer_of(pacs.node), REFS, lambda ds: came.append(str(ds.SOPInstanceUID))) == {}
    assert sorted(came) == sorted(HOLDS)


def test_a_node_that_goes_down_in_the_middle_is_an_error_not_a_success() -> None:
    gone = threading.Event()

    def dies(here: Scripted, event: evt.Event) -> Iterator[Any]:
        if len(here.heard) > 1:
            gone.set()
        if gone.is_set():
            event.assoc.dul.socket.socket.close()
            return
        yield from sends(HOLDS, archive.node)(here, event)

    with scp() as archive, scp({evt.EVT_C_MOVE: dies}) as rv:
        failures = move(peer_of(rv.node, "rv"), REFS, archive.node.ae_title)
        assert set(failures) >= set(HOLDS) - set(archive.stored)


def test_moving_nothing_asks_nobody() -> None:
    peer = peer_of(DicomNode("GONE", "127.0.0.1", free_port()))
    assert move(peer, [], "ANY") == {}
    assert fetch(peer, [], lambda _: None) == {}


def test_a_whole_series_is_moved_by_its_name() -> None:
    with scp() as archive:

        def whole(here: Scripted, event: evt.Event) -> Iterator[Any]:
            yield at(archive.node, OBJECTS)
            found = [ds for ds in OBJECTS if ds.SeriesInstanceUID == event.identifier.SeriesInstanceUID]
            yield len(found)
            for ds in found:
                yield PENDING, ds

        with scp({evt.EVT_C_MOVE: whole}) as rv:
            move_series(peer_of(rv.node), None, str(OBJECTS[0].SeriesInstanceUID), archive.node.ae_title)
            assert set(archive.stored) == {str(OBJECTS[0].SOPInstanceUID)}


def test_a_series_of_which_something_failed_is_an_error() -> None:
    def refuse(here: Scripted, event: evt.Event) -> int:
        return 0xA700 if event.request.AffectedSOPInstanceUID == OBJECTS[0].SOPInstanceUID else 0x0000

    with scp({evt.EVT_C_STORE: refuse}) as archive:

        def whole(here: Scripted, event: evt.Event) -> Iterator[Any]:
            yield at(archive.node, OBJECTS)
            yield 2
            yield PENDING, OBJECTS[0]
            yield PENDING, OBJECTS[1]

        with scp({evt.EVT_C_MOVE: whole}) as rv, pytest.raises(DimseError, match="could not send 1 of the series"):
            move_series(peer_of(rv.node), None, str(OBJECTS[0].SeriesInstanceUID), archive.node.ae_title)


def test_threads_and_sockets_are_given_back() -> None:
    """After good ends and bad ones: no thread runs on, no file descriptor stays open."""
    bad = str(OBJECTS[5].SOPInstanceUID)

    def aborts(here: Scripted, event: evt.Event) -> Iterator[Any]:
        if bad in asked_uids(event.identifier):
            event.assoc.abort()
            return
        yield from sends(HOLDS, archive.node)(here, event)

    few = {ref_of(ds) for ds in OBJECTS[:7]}
    with scp() as archive, scp({evt.EVT_C_MOVE: aborts}, require_called=True) as rv:
        wrong = peer_of(DicomNode("OTHER", rv.node.host, rv.node.port))
        for turn in range(4):
            move(peer_of(rv.node), few, archive.node.ae_title)
            with pytest.raises(DimseError):
                move(wrong, few, archive.node.ae_title)
            with pytest.raises(DimseError):
                move(peer_of(DicomNode("GONE", "127.0.0.1", free_port())), few, archive.node.ae_title)
            if turn == 0:
                time.sleep(1)  # what is ending has ended
                threads, files = _open_things()
        wait_until(lambda: _open_things()[0] <= threads + 1, "no thread runs on")
        wait_until(lambda: _open_things()[1] <= files + 1, "no file descriptor stays open")


def _open_things() -> tuple[int, int]:
    """Threads and file descriptors."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def test_unknown_uids_in_a_list_are_no_failure_of_the_others() -> None:
    asked = {*list(REFS)[:5], InstanceRef("1.2.3.4")}
    with scp() as archive, scp({evt.EVT_C_MOVE: sends(HOLDS, archive.node)}) as rv:
        move(peer_of(rv.node), asked, archive.node.ae_title)
        assert set(archive.stored) == {ref.sop_instance_uid for ref in asked} - {"1.2.3.4"}
