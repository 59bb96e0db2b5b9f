"""What the tables say of a clinic's patients, and of its pathologies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest

from backup_jobs.jobs.snapshot_tables import snapshot_tables
from backup_jobs.rv.aria.prescriptions import fraction_pattern
from recovery.settings.config import Config
from recovery.tables.relational import CANCELLED_STATUSES
from recovery.words.plan_states import APPROVED_STATUSES
from tests.relational.aria import SCHEMA, TODAY, Aria

Rows = list[dict[str, object]]


@pytest.fixture
def table(config: Config, cached: Callable[[str], Rows], now: datetime) -> Callable[[str], Rows]:
    def read(name: str) -> Rows:
        assert snapshot_tables(config, now).outcome == "OK"
        return cached(name)

    return read


def one(rows: Rows, **wanted: object) -> dict[str, object]:
    (row,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return row


def test_a_patient_has_one_row_whatever_number_of_addresses_and_allergies(table: Callable[[str], Rows]) -> None:
    anna = one(table("patients"), patient_id="20240503")
    assert anna["patient_name"] == "MUSTER, Anna"
    assert anna["patient_birth_date"] == date(1960, 5, 17)
    assert anna["patient_sex"] == "F"
    assert anna["phone_home"] == "041 1"
    assert anna["phone_mobile"] is None, "an empty string says nothing"
    assert anna["address"] == "Main Street 5, 3000 Bern", "the primary address"
    assert anna["email"] == "anna@example.org", "where the primary address has none"
    assert anna["emergency_contacts"] == "Muster, Beat (Son): 041 2"
    assert anna["alerts"] == "Pacemaker; allergy: Penicillin; allergy: Latex", "what was made in error is not there"


def test_the_oncologist_in_charge_is_the_one_with_both_flags(table: Callable[[str], Rows]) -> None:
    rows = table("physicians")
    assert one(rows, physician_name="Green, Gloria")["is_primary"] is True
    assert one(rows, physician_name="Green, Gloria")["role"] == "oncologist"
    assert one(rows, physician_name="Referrer, Rita")["is_primary"] is False
    assert one(rows, physician_name="Deputy, Dora")["is_primary"] is False


def test_the_same_physician_twice_is_one(table: Callable[[str], Rows], aria: Aria) -> None:
    aria.physician(1_000_000, "Nobody", "Here")
    (anna,) = aria.connection.execute("SELECT PatientSer FROM Patient WHERE PatientId = '20240503'").fetchone()
    aria.physician(anna, "Green", "Gloria", primary=0)
    assert one(table("physicians"), physician_name="Green, Gloria")["is_primary"] is True


def test_a_course_names_its_diagnosis_and_its_side(table: Callable[[str], Rows]) -> None:
    course = one(table("courses"), course_id="C1")
    assert (course["diagnosis_codes"], course["laterality"], course["intent"]) == ("C50.4", "Left", "Curative")
    assert one(table("courses"), course_id="Boost 2 (odd, name)")["diagnoses"] is None


def test_a_prescription_in_cgy_and_one_in_gy_are_both_in_gy(table: Callable[[str], Rows]) -> None:
    first, boost = table("prescriptions")
    assert (first["dose_per_fraction"], first["total_dose"]) == (2.0, 70.0), "of the target that gets most"
    assert first["dose_levels"] == "PTV70: 70 Gy, 2 Gy per fraction; PTV56: 56 Gy, 1.6 Gy per fraction"
    assert (boost["dose_per_fraction"], boost["total_dose"]) == (2.0, 50.0), "50,0 is a person's 50.0"
    assert boost["follows_prescription_id"] == first["prescription_id"]
    assert (first["fraction_pattern"], first["status"]) == ("5 days a week", "approved")


def test_a_dose_that_is_no_number_is_null_and_counted(config: Config, aria: Aria, now: datetime) -> None:
    aria.execute("UPDATE PrescriptionAnatomyItem SET ItemValue = '2 Gy x 5' WHERE ItemValue = '50,0'")
    result = snapshot_tables(config, now)
    assert result.outcome == "OK"
    assert result.counts["unreadable_values"] == 3, "dose per fraction, total dose and levels of one prescription"
    assert "table prescriptions: 1 values of dose_levels cannot be read" in result.message
    assert "2 Gy x 5" not in result.message


@pytest.mark.parametrize(
    ("pattern", "a_day", "words"),
    [
        ("1111100", 1, "5 days a week"),
        ("11111001111100", 1, "5 days a week"),
        ("11111111110000", 2, "2 a day, 5 days a week"),
        ("1010100", 1, "3 days a week"),
        ("11111001000000", 1, "11111001000000"),
        ("0000000", 1, "0000000"),
        ("11111", 1, "11111"),
        ("weekly", None, "weekly"),
        (None, None, None),
    ],
)
def test_a_fraction_pattern_is_told_in_words_where_there_are_any(
    pattern: str | None, a_day: int | None, words: str | None
) -> None:
    assert fraction_pattern([{"fraction_pattern": pattern, "fractions_per_day": a_day}]) == words


def test_a_plan_says_in_words_whether_it_may_be_treated(table: Callable[[str], Rows]) -> None:
    plan = one(table("plans"), sop_instance_uid="1.2.3")
    assert plan["approval_status"] in APPROVED_STATUSES
    assert (plan["approved_by"], plan["approved_at"]) == ("DrGreen", datetime(2026, 11, 2))  # noqa: DTZ001
    assert (plan["rt_plan_label"], plan["course_id"]) == ("Prostate", "C1")
    assert (plan["number_of_fractions_planned"], plan["dose_per_fraction"]) == (25, 2.0)
    assert (plan["structure_set_uid"], plan["frame_of_reference_uid"]) == ("1.2.3.3", "1.2.3.4")


def test_a_word_means_the_same_in_whatever_case_it_is_written(table: Callable[[str], Rows], aria: Aria) -> None:
    aria.execute("UPDATE PlanSetup SET Status = 'TREATAPPROVAL ' WHERE PlanSetupId = 'Prostate'")
    (plan,) = [row for row in table("plans") if row["sop_instance_uid"] == "1.2.3"]
    assert (plan["approval_status"], plan["approved_by"]) == ("treatment approved", "DrGreen")


def test_an_unapproved_plan_has_no_approver_and_an_unknown_word_stays(table: Callable[[str], Rows]) -> None:
    unapproved = one(table("plans"), sop_instance_uid="1.2.4")
    assert unapproved["approval_status"] not in APPROVED_STATUSES
    assert (unapproved["approved_by"], unapproved["approved_at"]) == (None, None)
    unknown = one(table("plans"), sop_instance_uid="1.2.6")
    assert unknown["approval_status"] == "Frobnicated"
    assert (unknown["number_of_fractions_planned"], unknown["dose_per_fraction"]) == (None, None)


def test_a_completed_plan_was_approved_by_whom_the_history_says(table: Callable[[str], Rows]) -> None:
    plan = one(table("plans"), sop_instance_uid="1.2.5")
    assert (plan["approval_status"], plan["approved_by"]) == ("completed", "DrBlue")
    assert plan["approved_at"] == datetime(2026, 10, 2)  # noqa: DTZ001


def test_a_site_that_keeps_doses_in_cgy_says_so_and_is_read_in_gy(table: Callable[[str], Rows], aria: Aria) -> None:
    aria.execute("UPDATE ConfigurationItem SET ConfigValue = 'cGy'")
    aria.execute("UPDATE RTPlan SET PrescribedDose = 200")
    assert one(table("plans"), sop_instance_uid="1.2.3")["dose_per_fraction"] == 2.0


def test_a_plan_of_long_ago_comes_only_when_somebody_was_treated_with_it(
    config: Config, table: Callable[[str], Rows], aria: Aria, now: datetime
) -> None:
    assert "1.2.7" not in {row["sop_instance_uid"] for row in table("plans")}
    plan, anna = aria.connection.execute(
        "SELECT rp.RTPlanSer, c.PatientSer FROM RTPlan rp JOIN PlanSetup ps ON ps.PlanSetupSer = rp.PlanSetupSer"
        " JOIN Course c ON c.CourseSer = ps.CourseSer WHERE rp.PlanUID = '1.2.7'"
    ).fetchone()
    aria.delivery(anna, "1.2.7", 0, 1, TODAY, RTPlanSer=plan)
    assert "1.2.7" in {row["sop_instance_uid"] for row in table("plans")}


def test_a_setup_field_says_that_it_is_one(table: Callable[[str], Rows]) -> None:
    rows = table("plan_fields")
    treated, setup = one(rows, beam_number=1), one(rows, beam_number=2)
    assert (treated["is_setup_field"], setup["is_setup_field"]) == (False, True)
    assert (treated["nominal_beam_energy"], treated["radiation_type"]) == (6.0, "X")
    assert (treated["technique"], treated["mlc_type"], treated["beam_meterset"]) == ("ARC", "VMAT", 123.4)
    assert treated["treatment_machine_name"] == "TrueBeam1", "padding is gone"
    assert one(table("setup_notes"), beam_number=1)["devices"] == "Kneefix, FIXATION"


def test_deliveries_tell_partial_continued_and_setup_fields_apart(table: Callable[[str], Rows]) -> None:
    fourth = [row for row in table("deliveries") if row["fraction_number"] == 4]
    told = [(row["delivery_type"], row["termination_status"], row["delivered_meterset"]) for row in fourth]
    assert told == [("TREATMENT", "MACHINE", 60.0), ("CONTINUATION", "NORMAL", 63.4), ("SETUP", "NORMAL", None)]
    assert [row["beam_number"] for row in fourth] == [1, 1, 2], "the plan's, where the history has none"
    assert {row["referenced_rt_plan_uid"] for row in fourth} == {"1.2.3"}
    assert [row["was_overridden"] for row in fourth] == [False, True, False]


def test_a_fraction_that_runs_is_told_once_and_what_the_view_does_not_say_is_null(table: Callable[[str], Rows]) -> None:
    (row,) = table("in_flight")
    assert {name: value for name, value in row.items() if value is not None} == {
        "in_flight_id": row["in_flight_id"],
        "patient_id": "20240503",
        "referenced_rt_plan_uid": "1.2.3",
    }, "one row for two reference points; a plan that was not treated for weeks is no emergency"


def test_the_schedule_holds_what_stands_and_says_what_was_cancelled(table: Callable[[str], Rows]) -> None:
    anna = sorted(
        (row for row in table("schedule") if row["patient_id"] == "20240503"), key=lambda r: str(r["appointment_at"])
    )
    told = [(str(row["appointment_at"])[:16], row["status"], row["treatment_machine_name"]) for row in anna]
    assert told == [
        ("2026-11-23 08:00", "booked", "TrueBeam1"),
        ("2026-11-24 08:00", "cancelled, patient did not come", "Halcyon2"),
        ("2026-11-27 08:00", "Wartet", None),
        ("2026-11-30 10:00", "booked", "TrueBeam1"),
    ], "deleted, superseded and far ones are not there; an unknown word stays"
    assert anna[1]["status"] in CANCELLED_STATUSES
    assert anna[0]["activity"] == "Bestrahlung"


def test_deleted_notes_and_checks_in_error_are_not_there(table: Callable[[str], Rows]) -> None:
    assert "nie" not in {row["note"] for row in table("notes")}
    assert one(table("documents"), kind="Consent")["location"] == "a1.pdf"
    assert one(table("checks"), kind="chart")["comment"] == "in order"


def test_the_side_of_a_prescription_is_its_own_words_and_never_its_courses_diagnosis(
    table: Callable[[str], Rows], aria: Aria
) -> None:
    aria.execute("UPDATE Prescription SET Site = 'Femur Right', Notes = 'metastasis' WHERE Notes IS NULL")
    aria.execute("UPDATE Prescription SET Site = 'Mamma', PrescriptionName = 'Boost' WHERE Notes <> 'metastasis'")
    metastasis, boost = sorted(table("prescriptions"), key=lambda row: row["notes"] != "metastasis")
    assert (metastasis["site"], metastasis["laterality"]) == ("Femur Right", "Right")
    assert boost["laterality"] is None, "the diagnosis' side is the course's"
    assert one(table("courses"), course_id="C1")["laterality"] == "Left"


def _diagnosis(aria: Aria, serial: int, words: str, side: int, **more: object) -> None:
    """Of Anna's course; `more`: columns of pt_dx, pt_dx_cncr or Diagnosis."""
    course, anna = aria.connection.execute("SELECT CourseSer, PatientSer FROM Course WHERE CourseId = 'C1'").fetchone()
    of = {name: {c: v for c, v in more.items() if c in SCHEMA[name]} for name in ("pt_dx", "pt_dx_cncr", "Diagnosis")}
    aria.insert("CourseDiagnosis", CourseSer=course, DiagnosisSer=serial)
    aria.insert("Diagnosis", DiagnosisSer=serial, PatientSer=anna, Description=words, **of["Diagnosis"])
    aria.insert("pt_dx", pt_id="EMR1", dx_id=serial, diagnosis_ser=serial, **of["pt_dx"])
    aria.insert("pt_dx_cncr", pt_id="EMR1", pt_dx_id=serial, laterality_typ=side, **of["pt_dx_cncr"])


def test_several_diagnoses_each_stand_with_their_side(table: Callable[[str], Rows], aria: Aria) -> None:
    aria.insert("laterality_typ", laterality_typ=3, laterality_desc="Right")
    _diagnosis(aria, 78, "Lung; lower lobe", 3)
    course = one(table("courses"), course_id="C1")
    assert course["laterality"] == "Left: Breast, upper outer; Right: Lung, lower lobe"


@pytest.mark.parametrize(
    "struck_out",
    [{"valid_entry": "N"}, {"cur_entry_ind": "N"}, {"valid_entry_ind": "N"}, {"ObjectStatus": "Deleted"}],
)
def test_a_diagnosis_that_was_struck_out_has_no_side(
    table: Callable[[str], Rows], aria: Aria, struck_out: dict[str, object]
) -> None:
    aria.insert("laterality_typ", laterality_typ=3, laterality_desc="Right")
    _diagnosis(aria, 78, "Made in error", 3, **struck_out)
    course = one(table("courses"), course_id="C1")
    assert "Right" not in str(course["laterality"])
    assert "Left" in str(course["laterality"])
    if "valid_entry_ind" not in struck_out:
        assert course["diagnoses"] == "Breast, upper outer"


def test_another_patients_diagnosis_of_the_same_number_is_another_diagnosis(
    table: Callable[[str], Rows], aria: Aria
) -> None:
    (other,) = aria.connection.execute("SELECT PatientSer FROM Patient WHERE PatientId = 'E7'").fetchone()
    aria.insert("laterality_typ", laterality_typ=3, laterality_desc="Right")
    aria.insert("Diagnosis", DiagnosisSer=77, PatientSer=other, Description="Lung")
    aria.insert("pt", pt_id="EMR2", patient_ser=other)
    aria.insert("pt_dx", pt_id="EMR2", dx_id=1, diagnosis_ser=77)
    aria.insert("pt_dx_cncr", pt_id="EMR2", pt_dx_id=1, laterality_typ=3)
    course = one(table("courses"), course_id="C1")
    assert (course["diagnoses"], course["laterality"]) == ("Breast, upper outer", "Left")


def test_the_pattern_of_a_rejected_plan_is_nobodys(table: Callable[[str], Rows], aria: Aria) -> None:
    aria.execute("UPDATE PlanSetup SET Status = 'Rejected' WHERE PlanSetupId = 'Prostate'")
    assert {row["fraction_pattern"] for row in table("prescriptions")} == {None}


@pytest.mark.parametrize(("settings", "words"), [(("cGy",), "two ways"), (("Gy", "MeV"), "two ways"), ((), None)])
def test_a_site_that_sets_two_units_of_dose_has_no_dose_of_a_plan_and_says_so(
    config: Config,
    cached: Callable[[str], Rows],
    aria: Aria,
    now: datetime,
    settings: tuple[str, ...],
    words: str | None,
) -> None:
    for number, unit in enumerate(settings):
        aria.insert("ConfigurationItem", ConfigurationSetSer=2 + number, ConfigurationItemId="Dose", ConfigValue=unit)
    result = snapshot_tables(config, now)
    dose = one(cached("plans"), sop_instance_uid="1.2.3")["dose_per_fraction"]
    assert dose == (None if words else 2.0)
    assert result.outcome == ("PARTIAL" if words else "OK")
    assert words is None or f"values of dose_per_fraction, whose unit the database sets in {words}" in result.message


@pytest.mark.parametrize("unit", [None, "", "rad", "%"])
def test_a_dose_in_no_unit_that_is_known_is_no_dose(
    config: Config, cached: Callable[[str], Rows], aria: Aria, now: datetime, unit: str | None
) -> None:
    aria.execute("UPDATE PrescriptionAnatomyItem SET ItemValueUnit = ?", unit)
    result = snapshot_tables(config, now)
    assert {row["total_dose"] for row in cached("prescriptions")} == {None}
    assert "values of total_dose, whose unit is neither Gy nor cGy: null" in result.message
