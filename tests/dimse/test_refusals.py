"""Nodes that refuse, are not there, or say nothing: each verb ends in time, and says who and what to do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt

from recovery.dicom.model import DicomNode, InstanceRef
from recovery.dimse import (
    DimseError,
    Peer,
    count_series_instances,
    echo,
    fetch,
    find_by_uid,
    find_refs,
    move,
    open_link,
)
from recovery.dimse import store as store_objects
from tests.dimse.scripted import (
    FIND,
    PENDING,
    VERIFICATION,
    Scripted,
    bare_socket,
    encoded,
    match,
    peer_of,
    scp,
)
from tests.objects import record
from tests.orthanc import free_port
from tests.patience import seconds

LONG = seconds(20)
"""Seconds; the libraries begin at 30. A machine that does other work is slower than the 1 or 2 of the config."""

REFS = {InstanceRef("1.2.3.1"), InstanceRef("1.2.3.2")}


def _find(peer: Peer) -> None:
    with open_link(peer) as link:
        find_refs(link, {"Modality": "RTRECORD"})


VERBS: dict[str, Callable[[Peer], object]] = {
    "echo": echo,
    "find": _find,
    "move": lambda peer: move(peer, REFS, "ELSEWHERE"),
    "get": lambda peer: fetch(peer, REFS, lambda _: None),
    "fetch_by_move": lambda peer: fetch(peer, REFS, lambda _: None, retrieve="move"),
    "store": lambda peer: store_objects(peer, [encoded(record(None, []))]),
}
verbs = pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())


@verbs
def test_a_closed_port_is_named_with_what_to_check(verb: Callable[[Peer], object]) -> None:
    peer = peer_of(DicomNode("GONE", "127.0.0.1", free_port()), "rv")
    with pytest.raises(
        DimseError, match=r"The R&V system GONE at 127.* cannot be reached.*Check host and port"
    ) as told:
        verb(peer)
    assert told.value.fault == "rv"


@verbs
def test_a_host_that_has_no_address_is_named(verb: Callable[[Peer], object]) -> None:
    peer = peer_of(DicomNode("LOST", "no-such-host.invalid", 104), "tps")
    with pytest.raises(DimseError, match=r"The planning system LOST .* cannot be reached.*Check") as told:
        verb(peer)
    assert told.value.fault == "tps"


@verbs
def test_a_node_with_another_ae_title_tells_to_check_the_titles(verb: Callable[[Peer], object]) -> None:
    with scp(require_called=True) as node:
        wrong = DicomNode("OTHER", node.node.host, node.node.port)
        with pytest.raises(DimseError, match=r"called.*not recogni.*Check the AE titles") as told:
            verb(peer_of(wrong))
    assert told.value.fault == "pacs"


@verbs
def test_a_node_that_never_accepts_the_association_is_given_up(verb: Callable[[Peer], object]) -> None:
    with bare_socket() as node:
        started = time.monotonic()
        with pytest.raises(DimseError, match=r"did not answer") as told:
            verb(peer_of(node, "rv", timeout=1))
    assert time.monotonic() - started < LONG
    assert told.value.fault == "rv"


@verbs
def test_a_node_that_hangs_up_at_once_is_told(verb: Callable[[Peer], object]) -> None:
    with bare_socket(lambda s: s.close()) as node, pytest.raises(DimseError) as told:
        verb(peer_of(node, "rv"))
    assert told.value.fault == "rv"


def _hang(here: Scripted, event: evt.Event) -> Iterator[Any]:
    _released.wait(60)
    return
    yield


_released = threading.Event()


@pytest.fixture
def hanging() -> Iterator[Scripted]:
    """Accepts associations, and answers no C-FIND, C-MOVE, C-GET or C-STORE."""
    _released.clear()

    def store(here: Scripted, event: evt.Event) -> int:
        _released.wait(60)
        return 0

    handlers: dict[Any, Any] = {evt.EVT_C_FIND: _hang, evt.EVT_C_MOVE: _hang, evt.EVT_C_GET: _hang}
    with scp({**handlers, evt.EVT_C_STORE: store}) as node:
        yield node
        _released.set()


def test_a_node_that_agrees_to_what_nobody_proposed_is_told() -> None:
    """As where a bit of its answer was altered on the way."""
    with scp({FIND: lambda *_: iter(())}) as node, open_link(peer_of(node.node)) as link:
        for context in link._assoc.accepted_contexts:  # type: ignore[attr-defined]
            context.transfer_syntax = ["1.2.840.10008.1.3"]
        with pytest.raises(DimseError, match="a transfer syntax that nobody had proposed"):
            list(link.find(Dataset()))


def test_a_find_without_an_answer_ends_in_its_time(hanging: Scripted) -> None:
    started = time.monotonic()
    with pytest.raises(DimseError, match=r"did not answer C-FIND in ") as told:
        _find(peer_of(hanging.node, "rv", timeout=seconds(0.5)))
    assert 1 <= time.monotonic() - started < LONG
    assert (told.value.fault, told.value.status, told.value.timed_out) == ("rv", None, True)


def test_a_move_to_a_silent_node_is_given_up_after_a_few_tries(hanging: Scripted) -> None:
    many = {InstanceRef(f"1.2.3.{n}") for n in range(120)}
    started = time.monotonic()
    with pytest.raises(DimseError, match=r"did not answer C-MOVE in "):
        move(peer_of(hanging.node, "rv", timeout=seconds(0.5)), many, "ELSEWHERE")
    assert time.monotonic() - started < LONG


def test_a_get_from_a_silent_node_is_given_up_after_a_few_tries(hanging: Scripted) -> None:
    many = {InstanceRef(f"1.2.3.{n}") for n in range(120)}
    started = time.monotonic()
    with pytest.raises(DimseError, match=r"did not answer C-GET in "):
        fetch(peer_of(hanging.node, timeout=seconds(0.5)), many, lambda _: None)
    assert time.monotonic() - started < LONG


def test_storing_to_a_silent_node_is_given_up_after_a_few_objects(hanging: Scripted) -> None:
    many = [encoded(record(None, [])) for _ in range(20)]
    started = time.monotonic()
    with pytest.raises(DimseError, match=r"did not answer C-STORE in "):
        store_objects(peer_of(hanging.node, timeout=seconds(0.5)), many)
    assert time.monotonic() - started < LONG


def test_one_object_that_is_not_answered_is_named_and_not_called_stored(hanging: Scripted) -> None:
    obj = encoded(record(None, []))
    assert store_objects(peer_of(hanging.node, timeout=seconds(0.5)), [obj]) == {obj.sop_instance_uid: None}


def test_half_an_answer_does_not_hold_the_caller(tmp_path: Path) -> None:
    """The node accepts, by a relay to a real SCP, and stops in the middle of a PDU of its C-FIND answer."""

    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        yield PENDING, match(event.identifier, "1.2.3", PatientID="X" * 60)

    with scp({evt.EVT_C_FIND: find}) as node, _cut_in_the_middle(node.node) as half:
        started = time.monotonic()
        with pytest.raises(DimseError) as told:
            _find(peer_of(half, "rv", timeout=seconds(0.5)))
    assert time.monotonic() - started < LONG
    assert told.value.fault == "rv"


def test_a_node_that_reads_no_more_does_not_hold_the_caller() -> None:
    """The association stands, then nobody reads: 60 MB do not fit into the buffers between."""
    big = encoded(record(None, [], EncapsulatedDocument=bytes(60_000_000)))
    with scp() as node, _cut_in_the_middle(node.node, back=10**9, forth=100_000) as deaf:
        started = time.monotonic()
        assert store_objects(peer_of(deaf, timeout=seconds(0.5)), [big]) == {big.sop_instance_uid: None}
    assert time.monotonic() - started < LONG


def _cut_in_the_middle(real: DicomNode, back: int = 20, forth: int = 10**9) -> Any:
    """In front of `real`: passes on so many bytes after the first answer, then keeps the connection and is silent."""

    def talk(client: socket.socket) -> None:
        def pump(source: socket.socket, sink: socket.socket, allowed: int, free: bool) -> None:
            try:
                if free and (first := source.recv(65_536)):  # A-ASSOCIATE-AC passes whole
                    sink.sendall(first)
                while allowed > 0 and (data := source.recv(min(4096, allowed))):
                    sink.sendall(data)
                    allowed -= len(data)
            except OSError:
                pass

        server = socket.create_connection((real.host, real.port))
        threading.Thread(target=pump, args=(client, server, forth, False), daemon=True).start()
        threading.Thread(target=pump, args=(server, client, back, True), daemon=True).start()

    return bare_socket(talk)


def _fails_with(status: int, matches: int) -> Callable[[Scripted, evt.Event], Iterator[Any]]:
    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        for number in range(matches):
            yield PENDING, match(event.identifier, f"1.2.3.{number}")
        yield status, None

    return find


@pytest.mark.parametrize("status", [0xA700, 0xA900, 0xC001, 0xFE00, 0x0122, 0xB000, 0xB001])
def test_a_find_that_ends_in_anything_but_success_is_no_answer(status: int) -> None:
    with scp({evt.EVT_C_FIND: _fails_with(status, 1)}) as node, pytest.raises(DimseError) as told:
        _find(peer_of(node.node, "rv"))
    assert (told.value.fault, told.value.status) == ("rv", status)
    assert f"0x{status:04X}" in str(told.value)


def test_a_find_that_fails_after_one_match_gives_no_set() -> None:
    with (
        scp({evt.EVT_C_FIND: _fails_with(0xA700, 1)}) as node,
        open_link(peer_of(node.node)) as link,
        pytest.raises(DimseError, match="0xA700"),
    ):
        find_by_uid(link, ["1.2.3.0", "1.2.3.1"])


def test_a_node_that_aborts_after_one_answer_gives_no_set() -> None:
    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        yield PENDING, match(event.identifier, "1.2.3.0")
        event.assoc.abort()

    with scp({evt.EVT_C_FIND: find}) as node, pytest.raises(DimseError, match=r"ended the association during C-FIND"):
        _find(peer_of(node.node, "rv"))


def test_a_refused_count_is_no_empty_count() -> None:
    with (
        scp({evt.EVT_C_FIND: _fails_with(0xC000, 0)}) as node,
        open_link(peer_of(node.node)) as link,
        pytest.raises(DimseError),
    ):
        count_series_instances(link, ["1.2.3"])


def test_who_stops_reading_answers_does_not_hear_them_in_the_next_question() -> None:
    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        for number in range(5):
            yield PENDING, match(event.identifier, f"{event.identifier.Modality}.{number}")

    with scp({evt.EVT_C_FIND: find}) as node, open_link(peer_of(node.node)) as link:
        query = Dataset()
        query.QueryRetrieveLevel, query.Modality, query.SOPInstanceUID = "IMAGE", "1", ""
        answers = link.find(query)
        assert str(next(answers).SOPInstanceUID) == "1.0"
        answers.close()  # type: ignore[attr-defined]
        query.Modality = "2"
        with pytest.raises(DimseError):
            list(link.find(query))


def test_a_node_that_offers_no_query_says_so() -> None:
    with scp(contexts=[VERIFICATION]) as node, pytest.raises(DimseError, match=r"accepts neither Study Root nor"):
        _find(peer_of(node.node))


def test_a_node_that_offers_nothing_that_is_needed_says_so() -> None:
    with scp(contexts=["1.2.840.10008.5.1.4.1.1.7"]) as node, pytest.raises(DimseError, match=r"accepts none of"):
        _find(peer_of(node.node))


def test_a_node_without_c_get_tells_which_setting_to_change() -> None:
    for contexts in ([VERIFICATION, FIND], [VERIFICATION, FIND, "1.2.840.10008.5.1.4.1.1.2"]):
        with scp(contexts=contexts) as node, pytest.raises(DimseError, match=r'no C-GET.*retrieve = "move"'):
            fetch(peer_of(node.node), REFS, lambda _: None)


def test_a_port_that_is_taken_here_is_told() -> None:
    with scp() as node:
        peer = peer_of(node.node, timeout=0.2, port=node.node.port)
        with pytest.raises(DimseError, match=r"This machine cannot listen as RBRDT.*Check \[local\]"):
            fetch(peer, REFS, lambda _: None, retrieve="move")
