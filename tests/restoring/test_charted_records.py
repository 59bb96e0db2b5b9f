"""What was charted goes to a restored R&V system as records: once, proven, and never in doubt; and counts once here."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from recovery.__main__ import main
from recovery.cache.store import Cache
from recovery.course.charted import deliveries_of
from recovery.course.charted_entries import ChartedBeam, ChartedFraction
from recovery.dicom.model import DicomNode
from recovery.dicom.records import TreatmentRecord
from recovery.entries.charted import charted_folder, enter
from recovery.entries.downtimes import DowntimeEntry
from recovery.host.entry_lines import append_statement, entries_folder
from recovery.objects.sent_records import sent_uid
from recovery.patient.reconciliation import reconcile
from recovery.patient.tables import read_tables
from recovery.settings.config import Config, load_config
from recovery.tables.delivered import DELIVERIES
from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes
from tests.objects import encode
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.recovery.charting import entry
from tests.recovery.test_reconcile import row
from tests.restoring.clinic import archive, destination, digests

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

NOW = datetime.now(UTC).replace(microsecond=0)
AT = (NOW.astimezone() - timedelta(hours=1)).replace(tzinfo=None, second=0)
"""Site time is this machine's, in these tests' servers."""
LACKS, TWICE, OTHERWISE = "A1", "B2", "C3"
GIVEN = {1: 100.0, 2: 120.0}


@pytest.fixture(scope="module")
def courses() -> dict[str, list[Dataset]]:
    names = {LACKS: "BASALT^Osprey", TWICE: "QUARTZ^Heron", OTHERWISE: "GNEISS^Egret"}
    return {whose: course(whose, name, GIVEN, 4, last=1.1) for whose, name in names.items()}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, courses: dict[str, list[Dataset]]) -> Iterator[TwoNodes]:
    with archive(tmp_path_factory.mktemp("charted"), [ds for own in courses.values() for ds in own]) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with Orthanc(tmp_path_factory.mktemp("restored"), DicomNode("IMPORT", "127.0.0.1", free_port())) as orthanc:
        yield orthanc


@pytest.fixture
def config(clinic: TwoNodes, restored: Orthanc, courses: dict[str, list[Dataset]], tmp_path: Path) -> Config:
    """Fraction 5 of each was charted in a downtime; of one patient twice, and of one the R&V system has other MU."""
    restored.delete_all()
    clinic.extra = f'{destination("restored", restored.node)}[sign_in]\naudit = "{tmp_path / "audit.jsonl"}"\n'
    config = load_config(clinic.config)
    shutil.rmtree(entries_folder(config.cache_path), ignore_errors=True)
    append_statement(config.cache_path, DowntimeEntry("begin", "encrypted", "P", NOW, since=NOW - timedelta(days=1)))
    for whose in courses:
        chart(config, entry_of(config, whose, whose))
    chart(config, entry_of(config, TWICE, "again", beams={1: 100.0, 2: 119.0}), workstation="elsewhere")
    read_database(config, [row(OTHERWISE, plan_of(config, OTHERWISE), 5, 2, 12.0, AT)])
    return config


def chart(config: Config, one: ChartedFraction, workstation: str = "here") -> None:
    enter(config.cache_path, entries_folder(config.cache_path) / workstation, one)


def plan_of(config: Config, whose: str) -> str:
    (uid,) = {str(r.referenced_rt_plan_uid) for r in read_tables(Cache(config.cache_path), [whose]).records[whose]}
    return uid


def entry_of(
    config: Config, whose: str, entry_id: str, beams: dict[int, float] = GIVEN, **more: Any
) -> ChartedFraction:
    given = tuple(ChartedBeam(beam, f"Field {beam}", GIVEN[beam], mu) for beam, mu in beams.items())
    said = {"patient_id": whose, "referenced_rt_plan_uid": plan_of(config, whose), "beams": given, "entered_at": NOW}
    return entry(entry_id, 5, {}, AT, **(said | more))


def read_database(config: Config, more: list[dict[str, Any]], at: datetime = NOW) -> None:
    """The R&V database was read: it has what machines recorded before the downtime, and `more`."""
    cache, rows = Cache(config.cache_path), []
    for whose, own in read_tables(cache, [LACKS, TWICE, OTHERWISE]).records.items():
        for d in deliveries_of(r for r in own if not any(beam.charted_by for beam in r.beams)):
            assert d.began_at is not None and d.delivered_meterset is not None
            uid = plan_of(config, whose)
            rows.append(row(whose, uid, d.fraction_number, d.beam_number, d.delivered_meterset, d.began_at))
    cache.write(DELIVERIES, rows + more, taken_at=at, source="aria")


def restore(clinic: TwoNodes, *arguments: str) -> int:
    return main(["restore", "--to", "restored", "--charted", *arguments, "--config", str(clinic.config)])


def the_record(orthanc: Orthanc) -> Dataset:
    (instance,) = orthanc._get("/instances")
    url = f"http://127.0.0.1:{orthanc.http_port}/instances/{instance}/file"
    return dcmread(BytesIO(urllib.request.urlopen(url, timeout=30).read()))


def test_what_it_lacks_goes_once_and_nothing_that_is_in_doubt(
    clinic: TwoNodes, config: Config, restored: Orthanc, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert restore(clinic, "--dry-run") == 1 and not digests(restored)
    capsys.readouterr()
    assert restore(clinic) == 1, "two of three stay here, and are named"
    said = capsys.readouterr().out
    assert "1 went and are proven" in said
    assert "is in conflict: settle it" in said and "has it otherwise, or in part" in said
    ds = the_record(restored)
    record = TreatmentRecord.from_dataset(ds)
    assert record.ref.sop_instance_uid == sent_uid(LACKS) and record.treatment_record_content_origin == "USER"
    assert (record.ref.patient_id, record.referenced_rt_plan_uid) == (LACKS, plan_of(config, LACKS))
    assert {(b.beam_number, b.delivered_meterset, b.current_fraction_number) for b in record.beams} == {
        (1, 100.0, 5), (2, 120.0, 5)
    }  # fmt: skip
    assert {b.started_at for b in record.beams} == {AT} and {b.charted_by for b in record.beams} == {"A and B"}
    assert [str(name) for name in ds.OperatorsName] == ["A", "B"]
    assert '"what": "charted"' in (tmp_path / "audit.jsonl").read_text()
    before = restored._get("/changes?last")["Last"]
    assert restore(clinic) == 1 and "1 were held before" in capsys.readouterr().out
    assert restored._get("/changes?last")["Last"] == before, "not even stored once more"


def test_whoever_signed_that_it_was_typed_and_a_database_that_was_read_long_ago_send_nothing(
    clinic: TwoNodes, config: Config, restored: Orthanc, capsys: pytest.CaptureFixture[str]
) -> None:
    found = reconcile(config, Cache(config.cache_path), NOW)
    (item,) = [i.compared.item for i in found.open if i.compared.patient_id == LACKS]
    append_statement(config.cache_path, found.statement(item, "entered", "T. Therapist", NOW, ""))
    assert restore(clinic) == 1 and "somebody signed that it was entered by hand" in capsys.readouterr().out
    read_database(config, [], at=NOW - timedelta(hours=10))
    assert restore(clinic) == 2 and "let a cycle read it first" in capsys.readouterr().err
    clinic.extra = destination("restored", restored.node, "answers_queries = false\n")
    assert restore(clinic) == 2 and "goes where it can be proven" in capsys.readouterr().err
    (config.cache_path / "tables" / "deliveries.parquet").unlink()
    clinic.extra = destination("restored", restored.node)
    assert restore(clinic) == 2 and "--everybody" not in (said := capsys.readouterr().err), said
    assert not digests(restored)


def test_a_journal_that_a_hand_changed_sends_nothing(
    clinic: TwoNodes, config: Config, restored: Orthanc, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in charted_folder(config.cache_path).glob("*.jsonl"):
        file.write_bytes(file.read_bytes().replace(b"119.0", b"118.0"))
    assert restore(clinic) == 2 and "was changed by hand" in capsys.readouterr().err
    assert not digests(restored)


def test_what_comes_back_is_the_entry_and_no_second_delivery_also_where_it_is_corrected_then(
    clinic: TwoNodes, config: Config, restored: Orthanc
) -> None:
    def shown() -> tuple[Any, ...]:
        (listed,) = [r for r in clinic.table() if r["patient_id"] == LACKS]
        names = (
            "fractions_delivered",
            "next_fraction_number",
            "interrupted_fraction",
            "disagreement",
            "charted_conflict",
        )
        return tuple(listed[name] for name in names)

    assert restore(clinic) == 1
    clinic.pacs.put(encode(the_record(restored)))
    assert clinic.job("build_on_treatment")[0] == 0
    assert shown() == (5, 6, None, None, None)
    wrong = entry_of(config, LACKS, "less", beams={1: 100.0, 2: 20.0}, corrects=LACKS, known_entries=(LACKS,))
    chart(config, replace(wrong, comment="typed a wrong number"))
    assert clinic.job("build_on_treatment")[0] == 0
    assert shown() == (4, 5, 5, None, None), "what people say of it now counts"
