"""How old a copy is, said to whoever reads it by hand: a list of last month must not be taken for today's.

What is made from DICOM is true up to the newest proof or to its own making, whichever is older; a table of the R&V
database up to its last reading. Older than the config's grace it is said. So is a time that has not come yet: then a
clock was wrong, and nobody knows the age.
"""

from datetime import UTC, datetime, timedelta

from recovery.cache.freshness import known_since
from recovery.cache.journal import Journal
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import TableSchema
from recovery.words.times import age

AHEAD = timedelta(minutes=2)
"""Clocks of two machines differ by so much without anybody's fault."""


def true_up_to(cache: Cache, schema: TableSchema) -> datetime | None:
    """Up to when a table tells all; aware. None when no run ever proved it.

    Raises `TableMissingError` or `CacheError` as `Cache.snapshot` does.
    """
    if schema.name in RELATIONAL_TABLES:
        return known_since(cache, schema)
    return proven_up_to(cache, cache.snapshot(schema).taken_at)


def proven_up_to(cache: Cache, built_at: datetime) -> datetime | None:
    """Up to when everything is in the RT-PACS and in the list; aware. None when no run ever told.

    The start of the last run that asked both sides for records to the end, or the list's own time where that is older.
    """
    told = _proofs(cache)
    before = [at for at in told if at <= built_at]  # one that comes later was proven after, or by a clock ahead
    return max(before) if before else built_at if told else None


def newest_proof(cache: Cache) -> datetime | None:
    """When the last run began that asked both sides for records to the end, as its clock said, which may have been
    ahead; aware. None when no run ever told."""
    return next(reversed(_proofs(cache)), None)


def _proofs(cache: Cache) -> list[datetime]:
    """When each run began that asked both sides for records to the end, in the order in which they ran."""
    try:
        return [run.started_at for run in Journal(cache.path).runs() if run.tells_of_records]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def age_in_words(as_of: datetime | None, now: datetime, config: Config, what: str) -> str:
    """A sentence about the age of `what` ("this table"), both times aware; empty within the grace."""
    if as_of is None:
        return f"Nothing is proven: no run is known that asked both sides. Nobody knows how old {what} is."
    elapsed, local = now.astimezone(UTC) - as_of.astimezone(UTC), as_of.astimezone(config.site.zone)
    if elapsed < -AHEAD:
        return (
            f"The copy is of {local:%Y-%m-%d %H:%M}, which has not come yet: a clock is wrong, and its age is unknown."
        )
    if elapsed <= config.schedule.grace:
        return ""
    return f"The copy is {age(elapsed)} old: what happened after {local:%Y-%m-%d %H:%M} is not in {what}."
