"""What the jobs of one run share: the cache's content, and what was asked just now."""

import logging
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from recovery.cache.damages import damaged_tables, tables_of_others
from recovery.cache.doors import cache_of, sign_what_is_there
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.dicom.model import DateRange, InstanceRef
from recovery.pacs.collection import Collection
from recovery.pacs.doubted_records import DoubtedRecords
from recovery.pacs.holdings import Holdings
from recovery.pacs.resting import Resting
from recovery.settings.config import Config
from recovery.tables.schema import TableSchema

log = logging.getLogger(__name__)

Made = TypeVar("Made")

MOST_REFUSED = 5


class RelationalTables:
    """What the R&V database told, as the cache has it: each table is read once a run, all of one snapshot."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.forget()

    def forget(self) -> None:
        """The cache has other tables now."""
        self._pinned: Cache | None = None
        self._made: dict[str, Any] = {}
        self.unreadable: set[str] = set()
        """Tables that are there and cannot be read: the list lacks what they say."""

    def once(self, what: str, make: Callable[[], Made]) -> Made:
        """What `make` makes of these tables, made once until they are forgotten."""
        if what not in self._made:
            self._made[what] = make()
        made: Made = self._made[what]
        return made

    def rows(self, schema: TableSchema) -> list[dict[str, Any]]:
        """A table's rows; none where there is no database, or its table cannot be read."""
        return self.once(schema.name, lambda: self._read(schema))

    def _read(self, schema: TableSchema) -> list[dict[str, Any]]:
        try:
            self._pinned = self._pinned or self._cache.pin()
            return self._pinned.read(schema)
        except TableMissingError as error:
            log.debug("no table %s: %s", schema.name, error)
        except CacheError as error:
            log.warning("no table %s: %s", schema.name, error)
            self.unreadable.add(schema.name)
        return []


@dataclass(slots=True)
class Workspace:
    """What the jobs of one run share: the cache's content, and what was asked just now."""

    config: Config
    now: datetime
    cache: Cache
    memory: Memory
    collection: Collection
    holdings: Holdings
    held_records: Set[InstanceRef] | None = None
    """Records that the RT-PACS said in this run that it holds; None when it was not asked yet."""
    refused: list[str] = field(default_factory=list)
    """What was sent here in this job and nobody had asked for, in words."""
    damaged: tuple[str, ...] = ()
    """Tables of the cache that were not what was written when this run began: they are made again."""
    doubted: DoubtedRecords = field(default_factory=DoubtedRecords)
    tables: RelationalTables = field(init=False)
    resting: Resting = field(init=False)

    def __post_init__(self) -> None:
        self.tables = RelationalTables(self.cache)
        self.resting = Resting(self.cache, self.collection, self.holdings)

    @property
    def local_now(self) -> datetime:
        """Now, naive, local to the site, as treatment times are."""
        return self.now.astimezone(self.config.site.zone).replace(tzinfo=None)

    def note_held(self, refs: Set[InstanceRef]) -> None:
        """The RT-PACS said in this run that it holds these treatment records."""
        self.held_records = refs | (self.held_records or set())

    def note_refused(self, said: str) -> None:
        """Somebody sent what nobody had asked for; the first few are told."""
        if said not in self.refused and len(self.refused) < MOST_REFUSED:
            self.refused.append(said)

    @contextmanager
    def one_job(self) -> Iterator[None]:
        """What is of one job alone begins anew; that of a job in whose midst this one runs comes back at the end."""
        unfinished, refused = self.memory.begin_job(), self.refused
        self.refused = []
        try:
            yield
        finally:
            self.memory.resume_job(unfinished)
            self.refused = refused

    def keep(self) -> None:
        """Write what was learnt so far, as well as the cache allows: for a run that is stopped."""
        with suppress(CacheError):
            self.save()
        self.memory.save()

    def save(self) -> None:
        """Write what changed of what is known of objects; CacheError if that cannot be."""
        self.resting.write(self.resting.plan(None), self.now)

    def window(self, days_back: int) -> DateRange:
        """The last days, and one more on either side: a clock that is ahead, or a date that is written in another zone,
        must not hide a record of them."""
        today = self.local_now.date()
        return DateRange(today - timedelta(days=days_back + 1), today + timedelta(days=1))


def bare_workspace(config: Config, memory: Memory, now: datetime) -> Workspace:
    """For who needs nothing of what the cache has, but which records are not to be counted."""
    cache = cache_of(config)
    doubted = DoubtedRecords.load(cache)
    return Workspace(config, now, cache, memory, Collection(config.site.zone), Holdings(), doubted=doubted)


def open_workspace(config: Config, memory: Memory, now: datetime) -> Workspace:
    """Load what the cache has; what is not there, or is damaged, is read again."""
    sign_what_is_there(config)
    cache = cache_of(config)
    others = tables_of_others(config.cache_path, cache.trust) if cache.signing_key is not None else ()
    damaged = (*damaged_tables(config.cache_path), *others)
    if damaged:
        log.warning("damaged, and made again from the RT-PACS: %s", ", ".join(damaged))
        memory.forget("chain ")
    collection, holdings = Collection.load(cache.active, config.site.zone), Holdings.load(cache.active)
    doubted = DoubtedRecords.load(cache)
    space = Workspace(config, now, cache, memory, collection, holdings, damaged=damaged, doubted=doubted)
    space.resting.load()
    space.resting.take_turn(memory.runs)
    return space


def relational_rows(space: Workspace, schema: TableSchema) -> list[dict[str, Any]]:
    """A relational table's rows, as this run has them."""
    return space.tables.rows(schema)
