"""Long lists of numbers are read from their bytes, and an odd one makes the whole list absent."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from recovery.dicom import elements as el
from tests.objects import encode, obj

CONTOUR_DATA = Tag("ContourData")


def raw(value: bytes) -> Dataset:
    ds = Dataset()
    ds[CONTOUR_DATA] = RawDataElement(CONTOUR_DATA, "DS", len(value), value, 0, True, True)
    return ds


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"1\\-2.5\\3e2 ", (1.0, -2.5, 300.0)),
        (b" 1 \\ 2 ", (1.0, 2.0)),
        (b"", ()),
        (b"  ", ()),
        (b"1\\\\3", ()),
        (b"1\\two\\3", ()),
        (b"1\\nan", ()),
        (b"1\\inf", ()),
    ],
)
def test_decimals_are_read_as_they_are_encoded(value: bytes, expected: tuple[float, ...]) -> None:
    assert el.numbers(raw(value), "ContourData") == expected


def test_converted_binary_and_single_values_are_read_too() -> None:
    ds = obj("1.2", "RTPLAN", ContourData=[1, "2.5"], ScanSpotPositionMap=[0.5, -0.5], DoseGridScaling="0.25")
    again = dcmread(io.BytesIO(encode(ds)))
    for one in (ds, again):
        assert el.numbers(one, "ContourData") == (1.0, 2.5)
        assert el.numbers(one, "ScanSpotPositionMap") == (0.5, -0.5)
        assert el.numbers(one, "DoseGridScaling") == (0.25,)
        assert el.numbers(one, "PixelSpacing") == ()
    assert el.numbers(None, "PixelSpacing") == ()


@given(st.binary(max_size=40))
def test_no_bytes_make_it_raise(value: bytes) -> None:
    assert isinstance(el.numbers(raw(value), "ContourData"), tuple)
