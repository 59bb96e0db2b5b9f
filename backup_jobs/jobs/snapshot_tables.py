"""Bring the relational tables of the R&V system's database into the cache.

How
    One query per table, one after the other. Rows are checked before they replace anything: a row that is odd by its
    key is left out or made one with its double (`backup_jobs/rv/odd_rows.py`), and the run is PARTIAL: what that row
    told is not backed up. A table that is implausible as a whole keeps its last state, the others still come, and the
    job says which and why. All together become one snapshot (`recovery/cache/snapshot_writing.py`), unless none of them
    says anything new. One that care does not explain (`recovery/tables/flood.py`) is kept apart, and the last good one
    stays current.

Why not all of it every time
    What the database tells of changes (`backup_jobs/rv/changes.py`) says what has to be read again; once a night, from
    `[rv.database] full_at` on, everything is.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from backup_jobs.jobs.one_table import Outcome, Run, TableRefusedError, bring_up_to_date
from backup_jobs.rv.changes import Changes
from backup_jobs.rv.database import open_database
from backup_jobs.rv.database_errors import ConnectionLostError, DatabaseError
from backup_jobs.rv.odd_rows import note
from backup_jobs.rv.plan_owners import PlanOwners
from backup_jobs.rv.product import product_of
from backup_jobs.rv.queries import QueryError, change_queries, query_tables
from recovery.cache.doors import cache_of
from recovery.cache.journal import JobResult
from recovery.cache.manifests import Snapshot
from recovery.cache.snapshot_publishing import Judge
from recovery.cache.snapshot_writing import open_writer
from recovery.cache.snapshots import in_words, prune
from recovery.settings.config import Config
from recovery.settings.trust import key_or_why_not, trust_of
from recovery.tables.delivered import HISTORY_DAYS
from recovery.tables.flood import doubts, slow_doubts
from recovery.tables.relational import RELATIONAL_TABLES

log = logging.getLogger(__name__)

JOB = "snapshot_tables"

COUCH_DAYS = 60
IN_FLIGHT_DAYS = 14
SCHEDULE_DAYS = 60
PHOTO_DAYS = 180
"""As far back as the first run of all looks for patients on break; see the traps of photos.sql."""


def snapshot_tables(config: Config, now: datetime) -> JobResult:
    """Read every table of the product's queries into a new snapshot. `now` is aware.

    Raises `DatabaseError` if nothing at all can be read. The snapshot before stays the newest. Raises `CacheError` if
    the cache cannot be written. The snapshot before still stands.
    """
    if config.rv is None or config.rv.database is None:
        return JobResult(JOB, "SKIPPED", {}, message="the config has no [rv.database]")
    product = product_of(config)
    tables = product.tables()
    outcomes: dict[str, Outcome] = {}
    key, unsigned = key_or_why_not(config)
    with open_database(config) as database, open_writer(config.cache_path, now, key, trust_of(config)) as new:
        values = query_values(config, now)
        changes = Changes(config, database, values, now)
        run = Run(product, database, new, changes, PlanOwners(config), values, config.cache_path, config.guard.limits)
        for fault in new.faults:
            log.warning("read anew from the database: %s", fault)
        for reading in tables:
            try:
                outcomes[reading.schema.name] = bring_up_to_date(run, reading)
            except (DatabaseError, QueryError, TableRefusedError) as error:
                log.warning("%s", error)
                fault = "database" if isinstance(error, DatabaseError) else ""
                odd = error.odd if isinstance(error, TableRefusedError) else ()
                outcomes[reading.schema.name] = Outcome("kept", 0, 0, str(error), fault, is_partial=True, odd=odd)
                new.keep(reading.schema.name, str(error))
                if isinstance(error, ConnectionLostError):
                    break
        result = _result(outcomes, [reading.schema.name for reading in tables], database.rows_read)
        said = (result.message, unsigned, *_anew(new.faults))
        outcome = "PARTIAL" if unsigned else result.outcome
        result = replace(result, outcome=outcome, message="; ".join(part for part in said if part))
        for reading in tables[len(outcomes) :]:
            new.keep(reading.schema.name, "the connection was lost before it was asked for")
        made = new.commit(*_judges(config, now))
        if made is not None and made.manifest.quarantined:
            result = _quarantined(result, made)
        changes.save()
    note(cache_of(config), {name: one.odd for name, one in outcomes.items() if not one.fault}, now)
    prune(config.cache_path, config.cache.keep_days, trust_of(config))
    return result


def _judges(config: Config, now: datetime) -> tuple[Judge, Judge]:
    limits, today = config.guard.limits, now.astimezone(config.site.zone).date()
    return partial(doubts, limits=limits, today=today), partial(slow_doubts, limits=limits, today=today)


def _quarantined(result: JobResult, held: Snapshot) -> JobResult:
    """The result of a run whose tables are not believed: the list goes on from the last good ones."""
    log.warning("snapshot %s is quarantined: %s", held.snapshot_id, "; ".join(held.manifest.quarantined))
    counts = {**result.counts, "quarantined": 1}
    message = "; ".join(part for part in (in_words(held), result.message) if part)
    return replace(result, outcome="PARTIAL", counts=counts, message=message, fault="guard")


def _anew(faults: Sequence[str]) -> list[str]:
    return [f"read anew from the database: {fault}" for fault in faults]


def check_queries(config: Config) -> list[str]:
    """Run every query with dates that nothing falls on; returns a sentence for each that does not work.

    Raises `DatabaseError` if the database cannot be reached at all.
    """
    if config.rv is None or config.rv.database is None:
        return []
    nothing_since = datetime(2900, 1, 1, tzinfo=UTC)
    product = product_of(config)
    strange = [name for name in query_tables(product.name) if name not in RELATIONAL_TABLES]
    sentences = [f"query {name}: there is no table of this name" for name in strange]
    with open_database(config) as database:
        for reading in product.tables():
            try:
                product.query(reading)
                next(database.fetch(reading.schema.name, query_values(config, nothing_since)), None)
            except ConnectionLostError:
                raise
            except (DatabaseError, QueryError) as error:
                sentences.append(str(error))
        for name in change_queries(product.name):
            try:
                next(database.fetch(name, query_values(config, nothing_since)), None)
            except ConnectionLostError:
                raise
            except (DatabaseError, QueryError) as error:
                sentences.append(f"{error}: tables are read whole in every cycle")
    return sentences


def query_values(config: Config, now: datetime) -> Mapping[str, object]:
    """What the queries' parameters are at `now`: days begin at midnight of the site, times are naive as ARIA's."""
    today = datetime.combine(now.astimezone(config.site.zone).date(), time())
    return {
        "today": today,
        "since": today - timedelta(days=HISTORY_DAYS),
        "until": datetime.combine(date.max, time()),
        "couch_since": today - timedelta(days=COUCH_DAYS),
        "in_flight_since": today - timedelta(days=IN_FLIGHT_DAYS),
        "schedule_since": today - timedelta(days=SCHEDULE_DAYS),
        "schedule_until": today + timedelta(days=SCHEDULE_DAYS + 1),
        "photos_since": today - timedelta(days=PHOTO_DAYS),
        "photo_type": config.rv.database.photo_type if config.rv is not None and config.rv.database else "",
    }


def _result(outcomes: Mapping[str, Outcome], wanted: list[str], rows_read: int) -> JobResult:
    """Sum up. Raises `DatabaseError` if no table could be read."""
    remarks = [outcome.remark for outcome in outcomes.values() if outcome.remark]
    not_asked = [name for name in wanted if name not in outcomes]
    if not_asked:
        remarks.append(f"not asked for after that: {', '.join(not_asked)}")
    if all(outcome.fault for outcome in outcomes.values()):
        raise DatabaseError("; ".join(remarks))
    states = [outcome.state for outcome in outcomes.values()]
    counts = {
        "tables": len(wanted),
        "written": states.count("written"),
        "unchanged": states.count("unchanged"),
        "kept": states.count("kept") + len(not_asked),
        "rows": sum(outcome.rows for outcome in outcomes.values()),
        "rows_read": rows_read,
        "unreadable_values": sum(outcome.unreadable for outcome in outcomes.values()),
    }
    is_partial = any(outcome.is_partial for outcome in outcomes.values())
    fault = next((outcome.fault for outcome in outcomes.values() if outcome.fault), "")
    return JobResult(JOB, "PARTIAL" if is_partial else "OK", counts, message="; ".join(remarks), fault=fault)
