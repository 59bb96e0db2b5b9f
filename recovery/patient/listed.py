"""The list of patients as it is by now: as it was built, with the transfers that were signed since."""

from typing import Any

from recovery.cache.store import Cache
from recovery.entries.transfers import standing_at, with_transfers
from recovery.tables.schema import ON_TREATMENT


def read_list(cache: Cache) -> list[dict[str, Any]]:
    """Every row of on_treatment. Raises `TableMissingError` or `CacheError` as `Cache.read` does."""
    return with_transfers(cache.read(ON_TREATMENT), standing_at(cache.path))
