"""Find image series that nothing names by their slices: by series, or by the frame of reference that a plan stands on.

How
    The images of the patient (of the plan's study, where the plan names no patient) are listed by modality. Of each
    series not known yet one image is asked for its FrameOfReferenceUID (0020,0052).

Why by an image
    The element belongs to the series (PS3.3 C.7.4.1), but is no key that a node must match or return at any level
    (PS3.4 tables C.6-1 to C.6-4). A node that tells it, tells it of an image; of one that does not, a slice is read.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import ImageSeries, Plan
from recovery.dimse import Link, Peer, find_images, find_refs, open_link

MODALITIES = ("CT", "MR", "PT")


def find_series_of_patient(peer: Peer, plan: Plan, known: Mapping[str, ImageSeries]) -> list[ImageSeries]:
    """The image series of a plan's patient that a node holds; of those in `known` the frame of reference is taken.

    Raises `DimseError` if the node cannot be asked.
    """
    patient_id, study = plan.ref.patient_id, plan.ref.study_instance_uid
    keys = {"PatientID": patient_id} if patient_id else {"StudyInstanceUID": study} if study else {}
    if not keys:
        return []
    with open_link(peer) as link:
        refs: set[InstanceRef] = set()
        for modality in MODALITIES:
            refs |= find_refs(link, {**keys, "Modality": modality})
        of_patient = {ref for ref in refs if not patient_id or ref.patient_id in {None, patient_id}}
        found = list(_series_of(of_patient))
        return [_framed(link, series, known) for series in found]


def find_series_slices(peer: Peer, series: Mapping[str, str | None]) -> list[ImageSeries]:
    """All that a node lists of these series, given with their studies, which help a node that must be walked.

    Raises `DimseError` if the node cannot be asked.
    """
    refs: set[InstanceRef] = set()
    if series:
        with open_link(peer) as link:
            for uid, study in series.items():
                is_walked = link.peer.traits.relational is False
                hints = {"StudyInstanceUID": study} if study and is_walked else {}
                answers = find_refs(link, {"SeriesInstanceUID": uid, **hints})
                refs |= {ref for ref in answers if ref.series_instance_uid == uid}
    return list(_series_of(refs))


def _series_of(refs: Iterable[InstanceRef]) -> Iterable[ImageSeries]:
    by_series: dict[str, list[InstanceRef]] = {}
    for ref in refs:
        if ref.series_instance_uid:
            by_series.setdefault(ref.series_instance_uid, []).append(ref)
    for uid, members in by_series.items():
        slices = tuple(sorted(ref.sop_instance_uid for ref in members))
        yield ImageSeries(uid, members[0].study_instance_uid, members[0].patient_id, None, slices)


def _framed(link: Link, series: ImageSeries, known: Mapping[str, ImageSeries]) -> ImageSeries:
    """The series with the frame of reference that is known of it, or that the node tells of one of its images."""
    before = known.get(series.series_instance_uid)
    if before is not None and before.frame_of_reference_uid is not None:
        return series.joined(before)
    keys = {"SOPInstanceUID": series.sop_instance_uids[0]}
    if link.peer.traits.relational is False and series.study_instance_uid:
        keys |= {"StudyInstanceUID": series.study_instance_uid, "SeriesInstanceUID": series.series_instance_uid}
    for answer in list(find_images(link, keys, ("FrameOfReferenceUID",))):
        with suppress(el.InvalidObjectError):
            if InstanceRef.from_dataset(answer).sop_instance_uid == series.sop_instance_uids[0]:
                return series.joined(ImageSeries(
                    series.series_instance_uid, None, None, el.text(answer, "FrameOfReferenceUID"), ()
                ))  # fmt: skip
    return series
