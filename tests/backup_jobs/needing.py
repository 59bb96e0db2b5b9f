"""Patients whose images are named by halves, by contours alone, or not at all: a course of three fractions each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydicom import Dataset

from tests.objects import beam_item, images, item, plan, record, structure_set, uid

NOW = datetime.now().replace(microsecond=0)  # noqa: DTZ005  the servers' clock, site-local


class Person:
    """One patient: one study, one frame of reference, one planning CT of four slices."""

    def __init__(self, patient_id: str) -> None:
        self.patient_id = patient_id
        self.frame = uid(patient_id, "frame")
        self.study = uid(patient_id, "study")
        self.ct = self.series()
        self.objects: list[Dataset] = [*self.ct]

    @property
    def whose(self) -> dict[str, str]:
        return {"PatientID": self.patient_id, "PatientName": "HALVES^Named"}

    def series(self, count: int = 4, modality: str = "CT", frame: str | None = None) -> list[Dataset]:
        """An image series of this patient; not among `objects` unless it is put there."""
        return images(
            count, modality, **self.whose, FrameOfReferenceUID=frame or self.frame, StudyInstanceUID=self.study
        )

    def contours(
        self,
        listed: Sequence[Sequence[Dataset]] = (),
        drawn_on: Sequence[Dataset] = (),
        *,
        are_named: bool = True,
        **elements: object,
    ) -> Dataset:
        """A structure set: `listed` series with slices, and one contour on each slice of `drawn_on`."""
        ds = structure_set(self.ct, **(self.whose | elements))
        (frame,) = ds.ReferencedFrameOfReferenceSequence
        if listed:
            (study,) = frame.RTReferencedStudySequence
            study.RTReferencedSeriesSequence = [series_item(slices) for slices in listed]
        else:
            del frame.RTReferencedStudySequence
        ds.ROIContourSequence = [item(ReferencedROINumber=1, ContourSequence=[contour(s, are_named) for s in drawn_on])]
        return ds

    def treated(self, contours: Dataset | None, *, fractions: int = 3, **elements: object) -> Dataset:
        """Keep a plan on the patient's frame of reference with its records; `contours` is named, and not kept."""
        named = None if contours is None else str(contours.SOPInstanceUID)
        ds = plan({1: 100.0}, structure_set_uid=named, **(self.whose | {"FrameOfReferenceUID": self.frame} | elements))
        ds.StudyInstanceUID = self.study
        self.objects.append(ds)
        for fraction in range(1, fractions + 1):
            at = NOW - timedelta(days=fractions - fraction, hours=1)
            beam = beam_item(1, fraction, 100.0, 100.0)
            written = {"InstanceCreationDate": f"{at:%Y%m%d}", "SeriesDate": f"{at:%Y%m%d}"}
            self.objects.append(record(ds.SOPInstanceUID, [beam], at=at, **self.whose, **written))
        return ds


def series_item(slices: Sequence[Dataset], series_instance_uid: str | None = None) -> Dataset:
    """A referenced series: the one that the slices lie in, unless another is named."""
    references = [item(ReferencedSOPClassUID=s.SOPClassUID, ReferencedSOPInstanceUID=s.SOPInstanceUID) for s in slices]
    return item(
        SeriesInstanceUID=series_instance_uid or str(slices[0].SeriesInstanceUID), ContourImageSequence=references
    )


def contour(drawn_on: Dataset, is_named: bool) -> Dataset:
    ds = item(ContourGeometricType="POINT", NumberOfContourPoints=1, ContourData=[0, 0, 0])
    if is_named:
        reference = item(ReferencedSOPClassUID=drawn_on.SOPClassUID, ReferencedSOPInstanceUID=drawn_on.SOPInstanceUID)
        ds.ContourImageSequence = [reference]
    return ds


def uids(objects: Sequence[Dataset]) -> set[str]:
    return {str(ds.SOPInstanceUID) for ds in objects}
