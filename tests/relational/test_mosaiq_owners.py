"""Whose a number is and whose a plan is, in a MOSAIQ whose patients were merged and whose plans were measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backup_jobs.jobs.snapshot_tables import snapshot_tables
from backup_jobs.rv.plan_owners import UNDECIDED
from backup_jobs.rv.queries import load_query, query_tables
from recovery.cache.store import Cache
from recovery.settings.config import Config, Dashboard
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ODD_ROWS, RT_PLANS
from recovery.words.plan_states import CLOSED_STATUSES
from tests.relational.aria import TODAY
from tests.relational.mosaiq import Mosaiq

Rows = list[dict[str, object]]
UID = "1.2.40"
TOMORROW = TODAY + timedelta(days=1, hours=8)


@pytest.fixture
def tables(mosaiq_config: Config, now: datetime) -> Callable[[], Mapping[str, Rows]]:
    def read() -> Mapping[str, Rows]:
        config = replace(mosaiq_config, dashboard=Dashboard(exclude_patient_ids=("$*",)))
        snapshot_tables(config, now)
        cache = Cache(config.cache_path)
        return {name: cache.read(schema) for name, schema in RELATIONAL_TABLES.items()}

    return read


def number(mosaiq: Mosaiq, patient: int, patient_id: str | None, **more: object) -> None:
    """One more tip of Ident for a patient who has one."""
    mosaiq.insert("Ident", IDENT_ID=next(mosaiq.numbers), Pat_Id1=patient, IDA=patient_id, Version=0, **more)


def treated(mosaiq: Mosaiq, patient: int, uid: str = UID, fractions: int = 1, **field: object) -> int:
    """A patient with a plan of one field, booked tomorrow."""
    course = mosaiq.course(patient)
    older, site = mosaiq.site(patient, course, "Prostate")
    machine = mosaiq.machine("Synergy9")
    one = mosaiq.field(patient, site, uid, 1, machine, **field)
    mosaiq.setup(site, Structure_Set_UID=f"{uid}.3")
    mosaiq.appointment(patient, TOMORROW, machine, "  ")
    for fraction in range(1, fractions + 1):
        mosaiq.delivery(patient, one, older, fraction, TODAY - timedelta(days=fraction), Machine_ID_Staff_ID=machine)
    return one


def test_every_query_asks_for_a_patients_number_in_the_same_words() -> None:
    asked = set()
    for table in query_tables("mosaiq"):
        text = load_query("mosaiq", table).text
        assert "JOIN Ident i" not in text, table
        if table not in {"patients", "photos"}:
            start = text.index("        ROW_NUMBER()")
            asked.add(text[start : text.index("WHERE nr.Version = 0", start)])
    assert len(asked) == 1


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("odd", [{"Status_Inactive": 1}, {"IDA": ""}, {"IDA": None}, {"IDA": "   "}])
def test_a_retired_or_blank_number_never_wins_whatever_row_comes_first(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]], odd: dict[str, object], is_first: bool
) -> None:
    patient = next(mosaiq.numbers)
    of_odd = {"patient_id": "A-OLD"} | ({"patient_id": odd["IDA"]} if "IDA" in odd else odd)
    rows: list[dict[str, object]] = [of_odd, {"patient_id": "NEW"}]
    for row in rows if is_first else reversed(rows):
        number(mosaiq, patient, **row)  # type: ignore[arg-type]
    mosaiq.insert("Patient", Pat_ID1=patient, Last_Name="Fels", First_Name="Ida")
    mosaiq.insert("Admin", Pat_ID1=patient, Gender="Female")
    treated(mosaiq, patient)
    found = tables()
    for name in (
        "patients",
        "courses",
        "prescriptions",
        "plans",
        "plan_fields",
        "setup_notes",
        "schedule",
        "deliveries",
    ):
        own = {row["patient_id"] for row in found[name] if row["patient_id"] in {"A-OLD", "NEW", None}}
        assert own == {"NEW"}, name
    (person,) = [row for row in found["patients"] if row["patient_id"] == "NEW"]
    assert person["other_patient_ids"] == ("A-OLD" if "Status_Inactive" in odd else None)


def test_a_patient_whose_only_number_is_retired_still_comes(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]]
) -> None:
    treated(mosaiq, mosaiq.patient("ALONE", Status_Inactive=1))
    assert [row["patient_id"] for row in tables()["plans"] if row["sop_instance_uid"] == UID] == ["ALONE"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_patient_merged_into_another_of_the_same_number_leaves_it_to_them(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]], is_first: bool
) -> None:
    for inactive in (1, 0) if is_first else (0, 1):
        patient = mosaiq.patient("SAME", "Fels", "Ida" if inactive == 0 else "Idda", Inactive=inactive)
        treated(mosaiq, patient, f"{UID}.{inactive}")
    found = tables()
    (person,) = [row for row in found["patients"] if row["patient_id"] == "SAME"]
    assert person["patient_name"] == "FELS, Ida"
    assert sum(row["patient_id"] == "SAME" for row in found["deliveries"]) == 2, "of both halves of the course"


OTHERS: dict[str, dict[str, object]] = {
    "phantom": {"patient_id": "$QA77"},
    "retired": {"patient_id": "R77", "Status_Inactive": 1},
}


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("other", OTHERS)
def test_a_phantom_or_a_retired_number_never_takes_a_plan_away(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]], other: str, is_first: bool
) -> None:
    people: list[dict[str, object]] = [OTHERS[other], {"patient_id": "IDA"}]
    for person in people if is_first else reversed(people):
        is_other = person["patient_id"] != "IDA"
        patient = mosaiq.patient(**person)
        treated(mosaiq, patient, fractions=3 if is_other else 0, Meterset=55.5 if is_other else 123.4)
    found = tables()
    for name in ("plans", "plan_fields", "setup_notes"):
        assert [r["patient_id"] for r in found[name] if r["sop_instance_uid"] == UID] == ["IDA"], name
    (field,) = [row for row in found["plan_fields"] if row["sop_instance_uid"] == UID]
    assert field["beam_meterset"] == 123.4


@pytest.mark.parametrize("says", ["RT-PACS", "import", "deliveries"])
def test_of_two_patients_the_plan_is_whose_dicom_or_deliveries_say(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]], mosaiq_config: Config, now: datetime, says: str
) -> None:
    first, second = mosaiq.patient("A1"), mosaiq.patient("B2")
    treated(mosaiq, first, fractions=1 if says != "deliveries" else 0)
    treated(mosaiq, second, fractions=1)
    if says == "RT-PACS":
        mosaiq.plan(first, UID, "Prost")
        row = {**dict.fromkeys(RT_PLANS.columns), "sop_instance_uid": UID, "patient_id": "B2"}
        Cache(mosaiq_config.cache_path).write(RT_PLANS, [row], taken_at=now, source="test")
    if says == "import":
        mosaiq.plan(second, UID, "Prost")
    assert [r["patient_id"] for r in tables()["plans"] if r["sop_instance_uid"] == UID] == ["B2"]


def test_where_nothing_tells_whose_a_plan_is_it_is_left_out_and_named(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]], mosaiq_config: Config
) -> None:
    for patient_id in ("A1", "B2"):
        treated(mosaiq, mosaiq.patient(patient_id))
    found = tables()
    for name in ("plans", "plan_fields", "setup_notes"):
        assert UID not in {row["sop_instance_uid"] for row in found[name]}, name
        assert found[name], "the others are there"
    odd = Cache(mosaiq_config.cache_path).read(ODD_ROWS)
    assert (f"sop_instance_uid {UID}", UNDECIDED) in {(row["row_key"], row["why"]) for row in odd}


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ([{"IsHidden": 1}, {"IsHidden": 1}], "hidden"),
        ([{"IsHidden": 1}, {}], "treatment approved"),
        ([{"IsHidden": 1}, {"Type_Enum": 3, "Sanct_DtTm": None}], "hidden"),
        ([{}, {"Type_Enum": 3, "IsHidden": 1}], "treatment approved"),
        ([{"IsHidden": 1, "Sanct_DtTm": None}, {}], "treatment approved"),
    ],
)
def test_a_plan_whose_treatment_fields_are_all_hidden_is_closed(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]], fields: list[dict[str, object]], word: str
) -> None:
    patient = mosaiq.patient("IDA")
    _, site = mosaiq.site(patient, mosaiq.course(patient), "Prostate")
    for beam, field in enumerate(fields, start=1):
        mosaiq.field(patient, site, UID, beam, None, **field)
    (plan,) = [row for row in tables()["plans"] if row["sop_instance_uid"] == UID]
    assert plan["approval_status"] == word
    assert (word in CLOSED_STATUSES) == (word == "hidden")
    assert plan["number_of_fractions_planned"] == 25, "what it was prescribed with stays"


def test_a_plan_that_was_imported_anew_into_the_same_fields_is_replaced(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]]
) -> None:
    patient = mosaiq.patient("IDA")
    treated(mosaiq, patient, "1.2.41")
    mosaiq.execute("UPDATE TxField SET OriginalPlanUID = ? WHERE Pat_ID1 = ? AND Version = 1", UID.ljust(64), patient)
    words = {row["sop_instance_uid"]: row["approval_status"] for row in tables()["plans"] if row["patient_id"] == "IDA"}
    assert words == {UID: "replaced", "1.2.41": "treatment approved"}


@pytest.mark.parametrize(
    ("first", "second", "word"), [(2, 3, "closed"), (1, 1, "void"), (2, 5, "unapproved"), (3, 3, "completed")]
)
def test_a_plan_of_two_prescriptions_is_closed_when_both_are(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]], first: int, second: int, word: str
) -> None:
    patient = mosaiq.patient("IDA")
    course = mosaiq.course(patient)
    for beam, status in enumerate((first, second), start=1):
        _, site = mosaiq.site(patient, course, f"Site {beam}", Status_Enum=status)
        mosaiq.field(patient, site, UID, beam, None)
    (plan,) = [row for row in tables()["plans"] if row["sop_instance_uid"] == UID]
    assert plan["approval_status"] == word


def test_the_calendar_counts_the_sessions_that_are_left_of_a_plan(
    mosaiq: Mosaiq, tables: Callable[[], Mapping[str, Rows]]
) -> None:
    patient = mosaiq.patient("IDA")
    field = treated(mosaiq, patient)
    _, site = mosaiq.site(patient, None, "Setup")
    setup = mosaiq.field(patient, site, UID, 2, None, Type_Enum=3)
    for status in (3, 3, 1, 5, 7, 4, 2):
        mosaiq.session(None, patient, field, setup, status=status)
    mosaiq.session(None, patient, field, IsPreTreat=1)
    mosaiq.session(None, patient, setup)
    (row,) = [row for row in tables()["calendar"] if row["patient_id"] == "IDA"]
    assert row["sop_instance_uid"] == UID, "a plan that stands in no session has no row"
    assert (row["sessions_planned"], row["sessions_remaining"]) == (7, 4), "neither completed nor void, and treating"
