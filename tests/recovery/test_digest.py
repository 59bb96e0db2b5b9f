"""A digest tells what an object says: the same in every transfer syntax, another after any change."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from recovery.objects.digest import MAY_BE_COERCED, digest_of
from tests.objects import beam_item, encode, images, plan, record, structure_set

SLICES = images(2)
OBJECTS = [SLICES[0], structure_set(SLICES), plan({1: 100.0, 2: 50.5}), record("1.2.3", [beam_item(1, 1, 100.0, 99.9)])]


def reread(ds: Dataset, syntax: str | None = None) -> Dataset:
    if syntax is None:
        return dcmread(io.BytesIO(encode(ds)))
    file = io.BytesIO()
    is_implicit = syntax == ImplicitVRLittleEndian
    again = dcmread(io.BytesIO(encode(ds)))
    again.file_meta.TransferSyntaxUID = syntax  # type: ignore[assignment]
    dcmwrite(file, again, implicit_vr=is_implicit, little_endian=True, enforce_file_format=True)
    return dcmread(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize("ds", OBJECTS, ids=lambda ds: str(ds.Modality))
def test_it_is_the_same_in_either_syntax_and_decoded_or_not(ds: Dataset) -> None:
    implicit, explicit = reread(ds, ImplicitVRLittleEndian), reread(ds, ExplicitVRLittleEndian)
    raw = digest_of(implicit)
    assert digest_of(explicit) == raw
    explicit.decode()
    assert digest_of(explicit) == raw


@pytest.mark.parametrize("ds", OBJECTS, ids=lambda ds: str(ds.Modality))
def test_every_element_but_those_named_counts(ds: Dataset) -> None:
    whole = digest_of(reread(ds))
    for element in ds:
        if element.keyword in MAY_BE_COERCED:
            continue
        less = reread(ds)
        del less[element.tag]
        assert digest_of(less) != whole, element.keyword


@given(st.data())
def test_any_changed_byte_of_pixels_or_of_a_number_is_another(data: st.DataObject) -> None:
    ds = reread(SLICES[0])
    pixels = bytearray(ds.PixelData)
    place = data.draw(st.integers(0, len(pixels) - 1))
    pixels[place] ^= data.draw(st.integers(1, 255))
    other = reread(SLICES[0])
    other.PixelData = bytes(pixels)
    assert digest_of(other) != digest_of(ds)
    other = reread(SLICES[0])
    other.Rows = data.draw(st.integers(0, 65535).filter(lambda rows: rows != ds.Rows))
    assert digest_of(other) != digest_of(ds)


def test_a_patient_who_was_merged_or_renamed_leaves_it_as_it_was() -> None:
    ds, other = reread(OBJECTS[2]), reread(OBJECTS[2])
    other.PatientName, other.PatientID, other.StudyDescription = "New^Name", "99", "merged"
    assert digest_of(other) == digest_of(ds)


def test_padding_of_a_text_does_not_count_and_a_moved_item_does() -> None:
    ds, other = reread(OBJECTS[2]), reread(OBJECTS[2])
    other.RTPlanLabel = f"{other.RTPlanLabel} "
    assert digest_of(other) == digest_of(ds)
    other.BeamSequence = list(reversed(other.BeamSequence))
    assert digest_of(other) != digest_of(ds)
