"""Numbers that somebody types into a machine from paper, each in its place: angles, couch, shifts, phones."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from recovery.charting import chart_sheets, charts_pdf, facts, on_paper
from recovery.on_treatment.second_source import SecondSource, told_of
from recovery.patient.file import Contacts, PatientFile, read_patient_file
from recovery.patient.plan import PlanField
from recovery.tables.relational import PATIENTS
from tests.charting.pages import flat
from tests.recovery.patient_clinic import NOW, SITE, Clinic, anna, weekday
from tests.recovery.test_second_source import line, told

PLACES = ("vertical", "longitudinal", "lateral")


def file_of(clinic: Clinic, folder: Path) -> PatientFile:
    return read_patient_file(clinic.write(folder), SITE, "100231", NOW)


def field(**values: Any) -> PlanField:
    return PlanField(**(dict.fromkeys(PlanField.__dataclass_fields__) | {"beam_number": 1} | values))


@pytest.mark.parametrize(
    ("start", "stop", "direction", "said"),
    [
        (181.0, 179.0, "CW", "181.0 to 179.0 CW"),
        (179.0, 181.0, "CC", "179.0 to 181.0 CCW"),
        (179.0, 181.0, "CCW", "179.0 to 181.0 CCW"),
        (180.0, 180.0, "CW", "180.0 to 180.0 CW"),
        (180.0, 180.0, None, "180.0"),
        (180.0, 180.0, "NONE", "180.0"),
        (305.0, None, None, "305.0"),
        (305.0, None, "CW", "305.0"),
        (181.0, 179.0, None, "181.0 to 179.0"),
        (0.0, 0.0, "", "0.0"),
        (None, 179.0, "CW", "—"),
    ],
)
def test_an_arc_says_from_where_to_where_and_which_way_round(
    start: float | None, stop: float | None, direction: str | None, said: str
) -> None:
    told = field(gantry_angle=start, gantry_stop_angle=stop, gantry_direction=direction)
    assert on_paper.gantry(told) == said


def test_an_arc_stands_on_paper_as_the_plan_has_it_beside_collimator_couch_and_distance(tmp_path: Path) -> None:
    clinic = Clinic()
    anna(clinic)
    clinic.rows["plan_fields"][0] |= {
        "gantry_angle": 181.0, "gantry_stop_angle": 179.0, "gantry_direction": "CW", "collimator_angle": 30.0,
        "patient_support_angle": 350.0, "source_to_surface_distance": 87.6,
    }  # fmt: skip
    clinic.rows["plan_fields"][1] |= {"gantry_angle": 179.0, "gantry_stop_angle": 181.0, "gantry_direction": "CC"}
    file = file_of(clinic, tmp_path)
    table = chart_sheets(file)[0].fields
    first, second = (dict(zip(table.headings, row, strict=True)) for row in table.rows[:2])
    assert (first["Gantry °"], second["Gantry °"]) == ("181.0 to 179.0 CW", "179.0 to 181.0 CCW")
    assert (first["Coll. °"], first["Couch °"], first["SSD cm"]) == ("30.0", "350.0", "87.6")
    text = flat(charts_pdf([file]))
    assert "181.0 to 179.0 CW" in text and "179.0 to 181.0 CCW" in text


def test_couch_and_shifts_stand_on_paper_vertical_then_longitudinal_then_lateral_and_say_so(tmp_path: Path) -> None:
    clinic = Clinic()
    anna(clinic)
    shifted = dict(zip((f"correction_{place}" for place in PLACES), (0.1, -0.2, 0.3), strict=True))
    plan, key = clinic.rows["plans"][0]["sop_instance_uid"], "of the last fraction"
    clinic.tell("deliveries", delivery_id=key, patient_id="100231", referenced_rt_plan_uid=plan, fraction_number=7,
                beam_number=1, treated_at=weekday(0), delivery_type="TREATMENT", delivered_meterset=112.4)  # fmt: skip
    clinic.tell("couch_shifts", delivery_id=key, patient_id="100231", treated_at=weekday(0), **shifted)
    [sheet] = chart_sheets(file_of(clinic, tmp_path))
    assert dict(sheet.setup)["Couch vrt / lng / lat, cm"] == "-12.3 / +98.7 / +3.4"
    assert dict(sheet.setup)["Shift vrt / lng / lat, cm"] == "0.0 / -0.5 / +1.2"
    last = dict(zip(sheet.last_fractions.headings, sheet.last_fractions.rows[-1], strict=True))
    assert last["Couch corr. vrt / lng / lat, cm"] == "+0.1 / -0.2 / +0.3"


def test_an_axis_that_is_not_told_is_a_dash_in_its_place() -> None:
    assert on_paper.triple(None, 0.0, -1.25) == "— / 0.0 / -1.2"
    assert on_paper.triple(None, None, None) == "—"


@pytest.mark.parametrize("known", [kinds for n in range(4) for kinds in permutations(("work", "home", "mobile"), n)])
def test_the_phone_to_try_first_is_the_mobile_then_home_then_work_wherever_it_stands(known: tuple[str, ...]) -> None:
    numbers = {f"phone_{kind}": f"number at {kind}" for kind in known}
    expected = [(kind, f"number at {kind}") for kind in ("mobile", "home", "work") if kind in known]
    assert list(Contacts(**numbers).phones) == expected
    person = told(PATIENTS, patient_id="4711", **numbers)
    on_the_list = told_of(line(), SecondSource(patients={"4711": person}), None)["phone"]
    assert on_the_list == (expected[0][1] if expected else None)


def test_paper_names_each_phone_in_that_order(tmp_path: Path) -> None:
    clinic = Clinic()
    anna(clinic)
    clinic.rows["patients"][0]["phone_work"] = "+41 44 555 07 89"
    said = dict(facts.people(file_of(clinic, tmp_path)))["Patient's phone"]
    assert said == "+41 79 555 01 23 (mobile), +41 31 555 04 56 (home), +41 44 555 07 89 (work)"
