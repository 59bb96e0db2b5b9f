"""Summaries in a stock Orthanc: found by C-FIND, read by tools not ours, sent once, proven element by element.

The RT-PACS's own files and listing are what is asserted on.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image, ImageChops
from pydicom import Dataset, dcmread
from pypdfium2 import PdfDocument

from backup_jobs.archive.tables import archive_tables, list_without_its_job
from backup_jobs.rv.photos import photo_of
from recovery.cache.journal import JobResult, Journal
from recovery.pacs.peers import pacs_peer
from recovery.pacs.record_search import find_all_records, find_records
from recovery.tables.schema import PROVEN_OBJECTS
from tests.archive_clinic import (
    DCIODVFY,
    NO_DCIODVFY,
    NOW,
    OneSite,
    dumped,
    errors_of,
    local,
    object_counts,
    stored_files,
)
from tests.objects import beam_item, encode, plan, record
from tests.orthanc import HOW_TO_INSTALL, Orthanc, orthanc_is_installed
from tests.photos import BLUE, RED, picture
from tests.recovery.made_snapshots import take

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

PDF = "1.2.840.10008.5.1.4.1.1.104.1"
SUMMARY = "1.2.840.10008.5.1.4.1.1.481.7"


def treated(patient_id: str, name: str, fractions: int, *, of: int = 20, last: float = 1) -> list[Dataset]:
    """A plan of two beams and its records, a session a day."""
    whose = {"PatientID": patient_id, "PatientName": name}
    treated_plan = plan({1: 100.0, 2: 50.0}, fractions=of, **whose)
    records = [
        record(
            treated_plan.SOPInstanceUID,
            [beam_item(1, n, 100.0, 100.0), beam_item(2, n, 50.0, 50.0)],
            at=local(last + fractions - n),
            **whose,
        )
        for n in range(1, fractions + 1)
    ]
    return [treated_plan, *records]


def give(pacs: Orthanc, *groups: list[Dataset]) -> None:
    for ds in (ds for group in groups for ds in group):
        pacs.put(encode(ds))


def summaries(pacs: Orthanc) -> list[Path]:
    found = stored_files(pacs.folder)
    return [found[uid] for uid in sorted(found) if dcmread(found[uid]).SOPClassUID == SUMMARY]


def test_each_course_gets_one_summary_with_the_dashboards_counts_and_a_second_run_sends_none(
    pacs: Orthanc, site: OneSite
) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 7), treated("B2", "QUARTZ^Heron", 3, of=3))
    rows = site.overview()
    result = site.run()
    assert (result.outcome, result.message) == ("OK", "")
    assert object_counts(result) == (4, 0, 4, 0), "a summary and a chart each"
    by_patient = {ds.PatientID: ds for ds in map(dcmread, summaries(pacs))}
    assert {patient_id: ds.CurrentTreatmentStatus for patient_id, ds in by_patient.items()} == {
        "A1": "ON_TREATMENT",
        "B2": "COMPLETED",
    }
    one = by_patient["A1"]
    (group,) = one.FractionGroupSummarySequence
    assert (group.NumberOfFractionsDelivered, group.NumberOfFractionsPlanned) == (7, 20)
    assert group.NumberOfFractionsDelivered == next(r for r in rows if r["patient_id"] == "A1")["fractions_delivered"]
    assert [f.ReferencedFractionNumber for f in group.FractionStatusSummarySequence] == list(range(1, 8))
    assert (one.FirstTreatmentDate, one.MostRecentTreatmentDate) == ("20261115", "20261121")
    (referenced,) = one.ReferencedRTPlanSequence
    plans = [ds for ds in map(dcmread, stored_files(pacs.folder).values()) if ds.Modality == "RTPLAN"]
    (own_plan,) = [ds for ds in plans if ds.PatientID == "A1"]
    assert referenced.ReferencedSOPInstanceUID == own_plan.SOPInstanceUID
    assert one.StudyInstanceUID == own_plan.StudyInstanceUID
    assert one.SeriesInstanceUID not in {ds.SeriesInstanceUID for ds in plans}
    assert one.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2"
    assert "TreatmentSummaryCalculatedDoseReferenceSequence" not in one

    second = site.run()
    assert object_counts(second) == (3, 3, 0, 0), "the summary of a completed course is asked about once a day"
    assert object_counts(site.later(hours=25).run()) == (4, 4, 0, 0), "gaps that grow are nothing new"


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmtk is not installed: apt-get install -y dcmtk")
def test_summaries_open_in_tools_not_ours_and_are_found_by_c_find(pacs: Orthanc, site: OneSite) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 7))
    site.overview()
    site.run()
    (path,) = summaries(pacs)
    assert "ON_TREATMENT" in dumped(path)
    if not DCIODVFY.exists():
        pytest.skip(NO_DCIODVFY)
    assert errors_of(path) == []
    asked = [
        *("findscu", "-S", "-aec", pacs.node.ae_title, pacs.node.host, str(pacs.node.port)),
        *("-k", "QueryRetrieveLevel=IMAGE", "-k", "PatientID=A1", "-k", f"SOPClassUID={SUMMARY}"),
        *("-k", "CurrentTreatmentStatus", "-k", "SOPInstanceUID"),
    ]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    answers = done.stdout + done.stderr
    assert answers.count("ON_TREATMENT") == 1
    assert dcmread(path).SOPInstanceUID in answers


def test_a_new_fraction_is_one_new_summary_in_the_same_series_and_the_old_one_stays(
    pacs: Orthanc, site: OneSite
) -> None:
    course = treated("A1", "BASALT^Osprey", 7)
    give(pacs, course[:-1])
    site.overview()
    site.run()
    give(pacs, course[-1:])
    later = site.later(minutes=10)
    later.overview()
    assert object_counts(later.run()) == (2, 0, 2, 0)
    old, new = sorted(map(dcmread, summaries(pacs)), key=lambda ds: ds.InstanceNumber)
    assert old.SeriesInstanceUID == new.SeriesInstanceUID
    assert old.InstanceNumber < new.InstanceNumber
    delivered = [ds.FractionGroupSummarySequence[0].NumberOfFractionsDelivered for ds in (old, new)]
    assert delivered == [6, 7]
    assert (old.InstanceCreationTime, new.InstanceCreationTime) == ("120000", "121000")


def test_summary_and_chart_are_of_the_same_cycle_as_the_fraction(pacs: Orthanc, site: OneSite) -> None:
    course = treated("A1", "BASALT^Osprey", 7)
    give(pacs, course[:-1])
    site.overview()
    site.run()
    give(pacs, course[-1:])
    later = site.later(minutes=10)
    assert object_counts(later.run()) == (2, 0, 2, 0), "before build_on_treatment made its list"
    newest = max(map(dcmread, summaries(pacs)), key=lambda ds: ds.InstanceNumber)
    assert newest.FractionGroupSummarySequence[0].NumberOfFractionsDelivered == 7
    later.overview()
    assert object_counts(later.later(minutes=10).run()) == (2, 2, 0, 0), "the chart is the list's"


def test_summaries_change_no_count_and_are_read_by_no_other_job(pacs: Orthanc, site: OneSite) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 7))
    before = site.overview()
    site.run()
    space = site.space()
    peer = pacs_peer(space.config, space.memory)
    assert len(find_all_records(peer)) == len(find_records(peer, space.window(30), NOW)) == 7
    assert site.overview() == before
    assert site.space().memory.passed_over == []
    site.forget()
    assert site.overview() == before


def test_an_rt_pacs_that_does_not_tell_series_descriptions_gives_the_same_counts(
    pacs: Orthanc, site: OneSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recovery.pacs.record_search.SUMMARIES", "a description that no answer bears")
    give(pacs, treated("A1", "BASALT^Osprey", 7))
    before = site.overview()
    site.run()
    site.forget()
    assert site.overview() == before
    assert len(site.space().memory.passed_over) == 1


def test_a_lost_ledger_costs_reading_and_no_sending(pacs: Orthanc, site: OneSite) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 7))
    site.overview()
    site.run()
    (site.config.cache_path / "tables" / "proven_objects.parquet").unlink()
    assert object_counts(site.later(minutes=10).run()) == (2, 2, 0, 0), "the chart was drawn again, for its moment"
    assert [row["why"] for row in site.space().cache.read(PROVEN_OBJECTS)] == [None, None]


def test_what_the_rt_pacs_lost_is_sent_again_whatever_the_ledger_says(pacs: Orthanc, site: OneSite) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 7))
    site.overview()
    site.run()
    pacs.delete_instance(dcmread(summaries(pacs)[0]).SOPInstanceUID)
    assert object_counts(site.later(minutes=10).run()) == (2, 1, 1, 0)
    assert len(summaries(pacs)) == 1


def test_an_rt_pacs_that_is_down_makes_the_job_partial_and_says_so(pacs: Orthanc, site: OneSite) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 7))
    site.overview()
    pacs.kill()
    result = site.run()
    assert (result.outcome, result.fault) == ("PARTIAL", "pacs")
    assert "the tables are in the cache" in result.message and str(pacs.node) in result.message
    assert result.counts["tables"] == 13
    pacs.start()
    assert object_counts(site.run()) == (2, 0, 2, 0)


@pytest.mark.skipif(shutil.which("dcm2pdf") is None, reason="dcmtk is not installed: apt-get install -y dcmtk")
def test_each_patients_chart_is_a_pdf_that_tools_not_ours_open(pacs: Orthanc, site: OneSite, tmp_path: Path) -> None:
    course = treated("A1", "BASALT^Osprey", 7)
    give(pacs, course)
    site.overview()
    site.run()
    (path,) = [p for p in stored_files(pacs.folder).values() if dcmread(p).SOPClassUID == PDF]
    ds = dcmread(path)
    assert (ds.PatientID, ds.StudyInstanceUID) == ("A1", course[0].StudyInstanceUID)
    assert [item.ReferencedSOPInstanceUID for item in ds.SourceInstanceSequence] == [course[0].SOPInstanceUID]
    assert not ds.AcquisitionDateTime, "no run of sync_records told up to when all is proven"
    done = subprocess.run(["dcm2pdf", path, tmp_path / "chart.pdf"], capture_output=True, text=True, check=True)
    assert not done.stderr
    pdf = (tmp_path / "chart.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-") and pdf.rstrip(b"\0\n").endswith(b"%%EOF")
    if shutil.which("pdftotext"):
        said = subprocess.run(["pdftotext", tmp_path / "chart.pdf", "-"], capture_output=True, text=True, check=True)
        assert "BASALT" in said.stdout and "8 next of" in said.stdout
    if not DCIODVFY.exists():
        pytest.skip(NO_DCIODVFY)
    assert errors_of(path) == []


def test_a_chart_says_up_to_when_all_was_proven_and_is_not_drawn_anew_when_only_that_changes(
    pacs: Orthanc, site: OneSite
) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 7))
    site.overview()
    for run in (site, site.later(minutes=10), site.later(hours=5), site.later(hours=75)):
        journal = Journal(run.config.cache_path)
        journal.finish(journal.start("sync_records", run.now), JobResult("sync_records", "OK", {}), run.now)
        run.run()
    charts = [ds for ds in map(dcmread, stored_files(pacs.folder).values()) if ds.SOPClassUID == PDF]
    assert [ds.AcquisitionDateTime for ds in charts] == ["20261122120000"]
    (site.config.cache_path / "tables" / "proven_objects.parquet").unlink()
    assert object_counts(site.later(hours=75, minutes=10).run()) == (2, 2, 0, 0), (
        "the proof is fresh, nobody is unknown"
    )


def test_a_photo_that_is_new_or_another_is_a_new_chart_and_an_unchanged_one_is_not(
    pacs: Orthanc, site: OneSite
) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 7))
    site.overview()
    site.run()
    photos = [asdict(photo_of(data, str(n))) for n, data in enumerate((picture(RED), picture(BLUE)))]
    for hours, photo in enumerate((photos[0], photos[0], photos[1]), start=1):
        later = site.later(hours=hours)
        later.write("photos", [{"patient_id": "A1", **photo}])
        assert object_counts(later.run())[2] == (0 if hours == 2 else 1)
    charts = [ds for ds in map(dcmread, stored_files(pacs.folder).values()) if ds.SOPClassUID == PDF]
    charts.sort(key=lambda ds: str(ds.ContentTime))
    pages = [PdfDocument(bytes(ds.EncapsulatedDocument))[0].render(scale=1).to_pil() for ds in charts]
    seen = [{name for name, colour in (("red", RED), ("blue", BLUE)) if shows(page, colour)} for page in pages]
    assert seen == [set(), {"red"}, {"blue"}]


def shows(page: Image.Image, colour: tuple[int, int, int]) -> bool:
    """Whether more than some pixels of a drawn page are about of a colour."""
    bands = page.convert("RGB").split()
    near = [band.point(lambda v, c=one: 255 * (abs(v - c) < 12)) for band, one in zip(bands, colour, strict=True)]
    return ImageChops.darker(ImageChops.darker(near[0], near[1]), near[2]).histogram()[255] > 500


def test_the_tables_themselves_go_with_them_once_and_come_back_bit_for_bit(pacs: Orthanc, site: OneSite) -> None:
    take(site.config.cache_path, 1)
    assert object_counts(site.run()) == (4, 0, 4, 0), "three tables and their manifest"
    assert object_counts(site.run()) == (4, 4, 0, 0)
    found = {}
    for path in stored_files(pacs.folder).values():
        with ZipFile(path) as packed:
            found |= {name: packed.read(name) for name in packed.namelist()}
    snapshot = site.space().cache.open_snapshot()
    assert snapshot is not None
    assert found.pop("manifest.json") == snapshot.manifest_file.read_bytes()
    assert found == {f"tables/{name}.parquet": snapshot.file(name).read_bytes() for name in snapshot.manifest.tables}
    take(site.config.cache_path, 2, changed=1)
    assert object_counts(site.run()) == (4, 2, 2, 0), "the table that changed, and a manifest"
    assert len(stored_files(pacs.folder)) == 6, "those before stay"


def test_the_tables_reach_the_rt_pacs_also_where_the_list_cannot_be_made_and_that_is_said(
    pacs: Orthanc, site: OneSite
) -> None:
    take(site.config.cache_path, 1)
    result = archive_tables(site.space(), JobResult("snapshot_tables", "OK", {}), lambda: None)
    assert (result.outcome, object_counts(result)) == ("PARTIAL", (4, 0, 4, 0))
    assert "neither treatment summaries nor charts" in result.message


def test_where_the_config_sets_a_pace_changed_tables_wait_and_then_go(pacs: Orthanc, site: OneSite) -> None:
    paced = replace(site, raw_data_minutes=60)
    take(site.config.cache_path, 1)
    assert object_counts(paced.run()) == (4, 0, 4, 0)
    take(site.config.cache_path, 2, changed=1)
    assert object_counts(paced.later(minutes=59).run()) == (0, 0, 0, 0)
    assert object_counts(paced.later(minutes=60).run()) == (4, 2, 2, 0)
    assert len(stored_files(pacs.folder)) == 6


def test_a_snapshot_that_is_damaged_here_is_not_archived_and_is_named(pacs: Orthanc, site: OneSite) -> None:
    snapshot = take(site.config.cache_path, 1)
    assert snapshot is not None
    with snapshot.file("notes").open("ab") as file:
        file.write(b"x")
    result = site.run()
    assert (result.outcome, result.unproven) == ("PARTIAL", (snapshot.snapshot_id,))
    assert stored_files(pacs.folder) == {}


def test_a_patient_whose_id_no_element_holds_is_named_by_the_objects_uid_and_stops_nobody(
    pacs: Orthanc, site: OneSite
) -> None:
    give(pacs, treated("A1", "BASALT^Osprey", 2), treated("B2", "QUARTZ^Heron", 2))
    site.overview()
    space, odd = site.space(), "A" * 65
    for uid, one in list(space.collection.records.items()):
        if one.ref.patient_id == "A1":
            ref, patient = replace(one.ref, patient_id=odd), replace(one.patient, patient_id=odd)
            space.collection.records[uid] = replace(one, ref=ref, patient=patient)
    result = archive_tables(space, JobResult("snapshot_tables", "OK", {}), partial(list_without_its_job, space))
    assert result.outcome == "PARTIAL"
    assert object_counts(result) == (4, 0, 2, 2), "neither summary nor chart"
    assert "PatientID cannot be written" in result.message and odd not in result.message
    assert result.unproven[0] in result.message
