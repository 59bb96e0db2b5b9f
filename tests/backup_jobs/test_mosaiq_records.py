"""MOSAIQ's deliveries become treatment records in a stock Orthanc, and are counted like any other's.

The replaced tool made a new UID in every run, put records into the plan's series and took the delivered metersets
from the plan.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from backup_jobs.jobs.check import check
from backup_jobs.jobs.sync_records import sync_records
from recovery.dicom.model import DicomNode
from tests.archive_clinic import (
    DCIODVFY,
    NO_DCIODVFY,
    OneSite,
    delivery,
    dumped,
    errors_of,
    local,
    object_counts,
    stored_files,
)
from tests.backup_jobs.mosaiq import fraction, mosaiq_site, records, the_plan
from tests.objects import encode
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)


@pytest.fixture
def site(tmp_path: Path, pacs: Orthanc) -> OneSite:
    return mosaiq_site(tmp_path, pacs)


def delivered(site: OneSite) -> int:
    (row,) = site.rows()
    return int(str(row["fractions_delivered"]))


def test_sessions_become_records_in_the_plans_study_and_are_counted_and_a_second_run_sends_none(
    pacs: Orthanc, site: OneSite
) -> None:
    treated = the_plan()
    pacs.put(encode(treated))
    site.write("deliveries", [row for n in range(1, 8) for row in fraction(n)])
    assert object_counts(site.run()) == (8, 0, 8, 0), "seven records and a summary"
    held = records(pacs)
    assert [len(ds.TreatmentSessionBeamSequence) for ds in held] == [2] * 7
    assert {ds.StudyInstanceUID for ds in held} == {treated.StudyInstanceUID}
    assert treated.SeriesInstanceUID not in {ds.SeriesInstanceUID for ds in held}
    assert len({ds.SeriesInstanceUID for ds in held}) == 7
    assert {ds.NumberOfFractionsPlanned for ds in held} == {25}, "of the prescription"
    assert {ds.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID for ds in held} == {"1.2.3.4"}
    (row,) = site.rows()
    assert (row["fractions_delivered"], row["fractions_remaining"], row["interrupted_fraction"]) == (7, 18, None)
    assert (row["patient_name"], row["first_treatment_at"]) == ("BASALT, Osprey", local(9))

    again = site.later(minutes=10)
    assert object_counts(again.run()) == (8, 8, 0, 0)
    assert delivered(again) == 7
    assert len(records(pacs)) == 7


@pytest.mark.skipif(not DCIODVFY.exists(), reason=NO_DCIODVFY)
def test_a_record_of_a_plan_that_is_held_has_no_error_and_opens_in_tools_not_ours(pacs: Orthanc, site: OneSite) -> None:
    pacs.put(encode(the_plan()))
    site.write("deliveries", fraction(1))
    result = site.run()
    assert result.message == ""
    uid = records(pacs)[0].SOPInstanceUID
    path = stored_files(pacs.folder)[uid]
    assert errors_of(path) == []
    said = dumped(path)
    assert "ControlPointDeliverySequence" in said and "(300a,0111)" not in said


def test_what_was_delivered_comes_from_the_history_alone_and_absent_stays_absent(pacs: Orthanc, site: OneSite) -> None:
    pacs.put(encode(the_plan()))
    site.write(
        "deliveries",
        [
            delivery(1, delivered_meterset=61.5, termination_status="MACHINE", termination_reason="DPSN"),
            delivery(2, beam_number=2, delivered_meterset=None, planned_meterset=None, termination_status=None),
        ],
    )
    site.run()
    (ds,) = records(pacs)
    first, second = ds.TreatmentSessionBeamSequence
    assert (first.DeliveredPrimaryMeterset, first.SpecifiedPrimaryMeterset) == (61.5, 100)
    assert (first.TreatmentTerminationStatus, first.TreatmentTerminationCode) == ("MACHINE", "DPSN")
    (point,) = first.ControlPointDeliverySequence
    assert (point.DeliveredMeterset, point.TreatmentControlPointTime) == (61.5, "090000")
    assert "DeliveredPrimaryMeterset" not in second and "SpecifiedPrimaryMeterset" not in second
    assert second.TreatmentTerminationStatus == "UNKNOWN"
    assert not second.TreatmentVerificationStatus
    (row,) = site.rows()
    assert (row["fractions_delivered"], row["interrupted_fraction"]) == (0, 1)


def test_qa_setup_and_portfilm_deliveries_are_no_treatments(pacs: Orthanc, site: OneSite) -> None:
    kinds = ["SETUP", "OPEN_PORTFILM", "TRMT_PORTFILM", "VERIFICATION", "QA", "17"]
    rows = [delivery(n, delivery_type=kind) for n, kind in enumerate(kinds, start=1)]
    site.write("deliveries", [*rows, delivery(9, delivery_type="CONTINUATION")])
    site.run()
    (ds,) = records(pacs)
    assert [b.TreatmentDeliveryType for b in ds.TreatmentSessionBeamSequence] == ["CONTINUATION"]


def test_a_field_that_arrives_later_amends_its_session_and_the_fraction_counts_once(
    pacs: Orthanc, site: OneSite
) -> None:
    pacs.put(encode(the_plan()))
    first, second = fraction(7)
    site.write("deliveries", [first])
    site.run()
    assert delivered(site) == 0
    (before,) = records(pacs)
    later = site.later(minutes=10)
    later.write("deliveries", [first, second])
    assert later.run().counts["moved"] == 2, "the amended record, and the summary"
    assert delivered(later) == 1
    old, new = records(pacs)
    assert old == before
    assert (old.SeriesInstanceUID, new.InstanceNumber) == (new.SeriesInstanceUID, 2)
    assert len(new.TreatmentSessionBeamSequence) == 2
    assert object_counts(later.later(minutes=10).run()) == (2, 2, 0, 0)


def test_a_meterset_that_is_corrected_replaces_the_old_one_and_never_adds_to_it(pacs: Orthanc, site: OneSite) -> None:
    pacs.put(encode(the_plan()))
    first, second = fraction(7)
    site.write("deliveries", [first | {"delivered_meterset": 60.0}, second])
    site.run()
    (row,) = site.rows()
    assert (row["fractions_delivered"], row["interrupted_meterset_remaining"]) == (0, 40.0)
    for minutes, meterset, whole in ((10, 80.0, 0), (20, 100.0, 1), (30, 60.0, 0)):
        later = site.later(minutes=minutes)
        later.write("deliveries", [first | {"delivered_meterset": meterset}, second])
        later.run()
        (row,) = later.rows()
        assert row["fractions_delivered"] == whole
        assert row["interrupted_meterset_remaining"] == (None if whole else 100.0 - meterset)
    assert [ds.InstanceNumber for ds in records(pacs)] == [1, 2, 3, 4]


def test_a_machine_that_lost_its_cache_makes_the_same_uids_and_sends_nothing(pacs: Orthanc, site: OneSite) -> None:
    pacs.put(encode(the_plan()))
    first, second = fraction(7)
    site.write("deliveries", [first | {"delivered_meterset": 60.0}, second])
    site.run()
    site.write("deliveries", [first, second, *fraction(6)])
    site.run()
    uids = {ds.SOPInstanceUID for ds in records(pacs)}
    assert len(uids) == 3
    site.forget()
    result = site.run()
    assert (result.outcome, result.counts["moved"]) == ("OK", 0)
    assert delivered(site) == 2
    assert {ds.SOPInstanceUID for ds in records(pacs)} == uids


def test_a_plan_that_is_nowhere_gives_its_records_a_study_of_their_own_and_says_what_they_lack(
    pacs: Orthanc, site: OneSite
) -> None:
    site.write("deliveries", fraction(1))
    result = site.run()
    assert result.outcome == "OK"
    assert "1 new treatment records lack BeamType" in result.message
    (ds,) = records(pacs)
    assert ds.StudyInstanceUID.startswith("2.25.")
    assert not ds.TreatmentSessionBeamSequence[0].BeamType
    assert delivered(site) == 1
    assert object_counts(site.later(minutes=10).run())[2:] == (0, 0)


def test_a_plan_that_only_the_rv_system_has_is_brought_before_its_records_are_made(
    pacs: Orthanc, site: OneSite, tmp_path: Path
) -> None:
    here = DicomNode("RBRDT", "127.0.0.1", free_port())
    with Orthanc(tmp_path / "rv", DicomNode("RV", "127.0.0.1", free_port()), peers=[here, pacs.node]) as rv:
        treated = the_plan()
        rv.put(encode(treated))
        site.rv, site.local_port = rv.node, here.port
        site.write("deliveries", fraction(1))
        site.run()
    (ds,) = records(pacs)
    assert ds.StudyInstanceUID == treated.StudyInstanceUID
    assert "1.2.3.4" in pacs.instances()


def test_two_fractions_on_one_day_and_deliveries_without_a_plan_are_sessions_of_their_own(
    pacs: Orthanc, site: OneSite
) -> None:
    twice = [
        delivery(1),
        delivery(2, fraction_number=2, treated_at=local(1) + timedelta(hours=6)),
        delivery(3, referenced_rt_plan_uid=None),
        delivery(4, patient_id=None),
    ]
    site.write("deliveries", twice)
    result = site.run()
    assert "1 deliveries name no patient, have no treatment record and are not counted" in result.message
    assert len(records(pacs)) == 3
    (unplanned,) = [ds for ds in records(pacs) if not ds.ReferencedRTPlanSequence]
    assert len(unplanned.TreatmentSessionBeamSequence) == 1


def test_only_the_window_is_asked_about_and_old_courses_of_whoever_is_met_in_it_come_whole(
    pacs: Orthanc, site: OneSite
) -> None:
    old = [delivery(1, treated_at=local(300)), delivery(2, treated_at=local(299), fraction_number=2)]
    of_another = delivery(3, patient_id="GONE", treated_at=local(200))
    site.write("deliveries", [*old, of_another, delivery(4, fraction_number=3)])
    site.run()
    assert {ds.PatientID for ds in records(pacs)} == {"00017R"}
    assert len(records(pacs)) == 3


def test_sync_records_leaves_mosaiq_to_its_database_and_says_so_when_there_is_none(site: OneSite) -> None:
    result = sync_records(site.space())
    assert (result.outcome, "snapshot_tables" in result.message) == ("SKIPPED", True)
    site.has_database = False
    result = sync_records(site.space())
    assert (result.outcome, result.fault) == ("FAILED", "config")


def test_check_tries_no_record_of_a_product_that_serves_none_and_asks_for_its_database(
    pacs: Orthanc, site: OneSite, capsys: pytest.CaptureFixture[str]
) -> None:
    site.rv, site.has_database = pacs.node, False
    message = check(site.space()).message
    said = capsys.readouterr().err
    assert f"R&V system {pacs.node} may move to RBRDT" in said
    assert "may move a record" not in said
    assert "treatment records can be had: MOSAIQ gives treatment records by its database alone" in message


def test_the_run_that_read_the_deliveries_tells_up_to_when_records_are_proven(site: OneSite) -> None:
    site.write("deliveries", fraction(1))
    assert site.run().counts["treatment_records"] == 1
    stale = site.later(minutes=10).run()
    assert "treatment_records" not in stale.counts, "the deliveries are those of ten minutes ago"


def test_a_delivery_that_was_quality_assurance_or_of_another_fraction_stops_counting_where_it_stood(
    pacs: Orthanc, site: OneSite
) -> None:
    pacs.put(encode(the_plan()))
    first, second = fraction(7)
    moved_on = [row | {"fraction_number": 8, "treated_at": local(2)} for row in fraction(6)]
    site.write("deliveries", [first, second, *moved_on])
    site.run()
    assert delivered(site) == 2
    later = site.later(minutes=10)
    later.write("deliveries", [first, second, *(row | {"delivery_type": "VERIFICATION"} for row in moved_on)])
    assert later.run().outcome == "OK"
    (row,) = later.rows()
    assert (row["fractions_delivered"], row["interrupted_fraction"]) == (1, None)
    again = later.later(minutes=10)
    assert again.run().counts["moved"] == 0
    again.forget()
    assert again.run().counts["moved"] == 0
    assert delivered(again) == 1


def test_records_bear_the_meterset_that_was_asked_for_on_their_day_and_count_by_it(
    pacs: Orthanc, site: OneSite
) -> None:
    treated = the_plan()
    treated.FractionGroupSequence[0].ReferencedBeamSequence[0].BeamMeterset = 120.0
    pacs.put(encode(treated))
    asked = {1: 120.0, 2: 120.0, 3: 108.0, 4: 108.0, 5: 108.0}
    rows = []
    for number, meterset in asked.items():
        first, second = fraction(number)
        rows += [first | {"planned_meterset": meterset, "delivered_meterset": meterset}, second]
    site.write("deliveries", rows)
    site.run()
    beams = [ds.TreatmentSessionBeamSequence[0] for ds in records(pacs)]
    assert [float(b.SpecifiedPrimaryMeterset) for b in beams] == list(asked.values())
    assert [float(b.DeliveredPrimaryMeterset) for b in beams] == list(asked.values())
    assert delivered(site) == 5


def test_an_old_record_that_the_rt_pacs_lost_is_missed_and_sent_again_by_the_next_cycle(
    pacs: Orthanc, site: OneSite
) -> None:
    """Of a patient on break, whom no window meets."""
    pacs.put(encode(the_plan()))
    site.write("deliveries", [row | {"treated_at": local(50 - n)} for n in range(1, 4) for row in fraction(n)])
    site.run()
    (row,) = site.overview()
    assert (row["fractions_delivered"], row["records_held"]) == (3, True)
    held = records(pacs)
    assert len(held) == 3
    pacs.delete_instance(held[1].SOPInstanceUID)

    later = site.later(minutes=10)
    later.run()
    (row,) = later.overview()
    assert (row["fractions_delivered"], row["records_held"]) == (3, False)
    again = site.later(minutes=20)
    assert again.run().counts["moved"] >= 1
    for before, after in zip(held, records(pacs), strict=True):
        for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
            after[keyword] = before[keyword]
        assert after == before, "the same under the same UID, its plan's fields included"
    (row,) = again.overview()
    assert (row["fractions_delivered"], row["records_held"]) == (3, True)
    site.later(minutes=30).run()
    assert len(records(pacs)) == 3
