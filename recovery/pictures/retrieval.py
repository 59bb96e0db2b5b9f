"""Bring what the pictures are made of from the RT-PACS, or from the picture cache where it was seen before.

Of the planning image the slice through the isocentre comes first: the contours say which it is. The rest comes in small
lists, so that progress can be told between them, and stays in memory: a visitor may turn away in between.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydicom import Dataset

from recovery.cache.memory import Memory
from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import ReferencedSeries, StructureSet
from recovery.dimse import DimseError, Peer, fetch, find_by_uid, find_images, find_refs, open_link
from recovery.pacs.peers import pacs_peer
from recovery.pictures.image_series import ImageSlice, ImageVolume, assemble
from recovery.pictures.refusals import PictureError
from recovery.pictures.shelf import FOLDER, Shelf
from recovery.pictures.structures import slice_places
from recovery.settings.config import Config

SLICES_PER_LIST = 40
_MEGABYTE = 1_000_000
_MOST_UNFINISHED = 2
"""Series that are kept in memory half fetched."""

_listening = threading.Lock()
"""A C-MOVE comes back to one port: two visitors take turns."""
_unfinished: OrderedDict[str, dict[str, ImageSlice]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Source:
    """Where pictures come from."""

    peer: Peer
    retrieve: Literal["get", "move"]
    shelf: Shelf


def source_of(config: Config) -> Source:
    """The RT-PACS of the config and the picture cache beside the tables."""
    peer = pacs_peer(config, Memory.load(config.cache_path))
    shelf = _shelf(config.cache_path / FOLDER, config.cache.pictures_megabytes * _MEGABYTE)
    return Source(peer, config.pacs.retrieve, shelf)


def read_object(source: Source, ref: InstanceRef, what: str) -> Dataset:
    """One object, such as `the plan`, from the picture cache or the RT-PACS.

    Raises `PictureError` if the RT-PACS cannot be asked, does not hold it, or does not send it.
    """
    return read_objects(source, [ref], what)[0]


def read_objects(source: Source, refs: Sequence[InstanceRef], what: str) -> list[Dataset]:
    """Several objects, in the order of `refs`; all or none. Raises `PictureError` as `read_object` does."""
    found = {ref.sop_instance_uid: ds for ref in refs if (ds := source.shelf.read(ref.sop_instance_uid)) is not None}
    wanted = _placed(source, [ref for ref in refs if ref.sop_instance_uid not in found], what)
    if wanted:
        fetched, failures = _fetch(source, wanted, what)
        for ds in fetched.values():
            source.shelf.write(ds)
        found |= fetched
        absent = [ref.sop_instance_uid for ref in wanted if ref.sop_instance_uid not in found]
        if absent:
            reasons = "; ".join(sorted({failures.get(uid, "it was not sent") for uid in absent})).rstrip(".")
            raise PictureError(f"The RT-PACS holds {what}, but did not hand it over: {reasons}.")
    return [found[ref.sop_instance_uid] for ref in refs]


def planning_series(structure_set: Dataset) -> ReferencedSeries:
    """The image series that the contours were drawn on; of several the one with most slices named.

    Raises `PictureError` if the structure set names none.
    """
    series = StructureSet.from_dataset(structure_set).image_series
    if not series:
        raise PictureError("The structure set names no planning image.")
    return max(series, key=lambda s: len(s.sop_instance_uids))


def read_first_slice(source: Source, structure_set: Dataset, z: float | None) -> ImageVolume:
    """The slice through the isocentre's `z` (mm), as a volume of one; the middle one where `z` is unknown.

    Raises `PictureError` if it cannot be had or drawn.
    """
    series = planning_series(structure_set)
    places = {u: p for u, p in slice_places(structure_set).items() if u in set(series.sop_instance_uids)}
    named = series.sop_instance_uids
    if z is not None and places:
        uid = min(places, key=lambda u: abs(places[u] - z))
    elif named:
        uid = named[len(named) // 2]
    else:
        refs = _refs_of(source, series)
        uid = refs[len(refs) // 2].sop_instance_uid
    ref = InstanceRef(uid, series_instance_uid=series.series_instance_uid, study_instance_uid=series.study_instance_uid)
    ds = read_object(source, ref, "the slice through the isocentre")
    return assemble([ImageSlice.from_dataset(ds)])


def volume_on_shelf(source: Source, structure_set: Dataset) -> ImageVolume | None:
    """The whole planning image where it was fetched before."""
    return source.shelf.read_volume(_volume_key(planning_series(structure_set)))


def read_volume(source: Source, structure_set: Dataset, on_progress: Callable[[int, int], None]) -> ImageVolume:
    """The whole planning image. `on_progress` is called with slices done and slices in all.

    Slices that the RT-PACS does not hold are named in the volume's remarks.

    Raises `PictureError` if none can be had, or what came does not make one volume.
    """
    series = planning_series(structure_set)
    key = _volume_key(series)
    known = source.shelf.read_volume(key)
    if known is not None:
        return known
    refs = _refs_of(source, series)
    slices = _unfinished.setdefault(key, {})
    _unfinished.move_to_end(key)
    while len(_unfinished) > _MOST_UNFINISHED:
        _unfinished.popitem(last=False)
    left = [ref for ref in refs if ref.sop_instance_uid not in slices]
    on_progress(len(slices), len(refs))
    for start in range(0, len(left), SLICES_PER_LIST):
        fetched, _ = _fetch(source, left[start : start + SLICES_PER_LIST], "the planning image")
        slices.update({uid: ImageSlice.from_dataset(ds) for uid, ds in fetched.items()})
        on_progress(len(slices), len(refs))
    wanted = set(series.sop_instance_uids) or {ref.sop_instance_uid for ref in refs}
    absent = len(wanted - slices.keys())
    volume = assemble(list(slices.values()))
    if absent:
        verb = "is" if absent == 1 else "are"
        remark = f"{absent} of the {len(wanted)} slices that the structure set names {verb} not in the RT-PACS."
        return ImageVolume(volume.grid, volume.modality, volume.window, (remark, *volume.remarks))
    source.shelf.write_volume(key, volume)
    _unfinished.pop(key, None)
    return source.shelf.read_volume(key) or volume


def find_doses(source: Source, plan: InstanceRef, named: Iterable[str]) -> list[InstanceRef]:
    """The doses of a plan that the RT-PACS holds: those that it names, else those that name it.

    Raises `PictureError` if the RT-PACS cannot be asked.
    """
    uids = list(named)
    if uids and all(source.shelf.read(uid) is not None for uid in uids):
        return [InstanceRef(uid) for uid in uids]
    with _told("the dose"), open_link(source.peer) as link:
        held = find_by_uid(link, uids) if uids else set()
        if held or plan.patient_id is None:
            return sorted(held, key=lambda ref: ref.sop_instance_uid)
        keys = {"PatientID": plan.patient_id, "Modality": "RTDOSE"}
        answers = list(find_images(link, keys, ("ReferencedRTPlanSequence",)))
    return [InstanceRef.from_dataset(a) for a in answers if plan.sop_instance_uid in _plans_of(a)]


def _plans_of(answer: Dataset) -> set[str | None]:
    return {el.text(item, "ReferencedSOPInstanceUID") for item in el.items(answer, "ReferencedRTPlanSequence")}


def _refs_of(source: Source, series: ReferencedSeries) -> list[InstanceRef]:
    """The slices of the series that the RT-PACS holds and the structure set names."""
    with _told("the planning image"), open_link(source.peer) as link:
        held = find_refs(link, {"SeriesInstanceUID": series.series_instance_uid})
    named = set(series.sop_instance_uids)
    refs = [ref for ref in held if not named or ref.sop_instance_uid in named]
    if not refs:
        raise PictureError("The RT-PACS does not hold the planning image that the structure set names.")
    return sorted(refs, key=lambda ref: ref.sop_instance_uid)


def _fetch(source: Source, refs: Sequence[InstanceRef], what: str) -> tuple[dict[str, Dataset], dict[str, str]]:
    """What came, by UID, and why the rest did not: a plan that C-GET does not bring is asked for by C-MOVE."""
    found: dict[str, Dataset] = {}

    def take(ds: Dataset) -> None:
        found[el.required_uid(ds, "SOPInstanceUID")] = ds

    with _told(what), _listening if source.retrieve == "move" else nullcontext():
        failures = fetch(source.peer, refs, take, retrieve=source.retrieve)
    lacking = [ref for ref in refs if ref.sop_instance_uid not in found and ref.modality == "RTPLAN"]
    if lacking and source.retrieve == "get":
        with suppress(DimseError), _listening:
            fetch(source.peer, lacking, take, retrieve="move")
    return found, failures


def _placed(source: Source, refs: Sequence[InstanceRef], what: str) -> list[InstanceRef]:
    """The refs with study and series as the RT-PACS has them: a C-GET needs them (PS3.4 C.4.3.1.3.1).

    Raises `PictureError` if one is not held.
    """
    if not refs:
        return []
    uids = [ref.sop_instance_uid for ref in refs]
    with _told(what), open_link(source.peer) as link:
        held = {ref.sop_instance_uid: ref for ref in find_by_uid(link, uids)}
    if not held.keys() >= set(uids):
        raise PictureError(
            f"The RT-PACS does not hold {what}. `python -m backup_jobs sync_plans` looks for it in the other systems."
        )
    return [replace(held[r.sop_instance_uid], modality=held[r.sop_instance_uid].modality or r.modality) for r in refs]


def _volume_key(series: ReferencedSeries) -> str:
    """Another set of slices is another volume: its file never changes."""
    named = "\n".join([series.series_instance_uid, *sorted(series.sop_instance_uids)])
    return "volume " + hashlib.sha256(named.encode()).hexdigest()


class _told:  # noqa: N801  reads as `with _told("the plan"):`
    """Turn an unreachable RT-PACS into a sentence for the reader of a picture."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DimseError):
            raise PictureError(f"{self.what[:1].upper()}{self.what[1:]} cannot be loaded now. {error}") from error


@lru_cache(maxsize=4)
def _shelf(folder: Path, limit_bytes: int) -> Shelf:
    return Shelf(folder, limit_bytes)
