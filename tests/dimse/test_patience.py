"""A node that speaks and speaks and never comes to an end is given up, whatever it says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_FIND, C_MOVE

from recovery.dicom.model import DicomNode
from recovery.dimse import DimseError, fetch, move, move_series, open_link
from recovery.dimse.moving import image_query
from recovery.pacs.record_search import find_all_records
from tests.dimse.scripted import PENDING, SUCCESS, Scripted, by_uid, gives, match, peer_of, ref_of, scp
from tests.objects import record
from tests.patience import seconds

WANTED = [record(None, []) for _ in range(4)]
REFS = [ref_of(ds) for ds in WANTED]
LONG = seconds(15)
"""Seconds after which a node that would speak for ever stops by itself: a red test ends too."""

Handler = Callable[[Scripted, evt.Event], Iterator[Any]]


@pytest.fixture(autouse=True)
def _a_short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.dimse.patience.TIMEOUTS", 1)


def _stores(what: Callable[[], Dataset]) -> Handler:
    """A C-GET that is answered with C-STOREs, four a second, and nothing else."""

    def get(here: Scripted, event: evt.Event) -> Iterator[Any]:
        until = time.monotonic() + LONG
        while time.monotonic() < until and event.assoc.is_established:
            event.assoc.send_c_store(what())
            time.sleep(0.25)
        yield 0

    return get


def _say(event: evt.Event, status: int, numbers: dict[str, int]) -> None:
    response = C_MOVE()
    response.MessageIDBeingRespondedTo = event.request.MessageID
    response.AffectedSOPClassUID = event.request.AffectedSOPClassUID
    response.Status = status
    for word, number in numbers.items():
        setattr(response, f"NumberOf{word}Suboperations", number)
    event.assoc.dimse.send_msg(response, event.context.context_id)


def _pendings(numbers: Callable[[int], dict[str, int]]) -> Handler:
    """A C-MOVE that is answered with nothing but "pending"."""

    def moved(here: Scripted, event: evt.Event) -> Iterator[Any]:
        until, said = time.monotonic() + LONG, 0
        while time.monotonic() < until and event.assoc.is_established:
            said += 1
            _say(event, PENDING, numbers(said))
            time.sleep(0.2)
        yield None, None

    return moved


@pytest.mark.parametrize("what", [lambda: record(None, []), lambda: WANTED[0]], ids=["strangers", "the same again"])
def test_a_get_that_only_ever_sends_other_objects_is_given_up(what: Callable[[], Dataset]) -> None:
    came: list[Dataset] = []
    with scp({evt.EVT_C_GET: _stores(what)}) as node:
        began = time.monotonic()
        failures = fetch(peer_of(node.node, timeout=2), [REFS[1]], came.append)
        assert time.monotonic() - began < LONG / 2
    assert came == []
    assert "did not come to an end with C-GET" in failures[REFS[1].sop_instance_uid]


def test_a_get_that_takes_long_and_brings_something_each_time_is_waited_for() -> None:
    came: list[str] = []
    timeout = seconds(0.5)

    def slowly(here: Scripted, event: evt.Event) -> Iterator[Any]:
        for step in gives(by_uid(WANTED))(here, event):
            time.sleep(0.6 * timeout if isinstance(step, tuple) else 0)
            yield step

    with scp({evt.EVT_C_GET: slowly}) as node:
        assert fetch(peer_of(node.node, timeout=timeout), REFS, lambda ds: came.append(str(ds.SOPInstanceUID))) == {}
        assert len(node.heard) == 1
    assert sorted(came) == sorted(by_uid(WANTED))


@pytest.mark.parametrize(
    "numbers",
    [lambda n: {}, lambda n: {"Remaining": 4, "Completed": 0}, lambda n: {"Completed": n}, lambda n: {"Warning": n}],
    ids=["no numbers", "none done", "ever more done", "ever more with a warning"],
)
def test_a_move_that_is_only_ever_pending_is_given_up(numbers: Callable[[int], dict[str, int]]) -> None:
    with scp({evt.EVT_C_MOVE: _pendings(numbers)}) as node, open_link(peer_of(node.node, "rv", timeout=1)) as asked:
        began = time.monotonic()
        with pytest.raises(DimseError, match="did not come to an end with C-MOVE"):
            asked.move(image_query(REFS), "ELSEWHERE")
        assert time.monotonic() - began < LONG / 2


def test_a_series_that_is_only_ever_pending_is_given_up() -> None:
    with scp({evt.EVT_C_MOVE: _pendings(lambda n: {"Remaining": 1})}) as node:
        began = time.monotonic()
        with pytest.raises(DimseError, match="did not come to an end with C-MOVE"):
            move_series(peer_of(node.node, "rv", timeout=1), None, "1.2.3", "ELSEWHERE")
        assert time.monotonic() - began < LONG / 2


def test_a_move_whose_objects_arrive_with_a_warning_each_is_waited_for() -> None:
    """B000 of every C-STORE (a coerced element) is an object that arrived (PS3.4 C.4.2.1.6)."""
    timeout = seconds(0.5)

    def slowly(here: Scripted, event: evt.Event) -> Iterator[Any]:
        for n in range(1, 5):
            time.sleep(0.7 * timeout)
            _say(event, PENDING, {"Warning": n, "Remaining": 4 - n})
        _say(event, SUCCESS, {"Warning": 4})
        yield None, None

    with scp({evt.EVT_C_MOVE: slowly}) as node:
        move(peer_of(node.node, "rv", timeout=timeout), REFS, "ELSEWHERE")
        assert len(node.heard) == 1


def test_answers_to_an_older_question_do_not_hold_the_caller() -> None:
    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        until = time.monotonic() + LONG
        while event.request.MessageID != 1 and time.monotonic() < until and event.assoc.is_established:
            response = C_FIND()
            response.MessageIDBeingRespondedTo = 1
            response.AffectedSOPClassUID = event.request.AffectedSOPClassUID
            response.Status = 0
            event.assoc.dimse.send_msg(response, event.context.context_id)
            time.sleep(0.2)
        yield from ()

    query = Dataset()
    query.QueryRetrieveLevel, query.PatientID = "STUDY", ""
    with scp({evt.EVT_C_FIND: find}) as node, open_link(peer_of(node.node, timeout=1)) as asked:
        assert list(asked.find(query)) == []
        began = time.monotonic()
        with pytest.raises(DimseError, match="did not come to an end with C-FIND"):
            list(asked.find(query))
        assert time.monotonic() - began < LONG / 2


def _matches(pause: float, uid: Callable[[int], str]) -> Handler:
    def find(here: Scripted, event: evt.Event) -> Iterator[Any]:
        until, said = time.monotonic() + LONG, 0
        while time.monotonic() < until and event.assoc.is_established:
            said += 1
            yield PENDING, match(event.identifier, uid(said))
            time.sleep(pause)

    return find


@pytest.mark.parametrize("uid", [lambda n: f"1.2.{n}", lambda _: "1.2.3"], ids=["others", "the same again"])
@pytest.mark.parametrize(("name", "most"), [("patience.TIMEOUTS_OF_MATCHES", 3), ("link.MOST_MATCHES", 20)])
def test_matches_without_an_end_are_given_up_by_time_and_by_number_and_are_never_none(
    name: str, most: int, uid: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"recovery.dimse.{name}", most)
    with scp({evt.EVT_C_FIND: _matches(0.05, uid)}) as node:
        began = time.monotonic()
        with pytest.raises(DimseError, match="did not come to an end with C-FIND"):
            find_all_records(peer_of(node.node, "rv", timeout=1))
        assert time.monotonic() - began < LONG / 2


@pytest.mark.parametrize("quick_bytes", [0, 400], ids=["from the start", "once associated"])
def test_a_node_at_twenty_bytes_a_second_is_given_up_and_is_not_empty(quick_bytes: int) -> None:
    with scp({evt.EVT_C_FIND: _matches(10, lambda n: f"1.2.{n}")}) as node, slow_line(node.node, quick_bytes) as slow:
        began = time.monotonic()
        with pytest.raises(DimseError, match="SCRIPTED"):
            find_all_records(peer_of(slow, "rv", timeout=1))
        assert time.monotonic() - began < LONG / 2


@contextlib.contextmanager
def slow_line(node: DicomNode, quick_bytes: int) -> Iterator[DicomNode]:
    """The same node over a line that brings its answers at 20 bytes a second, after the first `quick_bytes`."""
    over = threading.Event()

    def carry(there: socket.socket, here: socket.socket, is_slow: bool) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while not over.is_set() and (data := there.recv(4096 if not is_slow or sent < quick_bytes else 1)):
                here.sendall(data)
                sent += len(data)
                over.wait(0.05 if is_slow and sent > quick_bytes else 0)
            here.shutdown(socket.SHUT_WR)

    def take() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                caller, _ = server.accept()
                called = socket.create_connection((node.host, node.port))
                for ends in ((caller, called, False), (called, caller, True)):
                    threading.Thread(target=carry, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield DicomNode(node.ae_title, "127.0.0.1", server.getsockname()[1])
        finally:
            over.set()
            thread.join(5)
