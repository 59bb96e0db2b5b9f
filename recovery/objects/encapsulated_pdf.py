"""Encapsulated PDFs: a patient's chart page that any PACS viewer shows when this software is gone.

PS3.3 A.45.1. The PDF comes as bytes; the object's UID is derived from whose chart it is and from what the chart says,
so that the same chart is stored once. New facts are a new object in the same series.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydicom import Dataset

from recovery.dicom.model import ENCAPSULATED_PDF, Patient
from recovery.objects.modules import Place, derived_uid, item, new_object, number_of_moment, reference, with_elements
from recovery.objects.text import written_uid

SERIES_DESCRIPTION = "RBRDT patient charts"
TITLE = "Radiotherapy chart"


@dataclass(frozen=True, slots=True)
class ChartPage:
    """A chart, before it is drawn. `content`: a hash of all that it says; `plans`: SOP Class UID by UID."""

    patient: Patient
    study_instance_uid: str
    content: str
    plans: Mapping[str, str] = field(default_factory=dict)

    @property
    def sop_instance_uid(self) -> str:
        return derived_uid(
            "chart 1", self.study_instance_uid, self.patient.patient_id or "", self.content, *sorted(self.plans)
        )

    @property
    def series_instance_uid(self) -> str:
        return derived_uid("charts", self.study_instance_uid, self.patient.patient_id or "")

    def dataset(self, made_at: datetime, pdf: bytes, as_of: datetime | None = None) -> Dataset:
        """The object. `made_at` and `as_of`, up to when its data were proven, are local to the site.

        Raises `UnwritableError` if the patient's id or a plan's UID cannot be written in DICOM.
        """
        place = Place(
            self.patient, self.study_instance_uid, self.series_instance_uid, SERIES_DESCRIPTION, modality="DOC"
        )
        ds = new_object(ENCAPSULATED_PDF, self.sop_instance_uid, place, made_at)
        return with_elements(
            ds,
            ConversionType="WSD",
            InstanceNumber=number_of_moment(made_at),
            ContentDate=f"{made_at:%Y%m%d}",
            ContentTime=f"{made_at:%H%M%S}",
            AcquisitionDateTime=f"{as_of:%Y%m%d%H%M%S}" if as_of is not None else "",
            BurnedInAnnotation="YES",
            SourceInstanceSequence=[reference(c, written_uid(uid)) for uid, c in sorted(self.plans.items())] or None,
            DocumentTitle=TITLE,
            ConceptNameCodeSequence=[
                item(CodeValue="34133-9", CodingSchemeDesignator="LN", CodeMeaning="Summary of episode note")
            ],
            MIMETypeOfEncapsulatedDocument="application/pdf",
            EncapsulatedDocument=pdf + b"\0" * (len(pdf) % 2),
            EncapsulatedDocumentLength=len(pdf),
        )
