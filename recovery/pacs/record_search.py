"""Find treatment records on a node: those of a window of days, those of patients, all.

How
    Three dates, each asked on its own and joined: InstanceCreationDate, SeriesDate, TreatmentDate. A date that lately
    found nothing that the others had not is asked of the window again after an hour; in every run of the newest days
    alone, and where that costs much not at all. Where the node holds little beyond the window, the rest is listed and
    only that is asked for the other dates.

Why all of Modality RTRECORD
    The SOP class would tell RT Treatment Summary Records apart, and costs an archive a file per answer. They are
    backed up like the rest, and are told apart when they are read. Those that this software stores in the RT-PACS
    are many, and are known by their SeriesDescription where the RT-PACS tells it.

Why three
    TreatmentDate is type 2: a record may come without, and a date query then misses it. Archives such as Orthanc
    index the other two, and open every stored record to look up a TreatmentDate.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom import Dataset

from recovery.cache.memory import HOUR
from recovery.dicom import elements as el
from recovery.dicom.model import DateRange, InstanceRef, distinct
from recovery.dimse import Link, Peer, find_images, find_refs, open_link
from recovery.dimse.finding import refs_of
from recovery.dimse.query.identifiers import UIDS_PER_QUERY
from recovery.objects.treatment_summary import SERIES_DESCRIPTION as SUMMARIES

log = logging.getLogger(__name__)

DATES = ("InstanceCreationDate", "SeriesDate", "TreatmentDate")
CHEAP = 0.25
"""Seconds. A question that took no longer is asked in every run, be it of the newest days alone."""

NEWEST = timedelta(days=2)
"""Before a window's last day, which is tomorrow."""

EVERYTHING = "everything"
"""Under which name it stands when a node was found to hold too much to list all of it."""

PATIENTS_PER_QUERY = 50


@dataclass(frozen=True, slots=True)
class Search:
    """Records of the days asked for and, where it was quickest to list all that the node holds, those too."""

    records: set[InstanceRef]
    everything: set[InstanceRef] | None = None


def find_records(peer: Peer, dates: DateRange, now: datetime, keywords: Sequence[str] = DATES) -> set[InstanceRef]:
    """The node's treatment records of `dates`, by any of their dates, or by those of `keywords`.

    Raises `DimseError` if the node cannot be asked.
    """
    return search_records(peer, dates, now, keywords).records


def search_records(peer: Peer, dates: DateRange, now: datetime, keywords: Sequence[str] = DATES) -> Search:
    """As `find_records`, and what else was learnt on the way. Raises `DimseError` if the node cannot be asked."""
    traits, started = peer.traits, time.monotonic()
    order = sorted(keywords, key=lambda keyword: -traits.asked.get(keyword, [0, 0, 0])[2])
    with open_link(peer) as link:
        if traits.relational is False or set(DATES) <= set(traits.ignored_keys):
            everything = refs_of(_records(link, {"Modality": "RTRECORD"}))
            return Search(everything, everything)
        usable = [k for k in order if k not in traits.ignored_keys] or order
        due = [k for k in usable if _is_due(peer, k, now)] or usable[:1]
        found = _by_date(link, due[0], dates, None)
        _note(peer, due[0], now, started, len(found))
        started = time.monotonic()
        is_listable = "IMAGE" not in traits.limits and _is_for_the_window(peer, EVERYTHING, now)
        rest = _everything_else(link, found) if len(due) > 1 and is_listable else None
    if len(due) > 1 and is_listable and rest is None:
        _note(peer, EVERYTHING, now, started, 0)
    newest = DateRange(max(dates.first, dates.last - NEWEST), dates.last)
    for keyword in due[1:]:
        is_put_off = not _is_for_the_window(peer, keyword, now)
        with open_link(peer) as link:
            more = _by_date(link, keyword, newest, rest) if is_put_off else set()
            if not (is_put_off and more <= found):
                more = _by_date(link, keyword, dates, rest)
                _note(peer, keyword, now, started, len(more - found))
        found = distinct([*found, *more])
    return Search(found, None if rest is None else found | rest)


def _by_date(link: Link, keyword: str, dates: DateRange, among: set[InstanceRef] | None) -> set[InstanceRef]:
    """Records whose `keyword` lies in `dates`: of all that the node holds, or only `among` these."""
    answers: list[Dataset] = []
    if among is None:
        answers += _records(link, {"Modality": "RTRECORD", keyword: str(dates)}, keyword)
    else:
        uids = sorted(ref.sop_instance_uid for ref in among)
        for start in range(0, len(uids), UIDS_PER_QUERY):
            listed = "\\".join(uids[start : start + UIDS_PER_QUERY])
            answers += find_images(link, {"SOPInstanceUID": listed, keyword: str(dates)}, (keyword,))
    if _was_ignored(answers, keyword, dates):
        log.info("%s does not match by %s", link.peer.remote, keyword)
        link.peer.traits.ignored_keys.append(keyword)
    return refs_of(answers)


def _note(peer: Peer, keyword: str, now: datetime, started: float, found: int) -> None:
    """Remember when a date was asked for, what that cost since `started`, and how many it alone found."""
    peer.traits.asked[keyword] = [now.timestamp(), time.monotonic() - started, found]


def _everything_else(link: Link, found: set[InstanceRef]) -> set[InstanceRef] | None:
    """Every record that the node holds beyond `found`; None as soon as there are many, and the link is given up.

    Where a node holds little else, looking at the rest is quicker than asking it for every other date.
    """
    most = 2 * len(found) + 500
    seen: list[Dataset] = []
    for answer in _records(link, {"Modality": "RTRECORD"}):
        seen.append(answer)
        if len(seen) > most:
            link.abort()
            return None
    return refs_of(seen) - found


def find_records_of_patients(peer: Peer, patient_ids: Sequence[str]) -> set[InstanceRef]:
    """All treatment records of these patients, however old, and whatever their dates say.

    Raises `DimseError` if the node cannot be asked.
    """
    return find_objects_of_patients(peer, patient_ids, "RTRECORD")


def find_objects_of_patients(peer: Peer, patient_ids: Sequence[str], modality: str) -> set[InstanceRef]:
    """All objects of one modality of these patients. Many patients are asked for in one list where the node takes one.

    Raises `DimseError` if the node cannot be asked.
    """
    found: set[InstanceRef] = set()
    with open_link(peer) as link:
        for start in range(0, len(patient_ids), PATIENTS_PER_QUERY):
            more = _of_patients(link, patient_ids[start : start + PATIENTS_PER_QUERY], modality)
            found = distinct([*found, *more])
    return found


def _of_patients(link: Link, patient_ids: Sequence[str], modality: str) -> set[InstanceRef]:
    """In one question where the node takes lists of PatientIDs (the standard does not ask that of it), else one each.

    An id with a wildcard in it finds others too; they are dropped. Answers of one patient alone do not show that a
    node takes lists: it may have matched by the first value.
    """
    traits = link.peer.traits
    if len(patient_ids) > 1 and traits.relational is not False and traits.patient_lists is not False:
        keys = {"Modality": modality, "PatientID": "\\".join(patient_ids)}
        if traits.patient_lists is None and len({ref.patient_id for ref in find_refs(link, keys)}) > 1:
            traits.patient_lists = True  # and now it is asked to the end
        if traits.patient_lists:
            return {ref for ref in find_refs(link, keys) if ref.patient_id in set(patient_ids)}
    found: set[InstanceRef] = set()
    for patient_id in patient_ids:
        refs = find_refs(link, {"Modality": modality, "PatientID": patient_id})
        found = distinct([*found, *(ref for ref in refs if ref.patient_id in {None, patient_id})])
    if len({ref.patient_id for ref in found}) > 1:
        traits.patient_lists = False
    return found


def find_all_records(peer: Peer) -> set[InstanceRef]:
    """Every treatment record that the node holds: for a rebuild, and for a node that knows no dates.

    Raises `DimseError` if the node cannot be asked.
    """
    with open_link(peer) as link:
        return refs_of(_records(link, {"Modality": "RTRECORD"}))


def _records(link: Link, keys: Mapping[str, str], *returning: str) -> Iterator[Dataset]:
    """What matches, without the summaries that this software stored in the RT-PACS, where it tells them apart.

    An archive indexes SeriesDescription: asking for it costs no file. One that does not tell it gives the summaries
    too, and they are passed over when they are read.
    """
    described = ("SeriesDescription",) if link.peer.role == "pacs" else ()
    for answer in find_images(link, keys, (*returning, *described)):
        if el.text(answer, "SeriesDescription") != SUMMARIES:
            yield answer


def _is_due(peer: Peer, keyword: str, now: datetime) -> bool:
    """The leading date always; another when it is cheap, or to be asked of the whole window."""
    last = peer.traits.asked.get(keyword)
    return (last is not None and last[1] <= CHEAP) or _is_for_the_window(peer, keyword, now)


def _is_for_the_window(peer: Peer, keyword: str, now: datetime) -> bool:
    """Whether it was not asked yet, found something of its own, or was asked an hour ago."""
    asked_at, _, found = peer.traits.asked.get(keyword, (-HOUR, 0, 0))
    return found > 0 or not 0 <= now.timestamp() - asked_at < HOUR


def _was_ignored(answers: Sequence[Dataset], keyword: str, dates: DateRange) -> bool:
    """Whether the node answered with objects of other days: it knows the key, and does not match by it.

    A day more or less says nothing: a node may match in its own zone and answer in that of the object.
    """
    near = DateRange(dates.first - timedelta(days=1), dates.last + timedelta(days=1))
    days = [day for answer in answers if (day := el.day(answer, keyword)) is not None]
    return any(day not in near for day in days)
