"""What a plan's folder holds: which objects, brought from the RT-PACS one by one, read back and compared.

The chain that makes a plan `ready`, and doses, of which one that does not come refuses nothing: nobody is treated from
it. Each object is written, read again from the disk, and held against the digest of the first reading
(`recovery.objects.digest`). One object is in memory at a time.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Literal

from pydicom import Dataset, dcmread

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef, Patient, distinct
from recovery.dimse import DimseError, Peer, fetch, find_by_uid, find_refs, open_link
from recovery.objects.digest import digest_of
from recovery.packing.gate import Case, PackedObject
from recovery.packing.names import safe
from recovery.pacs.verified_objects import VerifiedObjects, chain_of
from recovery.patient.file import files_of
from recovery.patient.recounted import as_of_now
from recovery.patient.tables import read_tables
from recovery.settings.config import Config, Site
from recovery.tables.schema import ON_TREATMENT, TREATMENT_RECORDS

MOST_WAITS, PAUSE_SECONDS = 12, 5.0
"""A cycle writes the list soon after the records; one that cannot make it is not waited for without end."""
PATIENTS_AT_ONCE = 25
"""Patients whose tables are read together: a clinic of any size takes the memory of so many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plan to be packed: what is known of it, and the objects of its chain and its doses, by UID."""

    case: Case
    chain: tuple[str, ...]
    doses: tuple[str, ...]
    digests: Mapping[str, str]
    """Of those that were read before and are not known to be altered."""

    @property
    def uids(self) -> tuple[str, ...]:
        return (*self.chain, *self.doses)


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the config the gate goes by."""

    site: Site
    grace: timedelta
    proven_hours: int

    @classmethod
    def of(cls, config: Config) -> Rules:
        return cls(config.site, config.schedule.grace, config.package.proven_hours)


def wanted_plans(
    cache: Cache, rules: Rules, patient_ids: Sequence[str], machine: str | None, now: datetime, waits: int = 0
) -> Iterator[Wanted]:
    """Every plan of these patients that may still be treated; of who has none, those that may not. In their order.

    `machine`: where all are to be treated; None: each where its patient is booked next, else where it was last treated.
    Of several plans of one patient each where it was last treated: the next appointment may be another's. `waits`: how
    often, in all, a list that a cycle is about to write is waited for; else it disagrees with the records.

    Raises `CacheError` if the list, the records or the plans cannot be read.
    """
    verified, site, grace = VerifiedObjects.load(cache), rules.site, rules.grace
    for start in range(0, len(patient_ids), PATIENTS_AT_ONCE):
        asked = patient_ids[start : start + PATIENTS_AT_ONCE]
        while waits and _is_being_written(cache):
            time.sleep(PAUSE_SECONDS)
            waits -= 1
        tables = as_of_now(read_tables(cache, asked), cache, site, now, grace)
        for file in files_of(tables, site, asked, now, grace):
            booked = file.next_appointment.treatment_machine_name if file.next_appointment is not None else None
            plans = file.unfinished_plans or file.plans
            for one in plans:
                dicom = tables.plans.get(one.uid or "")
                chain = tuple(dict.fromkeys(chain_of(dicom, tables))) if dicom is not None else ()
                doses = _doses(one.uid, dicom.dose_uids if dicom is not None else (), verified)
                proven = verified.last_proven(chain) if chain else None
                last = one.row.treatment_machine_name
                where = machine or (booked or last if len(plans) == 1 else last or booked)
                case = Case(file, one, dicom, where, _local(proven, site), rules.proven_hours)
                known = ((uid, verified.objects.get(uid)) for uid in (*chain, *doses))
                digests = {uid: v.digest for uid, v in known if v is not None and v.digest is not None}
                yield Wanted(case, chain, doses, digests)


def _is_being_written(cache: Cache) -> bool:
    """Whether the records are of a later cycle than the list that is made of them."""
    with suppress(CacheError):
        return cache.snapshot(TREATMENT_RECORDS).taken_at > cache.snapshot(ON_TREATMENT).taken_at
    return False


def _doses(uid: str | None, named: Sequence[str], verified: VerifiedObjects) -> tuple[str, ...]:
    """Those that the plan names, and those that name the plan."""
    naming = (one.uid for one in verified.objects.values() if uid is not None and uid in one.plan_uids)
    return tuple(dict.fromkeys([*named, *sorted(naming)]))


def _local(at: datetime | None, site: Site) -> datetime | None:
    return at.replace(tzinfo=UTC).astimezone(site.zone).replace(tzinfo=None) if at is not None else None


@dataclass(slots=True)
class Bringing:
    """Objects on their way into one folder."""

    folder: Path
    digests: Mapping[str, str]
    objects: list[PackedObject] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    disk: OSError | None = None
    """What the disk said, where it does not take any more."""

    def take(self, ds: Dataset) -> None:
        """Write an object, and read it back from there."""
        if self.disk is not None:
            return
        modality = safe(el.text(ds, "Modality"), 12)
        number = 1 + sum(one.name.startswith(f"{modality}_") for one in self.objects)
        path = self.folder / f"{modality}_{number:04d}.dcm"
        try:
            ds.save_as(path, enforce_file_format=True)
            one = read_back(path)
        except OSError as error:  # else it would be taken for an object that cannot be read
            self.disk = error
            return
        expected = self.digests.get(one.uid)
        if expected is not None and one.digest != expected:
            self.changed.append(one.uid)
        self.objects.append(one)

    def fill(self, pacs: Peer, refs: Collection[InstanceRef], retrieve: Literal["get", "move"]) -> None:
        """Fetch these. Raises `DimseError` if the RT-PACS cannot be asked, `OSError` if the disk does not take them."""
        failures = fetch(pacs, refs, self.take, retrieve=retrieve)
        if failures and retrieve == "get" and self.disk is None:
            with suppress(DimseError):  # a private SOP class that is given by C-MOVE alone
                fetch(pacs, {ref for ref in refs if ref.sop_instance_uid in failures}, self.take, retrieve="move")
        if self.disk is not None:
            raise self.disk


def read_back(path: Path) -> PackedObject:
    """An object as it lies on the disk. Raises `OSError` if it cannot be read, and what `digest_of` raises."""
    return read_object(path.name, path.read_bytes())


def read_object(name: str, data: bytes) -> PackedObject:
    """An object as the bytes of its file. Raises what `digest_of` raises."""
    ds = dcmread(BytesIO(data))
    return PackedObject(
        name=name,
        uid=el.required_uid(ds, "SOPInstanceUID"),
        sha256=hashlib.sha256(data).hexdigest(),
        digest=digest_of(ds),
        patient=Patient.from_dataset(ds),
        is_plan=el.text(ds, "Modality") == "RTPLAN" or "FractionGroupSequence" in ds,
    )


def bring(wanted: Wanted, pacs: Peer, config: Config, folder: Path) -> tuple[Case, tuple[str, ...]]:
    """Fetch a plan's objects into an empty folder; the case with what came, and what did not of its doses.

    Objects of a UID of which the RT-PACS has several under the patient's numbers are not asked for: nobody knows which
    is the one. Of a copy under another number, made for research, the patient's own is.

    Raises `DimseError` if the RT-PACS cannot be asked; `OSError` if the disk does not take them.
    """
    with open_link(pacs) as link:
        found = find_by_uid(link, list(wanted.uids))
        file = wanted.case.file
        numbers = [number for number in (file.identity.patient_id, *file.older_patient_ids) if number]
        for ref in [ref for ref in found if ref.twins]:
            keys = {"SOPInstanceUID": ref.sop_instance_uid}
            own = distinct(one for number in numbers for one in find_refs(link, {**keys, "PatientID": number}))
            found = {*found - {ref}, *own}
    refs = {ref for ref in found if not ref.twins}
    inbox = Bringing(folder, wanted.digests)
    inbox.fill(pacs, refs, config.pacs.retrieve)
    altered_doses = {uid for uid in inbox.changed if uid not in wanted.chain}
    objects = sorted((one for one in inbox.objects if one.uid not in altered_doses), key=lambda one: one.name)
    _keep_only({one.name for one in objects}, folder)
    came = {one.uid for one in objects}
    lacking = [uid for uid in wanted.chain if uid not in came]
    changed = [uid for uid in inbox.changed if uid in wanted.chain]
    return wanted.case.fetched(objects, lacking, changed), tuple(uid for uid in wanted.doses if uid not in came)


def _keep_only(names: set[str], folder: Path) -> None:
    """Nothing else lies there, and what does is on the disk before the folder gets its name."""
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()
            continue
        with path.open("rb+") as file:
            os.fsync(file.fileno())
