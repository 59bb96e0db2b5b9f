"""Objects made by several processes at once: none is lost, none stops another."""

from __future__ import annotations

import os
from datetime import datetime
from io import BytesIO

import pytest
from pydicom import Dataset, dcmread

from backup_jobs.archive.archiving import WORTH_A_PROCESS, Wanted, build_all
from recovery.dicom.model import ENCAPSULATED_PDF, InstanceRef
from recovery.objects.text import UnwritableError

AT = datetime(2026, 11, 22, 9, 0)  # noqa: DTZ001  site-local
UIDS = [f"1.2.{number}" for number in range(4 * WORTH_A_PROCESS + 3)]
ODD = UIDS[17]


def made(uid: str) -> Wanted:
    def build(moment: datetime) -> Dataset:
        if uid == ODD:
            raise UnwritableError("an id that no element holds")
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = ENCAPSULATED_PDF, uid
        ds.PatientID, ds.InstanceCreationTime = str(os.getpid()), f"{moment:%H%M%S}"
        return ds

    return Wanted(InstanceRef(uid, ENCAPSULATED_PDF), build)


@pytest.mark.parametrize("processors", [1, 3, None])
def test_every_object_is_made_whatever_the_number_of_processors(
    processors: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    built = build_all([made(uid) for uid in UIDS], AT)
    assert set(built) == set(UIDS)
    assert built[ODD] == "an id that no element holds"
    read = {uid: dcmread(BytesIO(data), force=True) for uid, data in built.items() if isinstance(data, bytes)}
    assert {uid for uid, ds in read.items() if ds.SOPInstanceUID == uid} == set(UIDS) - {ODD}
    assert {ds.InstanceCreationTime for ds in read.values()} == {"090000"}
    assert len({ds.PatientID for ds in read.values()}) == (processors or 1)


def test_a_few_objects_are_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    (data,) = build_all([made(UIDS[0])], AT).values()
    assert isinstance(data, bytes) and str(os.getpid()).encode() in data


def test_an_error_in_another_process_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()

    def fails(moment: datetime) -> Dataset:
        raise OSError("disk") if os.getpid() != here else UnwritableError("here")

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(OSError, match="disk"):
        build_all([Wanted(InstanceRef(uid), fails) for uid in UIDS], AT)
