"""An RT-PACS that answers success and lies: nothing that did not come back as it was sent is called proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import evt

from recovery.objects.treatment_summary import SERIES_DESCRIPTION
from tests.archive_clinic import NOBODY, OneSite, delivery, local, object_counts
from tests.dimse.scripted import PENDING, SUCCESS, Scripted, asked_uids, match, scp

Change = Callable[[Dataset], None]
Archive = dict[str, Dataset]


@contextmanager
def archive_that(
    folder: Path, change: Change = lambda _: None, *, keeps: Callable[[Dataset], bool] = lambda _: True
) -> Iterator[tuple[OneSite, Archive]]:
    """An archive that takes every object, answers success, and does `change` to it or drops it."""
    held: Archive = {}

    def store(here: Scripted, event: evt.Event) -> int:
        ds = read_dataset(BytesIO(event.request.DataSet.getvalue()), is_implicit_VR=True, is_little_endian=True)
        change(ds)
        if keeps(ds):
            ds.file_meta = event.file_meta
            held[str(ds.SOPInstanceUID)] = ds
        return SUCCESS

    def find(here: Scripted, event: evt.Event) -> Iterator[tuple[int, Dataset]]:
        wanted = asked_uids(event.identifier)
        for uid, ds in held.items():
            if not wanted or uid in wanted:
                place = {k: ds.get(k) for k in ("StudyInstanceUID", "SeriesInstanceUID", "PatientID")}
                yield PENDING, match(event.identifier, uid, **place)

    def get(here: Scripted, event: evt.Event) -> Iterator[Any]:
        found = [held[uid] for uid in asked_uids(event.identifier) if uid in held]
        yield len(found)
        for ds in found:
            yield PENDING, ds

    handlers = {evt.EVT_C_STORE: store, evt.EVT_C_FIND: find, evt.EVT_C_GET: get}
    with scp(handlers, transfer_syntaxes=[ImplicitVRLittleEndian]) as here:
        site = OneSite(folder, here.node, "mosaiq")
        site.write("deliveries", [delivery(1)])
        yield site, held


def test_an_archive_that_keeps_what_it_gets_is_proven_and_read_once(tmp_path: Path) -> None:
    with archive_that(tmp_path) as (site, held):
        first = site.run()
        assert (first.outcome, object_counts(first)) == ("OK", (2, 0, 2, 0))
        assert {ds.SeriesDescription for ds in held.values()} == {"RBRDT treatment record", SERIES_DESCRIPTION}
        assert object_counts(site.run()) == (2, 2, 0, 0)


def test_an_archive_that_answers_success_and_stores_nothing_is_not_believed(tmp_path: Path) -> None:
    with archive_that(tmp_path, keeps=lambda _: False) as (site, _):
        for _ in range(2):
            result = site.run()
            assert result.outcome == "PARTIAL"
            assert object_counts(result) == (1, 0, 0, 1)
            (uid,) = result.unproven
            assert f"{uid}: the RT-PACS answered 0x0000 when it was sent, and does not give it back" in result.message


def test_an_element_that_the_archive_alters_is_named_in_every_run_and_the_object_is_never_proven(
    tmp_path: Path,
) -> None:
    def shorten(ds: Dataset) -> None:
        ds.PatientName = "BAS"

    with archive_that(tmp_path, shorten) as (site, held):
        site.write("patients", [{"patient_id": "00017R", "patient_name": "BASALT, Osprey"}])
        for _ in range(3):
            result = site.run()
            assert result.outcome == "PARTIAL"
            (of_record,) = [uid for uid, ds in held.items() if "TreatmentSessionBeamSequence" in ds]
            assert of_record in result.unproven
            assert f"{of_record}: the RT-PACS gives it back with another PatientName" in result.message
            assert len(result.unproven) == result.counts["unproven"]
            assert "BASALT" not in result.message


def test_an_altered_meterset_deep_inside_is_named_and_amended_no_more_than_once(tmp_path: Path) -> None:
    def halve(ds: Dataset) -> None:
        for beam in ds.get("TreatmentSessionBeamSequence", []):
            beam.DeliveredPrimaryMeterset = "50"

    with archive_that(tmp_path, halve) as (site, held):
        first = site.run()
        assert "TreatmentSessionBeamSequence.DeliveredPrimaryMeterset" in first.message
        for _ in range(4):
            site.overview()
            result = site.run()
            assert result.outcome == "PARTIAL"
        assert sum(ds.Modality == "RTRECORD" and "TreatmentSessionBeamSequence" in ds for ds in held.values()) == 2


def test_an_element_that_the_archive_adds_is_told_and_proves_nothing_wrong(tmp_path: Path) -> None:
    def add(ds: Dataset) -> None:
        ds.RetrieveAETitle = "ARCHIVE"

    with archive_that(tmp_path, add) as (site, _):
        result = site.run()
        assert (result.outcome, result.unproven) == ("OK", ())
        assert "the RT-PACS added RetrieveAETitle to what it was sent" in result.message
        assert object_counts(site.run()) == (2, 2, 0, 0)


def test_an_element_that_the_archive_drops_is_altered(tmp_path: Path) -> None:
    def drop(ds: Dataset) -> None:
        if "TreatmentSessionBeamSequence" in ds:
            del ds.NumberOfFractionsPlanned

    with archive_that(tmp_path, drop) as (site, _):
        site.write("deliveries", [delivery(1, treated_at=local(2))])
        assert "with another NumberOfFractionsPlanned" in site.run().message


def test_a_session_whose_record_is_not_proven_is_missing_from_its_patients_course_until_it_is(tmp_path: Path) -> None:
    """Else the list would call the patient ready, and the fraction that was given the next one."""
    refused = {2}

    def keeps(ds: Dataset) -> bool:
        return ds.get("TreatmentSessionBeamSequence", [ds])[0].get("CurrentFractionNumber") not in refused

    with archive_that(tmp_path, keeps=keeps) as (site, _):
        site.write("deliveries", [delivery(1), delivery(2, fraction_number=2, treated_at=local())])
        assert site.run().outcome == "PARTIAL"
        (row,) = site.overview()
        assert (row["fractions_delivered"], row["records_held"], row["ready"]) == (1, False, False)
        assert "1 treatment record of the R&V system" in str(row["missing"])
        refused.clear()
        assert site.later(days=400).run().outcome == "OK", "it is asked for, though it is in no window any more"
        (row,) = site.overview()
        assert (row["fractions_delivered"], row["records_held"]) == (2, True)


def test_a_session_that_the_archive_holds_altered_and_does_not_amend_is_missing_too(tmp_path: Path) -> None:
    def halve(ds: Dataset) -> None:
        for beam in ds.get("TreatmentSessionBeamSequence", []):
            beam.DeliveredPrimaryMeterset = "50"

    with archive_that(tmp_path, halve) as (site, _):
        for _ in range(4):
            site.run()
            (row,) = site.overview()
        assert (row["fractions_delivered"], row["records_held"]) == (0, False)


def test_a_session_that_came_while_the_archive_could_not_be_asked_is_missing_too(tmp_path: Path) -> None:
    with archive_that(tmp_path) as (site, _):
        site.run()
        site.write("deliveries", [delivery(1), delivery(2, fraction_number=2, treated_at=local())])
        assert replace(site, pacs=NOBODY).run().outcome == "PARTIAL"
        (row,) = site.overview()
        assert (row["fractions_delivered"], row["records_held"]) == (1, False)
        assert site.run().outcome == "OK"
        (row,) = site.overview()
        assert (row["fractions_delivered"], row["records_held"]) == (2, True)
