"""MOSAIQ's brachytherapy, and fields typed by hand: what was given counts on the list, and what is unknown is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recovery.charting.sheet import chart_sheets
from recovery.course.by_session import COUNTED
from recovery.patient.file import PatientFile, read_patient_file
from tests.archive_clinic import OneSite, delivery, local
from tests.backup_jobs.mosaiq import fraction, mosaiq_site, records, the_plan
from tests.objects import encode
from tests.orthanc import HOW_TO_INSTALL, Orthanc, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

BY_HAND: dict[str, Any] = {"referenced_rt_plan_uid": None, "beam_number": None, "radiation_type": "orthovoltage X-rays"}
HDR: dict[str, Any] = {
    "referenced_rt_plan_uid": "1.2.9.9",
    "beam_number": None,
    "radiation_type": "Ir-192",
    "planned_meterset": 312.0,
    "delivered_meterset": 340.0,
    "prescription_id": "P9",
}


@pytest.fixture
def site(tmp_path: Path, pacs: Orthanc) -> OneSite:
    mosaiq = mosaiq_site(tmp_path, pacs)
    sites = (("P1", "Nose", 10), ("P2", "Ear", 8), ("P9", "Cervix", 4))
    mosaiq.write(
        "prescriptions",
        [
            {"patient_id": "00017R", "prescription_id": key, "site": name, "number_of_fractions": number}
            for key, name, number in sites
        ],
    )
    return mosaiq


def sessions(prescription: str, first_id: int, numbers: range, **columns: Any) -> list[dict[str, Any]]:
    """One field a day, the last one yesterday."""
    shared = {"prescription_id": prescription, "beam_name": f"Field of {prescription}", **columns}
    return [
        delivery(first_id + n, fraction_number=number, treated_at=local(len(numbers) - n), **shared)
        for n, number in enumerate(numbers)
    ]


def file_of(site: OneSite) -> PatientFile:
    return read_patient_file(site.space().cache, site.config.site, "00017R", site.now)


def test_two_sites_typed_by_hand_are_two_rows_that_count_their_own_sessions(pacs: Orthanc, site: OneSite) -> None:
    nose, ear = sessions("P1", 100, range(1, 6), **BY_HAND), sessions("P2", 200, range(1, 4), **BY_HAND)
    site.write("deliveries", [*nose, *ear])
    assert site.run().outcome == "OK"
    assert len(records(pacs)) == 8, "a record for each session of each site"
    ears, noses = sorted(site.overview(), key=lambda row: str(row["site"]))
    assert (noses["site"], noses["prescription_id"], noses["referenced_rt_plan_uid"]) == ("Nose", "P1", None)
    assert (noses["fractions_delivered"], noses["number_of_fractions_planned"]) == (5, 10)
    assert (ears["site"], ears["fractions_delivered"], ears["fractions_remaining"]) == ("Ear", 3, 5)
    for row in (ears, noses):
        assert (row["status"], row["ready"]) == ("on_treatment", False)
        assert (row["interrupted_fraction"], row["disagreement"], row["records_held"]) == (None, None, True)
        assert COUNTED in str(row["missing"]) and COUNTED in str(row["remarks"])
        assert "not counted" not in str(row["remarks"])


def test_the_rows_are_the_same_after_the_loss_of_the_cache_and_the_ledgers_are_told_apart(
    pacs: Orthanc, site: OneSite
) -> None:
    pacs.put(encode(the_plan()))
    rows = [*sessions("P1", 100, range(1, 6), **BY_HAND), *sessions("P2", 200, range(1, 4), **BY_HAND)]
    site.write("deliveries", [*rows, *fraction(6)])
    site.run()
    before = site.overview()
    site.forget()
    again = site.later(minutes=10)
    assert again.run().counts["moved"] == 0
    assert again.overview() == before
    plans = {plan.row.prescription_id: plan for plan in file_of(again).plans}
    counted = {key: [f.fraction_number for f in plan.ledger.fractions] for key, plan in plans.items() if plan.ledger}
    assert counted == {"P1": [1, 2, 3, 4, 5], "P2": [1, 2, 3], None: [6]}
    sheets = {sheet.plan_label: sheet.next_fraction for sheet in chart_sheets(file_of(again))}
    assert {"Nose (no plan)", "Ear (no plan)"} < sheets.keys()


def test_a_session_whose_field_was_stopped_is_begun_and_complete_once_it_went_on(site: OneSite) -> None:
    given = sessions("P1", 100, range(1, 4), **BY_HAND)
    second = delivery(150, fraction_number=3, prescription_id="P1", treated_at=local(1, hours=-1), **BY_HAND)
    stopped = second | {"termination_status": "MACHINE", "delivered_meterset": 30.0}
    site.write("deliveries", [*given, stopped])
    site.run()
    (row,) = site.rows()
    assert (row["fractions_delivered"], row["interrupted_fraction"]) == (2, 3)
    assert row["interrupted_meterset_remaining"] is None, "nobody knows what of"
    later = site.later(minutes=10)
    went_on = second | {"delivery_id": "151", "delivery_type": "CONTINUATION", "treated_at": local(1, hours=-2)}
    later.write("deliveries", [*given, stopped, went_on])
    later.run()
    (row,) = later.rows()
    assert (row["fractions_delivered"], row["interrupted_fraction"]) == (3, None)


def test_a_field_typed_anew_in_mid_course_takes_no_fraction_away(site: OneSite) -> None:
    first, second = sessions("P1", 100, range(1, 4), **BY_HAND), sessions("P1", 110, range(4, 6), **BY_HAND)
    site.write("deliveries", [*first, *(row | {"beam_name": "New name"} for row in second)])
    site.run()
    (row,) = site.rows()
    assert row["fractions_delivered"] == 5


def test_what_treats_nobody_and_what_has_no_number_counts_no_session(site: OneSite) -> None:
    rows = sessions("P1", 100, range(1, 5), **BY_HAND)
    rows[0] |= {"delivery_type": "VERIFICATION"}
    rows[1] |= {"fraction_number": None}
    site.write("deliveries", rows)
    site.run()
    (row,) = site.rows()
    assert row["fractions_delivered"] == 2
    assert "1 delivered beam without a fraction number, not counted" in str(row["remarks"])


@pytest.mark.parametrize("is_held", [True, False])
def test_brachytherapy_counts_by_session_and_is_never_ready(pacs: Orthanc, site: OneSite, is_held: bool) -> None:
    if is_held:
        plan = the_plan()
        plan.SOPInstanceUID = "1.2.9.9"
        pacs.put(encode(plan))
    told = {"sop_instance_uid": "1.2.9.9", "patient_id": "00017R", "prescription_id": "P9"}
    site.write("plans", [{**told, "approval_status": "treatment approved", "number_of_fractions_planned": 4}])
    site.write("deliveries", sessions("P9", 300, range(1, 4), **{**HDR, "prescription_id": "P9"}))
    result = site.run()
    assert "3 deliveries of brachytherapy or ions have no treatment record: counted from the database" in result.message
    assert records(pacs) == []
    (row,) = site.overview()
    assert (row["fractions_delivered"], row["next_fraction_number"], row["status"]) == (3, 4, "on_treatment")
    assert row["number_of_fractions_planned"] == (25 if is_held else 4)
    assert (row["records_held"], row["ready"]) == (False, False)
    assert "the R&V system makes none of brachytherapy" in str(row["missing"])
    assert "fractions delivered" not in str(row["disagreement"]), "one source"


def test_hdr_without_a_plan_is_a_row_beside_the_linac_plan(pacs: Orthanc, site: OneSite) -> None:
    pacs.put(encode(the_plan()))
    hdr = sessions("P9", 300, range(1, 3), **{**HDR, "prescription_id": "P9", "referenced_rt_plan_uid": None})
    site.write("deliveries", [*fraction(6), *fraction(7), *hdr])
    site.run()
    linac, source = sorted(site.overview(), key=lambda row: str(row["prescription_id"]))
    assert (linac["referenced_rt_plan_uid"], linac["fractions_delivered"]) == ("1.2.3.4", 2)
    assert (source["site"], source["fractions_delivered"], source["number_of_fractions_planned"]) == ("Cervix", 2, 4)
    counted = {plan.label: plan.ledger.fractions_delivered for plan in file_of(site).plans if plan.ledger is not None}
    assert counted == {linac["rt_plan_label"]: 2, "Cervix (no plan)": 2}


def test_a_delivery_that_a_record_tells_is_not_counted_again_when_it_is_called_brachytherapy(site: OneSite) -> None:
    rows = sessions("P1", 100, range(1, 4), **BY_HAND)
    site.write("deliveries", rows)
    site.run()
    later = site.later(minutes=10)
    later.write("deliveries", [row | {"radiation_type": "Ir-192"} for row in rows])
    later.run()
    (row,) = later.rows()
    assert row["fractions_delivered"] == 3


def test_ions_that_name_their_beams_are_counted_by_their_metersets(pacs: Orthanc, site: OneSite) -> None:
    pacs.put(encode(the_plan()))
    first, second = fraction(7, radiation_type="ION")
    site.write("deliveries", [*fraction(6, radiation_type="ION"), first, second | {"delivered_meterset": 20.0}])
    site.run()
    (row,) = site.overview()
    assert (row["fractions_delivered"], row["interrupted_fraction"]) == (1, 7)
    assert (row["interrupted_meterset_remaining"], row["records_held"]) == (30.0, False)
