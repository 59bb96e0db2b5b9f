"""One SOP Instance UID in two places is two objects: neither hides the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_jobs.transfer.transfer import twins_in_words
from recovery.cache.memory import Memory
from recovery.dicom.model import InstanceRef, distinct


def ref(patient: str | None = "A", study: str | None = "s", series: str | None = "t", uid: str = "1.2") -> InstanceRef:
    return InstanceRef(uid, patient_id=patient, study_instance_uid=study, series_instance_uid=series)


@pytest.mark.parametrize("other", [ref("B", "s2", "t2"), ref("A", "s", "t2"), ref("B")])
def test_a_uid_that_a_node_names_in_two_places_bears_its_twin(other: InstanceRef) -> None:
    for listed in ([ref(), other], [other, ref()]):
        [one] = distinct(listed)
        assert {one.place, *one.twins} == {ref().place, other.place}
        assert "2 objects of several patients or series" in twins_in_words([one])["1.2"]


def test_twins_of_two_patients_are_both_patients() -> None:
    [both] = distinct([ref(), ref("B", "s2", "t2"), ref(None, "s3", "t3")])
    assert both.patient_ids == {"A", "B"}
    memory = Memory(Path("none"), owed={"1.2": "A\\B", "1.3": "", "1.4": "A"})
    assert memory.owed_to == ["A", "B", "", "A"]


def test_a_uid_that_is_named_twice_in_one_place_is_one_object() -> None:
    [one] = distinct([ref(), ref()])
    assert one.twins == frozenset()
    assert twins_in_words([one]) == {}
    assert distinct(distinct([ref(), ref("B", "x", "y")])) == {one}


@pytest.mark.parametrize(
    ("there", "is_there"),
    [
        (ref(), True),
        (ref("NEW"), True),
        (ref(None, None, None), True),
        (ref("B", "s2", "t2"), False),
        (ref("A", "s", "t2"), False),
        (ref("B", None, None), False),
    ],
)
def test_an_object_is_held_where_its_series_is_whatever_the_patient_is_called_now(
    there: InstanceRef, *, is_there: bool
) -> None:
    assert ref().is_at(there) is is_there


def test_of_twins_both_have_to_be_there() -> None:
    [both] = distinct([ref(), ref("B", "s2", "t2")])
    assert both.is_at(both)
    assert not both.is_at(ref())
    assert ref().is_at(both)
