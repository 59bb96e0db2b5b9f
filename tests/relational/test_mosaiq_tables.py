"""What the tables say of a clinic that runs MOSAIQ: each trap of its schema."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from backup_jobs.jobs.snapshot_tables import query_values, snapshot_tables
from backup_jobs.rv.database import open_database
from backup_jobs.rv.mosaiq.deliveries import delivery_type, termination_status
from backup_jobs.rv.mosaiq.tables import appointment_status
from backup_jobs.rv.queries import query_tables
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.tables.relational import CANCELLED_STATUSES, RELATIONAL_TABLES
from recovery.words.plan_states import APPROVED_STATUSES
from tests.relational.aria import TODAY
from tests.relational.mosaiq import OLDER, Mosaiq

Rows = list[dict[str, object]]
ANNA = "20240503"


@pytest.fixture
def table(mosaiq_config: Config, now: datetime) -> Callable[[str], Rows]:
    def read(name: str) -> Rows:
        assert snapshot_tables(mosaiq_config, now).outcome == "OK"
        return Cache(mosaiq_config.cache_path).read(RELATIONAL_TABLES[name])

    return read


def one(rows: Rows, **wanted: object) -> dict[str, object]:
    (row,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return row


def anna(mosaiq: Mosaiq) -> int:
    (serial,) = mosaiq.connection.execute("SELECT Pat_Id1 FROM Ident WHERE IDA = ?", (ANNA,)).fetchone()
    return int(serial)


def test_no_query_returns_anything_of_an_older_suppressed_or_withdrawn_row(
    mosaiq_config: Config, now: datetime
) -> None:
    with open_database(mosaiq_config) as database:
        for table in query_tables("mosaiq"):
            rows = list(database.fetch(table, query_values(mosaiq_config, now)))
            assert bool(rows) != (table == "photos"), "no MOSAIQ table of pictures is documented"
            assert not [row for row in rows if any(OLDER in str(value) for value in row.values())], table


def test_a_patient_has_one_row_with_the_number_that_stands_now(table: Callable[[str], Rows]) -> None:
    patient = one(table("patients"), patient_id=ANNA)
    assert patient["patient_name"] == "MUSTER, Anna"
    assert (patient["patient_birth_date"], patient["patient_sex"]) == (date(1960, 5, 17), "F")
    assert (patient["phone_home"], patient["phone_mobile"], patient["phone_work"]) == ("041 1", None, "041 3 ext. 12")
    assert (patient["address"], patient["language"]) == ("Main Street 5, 3000 Bern", "Deutsch")
    assert patient["alerts"] == "Pacemaker; Latex", "however old the notes are"
    assert patient["special_needs"] == "in-patient, ward 4W"
    assert (patient["emergency_contacts"], patient["transport"]) == (None, None), "the public schema has none"


def test_a_patient_who_has_died_says_so_before_anybody_calls(table: Callable[[str], Rows], mosaiq: Mosaiq) -> None:
    mosaiq.execute("UPDATE Admin SET Expired_DtTm = '2026-11-20 00:00:00' WHERE Pat_ID1 = ?", anna(mosaiq))
    assert str(one(table("patients"), patient_id=ANNA)["alerts"]).startswith("died on 2026-11-20; ")


def test_the_physician_in_charge_is_the_attending_one(table: Callable[[str], Rows]) -> None:
    rows = table("physicians")
    assert {row["patient_id"] for row in rows} == {ANNA}, "by the number that stands now"
    told = {row["physician_name"]: (row["role"], row["is_primary"]) for row in rows}
    assert told == {"Green, Gloria": ("oncologist", True), "Referrer, Rita": ("referring physician", False)}


def test_two_diagnoses_of_one_course_are_one_course_and_a_course_without_a_number_stays_apart(
    table: Callable[[str], Rows], mosaiq: Mosaiq
) -> None:
    mosaiq.course(anna(mosaiq), None, "C79.5")
    rows = table("courses")
    first = one(rows, course_id="1")
    assert first["diagnosis_codes"] == "C50.4; C77.3"
    assert (first["intent"], first["laterality"], first["status"]) == ("Curative", None, None)
    assert sum(str(row["course_id"]).startswith("PCP_ID ") for row in rows) == 2


def test_a_prescription_is_its_tip_and_its_doses_are_gray(table: Callable[[str], Rows]) -> None:
    rows = table("prescriptions")
    breast = one(rows, prescription_name="Breast L")
    assert (breast["dose_per_fraction"], breast["total_dose"], breast["number_of_fractions"]) == (2.0, 50.0, 25)
    assert (breast["dose_levels"], breast["status"]) == ("PTV: 50 Gy, 2 Gy per fraction", "approved")
    assert (breast["bolus"], breast["created_by"]) == ("5 mm", "Green, Gloria")
    assert breast["laterality"] is None, "not in the public schema"


def test_a_prescription_without_a_technique_comes_and_a_boost_names_what_it_follows(
    table: Callable[[str], Rows],
) -> None:
    rows = table("prescriptions")
    first, boost = one(rows, prescription_name="Boost, L"), one(rows, prescription_name="Boost 2")
    assert first["technique"] is None
    assert first["follows_prescription_id"] is None, "0 is none"
    assert boost["follows_prescription_id"] == first["prescription_id"]
    assert (boost["phase"], boost["dose_per_fraction"]) == ("starts after fraction 25", 1.8)
    assert {row["status"] for row in rows} == {"approved", "pending", "void", None, "42"}, "an unknown number stays"


def test_a_plan_is_found_by_its_padded_uid_and_is_approved_when_all_that_treats_is(
    table: Callable[[str], Rows],
) -> None:
    plan = one(table("plans"), sop_instance_uid="1.2.3")
    assert (plan["rt_plan_label"], plan["patient_id"], plan["course_id"]) == ("Breast", ANNA, "1")
    assert plan["approval_status"] in APPROVED_STATUSES, "a setup field and a hidden one, not signed, have no say"
    assert (plan["approved_by"], plan["approved_at"]) == ("Green, Gloria", datetime(2026, 11, 2))  # noqa: DTZ001
    assert (plan["number_of_fractions_planned"], plan["dose_per_fraction"]) == (25, 2.0)
    assert (plan["structure_set_uid"], plan["frame_of_reference_uid"]) == ("1.2.3.3", "1.2.3.4")
    assert plan["treatment_orientation"] == "Head First-Supine"


@pytest.mark.parametrize(
    ("uid", "status"),
    [
        ("1.2.4", "unapproved"),  # one of its fields is not signed
        ("1.2.5", "unapproved"),  # its prescription is pending
        ("1.2.6", "void"),
        ("1.2.7", "treatment approved"),  # its prescription has no number and is signed
        ("1.2.8", "42"),
        ("1.2.9", "unapproved"),  # one of its two prescriptions is pending
    ],
)
def test_a_plan_may_be_treated_only_when_prescription_and_fields_allow_it(
    table: Callable[[str], Rows], uid: str, status: str
) -> None:
    plan = one(table("plans"), sop_instance_uid=uid)
    assert plan["approval_status"] == status
    assert (plan["approved_at"] is not None) == (status in APPROVED_STATUSES)


def test_a_plan_of_two_prescriptions_has_the_fractions_of_neither(table: Callable[[str], Rows]) -> None:
    plan = one(table("plans"), sop_instance_uid="1.2.9")
    assert (plan["number_of_fractions_planned"], plan["dose_per_fraction"], plan["prescription_id"]) == (None,) * 3


def test_a_plan_of_long_ago_comes_only_when_somebody_was_treated(table: Callable[[str], Rows], mosaiq: Mosaiq) -> None:
    assert "1.2.10" not in {row["sop_instance_uid"] for row in table("plans")}
    (gone,) = mosaiq.connection.execute("SELECT Pat_Id1 FROM Ident WHERE IDA = 'LONG_AGO'").fetchone()
    mosaiq.delivery(gone, None, None, 1, TODAY)
    assert "1.2.10" in {row["sop_instance_uid"] for row in table("plans")}


def test_a_field_is_its_visible_tip_and_a_setup_field_says_that_it_is_one(table: Callable[[str], Rows]) -> None:
    rows = [row for row in table("plan_fields") if row["sop_instance_uid"] == "1.2.3"]
    treated, setup = one(rows, beam_number=1), one(rows, beam_number=2)
    assert (treated["beam_name"], treated["beam_meterset"]) == ("F1", 123.4), "neither hidden nor older"
    assert (treated["is_setup_field"], setup["is_setup_field"]) == (False, True)
    assert (treated["technique"], treated["radiation_type"], treated["nominal_beam_energy"]) == ("VMAT", "X", 6.0)
    assert treated["treatment_machine_name"] == "Synergy1", "a machine is a padded member of staff"
    assert (treated["gantry_angle"], treated["gantry_stop_angle"]) == (181.0, 179.0)
    assert setup["gantry_stop_angle"] is None, "it is no arc"
    assert treated["setup_note"] == "Laser on tattoo"


def test_a_hidden_field_is_no_field_of_its_plan(table: Callable[[str], Rows], mosaiq: Mosaiq) -> None:
    mosaiq.execute("UPDATE TxField SET IsHidden = 1 WHERE OriginalBeamNumber = 2")
    assert {row["beam_number"] for row in table("plan_fields") if row["sop_instance_uid"] == "1.2.3"} == {1}


def test_fields_entered_by_hand_are_counted_and_do_not_stop_the_table(mosaiq_config: Config, now: datetime) -> None:
    result = snapshot_tables(mosaiq_config, now)
    assert (result.outcome, result.message) == (
        "OK",
        "table plan_fields: 3 left out: fields entered by hand, which no plan names",
    )


def test_a_kilovolt_field_has_its_energy_in_megavolt_as_all_do(table: Callable[[str], Rows], mosaiq: Mosaiq) -> None:
    mosaiq.execute("UPDATE TxField SET Modality_Enum = 7 WHERE RTRIM(OriginalPlanUID) = '1.2.7'")
    mosaiq.execute("UPDATE TxFieldPoint SET Energy = 120")
    assert one(table("plan_fields"), sop_instance_uid="1.2.7")["nominal_beam_energy"] == 0.12


def test_a_setup_is_the_approved_one_and_its_shift_the_tip(table: Callable[[str], Rows], mosaiq: Mosaiq) -> None:
    (site,) = mosaiq.connection.execute("SELECT SIT_SET_ID FROM Site WHERE Site_Name = 'Breast L'").fetchone()
    mosaiq.setup(site, Setup_Note="pending", Status_Enum=7)
    mosaiq.setup(site, Setup_Note="excluded", IsExcludedFromTreatment=1)
    note = one(table("setup_notes"), sop_instance_uid="1.2.3", beam_number=1)
    assert (note["setup_note"], note["couch_vertical"]) == ("Laser on tattoo", -12.5)
    assert (note["shift_longitudinal"], note["devices"]) == (1.5, None)


def test_deliveries_keep_their_prescription_of_whatever_version_and_tell_what_treats_nobody(
    table: Callable[[str], Rows],
) -> None:
    rows = table("deliveries")
    (prescription,) = {row["prescription_id"] for row in table("prescriptions") if row["site"] == "Breast L"}
    assert {row["prescription_id"] for row in rows} == {prescription}, "Dose_Hst names an older version"
    assert {row["referenced_rt_plan_uid"] for row in rows} == {"1.2.3"}
    fourth = [row for row in rows if row["fraction_number"] == 4]
    told = [(row["delivery_type"], row["termination_status"], row["delivered_meterset"]) for row in fourth]
    assert told == [
        ("TREATMENT", "MACHINE", 60.0),
        ("CONTINUATION", "NORMAL", 63.4),
        ("SETUP", "NORMAL", None),
        ("TRMT_PORTFILM", "NORMAL", 123.4),
        ("OPEN_PORTFILM", "NORMAL", 123.4),
    ]
    assert one(rows, fraction_number=0)["delivery_type"] == "VERIFICATION", "QA mode"
    assert [row["was_overridden"] for row in fourth][:2] == [False, True]
    assert fourth[0]["termination_reason"] == "7"
    assert {row["treatment_record_uid"] for row in rows} == {None}


def test_the_planned_meterset_is_of_the_version_that_was_treated(table: Callable[[str], Rows], mosaiq: Mosaiq) -> None:
    older = mosaiq.connection.execute(
        "SELECT o.FLD_ID, o.Pat_ID1 FROM TxField o WHERE o.Version = 1 AND RTRIM(o.OriginalPlanUID) = '1.2.3'"
        " AND o.OriginalBeamNumber = 1"
    ).fetchone()
    delivered = mosaiq.delivery(older[1], older[0], None, 9, TODAY, Meterset=99.8)
    row = one(table("deliveries"), delivery_id=str(delivered))
    assert (row["planned_meterset"], row["delivered_meterset"]) == (99.9, 99.8)
    assert (row["beam_number"], row["prescription_id"]) == (1, None)


def test_after_an_edit_each_delivery_has_the_meterset_of_its_day(table: Callable[[str], Rows], mosaiq: Mosaiq) -> None:
    patient = mosaiq.patient("EDITED")
    older_site, site = mosaiq.site(patient, mosaiq.course(patient), "Prostate")
    tip = mosaiq.field(patient, site, "1.2.60", 1, mosaiq.machine("Versa9"), Meterset=108.0)
    mosaiq.execute("UPDATE TxField SET Meterset = 120 WHERE FLD_SET_ID = ? AND Version = 1", tip)
    (older,) = mosaiq.connection.execute(
        "SELECT FLD_ID FROM TxField WHERE FLD_SET_ID = ? AND Version = 1", (tip,)
    ).fetchone()
    for fraction in range(1, 12):
        meterset, field = (120.0, older) if fraction <= 3 else (108.0, tip)
        mosaiq.delivery(patient, field, older_site, fraction, TODAY - timedelta(days=12 - fraction), Meterset=meterset)
    rows = [row for row in table("deliveries") if row["patient_id"] == "EDITED"]
    told = [(row["fraction_number"], row["planned_meterset"], row["delivered_meterset"]) for row in rows]
    assert told == [(n, *((120.0, 120.0) if n <= 3 else (108.0, 108.0))) for n in range(1, 12)]


def test_a_delivery_of_a_field_that_no_plan_names_comes_without_a_plan(
    table: Callable[[str], Rows], mosaiq: Mosaiq
) -> None:
    delivered = mosaiq.delivery(anna(mosaiq), None, None, None, TODAY, Type_Enum=None)
    row = one(table("deliveries"), delivery_id=str(delivered))
    assert (row["referenced_rt_plan_uid"], row["beam_number"], row["planned_meterset"]) == (None, None, None)
    assert (row["delivery_type"], row["delivered_meterset"]) == ("TREATMENT", 123.4)


@pytest.mark.parametrize(
    ("is_partial", "code", "status"),
    [
        (0, 1, "NORMAL"),
        (0, None, "NORMAL"),
        (0, 2, "OPERATOR"),
        (1, 1, "UNKNOWN"),  # partially treated and ended normally: they contradict each other
        (1, None, "UNKNOWN"),
        (1, 2, "OPERATOR"),
        (None, None, None),
        (None, 1, "NORMAL"),
        (None, 9, "UNKNOWN"),
    ],
)
def test_what_was_partially_treated_never_ended_normally(
    is_partial: int | None, code: int | None, status: str | None
) -> None:
    assert termination_status([{"is_partial": is_partial, "termination": code}]) == status


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (3, "SETUP"),
        (4, "SETUP"),
        (5, "SETUP"),
        (9, "SETUP"),
        (6, "TRMT_PORTFILM"),
        (13, "TREATMENT"),
        (20, "TREATMENT"),
    ],
)
@pytest.mark.parametrize("told_by", ["delivered_type", "field_type"])
def test_a_type_counts_where_the_delivery_or_its_field_tells_it(kind: int, words: str, told_by: str) -> None:
    row: dict[str, object] = {"was_qa_mode": False, "is_open_port": None, "is_make_up": None}
    row |= {"delivered_type": 0, "field_type": None} | {told_by: kind}
    assert delivery_type([row]) == words
    assert delivery_type([row | {"was_qa_mode": True}]) == "VERIFICATION"


def test_a_shift_belongs_to_the_delivery_within_the_hour(table: Callable[[str], Rows]) -> None:
    shifts = {row["delivery_id"]: row["correction_lateral"] for row in table("couch_shifts")}
    rows = table("deliveries")
    told = [(row["fraction_number"], shifts[row["delivery_id"]]) for row in rows]
    assert {shift for fraction, shift in told if fraction == 4} == {0.4}, (
        "the newest, that stands and is a localisation"
    )
    assert {shift for fraction, shift in told if fraction != 4} == {None}
    assert {row["couch_vertical"] for row in table("couch_shifts")} == {-12.4}, "the first point"


def test_a_shift_of_the_day_before_is_not_this_sessions(table: Callable[[str], Rows], mosaiq: Mosaiq) -> None:
    mosaiq.execute("UPDATE Offset SET Study_DtTm = ?", (TODAY - timedelta(days=2)).isoformat(" "))
    assert {row["correction_lateral"] for row in table("couch_shifts")} == {None}


def test_only_what_came_on_for_a_patient_and_was_not_recorded_is_in_flight(table: Callable[[str], Rows]) -> None:
    (row,) = table("in_flight")
    assert (row["patient_id"], row["referenced_rt_plan_uid"], row["beam_number"]) == (ANNA, "1.2.3", 1)
    assert (row["treatment_machine_name"], row["started_at"]) == ("Synergy1", TODAY + timedelta(hours=9))
    assert (row["fraction_number"], row["delivered_meterset"]) == (None, None), "not guessed"


def test_a_cancelled_field_whose_beam_was_on_is_in_flight_with_what_its_delivery_says(
    table: Callable[[str], Rows], mosaiq: Mosaiq
) -> None:
    patient = anna(mosaiq)
    delivered = mosaiq.delivery(patient, None, None, 5, TODAY, Meterset=12.0)
    number = mosaiq.tracked(patient, 0, TODAY, WasCanceled=1, DHS_ID=delivered)
    row = one(table("in_flight"), in_flight_id=str(number))
    assert (row["fraction_number"], row["delivered_meterset"]) == (5, 12.0)


def test_the_schedule_holds_what_stands_and_says_what_was_cancelled(table: Callable[[str], Rows]) -> None:
    rows = sorted((r for r in table("schedule") if r["patient_id"] == ANNA), key=lambda r: str(r["appointment_at"]))
    told = [(str(r["appointment_at"])[:10], r["status"], r["treatment_machine_name"], r["note"]) for r in rows]
    assert told == [
        ("2026-11-17", "booked", "Synergy1", "boost"),
        ("2026-11-18", "completed", "Synergy1", None),
        ("2026-11-19", "completed", "Synergy1", "last one"),
        ("2026-11-23", "booked", "Synergy1", "new start; Blase voll"),
        ("2026-11-24", "cancelled", "Synergy1", None),
        ("2026-11-27", "Q?", None, None),
    ], "suppressed, older and far ones are not there; a room is no machine; an unknown word stays"
    assert rows[4]["status"] in CANCELLED_STATUSES
    assert (rows[3]["activity"], rows[3]["activity_category"]) == ("Bestrahlung", "RT"), "the code that is in use"
    assert rows[5]["activity"] == "VISIT", "where the code has no words"
    assert rows[3]["ends_at"] == datetime(2026, 11, 23, 8, 15)  # noqa: DTZ001


_ATTENDED = (" C", " D", "E", "FC", "FD", "FE", "OC", "OD", "OE", "SC", "SD", "SE")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        *((code, "completed") for code in _ATTENDED),
        *((code, "booked") for code in ("S", "O", "F", "S ", "O ", "F ", "  ", "")),
        *((code, "cancelled") for code in ("X", " X", "SX", "X ")),
        *(("B", "B"), ("QC", "QC"), (None, None)),
    ],
)
def test_a_status_of_two_characters_is_read_and_a_lone_marker_is_still_to_come(
    code: str | None, words: str | None
) -> None:
    assert appointment_status([{"status": code}]) == words


def test_a_note_has_the_kind_of_its_own_group(table: Callable[[str], Rows]) -> None:
    note = one(table("notes"), note="ruft an")
    assert (note["kind"], note["written_by"]) == ("Telefon", "Nurse, Nora")


def test_checks_hold_what_was_done_and_what_is_to_do(table: Callable[[str], Rows]) -> None:
    rows = table("checks")
    lists = [(row["status"], row["comment"]) for row in rows if row["kind"] == "checklist"]
    assert lists == [("completed", "Weekly chart check: in order"), ("to do", "Weekly chart check")]
    field = one(rows, kind="field approval", sop_instance_uid="1.2.3")
    assert (field["status"], field["checked_by"]) == ("approved", "Green, Gloria")


def test_a_document_lists_its_pages_in_order(table: Callable[[str], Rows]) -> None:
    (document,) = table("documents")
    assert (document["kind"], document["location"]) == ("Consent, scan", "a1.tif; a2.tif")
