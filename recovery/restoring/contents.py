"""Whom and what to restore: the patients that are asked for, and all that the RT-PACS lists of each, in order.

How
    The RT-PACS is asked; the cache only tells which numbers are one patient's, and what a plan under treatment needs.
    Without a cache it works all the same. What lies under a number that is not the patient's is never sent with him.

Why in this order
    A structure set refers to images, a plan to its structure set, a dose and a record to the plan: receivers take a
    reference for good only when they hold what it names.
"""

from collections.abc import Iterable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.dicom import elements as el
from recovery.dicom.model import DateRange, InstanceRef
from recovery.dimse import Peer, find_images, find_refs, open_link
from recovery.dimse.finding import find_by_uid, refs_of
from recovery.identity.one_patient import newest_ids
from recovery.objects.encapsulated_pdf import SERIES_DESCRIPTION as CHARTS
from recovery.objects.modules import amended_uid
from recovery.objects.treatment_summary import SERIES_DESCRIPTION as SUMMARIES
from recovery.pacs.record_search import find_all_records, find_records
from recovery.pacs.verified_objects import chain_of
from recovery.patient.tables import PatientTables, read_tables
from recovery.tables.schema import ON_TREATMENT, TREATMENT_RECORDS
from recovery.words.statuses import NOW_TREATED

KINDS = ("images", "registrations", "structure sets", "plans", "doses", "treatment records", "documents")
"""In the order in which they are sent."""
_KIND_OF = {"REG": 1, "RTSTRUCT": 2, "SEG": 2, "RTPLAN": 3, "RTDOSE": 4, "RTRECORD": 5, "SR": 6, "DOC": 6}
_DATES = ("InstanceCreationDate", "SeriesDate")
PATIENTS_AT_ONCE = 25
"""Whose tables are read together."""
NOT_HELD = "a plan needs it, or it was a record there, and the RT-PACS lists it under none of the patient's numbers"
NOT_VOUCHED_FOR = "the R&V system has no such record, so that it is left out until a physicist signs it as a known gap"
TWINS = "the RT-PACS has several objects of this UID under the patient's numbers, and nobody knows which is the one"


@dataclass(frozen=True, slots=True)
class Belongings:
    """One patient's objects in the RT-PACS, in the order in which they go, and what cannot go and why, by UID."""

    patient_ids: tuple[str, ...]
    refs: tuple[InstanceRef, ...]
    cannot_go: dict[str, str] = field(default_factory=dict)
    copied: frozenset[str] = frozenset()
    """UIDs that another number's object bears, too, as a copy for research: whoever knows UIDs alone takes one for the
    other, so that each goes by way of this machine, which looks whose it is."""


def kind_of(ref: InstanceRef) -> int:
    """Its place in `KINDS`; whatever has no place of its own is an image."""
    return _KIND_OF.get(ref.modality or "", 0)


def patients_since(pacs: Peer, dates: DateRange | None, now: datetime, excluded: Iterable[str]) -> tuple[str, ...]:
    """Everybody of whom the RT-PACS holds a plan, a structure set or a record of these days; None: of any day.

    Raises `DimseError` if it cannot be asked.
    """
    found = find_all_records(pacs) if dates is None else find_records(pacs, dates, now)
    with open_link(pacs) as link:
        for modality in ("RTPLAN", "RTSTRUCT"):
            for key in _DATES if dates is not None else ("",):
                found = found | find_refs(link, {"Modality": modality} | ({key: str(dates)} if key else {}))
    ids = {ref.patient_id for ref in found if ref.patient_id}
    patterns = tuple(excluded)
    return tuple(sorted(i for i in ids if not any(fnmatchcase(i, pattern) for pattern in patterns)))


def one_patient_each(cache: Cache, patient_ids: Iterable[str]) -> list[tuple[str, ...]]:
    """All numbers of each of these patients, the newest first, as far as the list of patients knows them. A number that
    two patients bore is no other's."""
    newest: dict[str, str] = {}
    with suppress(CacheError):
        newest = newest_ids(cache.read(ON_TREATMENT))
    known: dict[str, list[str]] = {}
    for older, own in newest.items():
        known.setdefault(own, [own]).append(older)
    wanted = dict.fromkeys(newest.get(one, one) for one in patient_ids)
    return [tuple(dict.fromkeys(known.get(one, [one]))) for one in wanted]


def needed_by_plans(cache: Cache, patients: Sequence[tuple[str, ...]]) -> dict[str, set[str]]:
    """By newest number of a patient, what the plans under treatment need, and the treatment records that are known, by
    UID. Raises `CacheError` if the cache cannot tell."""
    needed: dict[str, set[str]] = {}
    for start in range(0, len(patients), PATIENTS_AT_ONCE):
        some = [ids[0] for ids in patients[start : start + PATIENTS_AT_ONCE]]
        tables = read_tables(cache, some)
        needed |= {patient_id: known_records(tables, patient_id) for patient_id in some}
        for row in tables.everybody:
            uid = row["referenced_rt_plan_uid"]
            if row["patient_id"] in some and row["status"] in NOW_TREATED and uid is not None:
                plan = tables.plans.get(uid)
                needed.setdefault(row["patient_id"], set()).update(
                    chain_of(plan, tables) if plan is not None else {uid}
                )
    return needed


def known_records(tables: PatientTables, patient_id: str) -> set[str]:
    """UIDs of a patient's treatment records: files that stand in for the RT-PACS may be of plans alone."""
    return {row["sop_instance_uid"] for row in tables.rows(TREATMENT_RECORDS.name, patient_id)}


def belongings(
    pacs: Peer, patient_ids: tuple[str, ...], needed: Iterable[str], aside: Set[str], *, with_charts: bool
) -> Belongings:
    """All that the RT-PACS lists of a patient. Of a record that was amended the last one alone; what this program made
    of the others (charts, summaries) only `with_charts`. Of a UID that lies twice under the patient's own numbers
    nobody knows which object is the one: it does not go, nor do records that wait for a physicist, `aside`.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    own, answers = set() if with_charts else {CHARTS, SUMMARIES}, []
    with open_link(pacs) as link:
        for patient_id in patient_ids:
            found = find_images(link, {"PatientID": patient_id, "Modality": ""}, ("SeriesDescription",))
            answers += [one for one in found if el.text(one, "SeriesDescription") not in own]
        listed = {ref for ref in refs_of(answers) if ref.patient_id in patient_ids}
        uids = {ref.sop_instance_uid for ref in listed}
        elsewhere = find_by_uid(link, uids) if link.peer.traits.relational is not False else set()
    twins = {ref.sop_instance_uid for ref in listed if ref.twins}
    copied = frozenset(ref.sop_instance_uid for ref in elsewhere if ref.twins) - twins
    refs = {ref for ref in listed if amended_uid(ref.sop_instance_uid) not in uids}
    cannot = {uid: NOT_HELD for uid in needed if uid not in uids}
    cannot |= {ref.sop_instance_uid: TWINS for ref in refs if ref.sop_instance_uid in twins}
    cannot |= dict.fromkeys(uids & aside, NOT_VOUCHED_FOR)
    ordered = sorted(
        (ref for ref in refs if ref.sop_instance_uid not in twins | aside),
        key=lambda ref: (kind_of(ref), ref.series_instance_uid or "", ref.sop_instance_uid),
    )
    return Belongings(patient_ids, tuple(ordered), cannot, copied)
