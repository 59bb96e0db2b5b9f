"""From a real RT-PACS to real and to scripted receivers: everything once, in order, proven by asking, or named."""

from __future__ import annotations

import csv
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom import evt

from recovery.__main__ import main
from recovery.dicom.model import RT_DOSE, DicomNode
from recovery.objects.digest import digest_of
from recovery.objects.treatment_summary import SERIES_DESCRIPTION as SUMMARIES
from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes
from tests.dimse.scripted import PENDING, QUERY, STORAGE, SUCCESS, Scripted, asked_uids, match, scp
from tests.forked import start_module
from tests.objects import encode, obj
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.patience import wait_until
from tests.restoring.clinic import archive, destination, digests, introduce, senders

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

TREATED, OTHER, FORMER = "A/1", "B2", "C3"


@pytest.fixture(scope="module")
def courses() -> dict[str, list[Dataset]]:
    """Two who are on treatment, and one who was treated long ago."""
    return {
        TREATED: course(TREATED, "BASALT^Osprey", {1: 100.0, 2: 120.0}, 4),
        OTHER: course(OTHER, "QUARTZ^Heron", {1: 50.0}, 3),
        FORMER: course(FORMER, "GNEISS^Egret", {1: 50.0}, 1, last=200.0),
    }


@pytest.fixture(scope="module")
def summary() -> Dataset:
    """What this program made of a patient and keeps in the RT-PACS."""
    made = {"PatientID": TREATED, "PatientName": "BASALT^Osprey", "SeriesDescription": SUMMARIES}
    return obj("1.2.840.10008.5.1.4.1.1.481.7", "RTRECORD", **made)


@pytest.fixture(scope="module")
def clinic(
    tmp_path_factory: pytest.TempPathFactory, courses: dict[str, list[Dataset]], summary: Dataset
) -> Iterator[TwoNodes]:
    everything = [ds for objects in courses.values() for ds in objects]
    with archive(tmp_path_factory.mktemp("restore"), [*everything, summary]) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def new_rv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with Orthanc(tmp_path_factory.mktemp("new"), DicomNode("NEWRV", "127.0.0.1", free_port())) as orthanc:
        yield orthanc


@pytest.fixture
def receiver(clinic: TwoNodes, new_rv: Orthanc) -> Orthanc:
    """An empty one that the config names, and the RT-PACS does not know."""
    new_rv.delete_all()
    clinic.extra = _audited(destination("new", new_rv.node))
    return new_rv


def _audited(text: str) -> str:
    return f'{text}[sign_in]\naudit = "audit.jsonl"\n'


def restore(clinic: TwoNodes, *arguments: str, to: str = "new") -> int:
    return main(["restore", "--to", to, *arguments, "--config", str(clinic.config)])


def uids(*groups: list[Dataset]) -> set[str]:
    return {str(ds.SOPInstanceUID) for objects in groups for ds in objects}


def lines(report: Path) -> list[dict[str, str]]:
    with report.open(newline="") as file:
        return list(csv.DictReader(file))


def test_who_is_on_treatment_goes_whole_and_equal_and_a_second_run_moves_nothing(
    clinic: TwoNodes, receiver: Orthanc, courses: dict[str, list[Dataset]], capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    assert restore(clinic) == 0
    said = capsys.readouterr()
    assert "Nothing is de-identified" in said.err and TREATED not in said.out + said.err
    there, here = digests(receiver), digests(clinic.pacs)
    assert there.keys() == uids(courses[TREATED], courses[OTHER]), "no summary, and nobody else"
    assert there == {uid: here[uid] for uid in there}
    audit = (clinic.folder / "audit.jsonl").read_text()
    assert audit.count('"action": "restore"') == 2 and '"to": "new"' in audit

    before = receiver._get("/changes?last")["Last"]
    report = tmp_path / "report.csv"
    assert restore(clinic, "-o", str(report)) == 0
    assert receiver._get("/changes?last")["Last"] == before, "not even stored once more"
    assert {line["outcome"] for line in lines(report)} == {"held before"}
    assert {line["sop_instance_uid"] for line in lines(report)} == set(there)


def test_by_c_move_where_the_rt_pacs_knows_the_receiver(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], tmp_path: Path
) -> None:
    with Orthanc(tmp_path / "known", DicomNode("KNOWN", "127.0.0.1", free_port())) as known:
        introduce(clinic.pacs, known.node)
        clinic.extra = _audited(destination("new", known.node))
        assert restore(clinic, "--patient", TREATED) == 0
        assert known.instances() == uids(courses[TREATED])
        assert senders(known) == {"RTPACS"}, "it did not come by way of this machine"


def test_a_patient_a_day_and_everybody_are_different_people(
    clinic: TwoNodes, receiver: Orthanc, courses: dict[str, list[Dataset]], summary: Dataset
) -> None:
    assert restore(clinic, "--patient", OTHER) == 0
    assert receiver.patients() == {OTHER}
    assert restore(clinic, "--since", "2026-11-20") == 0
    assert receiver.instances() == uids(courses[TREATED], courses[OTHER])
    assert restore(clinic, "--everybody", "--with-charts") == 0
    assert receiver.instances() == clinic.pacs.instances() == uids(*courses.values(), [summary])


def test_a_dry_run_says_what_would_go_and_sends_nothing(
    clinic: TwoNodes, receiver: Orthanc, courses: dict[str, list[Dataset]], tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"
    assert restore(clinic, "--patient", TREATED, "--dry-run", "-o", str(report)) == 0
    assert receiver.instances() == set()
    told = lines(report)
    assert {line["sop_instance_uid"] for line in told} == uids(courses[TREATED])
    assert {(line["outcome"], line["patient_id"]) for line in told} == {("to send", TREATED)}
    assert restore(clinic, "--patient", TREATED, "NOBODY", "--dry-run") == 1, "of whom the RT-PACS holds nothing"


def test_killed_at_random_moments_and_begun_anew_it_holds_everything_once(clinic: TwoNodes, receiver: Orthanc) -> None:
    """Each run is killed when the receiver holds a few more; then one runs to its end."""
    chance, whole = random.Random(13), clinic.pacs.count()
    for _ in range(5):
        before = receiver.count()
        more = chance.randint(1, 6)
        with tempfile.TemporaryFile() as out:
            asked = ("--everybody", "--with-charts", "--config", str(clinic.config))
            forked = start_module("recovery", "restore", "--to", "new", *asked, out=out.fileno(), err=out.fileno())
            wait_until(lambda least=before + more: receiver.count() >= min(least, whole))  # type: ignore[misc]
            os.kill(forked.pid, signal.SIGKILL)
            forked.wait(30)
    assert restore(clinic, "--everybody", "--with-charts") == 0
    assert digests(receiver) == digests(clinic.pacs), "each once, and the same"


def knows_what_it_stored(here: Scripted, event: evt.Event) -> Iterator[Any]:
    """C-FIND at IMAGE level by UID."""
    for uid in asked_uids(event.identifier):
        if uid in here.stored:
            yield PENDING, match(event.identifier, uid)


def knows_nothing(here: Scripted, event: evt.Event) -> Iterator[Any]:
    yield from ()


def test_it_goes_in_the_order_that_receivers_need(clinic: TwoNodes, courses: dict[str, list[Dataset]]) -> None:
    with scp({evt.EVT_C_FIND: knows_what_it_stored}) as node:
        clinic.extra = _audited(destination("new", node.node))
        assert restore(clinic, "--patient", TREATED) == 0
    kinds = {str(ds.SOPInstanceUID): ds.Modality for ds in courses[TREATED]}
    came = list(dict.fromkeys(kinds[uid] for uid in node.stored))
    assert came == ["CT", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD"]


def test_a_receiver_that_refuses_one_class_gets_the_rest_and_the_refused_are_named(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    takes = [uid for uid in (*QUERY, *STORAGE) if uid != RT_DOSE]
    (dose,) = [ds for ds in courses[TREATED] if ds.Modality == "RTDOSE"]
    with scp({evt.EVT_C_FIND: knows_what_it_stored}, contexts=takes) as node:
        clinic.extra = _audited(destination("new", node.node))
        assert restore(clinic, "--patient", TREATED, "-o", str(tmp_path / "report.csv")) == 1
        assert node.stored.keys() == uids(courses[TREATED]) - {dose.SOPInstanceUID}
    said = capsys.readouterr()
    assert f"refused: RT Dose Storage, 1 object: it does not take this SOP class: {dose.SOPInstanceUID}" in said.err
    (line,) = [line for line in lines(tmp_path / "report.csv") if line["outcome"] == "refused"]
    assert (line["patient_id"], line["sop_instance_uid"]) == (TREATED, dose.SOPInstanceUID)


def test_a_receiver_that_says_success_and_stores_nothing_proves_nothing(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with scp({evt.EVT_C_FIND: knows_nothing, evt.EVT_C_STORE: lambda here, event: SUCCESS}) as node:
        clinic.extra = _audited(destination("new", node.node))
        assert restore(clinic, "--patient", OTHER, "-o", str(tmp_path / "report.csv")) == 1
    told = lines(tmp_path / "report.csv")
    assert {line["outcome"] for line in told} == {"not proven"}
    assert {line["sop_instance_uid"] for line in told} == uids(courses[OTHER])
    assert "the receiver does not hold it" in capsys.readouterr().err


def test_a_receiver_that_answers_no_queries_gets_all_and_proves_nothing(
    clinic: TwoNodes, courses: dict[str, list[Dataset]], capsys: pytest.CaptureFixture[str]
) -> None:
    with scp(contexts=[QUERY[0], *STORAGE]) as node:
        clinic.extra = _audited(destination("new", node.node, "answers_queries = false\n"))
        assert restore(clinic, "--patient", OTHER) == 1
        assert node.stored.keys() == uids(courses[OTHER])
    assert "it answers no queries" in capsys.readouterr().err


def test_a_dead_receiver_an_unknown_name_and_one_that_dies_midway_are_said(
    clinic: TwoNodes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    clinic.extra = _audited(destination("dead", DicomNode("DEAD", "127.0.0.1", free_port())))
    assert restore(clinic, to="dead") == 2
    assert "cannot be reached" in capsys.readouterr().err
    assert restore(clinic, to="elsewhere") == 2
    assert "No destination elsewhere in the config. There are: dead." in capsys.readouterr().err

    with Orthanc(tmp_path / "dies", DicomNode("DIES", "127.0.0.1", free_port())) as dies:
        clinic.extra = _audited(destination("new", dies.node))
        killer = threading.Thread(target=lambda: (wait_until(lambda: dies.count() > 0), dies.kill()))
        killer.start()
        slowly = ("--megabytes-per-second", "0.01", "-o", str(tmp_path / "report.csv"))
        assert restore(clinic, "--everybody", *slowly) == 2
        killer.join()
    assert "It was left before its end" in capsys.readouterr().err
    assert {line["outcome"] for line in lines(tmp_path / "report.csv")} == {"not proven"}


def test_a_pace_is_kept(clinic: TwoNodes, receiver: Orthanc) -> None:
    began = time.monotonic()
    assert restore(clinic, "--patient", OTHER, "--megabytes-per-second", "0.01") == 0
    assert time.monotonic() - began > 0.5, "some 8 KB at 10 KB a second"


def test_what_a_plan_under_treatment_needs_and_the_rt_pacs_lost_is_named(
    clinic: TwoNodes, receiver: Orthanc, courses: dict[str, list[Dataset]], capsys: pytest.CaptureFixture[str]
) -> None:
    lost = courses[OTHER][0]
    clinic.pacs.delete_instance(lost.SOPInstanceUID)
    try:
        assert restore(clinic, "--patient", OTHER, "--dry-run") == 1
    finally:
        clinic.pacs.put(encode(lost))
    assert f"the RT-PACS lists it under none of the patient's numbers: {lost.SOPInstanceUID}" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("which", ["pacs", "rv"])
def test_by_another_name_of_its_host_neither_is_one(
    clinic: TwoNodes, capsys: pytest.CaptureFixture[str], which: str, host: str
) -> None:
    clinic.extra = _audited(destination("new", DicomNode("ANOTHER", host, getattr(clinic, which).node.port)))
    assert restore(clinic, "--dry-run") == 2
    assert "by another name" in capsys.readouterr().err


def test_a_new_rv_system_of_the_old_ones_ae_title_is_not_sent_to_by_the_rt_pacs_which_knows_the_old_one(
    clinic: TwoNodes, receiver: Orthanc, courses: dict[str, list[Dataset]]
) -> None:
    ae_title = clinic.rv.node.ae_title
    with scp() as old:
        introduce(clinic.pacs, DicomNode(ae_title, old.node.host, old.node.port))
        clinic.extra = _audited(destination("new", DicomNode(ae_title, receiver.node.host, receiver.node.port)))
        assert restore(clinic, "--patient", OTHER) == 0
        assert old.associations == 0
    assert receiver.instances() == uids(courses[OTHER])


@pytest.mark.parametrize("is_known", [False, True])
def test_a_research_copy_under_the_same_uid_goes_for_nobodys_plan(
    clinic: TwoNodes, receiver: Orthanc, courses: dict[str, list[Dataset]], is_known: bool
) -> None:
    """Whether it lies at the receiver already, and whether or not the RT-PACS could send by itself."""
    (plan,) = [ds for ds in courses[OTHER] if ds.Modality == "RTPLAN"]
    copy = deepcopy(plan)
    copy.PatientID, copy.PatientName = "STUDY-7", "Anonymous"
    clinic.pacs.put(encode(copy))
    if is_known:
        introduce(clinic.pacs, receiver.node)
    else:
        receiver.put(encode(copy))
    try:
        assert restore(clinic, "--patient", OTHER) == 0
        assert restore(clinic, "--patient", OTHER, "--dry-run") == 0
    finally:
        clinic.pacs.delete_instance(plan.SOPInstanceUID)
        clinic.pacs.put(encode(plan))
    there = digests(receiver)
    assert there.keys() == uids(courses[OTHER])
    expected = [digest_of(plan)] if is_known else sorted([digest_of(plan), digest_of(copy)])
    assert sorted(there[plan.SOPInstanceUID]) == expected


def test_since_a_day_takes_what_a_clock_that_was_ahead_dated(
    clinic: TwoNodes, receiver: Orthanc, courses: dict[str, list[Dataset]], capsys: pytest.CaptureFixture[str]
) -> None:
    ahead = deepcopy(courses[FORMER][-1])
    day = f"{datetime.now(UTC) + timedelta(days=30):%Y%m%d}"
    ahead.SOPInstanceUID, ahead.TreatmentDate, ahead.InstanceCreationDate = generate_uid(), day, day
    clinic.pacs.put(encode(ahead))
    try:
        assert restore(clinic, "--since", "2026-11-20", "--dry-run") == 0
    finally:
        clinic.pacs.delete_instance(ahead.SOPInstanceUID)
    assert "3 patients" in capsys.readouterr().out


def test_a_pace_that_is_no_number_is_none(clinic: TwoNodes, receiver: Orthanc) -> None:
    assert restore(clinic, "--megabytes-per-second", "nan") == 2


@pytest.mark.parametrize("which", ["pacs", "rv"])
def test_the_rt_pacs_and_the_rv_system_are_no_destinations(
    clinic: TwoNodes, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    node = getattr(clinic, which).node
    clinic.extra = _audited(destination("new", DicomNode("ANOTHER", "localhost", node.port)))
    assert restore(clinic) == 2
    said = capsys.readouterr().err
    assert "[restore_to.1] host: this is" in said and {"pacs": "RT-PACS", "rv": "R&V"}[which] in said
