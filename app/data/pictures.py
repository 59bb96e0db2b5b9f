"""What the pictures of a plan are made of, read once per process and shared between visitors.

Small caches by object. A failure is never remembered: the next look asks again.
"""

from dataclasses import dataclass
from functools import lru_cache

from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import Plan
from recovery.pictures.beams_eye import BeamsEyeView, beams_eye_views
from recovery.pictures.dose import DoseGrid, dose_of_plan
from recovery.pictures.reference_image import ReferenceImage
from recovery.pictures.refusals import PictureError
from recovery.pictures.retrieval import Source, find_doses, read_object
from recovery.pictures.structures import Structure, read_structures

_MOST_DOSES = 40


@dataclass(frozen=True, slots=True)
class PlanPicture:
    """A plan object as the pictures need it. `prescribed` in Gy: the highest target dose that the plan says."""

    plan: Plan
    views: tuple[BeamsEyeView, ...]
    prescribed: float | None

    @property
    def isocenter_position(self) -> tuple[float, ...]:
        """x, y, z in mm of the first beam that says it; empty when none does."""
        return next((v.isocenter_position for v in self.views if len(v.isocenter_position) == 3), ())


@dataclass(frozen=True, slots=True)
class Contours:
    """A structure set: as it came, for its references, and its structures."""

    dataset: Dataset
    structures: tuple[Structure, ...]


def is_at_hand(source: Source, uid: str) -> bool:
    """Whether an object needs no asking."""
    return source.shelf.read(uid) is not None


@lru_cache(maxsize=32)
def plan_picture(source: Source, uid: str) -> PlanPicture:
    """Raises `PictureError` if the plan cannot be had."""
    ds = read_object(source, InstanceRef(uid, modality="RTPLAN"), "the plan")
    doses = [el.number(item, "TargetPrescriptionDose") for item in el.items(ds, "DoseReferenceSequence")]
    return PlanPicture(Plan.from_dataset(ds), tuple(beams_eye_views(ds)), max(filter(None, doses), default=None))


@lru_cache(maxsize=4)
def contours(source: Source, plan: Plan) -> Contours:
    """Raises `PictureError` if the plan names no structure set, or it cannot be had."""
    if not plan.structure_set_uids:
        raise PictureError("The plan names no structure set, and so no planning image.")
    ref = InstanceRef(plan.structure_set_uids[0], modality="RTSTRUCT")
    ds = read_object(source, ref, "the structure set")
    return Contours(ds, tuple(read_structures(ds)))


@lru_cache(maxsize=4)
def dose(source: Source, plan: Plan) -> DoseGrid:
    """The plan's dose: that of the whole plan, else its parts, added up where they can be.

    Where the doses that the plan names are not the whole, those that name the plan are looked for too.

    Raises `PictureError` if there is none, or it cannot be had or drawn.
    """
    found: dict[str, DoseGrid] = {}
    for named in dict.fromkeys((plan.dose_uids, ())):
        for ref in find_doses(source, plan.ref, named)[:_MOST_DOSES]:
            uid = ref.sop_instance_uid
            if uid not in found:
                found[uid] = DoseGrid.from_dataset(read_object(source, ref, "the dose"))
            if found[uid].summation_type == "PLAN":
                return dose_of_plan([found[uid]], plan)
        if found and (put_together := dose_of_plan(list(found.values()), plan)).is_whole:
            return put_together
    return dose_of_plan(list(found.values()), plan)


@lru_cache(maxsize=12)
def reference_image(source: Source, uid: str) -> ReferenceImage:
    """Raises `PictureError` if it cannot be had or drawn."""
    return ReferenceImage.from_dataset(read_object(source, InstanceRef(uid, modality="RTIMAGE"), "a reference image"))
