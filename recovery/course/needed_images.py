"""Which images a plan needs: those that its structure sets name, else those on its frame of reference. Pure, no I/O.

The union of what the series lists and the contours of all structure sets of the plan name. A series that is named
without its slices is needed as it was ever listed. For a structure set that names nothing (RTReferencedStudySequence is
of type 3, PS3.3 table C.8-41), that is not held or that the plan does not name at all, the patient's image series on
the plan's frame of reference stand in, and that is said.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from recovery.dicom.plans import ImageSeries, Plan, ReferencedSeries, StructureSet


class KnownImages(Protocol):
    """What was read of structure sets, and listed of image series, by UID."""

    @property
    def structure_sets(self) -> Mapping[str, StructureSet]: ...

    @property
    def image_series(self) -> Mapping[str, ImageSeries]: ...


@dataclass(frozen=True, slots=True)
class NeededImages:
    """What one plan needs. `unnamed`: in words, why images are needed that nothing names; empty where all are named.

    `series` without slices were not listed yet. `stand_ins`: how many of them only lie on `frames`.
    """

    series: tuple[ReferencedSeries, ...]
    contour_image_uids: tuple[str, ...]
    unnamed: str
    frames: tuple[str, ...]
    stand_ins: int

    @property
    def is_anything_known(self) -> bool:
        """Whether there is an image at all that can be asked for, for each reason that there is to need one."""
        return bool(self.stand_ins) if self.unnamed else bool(self.series or self.contour_image_uids)


def needed_images(plan: Plan, known: KnownImages) -> NeededImages:
    """What a plan needs by what is known now."""
    sets = [known.structure_sets.get(uid) for uid in plan.structure_set_uids]
    read = [one for one in sets if one is not None]
    unnamed = _why_unnamed(sets)
    named = [_listed(series, known) for one in read for series in one.image_series]
    frames = tuple(dict.fromkeys(_frames(plan, read))) if unnamed else ()
    stand_ins = [
        ReferencedSeries(one.series_instance_uid, one.study_instance_uid, one.sop_instance_uids)
        for one in (series_on(frames, plan, known.image_series.values()) if frames else ())
    ]
    loose = dict.fromkeys(uid for one in read for uid in one.contour_image_uids)
    return NeededImages((*named, *stand_ins), tuple(loose), unnamed, frames, len(stand_ins))


def series_on(frames: Iterable[str], plan: Plan, found: Iterable[ImageSeries]) -> Iterator[ImageSeries]:
    """Of the series found, those of the plan's patient on one of these frames of reference."""
    wanted, patient_id = set(frames), plan.ref.patient_id
    for one in found:
        is_same_patient = patient_id is None or one.patient_id is None or one.patient_id == patient_id
        if one.frame_of_reference_uid in wanted and is_same_patient:
            yield one


def is_of_another_patient(plan: Plan, structure_set: StructureSet) -> bool:
    """Whether a structure set bears another PatientID, and not the plan's name and birth date either."""
    own, other = plan.patient, structure_set.patient
    if None in {own.patient_id, other.patient_id} or own.patient_id == other.patient_id:
        return False
    same = (own.patient_name, own.patient_birth_date) == (other.patient_name, other.patient_birth_date)
    return not same or None in {own.patient_name, own.patient_birth_date}


def _why_unnamed(sets: Sequence[StructureSet | None]) -> str:
    if not sets:
        return "the plan names no structure set"
    if any(one is None for one in sets):
        return "the structure set that names them is not held"
    return "" if all(one.names_images for one in sets if one is not None) else "the structure set names none"


def _frames(plan: Plan, read: Sequence[StructureSet]) -> Iterator[str]:
    """The plan's, and those of its structure sets that name no image."""
    if plan.frame_of_reference_uid is not None:
        yield plan.frame_of_reference_uid
    for one in read:
        if not one.names_images or plan.frame_of_reference_uid is None:
            yield from one.frame_of_reference_uids


def _listed(series: ReferencedSeries, known: KnownImages) -> ReferencedSeries:
    """A series that is named without slices, with those that were listed of it."""
    listed = known.image_series.get(series.series_instance_uid)
    if series.sop_instance_uids or listed is None:
        return series
    return ReferencedSeries(series.series_instance_uid, series.study_instance_uid, listed.sop_instance_uids)
