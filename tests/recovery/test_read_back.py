"""What an archive altered, dropped or added is found, however deep, and nothing else is called different."""

from __future__ import annotations

import copy
from io import BytesIO

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from recovery.objects.differences import differences
from recovery.objects.modules import encoded
from tests.objects import beam_item, item, record


def an_object() -> Dataset:
    same = dict.fromkeys(("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"), "1.2.3")
    beams = [beam_item(1, 3, 100.0, 100.0), beam_item(2, 3, 50.0, 50.0)]
    ds = record("1.2.3", beams, PatientName="山田^太郎", **same)
    block = ds.private_block(0x0071, "RBRDT TEST", create=True)
    block.add_new(0x01, "LO", "three letters")
    block.add_new(0x10, "OB", b"\x00\x01\x02\x00")
    ds.OtherPatientNames = ["A^B", "C^D"]
    ds.ReferencedTreatmentRecordSequence = []
    return ds


def given_back(ds: Dataset, transfer_syntax: str = ImplicitVRLittleEndian) -> Dataset:
    file = BytesIO()
    ds = copy.deepcopy(ds)
    ds.file_meta.TransferSyntaxUID = transfer_syntax
    dcmwrite(file, ds, enforce_file_format=True)
    return dcmread(BytesIO(file.getvalue()))


@pytest.mark.parametrize("transfer_syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_what_comes_back_as_it_was_sent_has_no_differences(transfer_syntax: str) -> None:
    found = differences(encoded(an_object()), given_back(an_object(), transfer_syntax))
    assert (found.altered, found.added) == ((), ())


def change(ds: Dataset, what: str) -> None:
    beam = ds.TreatmentSessionBeamSequence[1]
    match what:
        case "PatientName":
            ds.PatientName = "YAMADA^Taro"
        case "TreatmentSessionBeamSequence.DeliveredPrimaryMeterset":
            beam.DeliveredPrimaryMeterset = "50.00"
        case "TreatmentSessionBeamSequence":
            del ds.TreatmentSessionBeamSequence[1]
        case "OtherPatientNames":
            ds.OtherPatientNames = ["A^B"]
        case "NumberOfFractionsPlanned":
            del ds.NumberOfFractionsPlanned
        case "ReferencedTreatmentRecordSequence":
            ds.ReferencedTreatmentRecordSequence = [item(ReferencedSOPInstanceUID="1.2")]
        case "(0071,1010)":
            ds[0x0071, 0x1010].value = b"\x00\x01\x02\x01"
        case "PatientSex":
            ds.PatientSex = ""


@pytest.mark.parametrize(
    "what",
    [
        *("PatientName", "TreatmentSessionBeamSequence.DeliveredPrimaryMeterset", "TreatmentSessionBeamSequence"),
        *("OtherPatientNames", "NumberOfFractionsPlanned", "ReferencedTreatmentRecordSequence", "(0071,1010)"),
        "PatientSex",
    ],
)
def test_each_alteration_is_named(what: str) -> None:
    altered = an_object()
    change(altered, what)
    assert differences(encoded(an_object()), given_back(altered)).altered == (what,)


def test_what_the_archive_added_is_told_apart() -> None:
    more = an_object()
    more.RetrieveAETitle = "ARCHIVE"
    more.TreatmentSessionBeamSequence[0].BeamDescription = "said by the archive"
    found = differences(encoded(an_object()), given_back(more))
    assert (found.altered, found.added) == ((), ("RetrieveAETitle", "TreatmentSessionBeamSequence.BeamDescription"))
