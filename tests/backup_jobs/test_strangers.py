"""Whoever stores into this machine's port while a cycle moves records brings nothing into the RT-PACS, and is named."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset

from recovery.cache.journal import Journal
from recovery.dicom.model import DicomNode
from recovery.dimse import DimseError, EncodedObject, Peer, store
from recovery.dimse.guard import DOES_NOT_MATCH, NOT_AUTHORISED
from tests.clinic import TwoNodes, two_nodes
from tests.dimse.scripted import encoded
from tests.objects import beam_item, plan, record
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

NOW = datetime.now().replace(microsecond=0)  # noqa: DTZ005  the servers' clock, site-local
TREATED = plan({1: 100.0}, PatientID="A1")
RECORDS = [
    record(TREATED.SOPInstanceUID, [beam_item(1, n, 100.0, 100.0)], at=NOW - timedelta(hours=n), PatientID="A1")
    for n in range(1, 121)
]
STRANGER = record(TREATED.SOPInstanceUID, [beam_item(1, 30, 100.0, 100.0)], at=NOW, PatientID="A1")


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        yield nodes


def another_patients(wanted: Dataset) -> EncodedObject:
    """What is awaited by its UID, with another patient's dataset."""
    forged = copy.deepcopy(wanted)
    forged.PatientID = "VICTIM666"
    forged.PatientName = "FORGED^Name"
    return encoded(forged)


class Attacker(threading.Thread):
    """Stores into the port, again and again, until all three were tried while records are moved."""

    def __init__(self, clinic: TwoNodes) -> None:
        super().__init__()
        self._clinic = clinic
        self.ended = threading.Event()
        self.statuses: dict[str, set[int]] = {"wrong title": set(), "stranger": set(), "other patient": set()}
        self.wrong_title_was_refused = False

    def run(self) -> None:
        forged = another_patients(RECORDS[-1])
        while not self.ended.is_set():
            self._try("stranger", "RV", encoded(STRANGER))
            if not self.statuses["stranger"]:
                time.sleep(0.01)
                continue
            self._try("other patient", "RV", forged)
            self._try("wrong title", "EVIL", encoded(RECORDS[-1]))
            if DOES_NOT_MATCH in self.statuses["other patient"]:
                return

    def _try(self, what: str, ae_title: str, obj: EncodedObject) -> None:
        sender = Peer(DicomNode(ae_title, "127.0.0.1", 1), self._clinic.local, "rv", 3.0)
        try:
            status = store(sender, [obj])[obj.sop_instance_uid]
            if status is not None:
                self.statuses[what].add(status)
        except DimseError as error:
            self.wrong_title_was_refused |= what == "wrong title" and "refused the association" in str(error)


def test_nothing_of_a_stranger_gets_into_the_rt_pacs_and_the_journal_names_it(clinic: TwoNodes) -> None:
    clinic.put(TREATED, RECORDS)
    attacker = Attacker(clinic)
    attacker.start()
    try:
        _, results = clinic.job("cycle")
    finally:
        attacker.ended.set()
        attacker.join(20)
    assert attacker.wrong_title_was_refused
    assert attacker.statuses["wrong title"] == set()
    assert attacker.statuses["stranger"] == {NOT_AUTHORISED}
    assert DOES_NOT_MATCH in attacker.statuses["other patient"], "it was sent while its UID was wanted"
    assert 0 not in attacker.statuses["other patient"]
    assert (results["sync_records"]["outcome"], results["sync_records"]["counts"]["moved"]) == ("OK", len(RECORDS))
    assert clinic.pacs.instances() == clinic.rv.instances()
    assert clinic.pacs.patients() == {"A1"}
    told = results["sync_records"]["message"]
    assert f"object {STRANGER.SOPInstanceUID} was sent here, and nobody had asked for it" in told
    assert f"object {RECORDS[-1].SOPInstanceUID} was sent here, and it is another patient's" in told
    assert "EVIL" in told
    assert "VICTIM666" not in told
    assert told in [run.message for run in Journal(clinic.folder / "cache").runs()]
