"""The cache of a config, as jobs open it, and as it is opened for people to read."""

from datetime import datetime, timedelta

from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.settings.trust import trust_of


def cache_of(config: Config) -> Cache:
    """For jobs: its newest snapshot, or an error."""
    return Cache(config.cache_path, trust=trust_of(config))


def cache_to_show(config: Config, now: datetime) -> Cache:
    """For people: the last snapshot that verifies, none of them from the future.

    Of `now` the day alone counts, so that what was read stays known all day.
    """
    trust = trust_of(config).until(now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1))
    return Cache(config.cache_path, trust=trust, falls_back=True)


def doubts_of(cache: Cache) -> tuple[str, ...]:
    """What of the newest snapshot is not what was written, in sentences, where an older one stands in for it."""
    try:
        snapshot = cache.open_snapshot()
    except CacheError:
        return ()  # every table says itself that it cannot be read
    return snapshot.doubts if snapshot is not None else ()
