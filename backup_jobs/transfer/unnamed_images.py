"""List at the sources the image series that plans need and whose slices nothing names, so that they can be brought.

Each source lists the patient's images on the plan's frame of reference, and the series that a structure set names
without slices. While nothing is known it is asked in every run, afterwards once a day.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from backup_jobs.transfer.sources import Sources
from recovery.cache.memory import DAY
from recovery.course.needed_images import needed_images
from recovery.dicom.plans import ImageSeries, Plan
from recovery.dimse import Peer
from recovery.pacs.image_search import find_series_of_patient, find_series_slices
from recovery.pacs.retrieval import first_slice, keep_framed, list_unnamed_images, unlisted_series
from recovery.pacs.workspace import Workspace


def list_at_sources(space: Workspace, pacs: Peer, sources: Sources, plans: Iterable[Plan]) -> None:
    """Take in what the sources and the RT-PACS list for plans whose images nothing names, or not slice by slice.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    for plan in plans:
        needed = needed_images(plan, space.collection)
        whole = unlisted_series(space, plan, again=True)
        question = f"images of plan {plan.ref.sop_instance_uid}"
        is_known = space.collection.knows_listings and needed.is_anything_known and not unlisted_series(space, plan)
        if not (needed.unnamed or whole) or (is_known and not space.memory.is_due(question, space.now, DAY)):
            continue
        if needed.frames:
            for peer, found in sources.listings(partial(_of_patient, space, plan)):
                _keep(space, pacs, sources, peer, found)
        if whole:
            for _, found in sources.listings(partial(_slices_of, whole)):
                for series in found:
                    space.collection.list_series(series)
        list_unnamed_images(space, pacs, [plan], again=True)
        if not sources.silent:
            space.memory.note(question, space.now)


def _of_patient(space: Workspace, plan: Plan, peer: Peer) -> list[ImageSeries]:
    return find_series_of_patient(peer, plan, space.collection.image_series)


def _slices_of(series: Mapping[str, str | None], peer: Peer) -> list[ImageSeries]:
    return find_series_slices(peer, series)


def _keep(space: Workspace, pacs: Peer, sources: Sources, peer: Peer, found: list[ImageSeries]) -> None:
    """Keep listings. Of a series whose frame of reference the source does not tell, one slice is brought to be read."""
    untold = {first_slice(one) for one in found if one.frame_of_reference_uid is None}
    sources.take(peer, untold, "moving a slice of each image series")
    keep_framed(space, pacs, found)
