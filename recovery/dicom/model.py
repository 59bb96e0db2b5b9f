"""The nouns of RBRDT: what a node, a record, a plan and a run are, and the one door to each from a Dataset.

Frozen dataclasses whose fields bear the DICOM keyword in snake_case. An absent element is None and stays None: type 2
elements may be empty (PS3.5 section 7.4.3), and a default would be an invented clinical value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset

RT_BEAMS_TREATMENT_RECORD = "1.2.840.10008.5.1.4.1.1.481.4"
RT_BRACHY_TREATMENT_RECORD = "1.2.840.10008.5.1.4.1.1.481.6"
RT_ION_BEAMS_TREATMENT_RECORD = "1.2.840.10008.5.1.4.1.1.481.9"
RT_TREATMENT_SUMMARY_RECORD = "1.2.840.10008.5.1.4.1.1.481.7"
RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
RT_ION_PLAN = "1.2.840.10008.5.1.4.1.1.481.8"
RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
RT_IMAGE = "1.2.840.10008.5.1.4.1.1.481.1"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"
VARIAN_RT_PLAN = "1.2.246.352.70.1.70"
"""Varian's private RT Plan, which Halcyon and Ethos write (Evil-DICOM #74, pynetdicom #799)."""

TREATMENT_RECORD_CLASSES = frozenset(
    {RT_BEAMS_TREATMENT_RECORD, RT_ION_BEAMS_TREATMENT_RECORD, RT_BRACHY_TREATMENT_RECORD}
)
"""The records of delivered sessions. RT Treatment Summary Records are Modality RTRECORD too: not these."""


@dataclass(frozen=True, slots=True)
class DicomNode:
    """An application entity and where it listens (PS3.8 section 9)."""

    ae_title: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.ae_title} at {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DateRange:
    """Two days and all between them, both included. Its `str()` is the DICOM range (PS3.4 C.2.2.2.5)."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first:%Y%m%d}-{self.last:%Y%m%d}"

    def __contains__(self, day: date | None) -> bool:
        return day is not None and self.first <= day <= self.last


Place = tuple[str | None, str | None, str | None]
"""PatientID, StudyInstanceUID, SeriesInstanceUID; None where a node does not tell."""


@dataclass(frozen=True, slots=True)
class InstanceRef:
    """One DICOM object by name. Two are equal when their SOP Instance UIDs are; the rest helps to find it."""

    sop_instance_uid: str
    sop_class_uid: str | None = field(default=None, compare=False)
    modality: str | None = field(default=None, compare=False)
    series_instance_uid: str | None = field(default=None, compare=False)
    study_instance_uid: str | None = field(default=None, compare=False)
    patient_id: str | None = field(default=None, compare=False)
    twins: frozenset[Place] = field(default=frozenset(), compare=False)
    """Where else the same node has an object of this UID, in another series or of another patient: there is no telling
    them apart by UID."""

    @property
    def place(self) -> Place:
        return self.patient_id, self.study_instance_uid, self.series_instance_uid

    @property
    def patient_ids(self) -> frozenset[str]:
        """Whose objects bear this UID: of twins, it may be several patients."""
        return frozenset(of for of, *_ in (self.place, *self.twins) if of)

    def is_at(self, other: InstanceRef) -> bool:
        """Whether another node has this object, and its twins, by `other`. A PatientID may change, a series may not."""
        places = (other.place, *other.twins)
        return all(any(_is_same_place(own, place) for place in places) for own in (self.place, *self.twins))

    @classmethod
    def from_dataset(cls, ds: Dataset) -> InstanceRef:
        """Read an object, or an answer to a C-FIND at IMAGE level.

        Raises `InvalidObjectError` if there is no SOPInstanceUID.
        """
        from recovery.dicom import elements as el  # here, so that a page that reads no object need not import pydicom

        return cls(
            sop_instance_uid=el.required_uid(ds, "SOPInstanceUID"),
            sop_class_uid=el.text(ds, "SOPClassUID"),
            modality=el.text(ds, "Modality"),
            series_instance_uid=el.text(ds, "SeriesInstanceUID"),
            study_instance_uid=el.text(ds, "StudyInstanceUID"),
            patient_id=el.text(ds, "PatientID"),
        )


def distinct(refs: Iterable[InstanceRef]) -> set[InstanceRef]:
    """One ref for each UID that a node named; one that it named in several places bears the others as `twins`."""
    found: dict[str, InstanceRef] = {}
    for ref in refs:
        first = found.setdefault(ref.sop_instance_uid, ref)
        more = ({ref.place} | ref.twins) - {first.place} - first.twins
        if more:
            found[ref.sop_instance_uid] = replace(first, twins=first.twins | more)
    return set(found.values())


def _is_same_place(one: Place, other: Place) -> bool:
    known = [(a, b) for a, b in zip(one[1:], other[1:], strict=True) if a is not None and b is not None]
    if known:
        return all(a == b for a, b in known)
    return one[0] == other[0] or None in {one[0], other[0]}


@dataclass(frozen=True, slots=True)
class Patient:
    """Who it is, as an object's Patient Module says it (PS3.3 C.7.1.1)."""

    patient_id: str | None
    patient_name: str | None
    """`FAMILY, Given` of the first component group that says something."""
    patient_birth_date: date | None
    patient_sex: str | None

    @classmethod
    def from_dataset(cls, ds: Dataset) -> Patient:
        from recovery.dicom import elements as el

        return cls(
            patient_id=el.text(ds, "PatientID"),
            patient_name=el.person_name(ds, "PatientName"),
            patient_birth_date=el.day(ds, "PatientBirthDate"),
            patient_sex=el.text(ds, "PatientSex"),
        )


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a job compared and moved. Unproven: wanted, and the RT-PACS does not say that it holds it."""

    found: int = 0
    already_held: int = 0
    moved: int = 0
    unproven: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job as the journal knows it. No `finished_at`: still running, or killed."""

    job: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    counts: dict[str, int]
    message: str
    fault: str = ""
    """What could not be asked, when something could not: `rv`, `pacs`, `database`, `cache`, `config`."""
    unproven: tuple[str, ...] = ()
    """SOP Instance UIDs, the first hundred of them; `counts` has their number."""
    seconds: float | None = None
    """How long it took; None where the journal does not say."""

    @property
    def tells_of_records(self) -> bool:
        """Whether this run asked both sides for treatment records to the end: what they hold up to its start is known.

        `sync_records` does; for MOSAIQ, whose records come from its database, a `snapshot_tables` that read the
        deliveries and counts `treatment_records`.
        """
        asks = self.job == "sync_records" or (self.job == "snapshot_tables" and "treatment_records" in self.counts)
        return asks and self.outcome in {"OK", "PARTIAL"}
