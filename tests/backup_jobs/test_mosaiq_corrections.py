"""What MOSAIQ corrects, deletes, or tells beside the metersets reaches the list, the patient's page and the chart.

What the database does not tell any more goes on counting, and is named: dose that was given must not be given again.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from recovery.charting.sheet import chart_sheets
from recovery.course.ledger import Ledger
from recovery.patient.file import PatientFile, read_patient_file
from tests.archive_clinic import OneSite
from tests.backup_jobs.mosaiq import fraction, mosaiq_site, records, the_plan
from tests.objects import encode
from tests.orthanc import HOW_TO_INSTALL, Orthanc, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)


@pytest.fixture
def site(tmp_path: Path, pacs: Orthanc) -> OneSite:
    pacs.put(encode(the_plan()))
    mosaiq = mosaiq_site(tmp_path, pacs)
    told = {"sop_instance_uid": "1.2.3.4", "patient_id": "00017R", "number_of_fractions_planned": 25}
    mosaiq.write("plans", [{**told, "approval_status": "treatment approved"}])
    return mosaiq


def file_of(site: OneSite) -> PatientFile:
    return read_patient_file(site.space().cache, site.config.site, "00017R", site.now)


def ledger_of(site: OneSite) -> Ledger:
    (plan,) = file_of(site).plans
    assert plan.ledger is not None
    return plan.ledger


def row_of(site: OneSite) -> tuple[object, object]:
    """Fractions delivered, and the disagreement, as `build_on_treatment` writes them."""
    (row,) = site.overview()
    return row["fractions_delivered"], row["disagreement"]


def test_overrides_and_terminations_reach_the_ledger_and_the_chart(site: OneSite) -> None:
    first, second = fraction(7)
    ended = {"delivered_meterset": 30.0, "termination_status": "MACHINE", "termination_reason": "DPSN"}
    site.write("deliveries", [*fraction(6), first | {"was_overridden": True}, second | ended])
    site.run()
    site.overview()
    plain, odd = ledger_of(site).fractions
    assert (plain.was_overridden, odd.was_overridden) == (False, True)
    beams = [beam for session in odd.sessions for beam in session.beams]
    assert [(b.beam_number, b.was_overridden, b.termination_reason) for b in beams] == [
        (1, True, None),
        (2, False, "DPSN"),
    ]
    assert odd.terminations == ("MACHINE",)
    (sheet,) = (asdict(sheet) for sheet in chart_sheets(file_of(site)))
    assert "overridden" in str(sheet) and "MACHINE" in str(sheet)


def test_an_override_that_is_noted_later_is_shown_and_makes_no_record_unproven(pacs: Orthanc, site: OneSite) -> None:
    first, second = fraction(7)
    site.write("deliveries", [first, second])
    site.run()
    later = site.later(minutes=10)
    later.write("deliveries", [first | {"was_overridden": True, "termination_reason": "X1"}, second])
    later.forget()
    result = later.run()
    assert (result.outcome, len(records(pacs))) == ("OK", 1)
    later.overview()
    assert ledger_of(later).fractions[0].was_overridden is True


def test_a_deleted_delivery_goes_on_counting_and_is_named_on_the_list_the_page_and_the_chart(
    pacs: Orthanc, site: OneSite
) -> None:
    first, second = fraction(7)
    site.write("deliveries", [*fraction(6), first, second])
    site.run()
    assert row_of(site) == (2, None)
    named = "fraction 7 of 2026-11-19, {}: {} MU in its treatment record, no longer in the R&V database, still counted"
    states = (
        ([first], named.format("beam 2 (Field 2)", "50.0")),
        ([second], named.format("beam 1 (Field 1)", "100.0")),
        ([], named.format("beam 1 (Field 1), beam 2 (Field 2)", "150.0")),
    )
    for minutes, (left, sentence) in enumerate(states, start=1):
        later = site.later(minutes=10 * minutes)
        later.write("deliveries", [*fraction(6), *left])
        assert later.run().outcome == "OK"
        count, disagreement = row_of(later)
        assert count == 2
        assert disagreement == (
            f"fractions delivered: 2 in the treatment records, 1 in the R&V database; {sentence} here"
        )
        (plan,) = file_of(later).plans
        assert any(said.startswith("fraction 7 of 2026-11-19") for said in plan.disagreements)
        assert "no longer in the R&V database" in str([asdict(sheet) for sheet in chart_sheets(file_of(later))])
    assert len(records(pacs)) == 2, "no record says less than before"


def test_a_deletion_is_told_while_nothing_changes_after_the_loss_of_the_cache_and_until_the_row_is_back(
    site: OneSite,
) -> None:
    first, second = fraction(7)
    site.write("deliveries", [*fraction(6), first, second])
    site.run()
    later = site.later(minutes=10)
    later.write("deliveries", [*fraction(6), first])
    later.run()
    told = row_of(later)
    assert told[0] == 2 and "beam 2" in str(told[1])
    unchanged = later.later(minutes=10)
    unchanged.run()
    assert row_of(unchanged) == told
    unchanged.forget()
    unchanged.run()
    assert row_of(unchanged) == told
    back = later.later(minutes=30)
    back.write("deliveries", [*fraction(6), first, second])
    back.run()
    assert row_of(back) == (2, None)


def test_a_deletion_and_a_correction_of_one_session_are_both_told(pacs: Orthanc, site: OneSite) -> None:
    first, second = fraction(7)
    site.write("deliveries", [first | {"delivered_meterset": 60.0}, second])
    site.run()
    assert row_of(site)[0] == 0
    later = site.later(minutes=10)
    later.write("deliveries", [first])
    later.run()
    count, disagreement = row_of(later)
    assert count == 1, "60 MU became 100, and the 50 of the other beam are not forgotten"
    assert "beam 2 (Field 2): 50.0 MU" in str(disagreement)
    assert [len(ds.TreatmentSessionBeamSequence) for ds in records(pacs)] == [2, 2]
    later.later(minutes=10).run()
    assert len(records(pacs)) == 2


@pytest.mark.parametrize("which", [0, 1])
def test_a_delivery_that_is_called_brachytherapy_later_keeps_its_record_and_is_named(
    pacs: Orthanc, site: OneSite, which: int
) -> None:
    rows = [row | {"radiation_type": "X"} for row in fraction(7)]
    site.write("deliveries", rows)
    site.run()
    rows[which] |= {"radiation_type": "Ir-192"}
    later = site.later(minutes=10)
    later.write("deliveries", rows)
    result = later.run()
    assert (result.outcome, "not counted" in result.message) == ("OK", False)
    count, disagreement = row_of(later)
    assert count == 1
    assert f"beam {which + 1} (Field {which + 1})" in str(disagreement)
    assert "Ir-192 in the R&V database now, still counted here" in str(disagreement)
    assert len(records(pacs)) == 1


def test_a_patient_id_that_is_corrected_is_no_deletion(site: OneSite) -> None:
    rows = [*fraction(6), *fraction(7)]
    site.write("deliveries", rows)
    site.run()
    later = site.later(minutes=10)
    later.write("deliveries", [row | {"patient_id": "00018R"} for row in rows])
    assert later.overview()[0]["disagreement"] == (
        "fractions delivered: 2 in the treatment records, 0 in the R&V database"
    ), "before the records are amended"


def test_a_table_that_was_read_before_a_fraction_says_nothing_of_it(site: OneSite) -> None:
    site.write("deliveries", [*fraction(5), *fraction(7)])
    site.run()
    site.later(days=-4).write("deliveries", fraction(5))
    assert row_of(site) == (2, None), "fraction 7 is of three days ago"


def test_a_birth_date_that_the_plan_tells_otherwise_is_told_though_all_records_repeat_the_database(
    site: OneSite,
) -> None:
    person = {"patient_id": "00017R", "patient_name": "BASALT, Osprey", "patient_birth_date": date(1947, 8, 5)}
    site.write("patients", [{**person, "patient_sex": "F"}])
    site.write("deliveries", fraction(7))
    site.run()
    said = "born 1958-07-04 in DICOM, 1947-08-05 in the R&V database"
    assert row_of(site) == (1, said)
    told = file_of(site).disagreements
    assert [one for one in told if "born" in one] == [said]
