"""What the R&V database says of a row, and where it disagrees with the DICOM objects."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.dicom.model import Patient
from recovery.on_treatment.second_source import SecondSource, fractions_by_database, told_of
from recovery.overview.rv_columns import plans_told, with_second_source
from recovery.pacs.collection import Collection
from recovery.pacs.holdings import Holdings
from recovery.pacs.workspace import Workspace
from recovery.settings.config import load_config
from recovery.tables.delivered import DELIVERIES, IN_FLIGHT
from recovery.tables.relational import PATIENTS, PHYSICIANS, PLAN_FIELDS, PLANS, PRESCRIPTIONS
from recovery.tables.schema import DATABASE_COUNTS, TableSchema
from recovery.words.prescription import prescribed
from tests.recovery.courses import MONDAY, TWO_BEAMS, day, plain_plan
from tests.recovery.test_config import GOOD, write

UID = TWO_BEAMS.ref.sop_instance_uid
KEY = ("4711", UID)


def line(**columns: Any) -> dict[str, Any]:
    """A row of on_treatment, as far as it matters here."""
    return {
        "patient_id": "4711",
        "referenced_rt_plan_uid": UID,
        "patient_name": "BASALT, Osprey",
        "patient_birth_date": date(1958, 7, 4),
        "patient_sex": "M",
        "fractions_delivered": 2,
        "number_of_fractions_planned": 20,
        "course_number_of_fractions_planned": 20,
        "course_plan_labels": "",
        "other_patient_ids": None,
        "interrupted_fraction": None,
        "last_treatment_at": day(2),
        "status": "on_treatment",
        **columns,
    }


def told(schema: TableSchema, **columns: Any) -> dict[str, Any]:
    assert columns.keys() <= schema.columns.keys()
    return {**dict.fromkeys(schema.columns), **columns}


def delivered(fraction: int, beam: int, meterset: float, **columns: Any) -> dict[str, Any]:
    return told(
        DELIVERIES,
        **{
            "delivery_id": f"{fraction}.{beam}.{meterset}",
            "patient_id": "4711",
            "referenced_rt_plan_uid": UID,
            "fraction_number": fraction,
            "beam_number": beam,
            "treated_at": day(fraction, minutes=beam),
            "planned_meterset": meterset,
            "delivered_meterset": meterset,
            "termination_status": "NORMAL",
            "delivery_type": "TREATMENT",
            **columns,
        },
    )


TWO_FRACTIONS = [delivered(fraction, beam, meterset) for fraction in (1, 2) for beam, meterset in ((1, 100), (2, 50))]


def test_without_a_database_every_column_is_null() -> None:
    assert set(told_of(line(), SecondSource(), TWO_BEAMS).values()) == {None}


def test_the_database_tells_whom_to_call_and_what_was_prescribed() -> None:
    source = SecondSource(
        patients={"4711": told(PATIENTS, patient_id="4711", phone_work="2", phone_mobile="079 1", alerts="pacemaker")},
        physicians={
            "4711": [
                told(PHYSICIANS, physician_name="Deputy, Dora", is_primary=False),
                told(PHYSICIANS, physician_name="Green, Gloria", is_primary=True),
            ]
        },
        plans={KEY: told(PLANS, sop_instance_uid=UID, prescription_id="7")},
        prescriptions={
            ("4711", "7"): told(
                PRESCRIPTIONS, site="Breast", laterality="left", dose_per_fraction=2.0, number_of_fractions=20
            )
        },
    )
    said = told_of(line(), source, TWO_BEAMS)
    assert {column: value for column, value in said.items() if value is not None} == {
        "physician": "Green, Gloria",
        "site": "Breast",
        "laterality": "left",
        "prescription": "2.00 Gy × 20 = —",
        "phone": "079 1",
        "alerts": "pacemaker",
    }


def test_nobody_is_guessed_to_be_the_oncologist_in_charge() -> None:
    source = SecondSource(physicians={"4711": [told(PHYSICIANS, physician_name="Deputy, Dora", is_primary=False)]})
    assert told_of(line(), source, None)["physician"] is None


def test_both_birth_dates_are_shown_where_they_differ() -> None:
    source = SecondSource(patients={"4711": told(PATIENTS, patient_birth_date=date(1958, 4, 7))})
    assert told_of(line(), source, None)["disagreement"] == "born 1958-07-04 in DICOM, 1958-04-07 in the R&V database"


def test_planned_numbers_of_plan_database_and_prescription_are_held_against_each_other() -> None:
    source = SecondSource(
        plans={KEY: told(PLANS, number_of_fractions_planned=20, prescription_id="7", rt_plan_label=" prost ")},
        prescriptions={("4711", "7"): told(PRESCRIPTIONS, number_of_fractions=25)},
    )
    said = told_of(line(), source, TWO_BEAMS)["disagreement"]
    assert said == "fractions planned: 20 in the plan, 20 in the R&V database, 25 prescribed"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({1: 100.0, 2: 50.0, 7: None}, None),
        ({1: 90.0, 2: 50.0}, "beam 1: 100.0 MU in the plan, 90.0 MU in the R&V database"),
        ({1: 100.0}, "beam 2: 50.0 MU in the plan, no field of it in the R&V database"),
        ({1: 100.0, 2: None}, None),
        ({}, None),
    ],
)
def test_metersets_and_fields_of_the_database_are_held_against_the_plan(
    fields: dict[int, float | None], said: str | None
) -> None:
    """A field that was edited or hidden is said before anybody is treated by it, on the list, too."""
    rows = [told(PLAN_FIELDS, beam_number=number, beam_meterset=meterset) for number, meterset in fields.items()]
    source = SecondSource(plan_fields={KEY: rows})
    assert told_of(line(), source, TWO_BEAMS)["disagreement"] == said
    assert told_of(line(status="closed", fractions_remaining=1), source, TWO_BEAMS)["disagreement"] is None


@pytest.mark.parametrize(
    ("planned", "theirs", "differs"),
    [
        (100.05, 100.1, False),
        (100.25, 100.3, False),
        (123.4, 123.0, False),
        (123.5, 124.0, False),
        (123.4, 123.2, True),
        (123.4, 122.0, True),
        (0.4, 0.0, True),
    ],
)
def test_metersets_that_the_database_keeps_with_fewer_digits_are_the_plans(
    planned: float, theirs: float, *, differs: bool
) -> None:
    plan = plain_plan({1: planned}, uid=UID)
    source = SecondSource(plan_fields={KEY: [told(PLAN_FIELDS, beam_number=1, beam_meterset=theirs)]})
    assert (told_of(line(), source, plan)["disagreement"] is not None) is differs


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([(11, "AP", 100.0), (12, "pa ", 50.0)], None),
        ([(2, "AP", 100.0), (1, "PA", 50.0)], None),
        ([(11, "AP", 90.0), (12, "PA", 50.0)], "beam 1: 100.0 MU in the plan, 90.0 MU in the R&V database"),
        (
            [(1, "AP", 90.0), (2, "PA", 50.0), (3, "AP", 100.0)],
            "beam 1: 100.0 MU in the plan, 90.0 MU in the R&V database",
        ),
        ([(12, "PA", 50.0)], "beam 1: 100.0 MU in the plan, no field of it in the R&V database"),
        ([(1, None, 100.0), (2, None, 50.0)], None),
    ],
)
def test_fields_that_the_database_numbers_otherwise_are_found_by_their_name(
    fields: list[tuple[int, str | None, float]], said: str | None
) -> None:
    plan = plain_plan({1: 100.0, 2: 50.0}, uid=UID)
    plan = replace(plan, beams=tuple(replace(b, beam_name=n) for b, n in zip(plan.beams, ("AP", "PA"), strict=True)))
    rows = [told(PLAN_FIELDS, beam_number=n, beam_name=name, beam_meterset=mu) for n, name, mu in fields]
    assert told_of(line(), SecondSource(plan_fields={KEY: rows}), plan)["disagreement"] == said


@pytest.mark.parametrize(
    ("dose", "number", "total", "said"),
    [
        (2.67, 15, 40.05, "2.67 Gy × 15 = 40.05 Gy"),
        (2.66, 16, 42.5, "2.66 Gy × 16 = 42.50 Gy"),
        (2.0, 25, 0.05, "2.00 Gy × 25, but in all 0.05 Gy"),
        (2.0, 20, 50.0, "2.00 Gy × 20, but in all 50.00 Gy"),
        (2.0, None, 50.0, "2.00 Gy × — = 50.00 Gy"),
    ],
)
def test_doses_that_do_not_come_to_the_total_are_not_called_equal_to_it(
    dose: float, number: int | None, total: float, said: str
) -> None:
    assert prescribed(dose, number, total) == said


def test_a_label_that_differs_is_told_and_one_that_only_is_padded_is_not() -> None:
    def said(label: str) -> str | None:
        return told_of(line(), SecondSource(plans={KEY: told(PLANS, rt_plan_label=label)}), TWO_BEAMS)["disagreement"]

    assert said("PROST  ") is None
    assert said("Prost:1") == "plan Prost in DICOM, Prost:1 in the R&V database"


def test_the_databases_deliveries_are_counted_by_metersets_and_not_by_rows() -> None:
    """An interrupted beam and its continuation are one; a portfilm is none; half a fraction is none."""
    rows = [
        *TWO_FRACTIONS,
        delivered(3, 1, 100, delivered_meterset=60.0, termination_status="MACHINE"),
        delivered(3, 1, 100, delivery_id="x", delivered_meterset=40.0, delivery_type="CONTINUATION"),
        delivered(3, 2, 50),
        delivered(4, 1, 100, delivery_type="TRMT_PORTFILM"),
        delivered(4, 2, 50),
        delivered(5, 1, 100, delivered_meterset=60.0, termination_status="OPERATOR"),
        delivered(5, 2, 50),
    ]
    assert fractions_by_database(rows, TWO_BEAMS, MONDAY + timedelta(days=30)) == 3


def test_what_began_after_the_records_were_asked_for_is_not_counted_against_them() -> None:
    assert fractions_by_database(TWO_FRACTIONS, TWO_BEAMS, until=day(2)) == 1


@pytest.mark.parametrize(
    ("theirs", "last", "said"),
    [
        (2, day(2), None),
        (3, day(2), "fractions delivered: 2 in the treatment records, 3 in the R&V database"),
        (1, day(2), "fractions delivered: 2 in the treatment records, 1 in the R&V database"),
        (1, day(9), None),
        (1, day(40), "fractions delivered: 2 in the treatment records, 1 in the R&V database"),
    ],
)
def test_counts_are_compared_only_as_far_as_the_database_was_read(
    theirs: int, last: datetime, said: str | None
) -> None:
    source = SecondSource(fractions_delivered={KEY: theirs}, deliveries_known_until=day(5), now=day(10))
    assert told_of(line(last_treatment_at=last), source, TWO_BEAMS)["disagreement"] == said


def test_what_began_and_was_not_recorded_is_told_of_its_plan_only() -> None:
    begun = told(
        IN_FLIGHT,
        referenced_rt_plan_uid=UID,
        beam_name="Arc 2",
        fraction_number=3,
        treatment_machine_name="TB1",
        started_at=day(3),
        delivered_meterset=61.25,
    )
    source = SecondSource(in_flight={"4711": [begun]})
    assert told_of(line(), source, TWO_BEAMS)["in_flight"] == (
        "fraction 3 of plan Prost, beam Arc 2, began 2026-11-04 09:30 on TB1, 61.2 MU delivered, "
        "and its end was not recorded: look at the machine before treating"
    )
    assert told_of(line(referenced_rt_plan_uid="1.2"), source, None)["in_flight"] is None


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"beam_number": 2}, "a fraction of plan Prost:1, beam 2, began 2026-11-04 09:30"),
        ({"fraction_number": 3}, "fraction 3 of plan Prost:1 began 2026-11-04 09:30"),
        ({"treatment_machine_name": "TB1"}, "a fraction of plan Prost:1 began 2026-11-04 09:30 on TB1"),
        ({"delivered_meterset": 5.0}, "a fraction of plan Prost:1 began 2026-11-04 09:30, 5.0 MU delivered"),
        ({"referenced_rt_plan_uid": None}, "a fraction of a plan that is not named began 2026-11-04 09:30"),
    ],
)
def test_what_is_not_told_of_a_field_in_flight_is_left_out_of_the_sentence(columns: dict[str, Any], said: str) -> None:
    begun = told(IN_FLIGHT, **{"referenced_rt_plan_uid": UID, "started_at": day(3), **columns})
    source = SecondSource(in_flight={"4711": [begun]}, plans={KEY: told(PLANS, rt_plan_label="Prost:1")})
    expected = f"{said}, and its end was not recorded: look at the machine before treating"
    assert told_of(line(), source, None)["in_flight"] == expected


def test_arias_fraction_in_flight_names_its_plan_and_is_a_question_only_where_no_record_shows_it() -> None:
    """ARIA tells a plan, and nothing else."""
    source = SecondSource(in_flight={"4711": [told(IN_FLIGHT, referenced_rt_plan_uid=UID)]})
    assert told_of(line(), source, TWO_BEAMS)["in_flight"] == (
        "a fraction of plan Prost began and is not finished by the R&V database, and no record shows it: "
        "look at the machine before treating"
    )
    assert told_of(line(interrupted_fraction=3), source, TWO_BEAMS)["in_flight"] is None


def test_what_began_without_naming_a_plan_stands_with_every_unfinished_one() -> None:
    source = SecondSource(in_flight={"4711": [told(IN_FLIGHT, started_at=day(3))]})
    assert "of a plan that is not named" in str(told_of(line(), source, None)["in_flight"])
    assert told_of(line(interrupted_fraction=3), source, None)["in_flight"] is not None
    assert told_of(line(status="completed"), source, None)["in_flight"] is None


def space_of(folder: Path, now: datetime) -> Workspace:
    collection = Collection(ZoneInfo("Europe/Zurich"))
    collection.plans[UID] = TWO_BEAMS
    config = load_config(write(folder, GOOD))
    return Workspace(config, now, Cache(config.cache_path), Memory.load(config.cache_path), collection, Holdings())


def put_deliveries(folder: Path, rows: list[dict[str, Any]], taken_at: datetime) -> None:
    cache = space_of(folder, taken_at).cache
    cache.write(PLANS, [told(PLANS, sop_instance_uid=UID, patient_id="4711")], taken_at=taken_at, source="test")
    cache.write(DELIVERIES, rows, taken_at=taken_at, source="test")


def disagreement(folder: Path, now: datetime, **columns: Any) -> object:
    return with_second_source(space_of(folder, now), [line(**columns)])[0]["disagreement"]


LATER = datetime(2026, 11, 10, 12, tzinfo=UTC)


def test_a_cached_table_of_deliveries_is_counted_once_and_again_when_it_changed(tmp_path: Path) -> None:
    put_deliveries(tmp_path, TWO_FRACTIONS, LATER)
    assert disagreement(tmp_path, LATER) is None
    counted_at = space_of(tmp_path, LATER).cache.snapshot(DATABASE_COUNTS).taken_at
    assert disagreement(tmp_path, LATER + timedelta(minutes=10)) is None
    assert space_of(tmp_path, LATER).cache.snapshot(DATABASE_COUNTS).taken_at == counted_at
    put_deliveries(tmp_path, TWO_FRACTIONS[:2], LATER + timedelta(minutes=15))
    said = disagreement(tmp_path, LATER + timedelta(minutes=20))
    assert said == "fractions delivered: 2 in the treatment records, 1 in the R&V database"


def test_a_delivery_that_began_after_the_run_is_counted_by_the_next_though_the_table_stays(tmp_path: Path) -> None:
    """Read at 9:32 with a fraction of 9:31; the run began, and asked for records, at 9:30."""
    began = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
    put_deliveries(tmp_path, TWO_FRACTIONS, began)
    assert disagreement(tmp_path, began, fractions_delivered=1, last_treatment_at=day(1)) is None
    assert (
        disagreement(tmp_path, began + timedelta(minutes=10), fractions_delivered=2, last_treatment_at=day(1)) is None
    )


def test_a_plan_that_the_database_does_not_know_is_not_held_against_it(tmp_path: Path) -> None:
    put_deliveries(tmp_path, TWO_FRACTIONS, LATER)
    assert disagreement(tmp_path, LATER, referenced_rt_plan_uid="1.2.3") is None


def closed(**columns: Any) -> dict[str, Any]:
    return line(status="closed", fractions_remaining=5, number_of_fractions_planned=20, **columns)


@pytest.mark.parametrize("changed_at", [day(1), None])
def test_what_was_treated_after_its_plan_was_closed_is_told(changed_at: datetime | None) -> None:
    plan = told(PLANS, sop_instance_uid=UID, approval_status="retired", status_changed_at=changed_at)
    source = SecondSource(plans={KEY: plan}, deliveries_known_until=day(2, hours=3))
    said = str(told_of(closed(), source, None)["disagreement"])
    assert "treated 2026-11-03 09:30, and the plan is retired in the R&V database" in said
    earlier = told_of(closed(last_treatment_at=day(1, hours=-1)), source, None)["disagreement"]
    assert earlier is None


def test_completed_in_the_database_with_fractions_left_is_told_with_their_number() -> None:
    plan = told(PLANS, sop_instance_uid=UID, approval_status="completed", status_changed_at=day(9))
    said = told_of(closed(), SecondSource(plans={KEY: plan}), None)["disagreement"]
    assert said == "plan completed in the R&V database, 5 of 20 not given"


def test_the_plans_own_approval_and_the_databases_word_for_it_are_held_against_each_other() -> None:
    for word, dicom, said in (
        ("rejected", "APPROVED", "plan APPROVED in DICOM, rejected in the R&V database"),
        ("treatment approved", "REJECTED", "plan REJECTED in DICOM, treatment approved in the R&V database"),
        ("treatment approved", "APPROVED", None),
    ):
        plan = told(PLANS, sop_instance_uid=UID, approval_status=word)
        held = replace(TWO_BEAMS, approval_status=dicom)
        assert told_of(line(), SecondSource(plans={KEY: plan}), held)["disagreement"] == said


def born(plan_says: date | None, person_born: date, *, made_here: bool, **columns: Any) -> object:
    source = SecondSource(
        patients={"4711": told(PATIENTS, patient_id="4711", patient_birth_date=person_born)},
        made_here=frozenset([KEY] if made_here else []),
    )
    held = replace(TWO_BEAMS, patient=replace(TWO_BEAMS.patient, patient_birth_date=plan_says))
    return told_of(line(**columns), source, held)["disagreement"]


def test_the_birth_date_is_compared_with_the_plan_where_the_records_were_made_of_the_database() -> None:
    wrong, right = date(1947, 8, 5), date(1958, 7, 4)
    said = "born 1958-07-04 in DICOM, 1947-08-05 in the R&V database"
    assert born(right, wrong, made_here=True, patient_birth_date=wrong) == said, "records repeat the database"
    assert born(right, right, made_here=True, patient_birth_date=right) is None
    assert born(None, wrong, made_here=True, patient_birth_date=right) is None, "itself proves nothing"
    assert born(right, wrong, made_here=False) == said, "once, though plan and records say it"
    assert born(wrong, wrong, made_here=False) == said, "records of another system are a source"


def test_what_the_database_says_of_a_plan_is_not_said_of_another_patient_of_the_same_plan(tmp_path: Path) -> None:
    space = space_of(tmp_path, LATER)
    people = [
        told(PATIENTS, patient_id=number, patient_name=name, patient_birth_date=date(1958, 7, 4))
        for number, name in (("4711", "BASALT, Osprey"), ("$QA1", "PHANTOM, Cheese"))
    ]
    plan = told(PLANS, sop_instance_uid=UID, patient_id="4711", approval_status="retired", rt_plan_label="Prost")
    for schema, rows in ((PATIENTS, people), (PLANS, [plan])):
        space.cache.write(schema, rows, taken_at=space.now, source="test")
    key = ("4711", UID)
    of_phantom = Patient("$QA1", "PHANTOM, Cheese", date(1958, 7, 4), None)
    same_person = Patient("4712", "Basalt, osprey", date(1958, 7, 4), None)
    assert plans_told(space, {("$QA1", UID): of_phantom}).keys() == {key}
    assert plans_told(space, {("4712", UID): same_person}).keys() == {("4712", UID)}, "a number that was changed"
    assert plans_told(space, {("4712", UID): same_person, key: same_person}).keys() == {key, ("4712", UID)}


@pytest.mark.parametrize(
    ("sessions", "status", "is_told"),
    [(11, "on_treatment", True), (12, "on_treatment", False), (11, "completed", False)],
)
def test_the_calendars_count_of_what_remains_is_held_against_the_records(
    sessions: int, status: str, is_told: bool
) -> None:
    source = SecondSource(sessions_remaining={KEY: sessions}, deliveries_known_until=day(5))
    said = told_of(line(fractions_remaining=12, status=status), source, None)["disagreement"]
    assert said == ("fractions remaining: 12 by the records, 11 sessions in the R&V calendar" if is_told else None)
