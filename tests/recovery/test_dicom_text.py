"""Whatever a database holds becomes a valid element, or is refused where half of it would be somebody else."""

from __future__ import annotations

from datetime import date, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.filereader import read_dataset

from recovery.dicom import elements as el
from recovery.objects import text
from recovery.objects.modules import encoded, item
from tests.archive_clinic import local


def read_again(**elements: object):  # type: ignore[no-untyped-def]
    made = item(SpecificCharacterSet="ISO_IR 192", **elements)
    return read_dataset(BytesIO(encoded(made)), is_implicit_VR=True, is_little_endian=True)


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        ("BASALT, Osprey", "BASALT^Osprey"),
        ('O\'NEIL "BO", JR., Zoë', 'O\'NEIL "BO", JR.^Zoë'),
        ("山田, 太郎", "山田^太郎"),
        ("A^B=C, D\\E", "A B C^D E"),
        ("ONLY", "ONLY"),
        (None, ""),
    ],
)
def test_a_name_is_written_so_that_it_is_shown_as_before(shown: str | None, written: str) -> None:
    assert text.written_name(shown) == written
    if shown is not None and "^" not in shown:
        assert el.person_name(read_again(PatientName=written), "PatientName") == shown


@given(st.text(), st.sampled_from(["SH", "LO", "ST"]))
def test_any_text_fits_its_element_and_comes_back(said: str, vr: str) -> None:
    written = text.written_text(said, vr)
    keyword = {"SH": "StudyID", "LO": "SeriesDescription", "ST": "TreatmentStatusComment"}[vr]
    assert len(written) <= text.LENGTHS[vr]
    assert el.text(read_again(**{keyword: written}), keyword) == (written.strip(" \0") or None)


def test_a_long_note_is_cut_and_a_backslash_separates_nothing() -> None:
    assert len(text.written_text("x" * 4000, "ST")) == 1024
    assert text.written_text("left\\right", "LO") == "left right"


@pytest.mark.parametrize("patient_id", ["A" * 65, "A\\B", " A", "A\n", "A\x00"])
def test_an_id_that_no_element_holds_is_refused_and_not_told(patient_id: str) -> None:
    with pytest.raises(text.UnwritableError) as refused:
        text.written_id(patient_id)
    assert patient_id not in str(refused.value)


@pytest.mark.parametrize("patient_id", ["00017R", "$QA01", "4711", "山"])
def test_an_odd_id_stays_what_it_is(patient_id: str) -> None:
    assert el.text(read_again(PatientID=text.written_id(patient_id)), "PatientID") == patient_id


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False))
def test_a_meterset_fits_a_decimal_string_and_keeps_ten_digits(value: float) -> None:
    written = text.written_number(value)
    assert len(written) <= 16
    assert float(written) == pytest.approx(value, rel=1e-9)


def test_days_of_1753_and_9999_are_days_and_midnight_is_no_time() -> None:
    assert [text.written_day(date(year, 1, 1)) for year in (1, 1753, 9999)] == ["00010101", "17530101", "99990101"]
    assert text.written_day(None) == text.written_time(None) == ""
    assert text.written_time(datetime(2026, 11, 22)) == ""  # noqa: DTZ001  site-local
    assert text.written_time(local()) == "090000"


def test_what_is_no_uid_is_refused() -> None:
    with pytest.raises(text.UnwritableError):
        text.written_uid("not a UID")
    assert text.written_uid("1.2.3") == "1.2.3"
