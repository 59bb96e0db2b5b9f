"""C-FIND: which objects does a node hold?

How
    A relational query first: one question, all answers. A node that refuses it, or answers it with nothing although
    it holds something, is walked STUDY, SERIES, IMAGE; what a node understands is remembered in its traits.

Why
    ARIA and Orthanc answer relational queries, dcmqrscp and pynetdicom's qrscp do not (they are optional, PS3.4
    C.4.1.2.2.1), and a node that does not understand a question must not look like an empty one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.dicom.elements import InvalidObjectError
from recovery.dicom.model import InstanceRef, distinct
from recovery.dimse.opening import open_link
from recovery.dimse.peer import DimseError, Link, NamelessError, Peer
from recovery.dimse.query.asking import find_all
from recovery.dimse.query.identifiers import REFUSED, UIDS_PER_QUERY, query

_LEVEL_KEYS = {
    "STUDY": ("PatientID", "StudyInstanceUID", "StudyDate"),
    "SERIES": ("SeriesInstanceUID", "Modality", "SeriesDate"),
}
"""Keys that belong above IMAGE; a walk asks each of them at its own level (PS3.4 C.6.2.1)."""


def echo(peer: Peer) -> None:
    """C-ECHO a node. Raises `DimseError` if it does not answer."""
    with open_link(peer) as link:
        link.echo()


def find_images(link: Link, keys: Mapping[str, str], returning: Sequence[str] = ()) -> Iterator[Dataset]:
    """Yield one Dataset per object that matches `keys` (keyword to value, of any level).

    Each holds SOPInstanceUID, the upper UIDs and PatientID where the node gives them, and of `returning` what the
    node returns. Ask for no more than is needed: an Orthanc opens the file of every match (3 ms each) for an element
    that it does not index, SOPClassUID among them.

    Raises `DimseError` if the node cannot be asked either way.
    """
    traits = link.peer.traits
    if traits.relational is False:
        yield from _walk(link, keys, returning)
        return
    count = 0
    try:
        for answer in find_all(link, "IMAGE", keys, returning):
            count += 1
            yield answer
    except DimseError as error:
        is_refusal = error.status in REFUSED or isinstance(error, NamelessError)
        if count or traits.relational or not is_refusal:
            raise
        yield from _walk_instead(link.peer, keys, returning, error)
        return
    if count:
        traits.relational = True
    elif traits.relational is None and not link.is_relational and _understands_no_relational(link):
        traits.relational = False
        yield from _walk(link, keys, returning)


def find_refs(link: Link, keys: Mapping[str, str]) -> set[InstanceRef]:
    """Objects that match `keys`, as refs; an answer without a SOPInstanceUID is none."""
    return refs_of(find_images(link, keys))


def refs_of(answers: Iterable[Dataset]) -> set[InstanceRef]:
    """The objects that answers name; one without a SOPInstanceUID is none."""
    refs = []
    for answer in answers:
        with suppress(InvalidObjectError):
            refs.append(InstanceRef.from_dataset(answer))
    return distinct(refs)


def find_by_uid(link: Link, sop_instance_uids: Iterable[str], **keys: str) -> set[InstanceRef]:
    """Which of these objects the node holds. Other `keys`, such as PatientID, help a node that must be walked.

    Raises `DimseError` if the node cannot be asked.
    """
    uids = list(sop_instance_uids)
    found: set[InstanceRef] = set()
    for start in range(0, len(uids), UIDS_PER_QUERY):
        asked = uids[start : start + UIDS_PER_QUERY]
        hints = keys if link.peer.traits.relational is False else {}
        answers = find_refs(link, {"SOPInstanceUID": "\\".join(asked), **hints})
        found |= {ref for ref in answers if ref.sop_instance_uid in asked}
    return found


def find_held(link: Link, refs: Iterable[InstanceRef]) -> set[InstanceRef]:
    """Which of `refs` the node holds, asked one list after the other; a walked node is asked series by series.

    Raises `DimseError` if the node cannot be asked.
    """
    wanted = set(refs)
    held = set()
    if link.peer.traits.relational is not False:
        held = find_by_uid(link, sorted(ref.sop_instance_uid for ref in wanted))
    is_walked = link.peer.traits.relational is False
    for place, members in _by_series(wanted - held if is_walked else set()).items():
        held |= _held_in_series(link, {key: value for key, value in place if value is not None}, members)
    there = {ref.sop_instance_uid: ref for ref in held}
    return {ref for ref in wanted if ref in held and ref.is_at(there[ref.sop_instance_uid])}


def _held_in_series(link: Link, place: dict[str, str], members: set[InstanceRef]) -> set[InstanceRef]:
    """Which members of a series the node lists; where it ends its list early, by name."""
    unfinished = link.peer.traits.unfinished
    before = len(unfinished)
    held = find_refs(link, place) & members
    if len(unfinished) > before:
        del unfinished[before:]  # what it holds beyond these members is not asked
        held |= find_by_uid(link, sorted(ref.sop_instance_uid for ref in members - held), **place) & members
    return held


def count_series_instances(link: Link, series_instance_uids: Sequence[str]) -> dict[str, int]:
    """NumberOfSeriesRelatedInstances of each series that the node holds and counts (PS3.4 C.3.4).

    A series that is not in the answer is not held, or the node does not count.

    Raises `DimseError` if the node cannot be asked.
    """
    counts: dict[str, int] = {}
    for start in range(0, len(series_instance_uids), UIDS_PER_QUERY):
        asked = series_instance_uids[start : start + UIDS_PER_QUERY]
        keys = {"SeriesInstanceUID": "\\".join(asked)}
        for answer in find_all(link, "SERIES", keys, ("NumberOfSeriesRelatedInstances",)):
            uid, count = el.text(answer, "SeriesInstanceUID"), el.integer(answer, "NumberOfSeriesRelatedInstances")
            if uid is not None and count is not None:
                counts[uid] = count
    return counts


def find_series(link: Link, study_instance_uid: str) -> dict[str, int | None]:
    """The series of one study: SeriesNumber by SeriesInstanceUID, which every archive tells (PS3.4 table C.6-3).

    Raises `DimseError` if the node cannot be asked.
    """
    found: dict[str, int | None] = {}
    for answer in find_all(link, "SERIES", {"StudyInstanceUID": study_instance_uid}, ("SeriesNumber",)):
        uid = el.text(answer, "SeriesInstanceUID")
        if uid is not None and el.text(answer, "StudyInstanceUID") in {study_instance_uid, None}:
            found[uid] = el.integer(answer, "SeriesNumber")
    return found


def _walk_instead(
    peer: Peer, keys: Mapping[str, str], returning: Sequence[str], refusal: DimseError
) -> Iterator[Dataset]:
    """Walk a node that refused a relational query, on a new association; its refusal stands if that fails too."""
    try:
        with open_link(peer) as link:
            answers = list(_walk(link, keys, returning))
    except DimseError:
        raise refusal from None
    peer.traits.relational = False
    yield from answers


def _walk(link: Link, keys: Mapping[str, str], returning: Sequence[str]) -> Iterator[Dataset]:
    """STUDY, SERIES, IMAGE; each answer bears the UIDs above it."""
    images = {k: v for k, v in keys.items() if k not in (*_LEVEL_KEYS["STUDY"], *_LEVEL_KEYS["SERIES"])}
    for study in list(find_all(link, "STUDY", _only(keys, "STUDY"))):
        study_uid = el.text(study, "StudyInstanceUID")
        if study_uid is None:
            continue
        above = {"StudyInstanceUID": study_uid}
        for series in list(find_all(link, "SERIES", above | _only(keys, "SERIES"))):
            series_uid = el.text(series, "SeriesInstanceUID")
            if series_uid is None:
                continue
            place = above | {"SeriesInstanceUID": series_uid}
            for image in find_all(link, "IMAGE", place | images, returning):
                image.StudyInstanceUID, image.SeriesInstanceUID = study_uid, series_uid
                image.PatientID = el.text(image, "PatientID") or el.text(study, "PatientID")
                image.Modality = el.text(image, "Modality") or el.text(series, "Modality")
                yield image


def _only(keys: Mapping[str, str], level: str) -> dict[str, str]:
    return {k: v for k, v in keys.items() if k in _LEVEL_KEYS[level]}


def _understands_no_relational(link: Link) -> bool:
    """Take any one object of the node, and ask for it relationally: True when that finds nothing."""
    study = next(iter(list(link.find(query("STUDY", {}, ())))), None)
    study_uid = el.text(study, "StudyInstanceUID")
    if study_uid is None:
        return False
    images = _walk(link, {"StudyInstanceUID": study_uid}, ())
    uid = next((uid for image in list(images) if (uid := el.text(image, "SOPInstanceUID"))), None)
    return uid is not None and not list(link.find(query("IMAGE", {"SOPInstanceUID": uid}, ())))


def _by_series(refs: Iterable[InstanceRef]) -> dict[tuple[tuple[str, str | None], ...], set[InstanceRef]]:
    places: dict[tuple[tuple[str, str | None], ...], set[InstanceRef]] = {}
    for ref in refs:
        place = (
            ("PatientID", ref.patient_id),
            ("StudyInstanceUID", ref.study_instance_uid),
            ("SeriesInstanceUID", ref.series_instance_uid),
        )
        places.setdefault(place, set()).add(ref)
    return places
