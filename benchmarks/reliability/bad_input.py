"""DICOM files and answers with bytes changed, through every parser: a refusal in words, and never more than that.

More than a second of the processor, or 200 MB above what the process had, counts as wrong.
"""

from __future__ import annotations

import logging
import random
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import Any

from pydicom import Dataset, dcmread

from demo.clinic.clinic import Clinic
from recovery.dicom.elements import UNREADABLE
from recovery.dicom.model import InstanceRef, Patient
from recovery.dicom.plans import Plan, StructureSet
from recovery.dicom.records import TreatmentRecord
from recovery.objects.digest import digest_and_size
from recovery.objects.raw_journal import signed_in
from recovery.objects.raw_part import RawPart, to_dataset
from recovery.pictures.beams_eye import beams_eye_views
from recovery.pictures.dose import DoseGrid
from recovery.pictures.image_series import ImageSlice, assemble
from recovery.pictures.reference_image import ReferenceImage
from recovery.pictures.refusals import PictureError
from recovery.pictures.structures import read_structures, slice_places
from tests.objects import encode

Parser = Callable[[Dataset], object]
OF_ALL: tuple[Parser, ...] = (InstanceRef.from_dataset, Patient.from_dataset, digest_and_size)
OF_PICTURES: dict[str, tuple[Parser, ...]] = {
    "RTDOSE": (DoseGrid.from_dataset,),
    "CT": (lambda ds: assemble([ImageSlice.from_dataset(ds)]),),
    "RTIMAGE": (ReferenceImage.from_dataset,),
    "RTSTRUCT": (read_structures, slice_places),
    "RTPLAN": (beams_eye_views,),
}
"""A page draws these, and words a `PictureError` alone."""
OF_JOBS: dict[str, tuple[Parser, ...]] = {
    "RTRECORD": (TreatmentRecord.from_dataset,),
    "RTPLAN": (Plan.from_dataset,),
    "RTSTRUCT": (StructureSet.from_dataset,),
    "OT": (RawPart.from_dataset, lambda ds: list(signed_in(ds))),
}
LARGEST = 60_000
MEMORY = 200 * 2**20


class TooLongError(BaseException):
    """A second of the processor is over; no parser may take this for an error of its own."""


def originals() -> list[tuple[str, bytes]]:
    """One clinic's objects of every kind, by modality; no more than three of a kind."""
    found: dict[str, list[bytes]] = {}
    for ds in Clinic(7, datetime(2026, 11, 20, 11), fast=True).objects():  # noqa: DTZ001  site-local
        kind = f"{ds.Modality} {ds.SOPClassUID}"
        if len(found.setdefault(kind, [])) < 3 and len(file := encode(ds)) <= LARGEST:
            found[kind].append(file)
    part = RawPart("tables", 1, 1, "a" * 64, 500, b"some bytes" * 50)
    found["OT raw"] = [encode(to_dataset(part, "Clinic", datetime(2026, 11, 20, tzinfo=UTC)))]
    return [(kind.split()[0], file) for kind, files in found.items() for file in files]


def mutated(chance: random.Random, file: bytes) -> bytes:
    """A few places changed: bits, bytes, lengths, digits; parts gone, doubled or moved; the rest cut off."""
    data = bytearray(file)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at, to = chance.randrange(132, max(133, len(data))), chance.randrange(1, 64)
        match chance.randrange(8):
            case 0:
                data[at : at + 1] = bytes([data[min(at, len(data) - 1)] ^ (1 << chance.randrange(8))])
            case 1:
                data[at : at + to] = chance.randbytes(to)
            case 2:
                data[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f", b"\xfe\xff\x00\xe0")
                )
            case 3:
                del data[at : at + to]
            case 4:
                data[at:at] = data[at : at + to] * chance.choice((1, 1, 200))
            case 5:
                del data[at + 1000 * chance.randrange(2) :]
            case 6:
                digits = [n for n in range(at, min(len(data), at + 400)) if 48 <= data[n] < 58]
                if digits:
                    data[chance.choice(digits)] = chance.choice(b"0123456789-.eE \\^")
            case 7:
                data[at : at + 2] = chance.choice((b"SQ", b"UN", b"DS", b"OB", b"PN", b"IS", b"US", b"\x00\x00"))
    return bytes(data)


def parsed(kind: str, data: bytes, *, as_answer: bool) -> str:
    """What was wrong with how it was read; empty when it was read, or refused in words."""
    ds = Dataset()
    try:
        ds = dcmread(BytesIO(data), force=as_answer)
    except UNREADABLE:
        return ""
    for parser in (*OF_ALL, *(() if as_answer else OF_JOBS.get(kind, ()))):
        try:
            parser(ds)
        except UNREADABLE:
            continue
    for parser in () if as_answer else OF_PICTURES.get(kind, ()):
        try:
            parser(ds)
        except PictureError:
            continue
    return ""


def bad_input(seed: int, tries: int) -> Iterator[list[str]]:
    """One of four as an answer to a question: of an answer's parsers alone."""
    warnings.simplefilter("ignore")
    logging.disable()
    files, chance = originals(), random.Random(seed)
    for kind, file in files:
        parsed(kind, file, as_answer=False)
    before = _limited()
    signal.signal(signal.SIGPROF, _too_long)
    try:
        for number in range(tries):
            kind, file = chance.choice(files)
            data = mutated(chance, file)
            yield _tried(kind, data, as_answer=number % 4 == 0)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _tried(kind: str, data: bytes, *, as_answer: bool) -> list[str]:
    signal.setitimer(signal.ITIMER_PROF, 1)
    try:
        said = parsed(kind, data, as_answer=as_answer)
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
        said = f"{kind}: {type(error).__name__}: {error}"[:300]
    except TooLongError:
        said = f"{kind}: more than a second"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return [said] if said else []


def _limited() -> tuple[int, int]:
    """Let this process have 200 MB more than it has; returns the limits before."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before: tuple[int, int] = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    return before


def _too_long(_signal: int, _frame: FrameType | None) -> Any:
    raise TooLongError
