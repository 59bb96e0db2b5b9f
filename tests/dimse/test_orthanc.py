"""The verbs between two real Orthancs, R&V system and RT-PACS. What arrived is asked of the destination itself."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from recovery.dicom.model import VARIAN_RT_PLAN, DicomNode, InstanceRef
from recovery.dimse import (
    EncodedObject,
    Forwarder,
    Peer,
    count_series_instances,
    echo,
    fetch,
    find_by_uid,
    find_held,
    find_images,
    find_refs,
    move,
    move_series,
    open_link,
    open_receiver,
    store,
)
from tests.dimse.scripted import by_uid, encoded, ref_of
from tests.objects import encode, images, plan, record, structure_set, uid
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

TESTDATA = Path(os.environ.get("RBRDT_TESTDATA", str(Path(__file__).parents[2].parent / "shared" / "testdata")))
BREAKER = "pydicom/rtplan_truncated.dcm"
"""An odd number of bytes: Orthanc logs "Odd Fragment Length: 1829" and is silent from then on."""
SAME_UID = {"pydicom/rtdose_expb.dcm", "pydicom/rtdose_rle.dcm"}
"""pydicom/rtdose.dcm in other transfer syntaxes, under its UID."""


class Site:
    """Two Orthancs that know each other and this machine."""

    def __init__(self, rv: Orthanc, pacs: Orthanc, local: DicomNode) -> None:
        self.rv, self.pacs, self.local = rv, pacs, local
        self.rv_peer = Peer(local, rv.node, "rv", timeout=20)
        self.pacs_peer = Peer(local, pacs.node, "pacs", timeout=20)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    rv, pacs, local = (DicomNode(name, "127.0.0.1", free_port()) for name in ("RV", "PACS", "RBRDT"))
    quick = {"TCP_NODELAY": "1"}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Orthanc(tmp_path_factory.mktemp(node.ae_title), node, [rv, pacs, local], quick))
            for node in (rv, pacs)
        ]
        yield Site(servers[0], servers[1], local)


@pytest.fixture(autouse=True)
def _empty(request: pytest.FixtureRequest) -> None:
    if "site" in request.fixturenames:
        there: Site = request.getfixturevalue("site")
        there.rv.delete_all()
        there.pacs.delete_all()


def _put(server: Orthanc, *objects: Dataset) -> None:
    for ds in objects:
        server.put(encode(ds))


def _dataset_of(server: Orthanc, sop_instance_uid: str) -> bytes:
    """The dataset as the server keeps it, group 0002 apart, by REST."""
    for instance in server._get("/instances?expand"):
        if instance["MainDicomTags"]["SOPInstanceUID"] == sop_instance_uid:
            url = f"http://127.0.0.1:{server.http_port}/instances/{instance['ID']}/file"
            file = urllib.request.urlopen(url, timeout=30).read()
            return bytes(file[144 + dcmread(BytesIO(file), stop_before_pixels=True)
                              .file_meta.FileMetaInformationGroupLength :])  # fmt: skip
    raise LookupError(sop_instance_uid)


@contextmanager
def _relay(site: Site) -> Iterator[None]:
    with Forwarder(site.pacs_peer) as forwarder, open_receiver(site.local, forwarder.handle, None):
        yield


def _uids(refs: set[InstanceRef]) -> set[str]:
    return {ref.sop_instance_uid for ref in refs}


def test_both_answer_an_echo(site: Site) -> None:
    echo(site.rv_peer)
    echo(site.pacs_peer)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"Modality": "RTRECORD"}, {"a", "b", "c"}),
        ({"Modality": "RTRECORD", "PatientID": "100001\\100003"}, {"a", "c"}),
        ({"Modality": "RTRECORD", "SeriesDate": "20261101-20261107"}, {"a"}),
        ({"Modality": "RTRECORD", "InstanceCreationDate": "20261108-20261109"}, {"b"}),
        ({"Modality": "RTRECORD", "TreatmentDate": "20261103-20261103"}, {"c"}),
        ({"Modality": "RTPLAN"}, {"p"}),
        ({"Modality": "RTRECORD", "PatientID": "nobody"}, set()),
        ({"Modality": "RTRECORD", "PatientID": "GÖTZ"}, set()),
    ],
)
def test_every_key_that_is_used_finds_what_it_says(site: Site, keys: dict[str, str], expected: set[str]) -> None:
    dates = {"a": ("20261105", "20261101"), "b": ("20261115", "20261108"), "c": ("20261116", "20261110")}
    named = {
        name: record(None, [], PatientID=f"10000{number}", SeriesDate=series, InstanceCreationDate=created,
                     SOPInstanceUID=uid(name), TreatmentDate=f"2026110{number}")
        for number, (name, (series, created)) in enumerate(dates.items(), 1)
    }  # fmt: skip
    named["p"] = plan({1: 100.0}, PatientID="100001")
    _put(site.rv, *named.values())
    with open_link(site.rv_peer) as link:
        found = find_refs(link, keys)
        answers = list(find_images(link, keys, ("SOPClassUID", "TreatmentDate")))
    assert _uids(found) == {str(named[name].SOPInstanceUID) for name in expected}
    assert site.rv_peer.traits.relational is not False
    for ref in found:
        ds = next(d for d in named.values() if d.SOPInstanceUID == ref.sop_instance_uid)
        assert (ref.series_instance_uid, ref.patient_id) == (ds.SeriesInstanceUID, ds.PatientID)
        assert ref.sop_class_uid in {None, ds.SOPClassUID}  # asked for only where it is needed
    if "TreatmentDate" in keys:
        assert {a.TreatmentDate for a in answers} == {"20261103"}


def test_unknown_uids_in_a_list_are_missing_and_nothing_else_is(site: Site) -> None:
    records = [record(None, []) for _ in range(6)]
    _put(site.rv, *records)
    asked = {*(ref_of(ds) for ds in records), InstanceRef("1.2.3.4"), InstanceRef("1.2.3.5")}
    with open_link(site.rv_peer) as link:
        assert _uids(find_held(link, asked)) == set(by_uid(records))
        assert _uids(find_by_uid(link, [ref.sop_instance_uid for ref in asked])) == set(by_uid(records))
        assert find_by_uid(link, ["1.2.3.4"]) == set()
    move(site.rv_peer, asked, "PACS")
    assert site.pacs.instances() == set(by_uid(records))


def test_series_are_counted_and_moved_whole(site: Site) -> None:
    slices = images(7)
    _put(site.rv, *slices, structure_set(slices))
    series = str(slices[0].SeriesInstanceUID)
    with open_link(site.rv_peer) as link:
        assert count_series_instances(link, [series, "1.2.3.4"]) == {series: 7}
    move_series(site.rv_peer, str(slices[0].StudyInstanceUID), series, "PACS")
    assert site.pacs.instances() == set(by_uid(slices))


@pytest.mark.parametrize("route", ["direct", "relay"])
def test_what_is_moved_is_at_the_destination_byte_for_byte(site: Site, route: str) -> None:
    objects = [record(None, []) for _ in range(30)] + images(4) + [plan({1: 100.0}, sop_class_uid=VARIAN_RT_PLAN)]
    _put(site.rv, *objects)
    refs = {ref_of(ds) for ds in objects}
    if route == "direct":
        assert move(site.rv_peer, refs, "PACS") == {}
    else:
        with _relay(site):
            assert move(site.rv_peer, refs, "RBRDT") == {}
    assert site.pacs.instances() == set(by_uid(objects))
    for ds in objects:
        assert _dataset_of(site.pacs, ds.SOPInstanceUID) == encoded(ds).data


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_what_is_fetched_is_what_the_archive_holds(site: Site, retrieve: Any) -> None:
    objects = [record(None, [], TreatmentMachineName="Lö") for _ in range(60)] + images(3)
    objects.append(plan({1: 100.0}, sop_class_uid=VARIAN_RT_PLAN))
    _put(site.pacs, *objects)
    came: list[Dataset] = []
    failures = fetch(site.pacs_peer, [ref_of(ds) for ds in objects], came.append, retrieve=retrieve)
    assert failures == {}
    assert {str(ds.SOPInstanceUID): Dataset(ds) for ds in came} == {u: Dataset(ds) for u, ds in by_uid(objects).items()}
    assert len(came) == len(objects)


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_fetching_what_the_archive_does_not_hold_names_it(site: Site, retrieve: Any) -> None:
    objects = [record(None, []) for _ in range(3)]
    _put(site.pacs, *objects)
    came: list[Dataset] = []
    asked = [*(ref_of(ds) for ds in objects), InstanceRef("1.2.3.4")]
    assert set(fetch(site.pacs_peer, asked, came.append, retrieve=retrieve)) == {"1.2.3.4"}
    assert {str(ds.SOPInstanceUID) for ds in came} == set(by_uid(objects))


def test_a_relay_with_the_archive_down_backs_up_nothing_and_says_so(site: Site) -> None:
    objects = [record(None, []) for _ in range(5)]
    _put(site.rv, *objects)
    down = Peer(site.local, DicomNode("DOWN", "127.0.0.1", free_port()), "pacs", timeout=3)
    with Forwarder(down) as forwarder, open_receiver(site.local, forwarder.handle, None):
        failures = move(site.rv_peer, {ref_of(ds) for ds in objects}, "RBRDT")
    assert set(failures) == set(by_uid(objects))


def _shared_data() -> dict[str, EncodedObject]:
    """Every file of the shared data that names itself, by its path; those without file meta as what they read as."""
    objects = {}
    for path in sorted(TESTDATA.rglob("*.dcm")):
        data = path.read_bytes()
        ds = dcmread(BytesIO(data), force=True, stop_before_pixels=True)
        if "SOPInstanceUID" not in ds:
            continue
        syntax = ds.file_meta.get("TransferSyntaxUID") if hasattr(ds, "file_meta") else None
        if syntax is not None:
            data = data[144 + ds.file_meta.FileMetaInformationGroupLength :]
        elif data[128:132] == b"DICM":
            data = data[132:]
        vr_is_there = data[4:6].isalpha() and data[4:6].isupper()
        syntax = syntax or (ExplicitVRLittleEndian if vr_is_there else ImplicitVRLittleEndian)
        name = str(path.relative_to(TESTDATA))
        objects[name] = EncodedObject(str(ds.SOPClassUID), str(ds.SOPInstanceUID), str(UID(syntax)), data)
    if not objects:
        pytest.skip(f"no test data in {TESTDATA}: set RBRDT_TESTDATA to the folder")
    return objects


def test_real_files_arrive_but_the_one_that_breaks_the_association_and_that_is_named(site: Site) -> None:
    objects = {name: o for name, o in _shared_data().items() if name not in {*SAME_UID, "pydicom/rtplan.dcm"}}
    said = store(replace(site.pacs_peer, timeout=3), objects.values())
    assert {name for name, o in objects.items() if said[o.sop_instance_uid] != 0} == {BREAKER}
    assert said[objects[BREAKER].sop_instance_uid] is None
    held = site.pacs.instances()
    assert {name for name, o in objects.items() if o.sop_instance_uid not in held} == {BREAKER}


def test_real_files_are_fetched_and_moved_on(site: Site) -> None:
    objects = {name: o for name, o in _shared_data().items() if name not in {*SAME_UID, BREAKER}}
    assert set(store(site.rv_peer, objects.values()).values()) == {0}
    held = site.rv.instances()
    assert held == {o.sop_instance_uid for o in objects.values()}
    with open_link(site.rv_peer) as link:
        refs = find_by_uid(link, held)
    came: list[Dataset] = []
    assert fetch(site.rv_peer, refs, came.append) == {}
    assert {str(ds.SOPInstanceUID) for ds in came} == held
    with _relay(site):
        assert move(site.rv_peer, refs, "RBRDT") == {}
    assert site.pacs.instances() == held
    padding = b"\xfc\xff\xfc\xff"  # Data Set Trailing Padding (PS3.10 section 7.2), which dcmtk leaves out
    for one in held:
        assert _dataset_of(site.pacs, one) == _dataset_of(site.rv, one).split(padding)[0]
