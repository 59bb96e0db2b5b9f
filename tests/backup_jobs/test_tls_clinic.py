"""The whole job inside TLS, with certificates on both sides, on two Orthancs that speak nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset

from recovery.dicom.model import InstanceRef
from recovery.dimse.tls import Tls
from recovery.pictures.retrieval import read_object, source_of
from recovery.settings.config import load_config
from tests.clinic import TwoNodes
from tests.objects import beam_item, images, plan, record, structure_set
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.tls_clinic import NODES, Certificates, tables, tls_nodes

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[TwoNodes]:
    with tls_nodes(tmp_path_factory.mktemp("tls"), certificates) as nodes:
        yield nodes


@pytest.fixture
def clinic(servers: TwoNodes, certificates: Certificates, tmp_path: Path) -> TwoNodes:
    servers.rv.delete_all()
    servers.pacs.delete_all()
    return replace(servers, folder=tmp_path, extra=tables(certificates, {}))


def course(patient_id: str) -> list[Dataset]:
    whose = {"PatientID": patient_id, "PatientName": "BASALT^Osprey"}
    slices = images(3, **whose)
    contours = structure_set(slices, **whose)
    treated = plan({1: 100.0}, structure_set_uid=contours.SOPInstanceUID, **whose)
    at = datetime.now().replace(microsecond=0) - timedelta(hours=3)  # noqa: DTZ005  the servers' clock
    records = [
        record(treated.SOPInstanceUID, [beam_item(1, f, 100.0, 100.0)], at=at - timedelta(days=3 - f), **whose)
        for f in (1, 2, 3)
    ]
    return [*slices, contours, treated, *records]


@pytest.mark.parametrize(("route", "retrieve"), [("relay", "get"), ("direct", "move")])
def test_jobs_and_dashboard_work_inside_tls_by_every_route(clinic: TwoNodes, route: str, retrieve: str) -> None:
    clinic.route, clinic.retrieve = route, retrieve
    objects = course(f"T{route}")
    clinic.put(objects)
    status, results = clinic.job("cycle")
    assert status == 0, results
    assert clinic.pacs.instances() == clinic.rv.instances()
    (row,) = clinic.table()
    assert (row["fractions_delivered"], row["ready"]) == (3, True)

    source = source_of(load_config(clinic.config).without_rv())
    treated = objects[4]
    assert source.peer.tls is not None
    shown = read_object(source, InstanceRef(treated.SOPInstanceUID, treated.SOPClassUID), "the plan")
    assert shown.SOPInstanceUID == treated.SOPInstanceUID


def test_check_says_of_each_node_that_it_speaks_tls_and_until_when(clinic: TwoNodes) -> None:
    clinic.put(course("C1"))
    done = clinic.run("backup_jobs", "check")
    assert done.returncode == 0, done.stderr
    ends = f"{datetime.now(UTC) + timedelta(days=365):%Y-%m-%d}"
    for node in (clinic.rv.node, clinic.pacs.node):
        assert f"{node} is spoken to by TLS, its certificate ends on {ends}\n" in done.stderr
    assert "in the clear" not in done.stderr
    for name in NODES:
        assert f"works  the files of [{name}.tls] can be used\n" in done.stderr


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        ("by_foreign", "it does not know the CA that signed our certificate"),
        ("expired", "it says that our certificate has expired"),
        ("none", "it asks for a certificate of ours, and its `tls` in the config names none"),
        ("other ca", "its certificate is signed by another CA than those in"),
        ("other name", "its certificate is for 127.0.0.1, and not for rv.clinic.example"),
        ("clear", "Does it want TLS, and has no `tls` in the config?"),
    ],
)
def test_an_orthanc_and_who_is_not_believed_refuse_each_other_in_words(
    clinic: TwoNodes, certificates: Certificates, ours: str, words: str
) -> None:
    good = certificates.of["local"]
    ways = {
        "by_foreign": certificates.by_foreign,
        "expired": certificates.expired,
        "none": Tls(good.ca),
        "other ca": replace(good, ca=certificates.foreign.file),
        "other name": replace(good, server_name="rv.clinic.example"),
    }
    clinic.extra = tables(certificates, {"rv": ways[ours], "pacs": ways[ours]}) if ours in ways else ""
    done = clinic.run("backup_jobs", "sync_records")
    assert done.returncode == 2 and words in done.stderr
    assert clinic.pacs.instances() == set()


def test_check_tells_all_that_is_wrong_with_certificates_at_once(
    clinic: TwoNodes, certificates: Certificates, tmp_path: Path
) -> None:
    wide = tmp_path / "wide.key"
    good = certificates.of["local"]
    assert good.key is not None
    wide.write_bytes(good.key.read_bytes())
    wide.chmod(0o644)
    changed = {
        "local": replace(certificates.expired, key=good.key),
        "rv": replace(good, key=wide, ca=tmp_path / "none.pem"),
        "pacs": certificates.soon,
    }
    clinic.extra = tables(certificates, changed)
    done = clinic.run("backup_jobs", "check")
    lines = [line for line in done.stderr.splitlines() if line.startswith("FAILS  the files of")]
    ended, ends = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for days in (-3, 12))
    assert done.returncode == 2 and len(lines) == 3
    assert f"expired.pem expired on {ended}" in lines[0] and "local.key does not fit the certificate" in lines[0]
    assert "none.pem is not there" in lines[1] and "others may read the key" in lines[1]
    assert f"soon.pem ends on {ends}, in 11 days" in lines[2]


def test_a_sender_that_is_not_believed_gets_no_object_in_and_the_job_says_why(
    clinic: TwoNodes, certificates: Certificates
) -> None:
    """The R&V system's certificate is of the clinic's CA, and this machine takes only those of another."""
    clinic.put(course("S1"))
    clinic.extra = tables(certificates, {"local": replace(certificates.of["local"], ca=certificates.foreign.file)})
    status, results = clinic.job("sync_records")
    assert status == 1 and clinic.pacs.instances() == set()
    assert results["sync_records"]["counts"]["unproven"] == 3
    assert "refused: its certificate is signed by another CA than those in" in results["sync_records"]["message"]


def test_check_says_that_objects_come_in_the_clear_where_only_questions_go_by_tls(
    clinic: TwoNodes, certificates: Certificates
) -> None:
    clinic.put(course("S2"))
    clinic.extra = clinic.extra.partition("[local.tls]")[0] + clinic.extra[clinic.extra.index("[rv.tls]") :]
    done = clinic.run("backup_jobs", "check")
    assert f"{clinic.rv.node} sends here in the clear: there is no [local.tls]" in done.stderr
    assert f"{clinic.pacs.node} sends here in the clear" not in done.stderr, (
        "it answers C-GET inside the same connection"
    )
    assert done.returncode == 1, "this Orthanc sends by TLS alone"
