"""Each rule of the safety gate is seen to refuse, with its sentence, and a plan that is well passes all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery.cache.store import Cache
from recovery.dicom.model import Patient
from recovery.packing.contents import Rules, Wanted, wanted_plans
from recovery.packing.gate import OF_OBJECTS, OF_TABLES, Case, PackedObject, refusals
from recovery.pacs.verified_objects import VerifiedObjects
from recovery.settings.config import load_config
from recovery.tables.schema import ON_TREATMENT, TREATMENT_RECORDS
from tests.app.clinic import CONFIG
from tests.recovery.patient_clinic import LOCAL, NOW, TB1, Clinic, anna, bo


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    """Anna is well, of Bo a fraction was stopped, Cleo has two plans on two machines."""
    made = Clinic()
    anna(made)
    bo(made)
    two = [anna(made, "100500", "CORVUS^Cleo", RTPlanLabel=label) for label in ("Breast_L", "Axilla")]
    for table in ("patients", "prescriptions", "schedule"):
        made.rows[table].pop()
    for beam in two[1].BeamSequence:
        beam.TreatmentMachineName = "TB2"
    made.rows["physicians"] = []
    return made


@pytest.fixture(scope="module")
def cache(clinic: Clinic, tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """All of it was re-read twelve hours ago."""
    cache = clinic.write(tmp_path_factory.mktemp("gate") / "data" / "cache")
    verified = VerifiedObjects()
    assert all(verified.came(str(ds.SOPInstanceUID), "a", NOW - timedelta(hours=12)) for ds in clinic.objects)
    verified.save(cache, NOW)
    return cache


def wanted(cache: Cache, patient_id: str, machine: str | None = None) -> list[Wanted]:
    file = cache.path.parent.parent / "config.toml"
    file.write_text(CONFIG)
    return list(wanted_plans(cache, Rules.of(load_config(file)), [patient_id], machine, NOW))


@pytest.fixture(scope="module")
def case(cache: Cache) -> Case:
    return wanted(cache, "100231")[0].case


def refused(case: Case) -> dict[str, str]:
    return {one.rule: one.why for one in refusals(case, OF_TABLES)}


def changed(case: Case, **told: Any) -> Case:
    """The case with other values: of itself, of the plan's row, of the plan, of its approval, of the plan object."""
    assert case.dicom is not None
    row, approval, dicom, plan = case.plan.row, case.plan.approval, case.dicom, case.plan
    parts = [{k: v for k, v in told.items() if hasattr(part, k)} for part in (case, row, approval, dicom, plan)]
    assert set().union(*parts) == told.keys()
    own, of_row, of_approval, of_dicom, of_plan = parts
    of_plan = {"row": replace(row, **of_row), "approval": replace(approval, **of_approval)} | of_plan
    return replace(case, dicom=replace(dicom, **of_dicom), plan=replace(plan, **of_plan), **own)


def test_a_plan_that_is_well_passes_and_one_of_which_it_is_known_what_a_fraction_lacks(
    cache: Cache, case: Case
) -> None:
    assert refused(case) == {}
    assert (case.machine, case.proven_at) == (TB1, LOCAL - timedelta(hours=12))
    (stopped,) = wanted(cache, "100377")
    assert stopped.case.plan.row.interrupted_fraction == 5 and refused(stopped.case) == {}


@pytest.mark.parametrize(
    ("rule", "told", "said"),
    [
        ("is_held", {"dicom": None}, "no plan object of it: there is nothing to load."),
        ("is_approved", {"approval_status": "planning approved"}, "the plan is planning approved."),
        ("is_approved", {"dicom_approval_status": "UNAPPROVED"}, "Its ApprovalStatus is UNAPPROVED, and file mode"),
        ("is_approved", {"dicom_approval_status": None}, "Its ApprovalStatus is —, and file mode"),
        ("is_for_this_machine", {"machine": "TB2"}, "It was planned for TB1, and is to be treated on TB2."),
        ("is_for_this_machine", {"machine": None}, "It was planned for TB1, and is to be treated on —."),
        ("is_for_this_machine", {"beams": ()}, "It was planned for —, and is to be treated on TB1."),
        ("is_to_treat_with", {"plan_intent": "VERIFICATION"}, "Its PlanIntent is VERIFICATION: no patient"),
        ("is_to_treat_with", {"rt_plan_geometry": "TREATMENT_DEVICE"}, "RTPlanGeometry is TREATMENT_DEVICE"),
        ("has_fractions_left", {"status": "completed"}, "It is completed: nothing of this plan remains"),
        ("has_fractions_left", {"status": "superseded"}, "another plan replaced this one: do not treat with it."),
        ("has_fractions_left", {"fractions_remaining": 0}, "No fraction remains to be given."),
        ("has_fractions_left", {"fractions_remaining": None}, "How many fractions remain is not known."),
        ("says_what_was_interrupted", {"in_flight": "fraction 8 began"}, "nobody recorded its end: fraction 8 began."),
        ("says_what_was_interrupted", {"interrupted_fraction": 8}, "Fraction 8 was interrupted, and what it lacks"),
        ("is_agreed", {"disagreement": "7 here, 8 there"}, "Two sources disagree: 7 here, 8 there."),
        ("is_agreed", {"disagreements": ("20 MU here; 21 there",)}, "Two sources disagree: 20 MU here; 21 there."),
        ("is_agreed", {"charted_conflict": "charted twice"}, "Two sources disagree: charted twice."),
        ("is_complete", {"ready": False, "missing": "2 images"}, "missing 2 images."),
        ("is_complete", {"ready": None, "missing": None}, "missing nobody knows what."),
        ("was_proven_lately", {"proven_at": LOCAL - timedelta(hours=49)}, "and not within 48 hours."),
        ("was_proven_lately", {"proven_at": LOCAL + timedelta(hours=1)}, "which has not come yet: a clock is wrong."),
        ("was_proven_lately", {"proven_at": None}, "It was never proven whole by re-reading"),
    ],
)
def test_each_rule_refuses_alone_and_says_why(case: Case, rule: str, told: dict[str, Any], said: str) -> None:
    other = replace(case, dicom=None) if rule == "is_held" else changed(case, **told)
    found = refused(other)
    assert found.keys() == {rule} and said in found[rule]


def test_an_object_that_was_never_re_read_makes_its_plan_unproven(cache: Cache, clinic: Clinic) -> None:
    verified = VerifiedObjects.load(cache)
    kept, slice_ = dict(verified.objects), str(clinic.objects[0].SOPInstanceUID)
    try:
        verified.forget([slice_])
        verified.save(cache, NOW)
        assert set(refused(wanted(cache, "100231")[0].case)) == {"was_proven_lately"}
    finally:
        VerifiedObjects(kept).save(cache, NOW)


ANNA = Patient("100231", "ABELSEN, Anna", LOCAL.replace(year=1958, month=7, day=4).date(), "F")


def came(case: Case, *people: Patient, plans: int = 1, **told: list[str]) -> dict[str, bool]:
    """What the rules say of objects of these patients; by rule whether it lasts."""
    uids = [str(case.plan.uid), "1.2.3"][:plans]
    objects = [PackedObject(f"RTPLAN_{n}.dcm", uid, "", "", ANNA, True) for n, uid in enumerate(uids)]
    objects += [PackedObject(f"CT_{n}.dcm", f"1.{n}", "", "", one, False) for n, one in enumerate(people)]
    fetched = case.fetched(objects, told.get("lacking", []), told.get("changed", []))
    return {one.rule: one.lasts for one in refusals(fetched, OF_OBJECTS)}


def test_what_came_is_one_plan_of_one_patient_whole_and_unchanged(case: Case) -> None:
    assert came(case, ANNA, replace(ANNA, patient_sex=None, patient_birth_date=None)) == {}
    for other in (
        replace(ANNA, patient_id="100232"),
        replace(ANNA, patient_id=None),
        replace(ANNA, patient_name="ABELSEN, Anne"),
        replace(ANNA, patient_birth_date=LOCAL.date()),
        replace(ANNA, patient_sex="M"),
    ):
        assert came(case, ANNA, other) == {"is_one_patient": False}, other
    assert came(case, ANNA, plans=2) == {"is_one_plan": True}
    assert came(case, ANNA, plans=0)["is_one_plan"]
    assert came(case, ANNA, lacking=["1.2"]) == {"is_complete": False}
    assert came(case, ANNA, changed=["1.0"]) == {"is_unchanged": True}


def test_all_of_one_patient_is_not_enough_if_it_is_not_this_one(case: Case) -> None:
    file = replace(case.file, identity=replace(case.file.identity, patient_id="100999"))
    assert came(replace(case, file=file), ANNA) == {"is_one_patient": False}


def test_of_two_plans_each_is_to_be_treated_where_it_was(cache: Cache) -> None:
    """The next appointment may be the other plan's."""
    rows = cache.read(ON_TREATMENT)
    moved = [row | {"treatment_machine_name": "TB2"} if row["rt_plan_label"] == "Axilla" else row for row in rows]
    cache.write(ON_TREATMENT, moved, taken_at=NOW, source="RT-PACS")
    assert {one.case.plan.label: one.case.machine for one in wanted(cache, "100500")} == {
        "Breast_L": TB1,
        "Axilla": "TB2",
    }


def test_a_list_that_a_cycle_is_about_to_write_is_waited_for(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever was treated in that cycle disagrees with himself, and his pack of before goes."""
    cache = clinic.write(tmp_path / "data" / "cache")
    rows, at = cache.read(ON_TREATMENT), cache.snapshot(TREATMENT_RECORDS).taken_at
    before = [row | {"course_fractions_delivered": 1} for row in rows]

    def write(told: list[dict[str, Any]], minutes: int) -> None:
        cache.write(ON_TREATMENT, told, taken_at=at + timedelta(minutes=minutes), source="RT-PACS")

    def judged(waits: int) -> dict[str, str]:
        found = wanted_plans(cache, Rules.of(load_config(config)), ["100231"], None, NOW, waits)
        return refused(next(iter(found)).case)

    config, slept = tmp_path / "config.toml", list[float]()
    config.write_text(CONFIG)
    monkeypatch.setattr("recovery.packing.contents.time.sleep", slept.append)
    write(before, -10)
    assert "7 fractions in the records, 1 in the list" in judged(3)["is_agreed"]
    assert len(slept) == 3, "one that never comes is not waited for without end"
    monkeypatch.setattr("recovery.packing.contents.time.sleep", lambda _: write(rows, 0))
    assert "is_agreed" not in judged(3)
