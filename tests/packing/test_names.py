"""Names in a pack are such as any disk takes and a therapist reads, and no two patients share one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.packing.names import Names, machine_folder, patient_folder, plan_folder, safe
from tests.test_any_computer import CANNOT_BE


def row(number: int | None, given_: int | None, planned: int | None, **changes: object) -> dict[str, object]:
    plain = {"next_fraction_number": number, "course_fractions_delivered": given_}
    plain |= {"course_number_of_fractions_planned": planned, "interrupted_fraction": None, "unknown_since": None}
    plain |= {"records_held": True}
    return plain | changes


def test_a_therapist_reads_who_it_is_and_which_fraction_is_next() -> None:
    assert patient_folder("MALACHITE, Curlew", "100273") == "MALACHITE_Curlew_100273"
    assert patient_folder("O'NEIL-SMITH, Åsa", "7") == "O_NEIL-SMITH_Åsa_7"
    assert plan_folder("Cervix", row(12, 11, 25)) == "Cervix_fx12of25"
    assert plan_folder("Cervix", row(15, 7, 20)) == "Cervix_fx15", "a number that is not its count has no `of`"
    assert plan_folder("Cervix", row(5, 4, 20, interrupted_fraction=5)) == "Cervix_fx5of20_INTERRUPTED"
    assert plan_folder(None, row(None, None, None)) == "unnamed"
    assert plan_folder("Cervix", row(12, 11, 25, records_held=False)) == "Cervix_UNKNOWN", "12 may have been given"


@pytest.mark.parametrize("text", ["../../etc", "a/b\\c", "C:\\x", "..", ".", "", "a\0b", "name. ", "​", "x\n"])
def test_no_path_is_made_of_an_id(text: str) -> None:
    assert re.fullmatch(r"[\w-]+", safe(text, 20))


@pytest.mark.parametrize("text", ["CON", "nul", "COM1", "lpt9", "COM¹", "ＣＯＮ"])
def test_a_device_of_windows_is_no_name(text: str) -> None:
    assert machine_folder(text).endswith("_")


def test_two_ids_that_differ_in_what_no_folder_can_hold_are_two_folders() -> None:
    names = Names()
    made = [names.of(patient_folder("BASALT, Osprey", one), one) for one in ("A/1", "A_1", "a_1", "A/1")]
    assert made == ["BASALT_Osprey_A_1", "BASALT_Osprey_A_1_2", "BASALT_Osprey_a_1_3", "BASALT_Osprey_A_1"]


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), unique=True, max_size=6))
def test_every_patient_has_a_folder_of_its_own_that_windows_can_hold(people: list[tuple[str, str]]) -> None:
    names = Names()
    made = [names.of(patient_folder(name, patient_id), (name, patient_id)) for name, patient_id in people]
    assert len({name.casefold() for name in made}) == len(people)
    assert not [name for name in made if CANNOT_BE.search(name) or len(name) > 70]
    assert made == [names.of(patient_folder(*one), one) for one in people], "the same again"
