"""What the jobs of one run share: the cache's content, and what was asked just now."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from recovery.cache.damages import damaged_tables
from recovery.cache.store import Cache, CacheError, TableMissingError
from recovery.course.counts import CourseCounts
from recovery.dicom.model import DateRange, InstanceRef
from recovery.pacs.collection import Collection
from recovery.pacs.holdings import Holdings

if TYPE_CHECKING:
    from recovery.cache.memory import Memory
    from recovery.settings.config import Config
    from recovery.tables.schema import TableSchema

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Workspace:
    """What the jobs of one run share: the cache's content, and what was asked just now."""

    config: Config
    now: datetime
    cache: Cache
    memory: Memory
    collection: Collection
    holdings: Holdings
    held_records: set[InstanceRef] | None = None
    """Records that the RT-PACS said in this run that it holds; None when it was not asked yet."""
    records_were_asked: bool = False
    """Whether this run has asked for the records known before by name."""
    delivered_plans: frozenset[str] = frozenset()
    """Plans that the R&V database's deliveries of this run name, where records are made of them."""
    relational: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Relational tables, each read from the cache once a run, all of one snapshot."""
    pinned: Cache | None = None
    counted: CourseCounts = field(default_factory=CourseCounts)
    booked: tuple[list[dict[str, Any]], dict[str, datetime]] | None = None
    """The rows of the schedule, and what they say of the next appointments."""
    refused: list[str] = field(default_factory=list)
    """What was sent here in this job and nobody had asked for, in words."""
    damaged: list[str] = field(default_factory=list)
    """Tables of the cache that were not what was written when this run began: they are made again."""
    unreadable_tables: list[str] = field(default_factory=list)
    """Relational tables that are there and cannot be read: the list lacks what they say."""

    @property
    def local_now(self) -> datetime:
        """Now, naive, local to the site, as treatment times are."""
        return self.now.astimezone(self.config.site.zone).replace(tzinfo=None)

    def keep(self) -> None:
        """Write what was learnt so far, as well as the cache allows: for a run that is stopped."""
        with suppress(CacheError):
            self.collection.save(self.cache, self.now)
        self.memory.save()

    def window(self, days_back: int) -> DateRange:
        """The last days, and one more on either side: a clock that is ahead, or a date that is written in another zone,
        must not hide a record of them."""
        today = self.local_now.date()
        return DateRange(today - timedelta(days=days_back + 1), today + timedelta(days=1))


def open_workspace(config: Config, memory: Memory, now: datetime) -> Workspace:
    """Load what the cache has; what is not there, or is damaged, is read again."""
    cache = Cache(config.cache_path)
    damaged = damaged_tables(config.cache_path)
    if damaged:
        log.warning("damaged, and made again from the RT-PACS: %s", ", ".join(damaged))
        memory.forget("chain ")
    collection = Collection.load(cache, config.site.zone)
    return Workspace(config, now, cache, memory, collection, Holdings.load(cache), damaged=damaged)


def relational_rows(space: Workspace, schema: TableSchema) -> list[dict[str, Any]]:
    """A relational table's rows; none where there is no database, or its table cannot be read."""
    if schema.name not in space.relational:
        try:
            space.pinned = (space.pinned if space.relational else None) or space.cache.pin()
            space.relational[schema.name] = space.pinned.read(schema)
        except CacheError as error:
            is_missing = isinstance(error, TableMissingError)
            log.log(logging.DEBUG if is_missing else logging.WARNING, "no table %s: %s", schema.name, error)
            space.relational[schema.name] = []
            if not is_missing and schema.name not in space.unreadable_tables:
                space.unreadable_tables.append(schema.name)
    return space.relational[schema.name]
