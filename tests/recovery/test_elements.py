"""One odd element hides nothing else: absent, empty and malformed all read as None."""

from __future__ import annotations

import math
import struct
from datetime import date, time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from recovery.dicom import elements as el
from tests import objects as o


def raw(keyword: str, value: bytes, character_set: str | None = None) -> Dataset:
    """A dataset whose one element is as it lies on the wire, not converted yet."""
    ds = Dataset()
    if character_set is not None:
        ds.SpecificCharacterSet = character_set.split("\\")
    tag = Tag(tag_for_keyword(keyword) or 0)
    ds[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
    return ds


def nested(depth: int) -> bytes:
    """An item with a sequence of one item, and so on; lengths undefined (PS3.5 section 7.5.2), Implicit VR."""
    begin = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + struct.pack("<HHI", 0x300C, 0x0002, 0xFFFFFFFF)
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    return begin * depth + end * depth


@pytest.mark.parametrize(
    "read", [el.text, el.integer, el.number, el.day, el.clock_time, el.person_name, el.person_names, el.first_item]
)
@pytest.mark.parametrize("ds", [None, Dataset(), o.item(PatientID="", TreatmentDate=None)])
def test_absent_and_empty_read_as_none(read, ds) -> None:
    assert read(ds, "PatientID") is None
    assert read(ds, "TreatmentDate") is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"61.5 ", 61.5),
        (b"0", 0.0),
        (b"-1", -1.0),
        (b"1e2", 100.0),
        (b"1\\2", 1.0),
        (b"1,5", None),
        (b"abc", None),
        (b"", None),
        (b"nan", None),
        (b"inf", None),
        (b"1e400", None),
        (b"\xff\xfe", None),
    ],
)
def test_a_ds_reads_as_a_finite_number_or_none(written: bytes, read: float | None) -> None:
    assert el.number(raw("DeliveredPrimaryMeterset", written), "DeliveredPrimaryMeterset") == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"7 ", 7),
        (b"0", 0),
        (b"3.0", 3),
        (b"14\\15", 14),
        (b"2147483647", 2147483647),
        (b"3.5", None),
        (b"abc", None),
        (b"nan", None),
        (b"1e400", None),
        (b"2147483648", None),
        (b"1e300", None),
    ],
)
def test_an_is_reads_as_a_whole_number_of_32_bits_or_none(written: bytes, read: int | None) -> None:
    assert el.integer(raw("CurrentFractionNumber", written), "CurrentFractionNumber") == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("20261122", date(2026, 11, 22)),
        ("2026.11.22", date(2026, 11, 22)),
        ("20240229", date(2024, 2, 29)),
        ("20261122 ", date(2026, 11, 22)),
        ("20260229", None),
        ("2026112", None),
        ("202611220", None),
        ("2026 1 2", None),
        ("20261122-20261123", None),
        ("22.11.2026", None),
        ("today", None),
        ("", None),
        ("\u0662\u0660261122", None),
    ],
)
def test_a_day_is_eight_digits_or_none_and_never_guessed(written: str, read: date | None) -> None:
    assert el.day(raw("TreatmentDate", written.encode()), "TreatmentDate") == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("09", time(9)),
        ("0930", time(9, 30)),
        ("093005", time(9, 30, 5)),
        ("093005.25", time(9, 30, 5, 250000)),
        ("093005.1234567", time(9, 30, 5, 123456)),
        ("09:30:05", time(9, 30, 5)),
        ("235959.999999", time(23, 59, 59, 999999)),
        ("000000", time()),
        ("240000", None),
        ("9", None),
        ("9 3005", None),
        ("0930.5", None),
        ("093005.x", None),
        ("noon", None),
        ("", None),
    ],
)
def test_a_time_reads_to_the_microsecond_or_none(written: str, read: time | None) -> None:
    assert el.clock_time(raw("TreatmentTime", written.encode()), "TreatmentTime") == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("BASALT^Osprey", "BASALT, Osprey"),
        ("Basalt^Osprey^Q^Dr^Jr", "BASALT, Osprey"),
        ("Basalt", "BASALT"),
        ("^Osprey", "Osprey"),
        ("Müller^Jörg", "MÜLLER, Jörg"),
        ("  Basalt ^ Osprey ", "BASALT, Osprey"),
        ("^^^^", None),
        ("==", None),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "YAMADA, Tarou"),
        ("=山田^太郎", "山田, 太郎"),
        ("A^B\\C^D", "A, B"),
        ("", None),
    ],
)
def test_a_patients_name_is_family_and_given_of_the_first_component_group_that_says_something(
    written: str, read: str | None
) -> None:
    assert el.person_name(raw("PatientName", written.encode(), "ISO_IR 192"), "PatientName") == read


@pytest.mark.parametrize(
    ("written", "character_set", "read"),
    [
        ("Müller^Jörg".encode("latin-1"), "ISO_IR 100", "MÜLLER, Jörg"),
        (b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "\\ISO 2022 IR 87", "YAMADA, Tarou"),
        (b"=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "\\ISO 2022 IR 87", "山田, 太郎"),
    ],
)
def test_a_name_is_read_in_the_character_set_that_the_object_names(
    written: bytes, character_set: str, read: str
) -> None:
    assert el.person_name(raw("PatientName", written, character_set), "PatientName") == read


@pytest.mark.parametrize("character_set", ["ISO_IR 999", "NONSENSE", "\\ISO 2022 IR 999"])
def test_an_unknown_character_set_hides_neither_the_name_nor_the_rest(character_set: str) -> None:
    ds = raw("PatientName", b"Basalt^Osprey", character_set)
    ds.PatientID = "100001"
    assert el.person_name(ds, "PatientName") == "BASALT, Osprey"
    assert el.text(ds, "PatientID") == "100001"


def test_all_physicians_are_named_as_they_are_spelled() -> None:
    ds = raw("PhysiciansOfRecord", b"Quartz^Ada\\^^\\de la Cruz^Ben", "ISO_IR 192")
    assert el.person_names(ds, "PhysiciansOfRecord") == "Quartz, Ada; de la Cruz, Ben"


def test_padding_is_gone_and_nothing_but_padding_is_none() -> None:
    assert el.text(raw("ReferencedSOPInstanceUID", b"1.2.3\x00"), "ReferencedSOPInstanceUID") == "1.2.3"
    assert el.text(raw("PatientID", b" 0012 "), "PatientID") == "0012"
    assert el.text(raw("PatientID", b"   "), "PatientID") is None


def test_a_label_of_five_thousand_characters_stays_whole() -> None:
    assert el.text(raw("RTPlanLabel", b"x" * 5000), "RTPlanLabel") == "x" * 5000


def test_of_several_values_the_first_is_text() -> None:
    assert el.text(raw("PatientID", b"A1\\B2"), "PatientID") == "A1"


def test_a_sequence_that_ends_before_its_length_says_has_no_items() -> None:
    cut = b"\xfe\xff\x00\xe0\xff\x00\x00\x00\x08\x00"
    for length in range(1, len(cut) + 1):
        assert el.items(raw("ReferencedRTPlanSequence", cut[:length]), "ReferencedRTPlanSequence") in ([], [Dataset()])


@pytest.mark.parametrize("error", [*el.UNREADABLE, OverflowError, UnicodeError])
def test_whatever_pydicom_raises_on_access_reads_as_none(error: type[Exception]) -> None:
    class Malformed(Dataset):
        def get(self, key, default=None):
            raise error("it cannot be converted")

    assert el.text(Malformed(), "PatientID") is None
    assert el.items(Malformed(), "BeamSequence") == []


def test_what_is_no_sequence_has_no_items() -> None:
    ds = o.item(PatientID="1")
    assert el.items(ds, "PatientID") == []
    assert el.items(o.item(SeriesNumber=3), "SeriesNumber") == []


def test_an_object_without_its_uid_is_refused_by_name_of_the_element() -> None:
    with pytest.raises(el.InvalidObjectError, match="SOPInstanceUID"):
        el.required_uid(Dataset(), "SOPInstanceUID")
    with pytest.raises(el.InvalidObjectError):
        el.required_uid(raw("SOPInstanceUID", b"\x00\x00"), "SOPInstanceUID")


def test_a_warning_about_a_malformed_element_names_the_element_and_not_its_value(caplog) -> None:
    class Malformed(Dataset):
        def get(self, key, default=None):
            raise ValueError("BASALT^Osprey")

    el.text(Malformed(), "PatientName")
    assert "PatientName" in caplog.text
    assert "BASALT" not in caplog.text


@given(st.lists(st.floats(0, 1e4) | st.none(), max_size=6))
def test_a_sum_is_known_only_when_all_its_parts_are(parts: list[float | None]) -> None:
    total = el.sum_if_all_known(parts)
    if not parts or None in parts:
        assert total is None
    else:
        assert total is not None
        assert math.isclose(total, math.fsum(p for p in parts if p is not None), abs_tol=1e-6)


@given(
    st.sampled_from(
        [
            "DeliveredPrimaryMeterset",
            "CurrentFractionNumber",
            "TreatmentDate",
            "TreatmentTime",
            "PatientName",
            "PatientID",
            "ReferencedRTPlanSequence",
            "Rows",  # US
            "ScanSpotMetersetWeights",  # FL
            "FrameIncrementPointer",  # AT
        ]
    ),
    st.binary(max_size=40),
)
@example("Rows", b"abc")
@example("ReferencedRTPlanSequence", nested(5000))
@example("ReferencedRTPlanSequence", bytes(7) + b"\x01" + bytes(4) + b"AA" + bytes(2))
def test_no_bytes_on_the_wire_make_a_reader_raise(keyword: str, value: bytes) -> None:
    for read in (el.text, el.integer, el.number, el.day, el.clock_time, el.person_name, el.person_names, el.items):
        read(raw(keyword, value, "ISO_IR 192"), keyword)
