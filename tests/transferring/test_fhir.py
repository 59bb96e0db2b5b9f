"""The bundle of a patient whose R&V database tells prescription and diagnosis: what stands in it, and what may not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from recovery.patient.file import PatientFile, read_patient_file
from recovery.transferring.fhir import Volume, as_json
from recovery.transferring.summary import as_pdf
from tests.charting.pages import texts
from tests.recovery.patient_clinic import NOW, SITE, Clinic, anna

CODEX = "http://hl7.org/fhir/us/codex-radiation-therapy/StructureDefinition/codexrt-"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> PatientFile:
    """Breast, 2.67 Gy × 15, of which 7 were given."""
    clinic = Clinic()
    anna(clinic)
    return read_patient_file(clinic.write(tmp_path_factory.mktemp("anna")), SITE, "100231", NOW)


def made(file: PatientFile, volumes: dict[str, list[Volume]] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Resources by kind, of a bundle that is FHIR."""
    text = as_json(file, volumes or {}, NOW, SITE.zone)
    Bundle.model_validate_json(text)
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in json.loads(text)["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def parts(resource: dict[str, Any], url: str) -> dict[str, Any]:
    """By their url, the parts of an extension."""
    (one,) = [e for e in resource["extension"] if e["url"] == url]
    return {part["url"]: next(value for key, value in part.items() if key != "url") for part in one["extension"]}


def test_dose_given_is_whole_fractions_times_the_dose_per_fraction_in_cgy(file: PatientFile) -> None:
    phase, summary = made(file)["Procedure"]
    given = parts(phase, f"{MCODE}radiotherapy-dose-delivered-to-volume")
    assert given["totalDoseDelivered"] == {
        "value": 1869.0, "unit": "cGy", "system": "http://unitsofmeasure.org", "code": "cGy"
    }  # fmt: skip
    assert "fractionsDelivered" not in given, "of a phase its own extension tells them (CodeX)"
    whole = parts(summary, f"{MCODE}radiotherapy-dose-delivered-to-volume")
    assert whole["fractionsDelivered"] == 7 and whole[f"{CODEX}radiotherapy-uniform-fractionation"] is True
    whole, asked = made(file)["ServiceRequest"]
    assert asked["basedOn"] == [{"reference": f"urn:uuid:{whole['id']}"}]
    told = parts(asked, f"{CODEX}radiotherapy-dose-prescribed-to-volume")
    assert (told["fractionDose"]["value"], told["totalDose"]["value"]) == (267.0, 4005.0)


@pytest.mark.parametrize(
    "row", [{"records_held": False}, {"charted_conflict": "charted twice: 8"}], ids=["records missing", "conflict"]
)
def test_a_count_that_may_not_be_all_is_no_number_in_the_bundle(file: PatientFile, row: dict[str, Any]) -> None:
    plan = file.plans[0]
    odd = replace(file, plans=(replace(plan, row=replace(plan.row, **row)),))
    for procedure in made(odd)["Procedure"]:
        assert not [e for e in procedure.get("extension", ()) if "intent" not in e["url"]]
    said = " ".join("\n".join(texts(as_pdf(odd, [], {}, file.now, "a4", None))).split())
    assert "7 of 15 (proven; more may have been given)" in said


def test_a_volume_is_codexs_only_where_the_plan_names_one_target_by_uid(file: PatientFile) -> None:
    uid = file.plans[0].uid or ""
    one, two = Volume("1.2.3", "PTV"), Volume("1.2.4", "Boost")
    for volumes, is_named in (({}, False), ({uid: [one]}, True), ({uid: [one, two]}, False)):
        (volume,) = made(file, volumes)["BodyStructure"]
        assert (f"{CODEX}radiotherapy-volume" in volume["meta"]["profile"]) is is_named
        assert any(i.get("system") == "urn:dicom:uid" for i in volume["identifier"]) is is_named
        for asked in made(file, volumes)["ServiceRequest"]:
            assert ("meta" in asked) is is_named


def test_a_course_is_prescribed_once_however_many_plans_were_made_for_it(file: PatientFile) -> None:
    plan = replace(file.plans[0], course=None, row=replace(file.plans[0].row, course_plan_labels="Breast, Boost"))
    before = replace(plan, row=replace(plan.row, referenced_rt_plan_uid="1.9"))
    assert plan.prescription is not None
    boost = replace(before, prescription=replace(plan.prescription, prescription_id="B", total_dose=10.0))
    for plans, doses in (((plan,), [4005.0]), ((plan, before), [4005.0]), ((plan, boost), [1000.0, 4005.0])):
        asked = [one for one in made(replace(file, plans=plans))["ServiceRequest"] if "basedOn" not in one]
        (course,) = asked
        assert course["code"]["coding"][0]["code"] == "1217123003" and course["intent"] == "original-order"
        told = [e for e in course["extension"] if e["url"] == f"{CODEX}radiotherapy-dose-prescribed-to-volume"]
        parts_of = [{part["url"]: part for part in one["extension"]} for one in told]
        assert sorted(one["totalDose"]["valueQuantity"]["value"] for one in parts_of) == doses
        assert {one["fractions"]["valuePositiveInt"] for one in parts_of} == {15}
        assert "fractionDose" not in parts_of[0], "not of a course: its phases tell it (CodeX)"
        assert [e for e in course["extension"] if e["url"] == f"{MCODE}procedure-intent"]


@pytest.mark.parametrize(
    ("status", "said"),
    [("on_treatment", "in-progress"), ("on_break", "on-hold"), ("completed", "completed"), ("transferred", "stopped"),
     ("closed", "stopped")],
)  # fmt: skip
def test_statuses_are_those_that_codex_knows(file: PatientFile, status: str, said: str) -> None:
    plan = file.plans[0]
    odd = replace(file, plans=(replace(plan, row=replace(plan.row, status=status)),))
    assert {one["status"] for one in made(odd)["Procedure"]} == {said}
