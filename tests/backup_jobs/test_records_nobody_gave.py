"""A treatment record that somebody else than the R&V system stored in the RT-PACS: neither counted nor left out in
silence, where there is no database to hold the count against."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from recovery.entries.known_gaps import KnownGap
from recovery.host.entry_lines import append_statement
from recovery.words.notices import Next, next_fraction
from tests.backup_jobs.test_main_job import course, days_ago, row_of
from tests.clinic import TwoNodes, two_nodes
from tests.objects import beam_item, encode, record
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

NOT_COUNTED = "word of the R&V system of 1 treatment record in the RT-PACS (not counted)"
COUNTED = "1 treatment record counted that the R&V system does not have"
SIGNED = "1 treatment record counted that a physicist signed, though the R&V system has none such"
EARLIER = "2 treatment records counted that the R&V system does not have, all before those that it has of the plan"
SUMMARY = "1.2.840.10008.5.1.4.1.1.481.7"
NOT_ASKED = "1 treatment record counted of which the R&V system could not be asked yet"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path) as nodes:
        yield nodes


def treated(clinic: TwoNodes, *patients: str) -> dict[str, list[Dataset]]:
    """Patients with three fractions each, backed up."""
    courses = {one: course(one, f"{one}^X", {1: 100.0}, 3, last=1) for one in patients}
    clinic.put(*courses.values())
    assert clinic.job("cycle")[0] == 0
    return courses


def made_up(objects: list[Dataset], patient_id: str, fraction: int = 4) -> Dataset:
    """A record of a plausible day that nobody was treated on."""
    (plan_uid,) = {str(ds.SOPInstanceUID) for ds in objects if ds.Modality == "RTPLAN"}
    return record(
        plan_uid,
        [beam_item(1, fraction, 100.0, 100.0)],
        at=days_ago(0.3),
        PatientID=patient_id,
        InstanceCreationDate=f"{days_ago(0.3):%Y%m%d}",
    )


def listed(clinic: TwoNodes, patient_id: str = "A") -> tuple[Any, ...]:
    row = row_of(clinic.table(), patient_id)
    told = next_fraction({**row, "unknown_since": None})[1]
    return row["fractions_delivered"], told is Next.DUE, row["missing"], row["disagreement"], row["remarks"]


def test_one_that_the_rv_system_denies_is_not_counted_and_no_next_fraction_is_told_until_it_is_settled(
    clinic: TwoNodes,
) -> None:
    objects = treated(clinic, "A", "B")["A"]
    forged = made_up(objects, "A")
    clinic.pacs.put(encode(forged))
    for _ in range(2):
        status, results = clinic.job("cycle")
        assert (status, results["build_on_treatment"]["unproven"]) == (1, [forged.SOPInstanceUID])
        assert "it is not counted" in results["build_on_treatment"]["message"]
        assert listed(clinic) == (3, False, NOT_COUNTED, None, "")
    assert listed(clinic, "B") == (3, True, "", None, ""), "nobody else is touched"
    assert forged.SOPInstanceUID not in {row["sop_instance_uid"] for row in clinic.table("treatment_records")}
    clinic.pacs.delete_instance(forged.SOPInstanceUID)
    assert clinic.job("cycle")[0] == 0
    assert listed(clinic) == (3, True, "", None, "") and clinic.table("doubted_records") == []


def test_one_that_the_rv_system_gets_later_or_that_a_physicist_signs_is_counted(clinic: TwoNodes) -> None:
    courses = treated(clinic, "A", "B")
    late, signed = made_up(courses["A"], "A"), made_up(courses["B"], "B")
    for one in (late, signed):
        clinic.pacs.put(encode(one))
    clinic.job("cycle")
    assert listed(clinic)[:2] == listed(clinic, "B")[:2] == (3, False)
    clinic.put(late)
    now = datetime.now().astimezone()
    until = now.date() + timedelta(30)
    gap = KnownGap((str(signed.SOPInstanceUID),), "given at TB2, seen on its console", until, "Green", now)
    append_statement(clinic.folder / "cache", gap)
    for _ in range(2):
        _, results = clinic.job("cycle")
        assert results["build_on_treatment"]["unproven"] == [signed.SOPInstanceUID], "Backup health knows who signed"
        assert listed(clinic) == (4, True, "", None, "")
        assert listed(clinic, "B") == (4, True, "", None, SIGNED)


def test_one_that_comes_while_the_rv_system_is_down_counts_and_is_said_before_and_after(clinic: TwoNodes) -> None:
    forged = made_up(treated(clinic, "A", "B")["A"], "A")
    clinic.rv.stop()
    clinic.pacs.put(encode(forged))
    for _ in range(2):
        clinic.job("cycle")
        assert listed(clinic) == (4, True, "", None, NOT_ASKED)
    clinic.rv.start()
    for _ in range(2):
        status, results = clinic.job("cycle")
        assert (status, results["build_on_treatment"]["unproven"]) == (1, [forged.SOPInstanceUID])
        assert listed(clinic) == (4, True, "", COUNTED, "")


def test_what_was_there_before_the_first_run_counts_and_is_said(clinic: TwoNodes) -> None:
    """An R&V system that was new last week, and an RT-PACS that has the old one's records."""
    objects = course("A", "A^X", {1: 100.0}, 3, last=1)
    clinic.put(objects[:-3], objects[-1])
    for ds in objects[-3:-1]:
        clinic.pacs.put(encode(ds))
    for _ in range(3):
        clinic.job("cycle")
    assert listed(clinic) == (3, True, "", None, EARLIER)


def test_what_the_rv_system_had_once_counts_on_when_it_has_it_no_more(clinic: TwoNodes) -> None:
    objects = treated(clinic, "A", "B")["A"]
    clinic.rv.delete_instance(str(objects[-3].SOPInstanceUID))
    for _ in range(2):
        assert clinic.job("cycle")[0] == 0
        assert listed(clinic) == (3, True, "", None, "")


def test_of_more_patients_at_once_than_the_guard_believes_all_count_and_are_said(clinic: TwoNodes) -> None:
    clinic.extra = "[guard]\npast_patients = 1\n"
    courses = treated(clinic, "A", "B", "C")
    for one in ("A", "B"):
        clinic.pacs.put(encode(made_up(courses[one], one)))
    clinic.job("cycle")
    assert listed(clinic) == listed(clinic, "B") == (4, True, "", COUNTED, "")


def test_what_is_no_treatment_record_is_not_asked_for(clinic: TwoNodes) -> None:
    """A treatment summary that somebody else's software stored beside the records."""
    treated(clinic, "A", "B")
    at = days_ago(0.3)
    summary = record(None, [], at, sop_class_uid=SUMMARY, PatientID="A", InstanceCreationDate=f"{at:%Y%m%d}")
    clinic.pacs.put(encode(summary))
    for _ in range(2):
        assert clinic.job("cycle")[0] == 0
        assert listed(clinic) == (3, True, "", None, "")


def test_an_rv_system_whose_answers_prove_nothing_denies_nothing(clinic: TwoNodes) -> None:
    """It was emptied: it has not one record of those that it had, and no question to it can be told from a mistake."""
    objects = treated(clinic, "A", "B")["A"]
    clinic.rv.delete_all()
    clinic.pacs.put(encode(made_up(objects, "A")))
    clinic.job("cycle")
    assert listed(clinic) == (4, True, "", None, NOT_ASKED)


def test_a_lost_table_of_them_asks_for_all_that_is_known_and_a_quiet_cycle_for_nothing(clinic: TwoNodes) -> None:
    treated(clinic, "A", "B")
    clinic.job("cycle")
    file = clinic.folder / "cache" / "tables" / "doubted_records.parquet"
    before = file.stat()
    clinic.job("cycle")
    assert (file.stat().st_ino, clinic.table("doubted_records")) == (before.st_ino, [])
    file.unlink()
    clinic.job("build_on_treatment")
    assert {row["state"] for row in clinic.table("doubted_records")} == {"unasked"}
    clinic.job("sync_records")
    assert clinic.table("doubted_records") == []


def test_jobs_that_run_each_by_itself_tell_the_same(clinic: TwoNodes) -> None:
    objects = treated(clinic, "A", "B")["A"]
    given = made_up(objects, "A")
    clinic.put(given)
    clinic.pacs.put(encode(made_up(objects, "A", 5)))
    clinic.job("sync_records")
    clinic.job("build_on_treatment")
    assert listed(clinic) == (4, False, NOT_COUNTED, None, "")
