"""C-STORE and relay: what arrives, in which transfer syntax, and what the sender hears."""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)
from pynetdicom import evt

from recovery.dicom.model import RT_PLAN, VARIAN_RT_PLAN, DicomNode
from recovery.dimse import DimseError, EncodedObject, Forwarder, fetch, move, open_receiver
from recovery.dimse import store as store_objects
from tests.dimse.scripted import (
    QUERY,
    VERIFICATION,
    Scripted,
    by_uid,
    encoded,
    gives,
    keep,
    peer_of,
    ref_of,
    scp,
    sends,
)
from tests.objects import plan, record
from tests.orthanc import free_port

RECORD = "1.2.840.10008.5.1.4.1.1.481.4"


def _records(count: int, syntax: str = ImplicitVRLittleEndian) -> list[Dataset]:
    made = [record(None, []) for _ in range(count)]
    for ds in made:
        ds.file_meta.TransferSyntaxUID = syntax
    return made


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_an_object_arrives_byte_for_byte_in_its_own_syntax(syntax: str) -> None:
    obj = encoded(_records(1, syntax)[0])
    with scp() as archive:
        assert store_objects(peer_of(archive.node), [obj]) == {obj.sop_instance_uid: 0}
    padding = b"\0" if len(obj.data) % 2 else b""
    assert archive.stored == {obj.sop_instance_uid: obj.data + padding}
    assert archive.syntaxes == {obj.sop_instance_uid: syntax}


@pytest.mark.parametrize("syntax", [RLELossless, JPEGBaseline8Bit])
def test_compressed_bytes_pass_untouched(syntax: str) -> None:
    obj = EncodedObject("1.2.840.10008.5.1.4.1.1.2", "1.2.3.4", syntax, b"\x08\x00\x60\x00CS\x02\x00CT")
    with scp() as archive:
        assert store_objects(peer_of(archive.node), [obj]) == {"1.2.3.4": 0}
    assert archive.stored == {"1.2.3.4": obj.data}


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_a_node_that_takes_implicit_vr_only_gets_the_object_converted(syntax: str) -> None:
    ds = _records(1, syntax)[0]
    with scp(transfer_syntaxes=[ImplicitVRLittleEndian]) as mim:
        assert store_objects(peer_of(mim.node), [encoded(ds)]) == {ds.SOPInstanceUID: 0}
    assert mim.syntaxes == {ds.SOPInstanceUID: ImplicitVRLittleEndian}
    arrived = dcmread(BytesIO(mim.stored[ds.SOPInstanceUID]), force=True)
    assert Dataset(arrived) == Dataset(ds)


def test_what_cannot_be_converted_is_refused_and_costs_no_other() -> None:
    """Compressed, and broken: for a node that takes Implicit VR only."""
    good = [encoded(ds) for ds in _records(2)]
    compressed = EncodedObject("1.2.840.10008.5.1.4.1.1.2", "1.2.3.4", RLELossless, b"")
    broken = EncodedObject(RECORD, "1.2.3.5", ExplicitVRLittleEndian, b"\x08\x00\x60\x00SQ\x00\x00\xff\xff\x00\x00CT")
    with scp(transfer_syntaxes=[ImplicitVRLittleEndian]) as mim:
        said = store_objects(peer_of(mim.node), [good[0], compressed, broken, good[1]])
    assert {said[o.sop_instance_uid] for o in good} == {0}
    assert said["1.2.3.4"] == 0x0122
    assert said["1.2.3.5"] not in {0, None}
    assert set(mim.stored) == {o.sop_instance_uid for o in good}


def test_a_deflated_object_of_odd_length_is_sent_with_its_null_byte() -> None:
    """PS3.5 A.5. Without it Orthanc reports an odd fragment length and answers no more."""
    odd = next(o for n in range(1, 50) if len((o := _deflated(n)).data) % 2)
    with scp() as archive:
        assert store_objects(peer_of(archive.node), [odd]) == {odd.sop_instance_uid: 0}
    assert archive.stored[odd.sop_instance_uid] == odd.data + b"\0"


def _deflated(length: int) -> EncodedObject:
    """As some writers do it: the stream ends where it ends."""
    ds = encoded(_records(1, ExplicitVRLittleEndian)[0])
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    words = random.Random(length).randbytes(length * 2)
    private = b"\x09\x00\x10\x00UN\x00\x00" + (length * 2).to_bytes(4, "little") + words
    data = deflate.compress(private) + deflate.flush()
    return replace(ds, transfer_syntax=DeflatedExplicitVRLittleEndian, data=data)


def test_a_class_that_the_node_does_not_take_costs_no_other_object() -> None:
    for contexts in ((VERIFICATION, RECORD), (RECORD,)):
        records, other = _records(2), plan({1: 100.0})
        with scp(contexts=contexts) as archive:
            said = store_objects(peer_of(archive.node), [encoded(ds) for ds in (other, *records)])
        assert said == {other.SOPInstanceUID: 0x0122, **{ds.SOPInstanceUID: 0 for ds in records}}


def test_varians_private_plan_class_is_stored_fetched_and_moved() -> None:
    ds = plan({1: 100.0}, sop_class_uid=VARIAN_RT_PLAN)
    holds, came = by_uid([ds]), []
    with scp() as archive, scp({evt.EVT_C_GET: gives(holds), evt.EVT_C_MOVE: sends(holds, archive.node)}) as rv:
        assert store_objects(peer_of(rv.node), [encoded(ds)]) == {ds.SOPInstanceUID: 0}
        assert rv.stored == {ds.SOPInstanceUID: encoded(ds).data}
        assert move(peer_of(rv.node), [ref_of(ds)], archive.node.ae_title) == {}
        assert set(archive.stored) == set(holds)
        assert fetch(peer_of(rv.node), [ref_of(ds)], came.append) == {}
    assert Dataset(came[0]) == Dataset(ds)


def test_a_destination_that_aborts_after_each_object_gets_all_of_them() -> None:
    def store(here: Scripted, event: evt.Event) -> int:
        status = keep(here, event)
        threading.Timer(0.05, event.assoc.abort).start()
        return status

    objects = [encoded(ds) for ds in _records(6)]
    with scp({evt.EVT_C_STORE: store}) as archive:
        said = store_objects(peer_of(archive.node), objects)
    assert set(archive.stored) == {o.sop_instance_uid for o in objects}
    assert said == {o.sop_instance_uid: 0 for o in objects}


def test_an_object_at_which_the_association_broke_is_sent_once_more() -> None:
    seen: set[str] = set()

    def store(here: Scripted, event: evt.Event) -> int | None:
        uid = str(event.request.AffectedSOPInstanceUID)
        if uid not in seen:
            seen.add(uid)
            event.assoc.abort()
            return None
        return keep(here, event)

    objects = [encoded(ds) for ds in _records(3)]
    with scp({evt.EVT_C_STORE: store}) as archive:
        assert store_objects(peer_of(archive.node), objects) == {o.sop_instance_uid: 0 for o in objects}


def test_an_object_that_breaks_the_association_costs_only_itself() -> None:
    objects = [encoded(ds) for ds in _records(4)]
    bad = objects[1].sop_instance_uid

    def store(here: Scripted, event: evt.Event) -> int | None:
        if event.request.AffectedSOPInstanceUID == bad:
            event.assoc.abort()
            return None
        return keep(here, event)

    with scp({evt.EVT_C_STORE: store}) as archive:
        said = store_objects(peer_of(archive.node), objects)
    assert said == {o.sop_instance_uid: None if o.sop_instance_uid == bad else 0 for o in objects}


@contextmanager
def _relay(holds: dict[str, Dataset], destination: DicomNode) -> Iterator[tuple[Any, Any]]:
    """An R&V system that sends here, and on from here; yields it as a peer, and what it was answered."""
    heard: dict[str, int] = {}
    with ExitStack() as stack:
        local = DicomNode("RBRDT", "127.0.0.1", free_port())
        rv = stack.enter_context(scp({evt.EVT_C_MOVE: sends(holds, local)}))
        forwarder = stack.enter_context(Forwarder(peer_of(destination, timeout=2)))

        def handle(obj: EncodedObject) -> int:
            heard[obj.sop_instance_uid] = forwarder.handle(obj)
            return heard[obj.sop_instance_uid]

        stack.enter_context(open_receiver(local, handle, None))
        yield peer_of(rv.node, "rv", timeout=10, port=local.port), heard


def test_a_relay_passes_on_every_byte() -> None:
    holds = by_uid([*_records(5), *_records(5, ExplicitVRLittleEndian), plan({1: 100.0})])
    with scp() as archive, _relay(holds, archive.node) as (rv, heard):
        assert move(rv, {ref_of(ds) for ds in holds.values()}, "RBRDT") == {}
    assert archive.stored == {uid: encoded(ds).data for uid, ds in holds.items()}
    assert set(heard.values()) == {0}


def test_the_sender_hears_the_destinations_own_refusal() -> None:
    holds = by_uid(_records(3))
    bad = min(holds)

    def store(here: Scripted, event: evt.Event) -> int:
        return 0xA701 if event.request.AffectedSOPInstanceUID == bad else keep(here, event)

    with scp({evt.EVT_C_STORE: store}) as archive, _relay(holds, archive.node) as (rv, heard):
        failures = move(rv, {ref_of(ds) for ds in holds.values()}, "RBRDT")
    assert heard[bad] == 0xA701
    assert set(failures) == {bad}
    assert set(archive.stored) == set(holds) - {bad}


def test_while_the_destination_is_down_the_sender_hears_a_failure() -> None:
    holds = by_uid(_records(3))
    nobody = DicomNode("DOWN", "127.0.0.1", free_port())
    with _relay(holds, nobody) as (rv, heard):
        failures = move(rv, {ref_of(ds) for ds in holds.values()}, "RBRDT")
    assert set(failures) == set(holds)
    assert set(heard.values()) == {0xA700}


def test_a_destination_that_is_down_is_tried_once_a_second_and_not_for_each_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objects = [encoded(ds) for ds in _records(40)]
    monkeypatch.setattr("recovery.dimse.storing.ANEW_AFTER", 0.5)
    down = DicomNode("DOWN", "127.0.0.1", free_port())
    with Forwarder(peer_of(down, timeout=2)) as forwarder:
        tries = [error for obj in objects if (error := _error_of(forwarder, obj))]
        assert len(tries) == 40 > 10 * len(set(map(id, tries))), "each new try has an error of its own"
        with scp(node=down) as archive:
            time.sleep(0.5)
            assert forwarder.handle(objects[0]) == 0, "it is back"
    assert set(archive.stored) == {objects[0].sop_instance_uid}


def _error_of(forwarder: Forwarder, obj: EncodedObject) -> DimseError | None:
    try:
        forwarder.forward(obj)
    except DimseError as error:
        return error
    return None


def test_while_the_destination_is_silent_the_sender_hears_a_failure() -> None:
    holds, release = by_uid(_records(1)), threading.Event()

    def store(here: Scripted, event: evt.Event) -> int:
        release.wait(30)
        return 0

    with scp({evt.EVT_C_STORE: store}) as archive, _relay(holds, archive.node) as (rv, heard):
        failures = move(rv, {ref_of(ds) for ds in holds.values()}, "RBRDT")
        release.set()
    assert set(failures) == set(holds)
    assert set(heard.values()) == {0xA700}


def test_a_sender_with_a_new_association_per_object_opens_no_new_one_to_the_destination() -> None:
    """Associations to the destination belong to no thread: a destination that allows two is enough for all."""
    objects = [encoded(ds) for ds in _records(12)]
    with scp(most_associations=2) as archive, Forwarder(peer_of(archive.node)) as forwarder:
        for obj in objects:
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(forwarder.handle, obj).result() == 0
        assert archive.associations == 1
    assert set(archive.stored) == {o.sop_instance_uid for o in objects}


def test_a_destination_that_allows_one_association_takes_what_several_senders_bring() -> None:
    objects = [encoded(ds) for ds in _records(24)]
    with (
        scp(most_associations=1) as archive,
        Forwarder(peer_of(archive.node, timeout=5)) as forwarder,
        ThreadPoolExecutor(4) as pool,
    ):
        assert set(pool.map(forwarder.handle, objects)) == {0}
    assert set(archive.stored) == {o.sop_instance_uid for o in objects}
    assert archive.most_at_once == 1


def test_a_receiver_takes_every_class_in_every_syntax_and_lets_its_port_go() -> None:
    took: list[EncodedObject] = []
    local = DicomNode("RBRDT", "127.0.0.1", free_port())

    def handle(obj: EncodedObject) -> int:
        took.append(obj)
        return 0

    sent = [
        encoded(_records(1)[0]),
        encoded(_records(1, ExplicitVRBigEndian)[0]),
        EncodedObject("1.2.246.352.70.1.71", "1.2.3.4", ImplicitVRLittleEndian, b"\x08\x00\x60\x00\x02\x00\x00\x00CT"),
        EncodedObject("1.2.840.10008.5.1.4.1.1.2", "1.2.3.5", RLELossless, b"\x08\x00\x60\x00CS\x02\x00CT"),
    ]
    for _ in range(2):
        took.clear()
        with open_receiver(local, handle, None):
            assert set(store_objects(peer_of(local), sent).values()) == {0}
        assert took == sent
    with pytest.raises(DimseError):
        store_objects(peer_of(local), sent[:1])


def test_the_plan_class_is_not_confused_with_varians() -> None:
    ds = plan({1: 100.0}, sop_class_uid=RT_PLAN)
    with scp(contexts=(*QUERY, VARIAN_RT_PLAN)) as archive:
        assert store_objects(peer_of(archive.node), [encoded(ds)]) == {ds.SOPInstanceUID: 0x0122}
