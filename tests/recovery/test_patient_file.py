"""The patient's file: what pages, paper charts and archived documents tell of one patient."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.store import Cache
from recovery.charting.sheet import chart_sheets
from recovery.course.fractions import count_fractions
from recovery.course.ledger import lay_out
from recovery.identity.namesakes import namesakes
from recovery.objects.modules import amended_uid, derived_uid
from recovery.patient.file import PatientFile, PatientNotFoundError, read_patient_file, read_patient_files
from recovery.tables.schema import HOLDINGS, RT_PLANS, TREATMENT_RECORDS
from tests import objects as o
from tests.recovery.courses import MONDAY, delivery, plain_plan, plain_record
from tests.recovery.patient_clinic import LOCAL, NOW, SITE, Clinic, anna, bo, treated, weekday, whose


@pytest.fixture
def clinic() -> Clinic:
    return Clinic()


def read(clinic: Clinic, folder: Path, patient_id: str, **how: bool) -> PatientFile:
    return read_patient_file(clinic.write(folder, **how), SITE, patient_id, NOW)


def test_the_file_of_an_ordinary_patient_tells_who_what_and_which_fraction_is_next(
    clinic: Clinic, tmp_path: Path
) -> None:
    plan = anna(clinic)
    file = read(clinic, tmp_path, "100231")
    assert file.identity.patient_name == "ABELSEN, Anna"
    assert (file.identity.patient_birth_date, file.identity.patient_sex) == (date(1958, 7, 4), "F")
    assert file.contacts.phones[0] == ("mobile", "+41 79 555 01 23")
    assert [p.physician_name for p in file.physicians] == ["Meier, Ursula", "Deputy, Dora"]
    assert (file.now, file.as_of) == (LOCAL, LOCAL - timedelta(minutes=6))
    assert not file.tables_missing and not file.disagreements
    [one] = file.plans
    assert one.prescription is not None and one.ledger is not None
    assert (one.prescription.site, one.laterality, one.prescription.dose_per_fraction) == ("Breast", "Left", 2.67)
    assert (one.approval.approved_by, one.approval.dicom_approval_status) == ("Meier", "APPROVED")
    assert [f.beam_number for f in one.treatment_fields] == [1, 2]
    assert (one.fields[0].beam_meterset, one.fields[0].gantry_angle) == (112.4, 305.0)
    assert one.fields[2].is_setup_field is True and one.fields[2].beam_meterset is None
    assert one.ledger.next.fraction_number == 8 and one.ledger.next.unfinished is None
    assert one.ledger.dose_delivered == pytest.approx(7 * 2.67)
    assert [p.dose for p in one.ledger.dose_over_time][-1] == pytest.approx(18.69)
    assert {h.kind: h.is_held for h in one.held_objects} == dict.fromkeys(
        ("plan", "structure set", "image series"), True
    )
    assert one.uid == plan.SOPInstanceUID and one.disagreements == ()


def test_an_interrupted_fraction_comes_next_with_what_each_beam_lacks(clinic: Clinic, tmp_path: Path) -> None:
    bo(clinic)
    [plan] = read(clinic, tmp_path, "100377").plans
    assert plan.ledger is not None
    ahead = plan.ledger.next
    assert (ahead.fraction_number, ahead.number_after) == (5, 6)
    assert ahead.unfinished is not None and ahead.unfinished.meterset_remaining == 50.0
    assert [(b.beam_number, b.remaining) for b in ahead.unfinished.beams] == [(1, 12.0), (2, 38.0)]
    assert ahead.unfinished.terminations == ("MACHINE",)
    assert [f.state for f in plan.ledger.fractions] == ["complete"] * 4 + ["interrupted"]
    assert plan.row.interrupted_remaining_in_words == "50.0 MU left"


def test_a_fraction_finished_at_noon_has_two_sessions_with_their_own_records(clinic: Clinic, tmp_path: Path) -> None:
    plan = bo(clinic)
    rest = [o.beam_item(1, 5, 12.0, 12.0, "CONTINUATION"), o.beam_item(2, 5, 38.0, 38.0)]
    noon = weekday(0) + timedelta(hours=1)
    clinic.add(o.record(str(plan.SOPInstanceUID), rest, at=noon, machine="TB2", **whose("100377", "BERG^Bo", sex="M")))
    [one] = read(clinic, tmp_path, "100377").plans
    assert one.ledger is not None
    fifth = one.ledger.fractions[-1]
    assert fifth.state == "complete" and fifth.treatment_machine_names == ("TB1", "TB2")
    assert [s.started_at for s in fifth.sessions] == [weekday(0), noon]
    assert [len(s.sop_instance_uids) for s in fifth.sessions] == [1, 1]
    assert one.ledger.next.fraction_number == 6 and one.ledger.next.unfinished is None


def test_without_a_database_identity_and_ledger_come_from_dicom(clinic: Clinic, tmp_path: Path) -> None:
    anna(clinic)
    file = read(clinic, tmp_path, "100231", with_database=False)
    [plan] = file.plans
    assert file.identity.patient_name == "ABELSEN, Anna" and file.alerts is None and file.contacts.phones == ()
    assert "prescriptions" in file.tables_missing and plan.prescription is None and plan.laterality is None
    assert [f.beam_meterset for f in plan.fields] == [112.4, 98.6] and plan.fields[0].gantry_angle is None
    assert plan.ledger is not None and plan.ledger.next.fraction_number == 8
    assert plan.ledger.dose_delivered is None and plan.ledger.dose_over_time == ()


def test_without_the_records_no_fraction_is_called_next(clinic: Clinic, tmp_path: Path) -> None:
    anna(clinic)
    cache = clinic.write(tmp_path)
    (tmp_path / "tables" / "treatment_records.parquet").unlink()
    [plan] = read_patient_file(cache, SITE, "100231", NOW).plans
    assert plan.ledger is None and plan.row.fractions_delivered == 7


@pytest.mark.parametrize("schema", [TREATMENT_RECORDS, RT_PLANS])
def test_a_damaged_table_of_what_is_counted_is_an_error_and_no_shorter_ledger(
    clinic: Clinic, tmp_path: Path, schema: object
) -> None:
    anna(clinic)
    cache = clinic.write(tmp_path)
    path = tmp_path / "tables" / f"{schema.name}.parquet"  # type: ignore[attr-defined]
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(CacheError, match="cannot be read"):
        read_patient_file(cache, SITE, "100231", NOW)


def test_a_damaged_table_beside_is_named_and_the_rest_is_there(clinic: Clinic, tmp_path: Path) -> None:
    anna(clinic)
    cache = clinic.write(tmp_path)
    for name in ("prescriptions", HOLDINGS.name):
        (tmp_path / "tables" / f"{name}.parquet").write_bytes(b"half")
    file = read_patient_file(cache, SITE, "100231", NOW)
    assert file.tables_missing.keys() == {"prescriptions", "holdings"}
    assert file.plans[0].prescription is None and file.plans[0].held_objects[0].held is None


def test_nobody_is_found_under_an_id_that_no_table_has_and_the_error_does_not_repeat_it(
    clinic: Clinic, tmp_path: Path
) -> None:
    anna(clinic)
    with pytest.raises(PatientNotFoundError) as raised:
        read(clinic, tmp_path, "999999")
    assert "999999" not in str(raised.value)
    with pytest.raises(TableMissingError):
        read_patient_file(Cache(tmp_path / "none"), SITE, "1", NOW)


def test_one_reading_gives_many_patients_in_the_order_asked_for(clinic: Clinic, tmp_path: Path) -> None:
    anna(clinic)
    bo(clinic)
    files = read_patient_files(clinic.write(tmp_path), SITE, ["100377", "nobody", "100231", "100377"], NOW)
    assert [f.identity.patient_id for f in files] == ["100377", "100231"]
    assert [len(f.plans) for f in files] == [1, 1]
    assert files[1] == read(clinic, tmp_path, "100231")


def test_a_difference_between_database_and_plan_is_said_and_the_plan_object_is_shown(
    clinic: Clinic, tmp_path: Path
) -> None:
    anna(clinic)
    clinic.rows["prescriptions"][0]["number_of_fractions"] = 16
    clinic.rows["plans"][0]["dose_per_fraction"] = 2.0
    clinic.rows["patients"][0]["patient_birth_date"] = date(1985, 7, 4)
    file = read(clinic, tmp_path, "100231")
    [plan] = file.plans
    assert plan.fields[0].beam_meterset == 112.4
    said = " / ".join(plan.disagreements)
    assert "fractions planned: 15 in the plan, 15 in the R&V database, 16 prescribed" in said
    assert "dose per fraction" in said and plan.ledger is not None and plan.ledger.dose_delivered is None
    assert "1985-07-04" in file.disagreements[0] and file.identity.patient_birth_date == date(1958, 7, 4)


def test_overrides_and_deliveries_without_a_record_are_told_from_the_database(clinic: Clinic, tmp_path: Path) -> None:
    plan = anna(clinic)
    uid, records = str(plan.SOPInstanceUID), [d for d in clinic.objects if d.Modality == "RTRECORD"]
    delivered = {"patient_id": "100231", "referenced_rt_plan_uid": uid, "delivered_meterset": 112.4, "beam_number": 1}
    last = next(d for d in records if d.TreatmentSessionBeamSequence[0].CurrentFractionNumber == 7)
    clinic.tell("deliveries", delivery_id="1", treatment_record_uid=str(last.SOPInstanceUID), fraction_number=7,
                was_overridden=True, delivery_type="TREATMENT", **delivered)  # fmt: skip
    clinic.tell("deliveries", delivery_id="2", treatment_record_uid="9.9", fraction_number=8,
                delivery_type="TREATMENT", **delivered)  # fmt: skip
    clinic.tell("couch_shifts", delivery_id="1", patient_id="100231", treated_at=weekday(0), correction_lateral=0.3)
    [one] = read(clinic, tmp_path, "100231").plans
    assert one.ledger is not None
    assert [f.was_overridden for f in one.ledger.fractions] == [None] * 6 + [True]
    assert one.ledger.only_in_database == (8,) and "fraction 8" in " ".join(one.disagreements)
    assert [(s.fraction_number, s.correction_lateral) for s in one.couch_shifts] == [(7, 0.3)]


def test_gaps_are_those_with_a_weekday_and_the_last_one_goes_on() -> None:
    plan = plain_plan({1: 100.0})
    days = [0, 1, 4, 7, 10]  # Mon, Tue, Fri, Mon, Thu
    records = [
        plain_record(f"r{n}", [delivery(fraction=n + 1)], at=MONDAY + timedelta(days=d)) for n, d in enumerate(days)
    ]
    ledger = lay_out(count_fractions(records, plan), MONDAY + timedelta(days=15))
    assert [(g.days, g.weekdays, g.first_day_after is None) for g in ledger.gaps] == [
        (2, 2, False), (2, 2, False), (4, 2, True),
    ]  # fmt: skip


def test_after_the_last_fraction_nothing_is_next_and_no_gap_goes_on() -> None:
    records = [plain_record(f"r{n}", [delivery(fraction=n)], at=MONDAY + timedelta(days=n)) for n in (1, 2)]
    ledger = lay_out(count_fractions(records, plain_plan({1: 100.0}, 2)), MONDAY + timedelta(days=40))
    assert ledger.next.fraction_number is None and ledger.gaps == ()


NUMBERS = st.lists(st.tuples(st.integers(1, 12), st.sampled_from([100.0, 60.0, 40.0])), max_size=14)


@given(sessions=NUMBERS)
def test_the_ledger_says_what_fractions_says(sessions: list[tuple[int, float]]) -> None:
    records = [
        plain_record(
            f"r{i}", [delivery(fraction=n, delivered=m, at=MONDAY + timedelta(days=i))], MONDAY + timedelta(days=i)
        )
        for i, (n, m) in enumerate(sessions)
    ]
    course = count_fractions(records, plain_plan({1: 100.0}, 10))
    ledger = lay_out(course, MONDAY + timedelta(days=30), dose_per_fraction=2.0)
    assert [(f.fraction_number, f.state == "complete") for f in ledger.fractions] == [
        (f.fraction_number, f.is_complete) for f in course.fractions
    ]
    assert ledger.fractions_delivered == len(ledger.dose_over_time) == course.fractions_delivered
    assert ledger.dose_delivered == 2.0 * course.fractions_delivered
    in_sessions = sum(b.delivered_meterset or 0 for f in ledger.fractions for s in f.sessions for b in s.beams)
    assert in_sessions == sum(b.delivered for f in ledger.fractions for b in f.beams)
    if course.fractions_remaining == 0:
        assert ledger.next.fraction_number is None
    elif course.interrupted is not None:
        assert ledger.next.fraction_number == course.interrupted.fraction_number
        assert ledger.next.unfinished is not None and ledger.next.unfinished.state == "interrupted"
    else:
        assert ledger.next.fraction_number == max((n for n, _ in sessions), default=0) + 1


def test_other_patients_with_the_name_a_similar_one_or_the_birth_date_are_named() -> None:
    others = [
        ("2", "BERG, Bodil", date(1971, 1, 1)), ("3", "Bérg, Bo", date(1958, 7, 4)), ("5", "BO, Berg", None),
        ("4", "STONE, Ida", date(1958, 7, 4)), ("6", "HILL, Bo", date(1960, 1, 1)), ("7", None, None),
        ("1", "BERG, Bo", None),
    ]  # fmt: skip
    rows = [{"patient_id": i, "patient_name": n, "patient_birth_date": b} for i, n, b in others]
    found = namesakes("1", "BERG, Bo", date(1958, 7, 4), rows)
    assert [(n.patient_id, n.why) for n in found] == [
        ("3", "same name, same birth date"), ("2", "similar name"), ("5", "similar name"), ("4", "same birth date"),
    ]  # fmt: skip


def test_names_without_end_are_compared_in_no_time() -> None:
    began, long = time.process_time(), "Wörter und " * 2000
    rows = [{"patient_id": str(n), "patient_name": f"{long}{n}", "patient_birth_date": None} for n in range(20)]
    found = namesakes("one", f"W{long}", None, rows)
    assert {n.why for n in found} == {"similar name"} and len(found) == 20
    assert time.process_time() - began < 1, "24 s when all of their letters were compared"


def test_patients_who_are_through_are_no_namesakes(clinic: Clinic, tmp_path: Path) -> None:
    bo(clinic)
    for number in (4, 20):
        plan: Dataset = o.plan({1: 100.0}, fractions=20, **whose(f"other{number}", "BERG^Bo", "19700101"))
        clinic.add(plan, treated(plan, range(1, number + 1), {1: 100.0}))
    file = read(clinic, tmp_path, "100377")
    assert [n.patient_id for n in file.namesakes] == ["other4"]


def test_a_record_that_was_amended_under_another_patients_id_is_no_longer_this_ones(
    clinic: Clinic, tmp_path: Path
) -> None:
    plan = o.plan({1: 100.0}, **whose("100231", "ABELSEN^Anna"))
    stays, moves = treated(plan, (1, 2), {1: 100.0})
    moves.SOPInstanceUID = derived_uid("a delivery")
    [amended] = treated(plan, (2,), {1: 100.0})
    amended.SOPInstanceUID, amended.PatientID = amended_uid(str(moves.SOPInstanceUID)), "100777"
    amended.PatientName = "QUARTZ^Heron"
    clinic.add(plan, stays, moves, amended)
    [one] = read(clinic, tmp_path, "100231").plans
    assert one.ledger is not None and one.ledger.fractions_delivered == 1
    [other] = read(clinic, tmp_path, "100777").plans
    assert other.ledger is not None and other.ledger.fractions_delivered == 1


def test_no_sheet_bears_the_name_of_another_person_of_the_same_patient_id(clinic: Clinic, tmp_path: Path) -> None:
    anna(clinic)
    bo(clinic, "100231")
    for ds in clinic.objects:
        if ds.PatientName == "BERG^Bo":
            ds.PatientBirthDate = "19301111"
    sheets = {sheet.plan_label: sheet for sheet in chart_sheets(read(clinic, tmp_path, "100231"))}
    told = {label: (sheet.patient_name, sheet.birth[:10]) for label, sheet in sheets.items()}
    assert told == {"Breast_L": ("ABELSEN, Anna", "1958-07-04"), "Prostate": ("BERG, Bo", "1930-11-11")}
    assert all("two people may bear this patient ID" in " ".join(map(str, sheet.stops)) for sheet in sheets.values())
