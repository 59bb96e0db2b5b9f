"""What was read from the RT-PACS so far: records, plans and structure sets, kept in the cache.

Four tables, loaded into dataclasses at the start of a job and written at its end where they changed. DICOM objects
never change under their SOP Instance UID (PS3.3 C.12.1.1.1), so what was parsed once stays true. Courses that nobody
treats any more rest apart (`resting`): they are loaded when somebody names them, and in turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from datetime import datetime, tzinfo
from itertools import chain
from typing import Any

from pydicom import Dataset

from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.store import Cache
from recovery.dicom.model import TREATMENT_RECORD_CLASSES, InstanceRef
from recovery.dicom.plans import ImageSeries, Plan, StructureSet
from recovery.dicom.records import TreatmentRecord
from recovery.tables.object_rows import (
    image_series_of_rows,
    image_series_row,
    plan_row,
    plans_of_rows,
    record_rows,
    records_of_rows,
    structure_set_row,
    structure_sets_of_rows,
)
from recovery.tables.schema import IMAGE_SERIES, RT_PLANS, STRUCTURE_SETS, TREATMENT_RECORDS, Row, TableSchema

log = logging.getLogger(__name__)

SOURCE = "RT-PACS"
IN_PART = "RT-PACS, not all of it yet"
"""The source of a table of records that a run left before it had read all that the RT-PACS holds."""


IN_ORDER = (TREATMENT_RECORDS, RT_PLANS, STRUCTURE_SETS, IMAGE_SERIES)
_ROWS: tuple[Callable[[Any], Iterable[Row]], ...] = (
    record_rows,
    lambda plan: (plan_row(plan),),
    lambda structure_set: (structure_set_row(structure_set),),
    lambda series: (image_series_row(series),),
)


class Collection:
    """Records, plans and structure sets by SOP Instance UID. `zone`: the site's, for times written in another.

    `has_all_records` is False until the RT-PACS was asked for every record that it holds, however old: after a damage,
    what a window brings must not be taken for all there is.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.has_all_records = False
        self.was_asked_for_all = False
        """In this run; some of them could not be read."""
        self.records: dict[str, TreatmentRecord] = {}
        self.plans: dict[str, Plan] = {}
        self.structure_sets: dict[str, StructureSet] = {}
        self.image_series: dict[str, ImageSeries] = {}
        """Series that nobody named by their slices, by SeriesInstanceUID, as sources and RT-PACS listed them."""
        self.knows_listings = False
        """Whether what sources listed in earlier runs is known."""
        self.unread: list[str] = []
        """Tables that could not be read when this was loaded."""
        self._changed: set[str] = set()
        self._met: set[str | None] = set()

    def add(self, ds: Dataset) -> None:
        """Take in an object from the RT-PACS; one that is neither record, plan nor structure set is passed over.

        Raises `InvalidObjectError` if it has no SOPInstanceUID.
        """
        ref = InstanceRef.from_dataset(ds)
        if ref.sop_class_uid in TREATMENT_RECORD_CLASSES:
            self.records[ref.sop_instance_uid] = TreatmentRecord.from_dataset(ds, self.zone)
            self._met.add(self.records[ref.sop_instance_uid].referenced_rt_plan_uid)
            self._changed.add(TREATMENT_RECORDS.name)
        elif ref.modality == "RTPLAN" or "FractionGroupSequence" in ds:
            plan = self.plans[ref.sop_instance_uid] = Plan.from_dataset(ds)
            self._met.update((ref.sop_instance_uid, *plan.predecessor_uids, *plan.structure_set_uids))
            self._changed.add(RT_PLANS.name)
        elif ref.modality == "RTSTRUCT":
            self.structure_sets[ref.sop_instance_uid] = StructureSet.from_dataset(ds)
            self._met.add(ref.sop_instance_uid)
            self._changed.add(STRUCTURE_SETS.name)
        self._met.add(ref.patient_id)

    def take_met(self) -> set[str | None]:
        """Patients, plans and structure sets that objects named which came since this was last asked."""
        met, self._met = self._met, set()
        return met

    def join(self, other: Collection) -> None:
        """Take in what was read before; what is known here stays as it is."""
        for own, more in zip(self._tables(), other._tables(), strict=True):
            for uid, one in more.items():
                own.setdefault(uid, one)

    def take_in(self, read: Collection) -> None:
        """Take in what a worker read, as if it had been read here."""
        for own, more in zip(self._tables(), read._tables(), strict=True):
            own.update(more)
        self._changed |= read._changed
        self._met |= read._met

    def only(self, uids: Set[str], before: Collection | None) -> Collection:
        """The objects among `uids`; `before`: as they were written."""
        chosen = Collection(self.zone)
        chosen.has_all_records = True
        for schema, own, picked in zip(IN_ORDER, self._tables(), chosen._tables(), strict=True):
            picked.update((uid, one) for uid, one in own.items() if uid in uids)
            if before is None or picked != before._tables()[IN_ORDER.index(schema)]:
                chosen._changed.add(schema.name)
        return chosen

    @property
    def is_saved(self) -> bool:
        return not self._changed

    def _tables(self) -> tuple[dict[str, Any], ...]:
        return self.records, self.plans, self.structure_sets, self.image_series

    def list_series(self, found: ImageSeries) -> None:
        """Take in a listing of an image series; what earlier ones told of it stays."""
        known = self.image_series.get(found.series_instance_uid)
        joined = known.joined(found) if known is not None else found
        if joined != known:
            self.image_series[found.series_instance_uid] = joined
            self._changed.add(IMAGE_SERIES.name)

    def __contains__(self, uid: object) -> bool:
        return uid in self.records or uid in self.plans or uid in self.structure_sets

    @classmethod
    def load(cls, cache: Cache, zone: tzinfo) -> Collection:
        """Read what the cache has; a table that is absent, damaged or of another version starts empty.

        So do records whose times were made local to another zone than `zone`, before the config was corrected.
        """
        collection = cls(zone)
        source = _source_of_records(cache)
        if source is not None and not source.endswith(_in_zone(zone)):
            collection.unread.append(TREATMENT_RECORDS.name)
        else:
            collection.has_all_records = source is not None and not source.startswith(IN_PART)
            collection.records = {
                r.ref.sop_instance_uid: r for r in records_of_rows(collection._rows(cache, TREATMENT_RECORDS))
            }
        collection.plans = {p.ref.sop_instance_uid: p for p in plans_of_rows(collection._rows(cache, RT_PLANS))}
        collection.structure_sets = {
            s.ref.sop_instance_uid: s for s in structure_sets_of_rows(collection._rows(cache, STRUCTURE_SETS))
        }
        collection.load_listings(cache)
        return collection

    def load_listings(self, cache: Cache) -> None:
        """Read which image series were listed, and by sources too, which are not asked for what they listed today."""
        self.image_series = {s.series_instance_uid: s for s in image_series_of_rows(self._rows(cache, IMAGE_SERIES))}
        self.knows_listings = bool(self.image_series)

    def save(self, cache: Cache, now: datetime, *, without: Set[str] = frozenset(), anew: bool = False) -> None:
        """Write the tables that changed since they were loaded, or all `anew`; what is `without` lies elsewhere.

        Raises `CacheError` if one cannot be written; those before it still stand.
        """
        for schema, own, rows_of in zip(IN_ORDER, self._tables(), _ROWS, strict=True):
            if anew or schema.name in self._changed:
                source = SOURCE
                if schema is TREATMENT_RECORDS:
                    source = f"{SOURCE if self.has_all_records else IN_PART}{_in_zone(self.zone)}"
                rows = chain.from_iterable(rows_of(one) for uid, one in sorted(own.items()) if uid not in without)
                cache.write(schema, rows, taken_at=now, source=source)
                self._changed.discard(schema.name)

    def _rows(self, cache: Cache, schema: TableSchema) -> list[dict[str, Any]]:
        try:
            return cache.read(schema)
        except CacheError as error:
            if not isinstance(error, TableMissingError):  # a first run, and a rebuild, begin with none
                log.info("table %s starts anew: %s", schema.name, error)
            self.unread.append(schema.name)
            return []

    def known_otherwise(self, read: Collection) -> set[str]:
        """What was read again, and says something else than what is known of it."""
        tables = zip(self._tables(), read._tables(), strict=True)
        return {uid for own, again in tables for uid, one in again.items() if own.get(uid, one) != one}

    def leave_out(self, uids: Iterable[str]) -> None:
        """These are not to be counted, or are read again."""
        for schema, own in zip(IN_ORDER, self._tables(), strict=True):
            gone = [uid for uid in uids if own.pop(uid, None) is not None]
            self._changed |= {schema.name} if gone else set()

    def note_lacking(self) -> None:
        """A record that was known before cannot be read again: the next run asks for all."""
        self.has_all_records = False
        self._changed.add(TREATMENT_RECORDS.name)

    def note_all_records(self) -> None:
        """The RT-PACS was asked for every record, and what it gave is here."""
        if not self.has_all_records:
            self.has_all_records = True
            self._changed.add(TREATMENT_RECORDS.name)


def _source_of_records(cache: Cache) -> str | None:
    with suppress(CacheError):
        return cache.snapshot(TREATMENT_RECORDS).source
    return None


def _in_zone(zone: tzinfo) -> str:
    return f", times of {zone}"
