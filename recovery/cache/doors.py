"""The cache of a config, as jobs open it, and as it is opened for people to read."""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from recovery.cache.damages import sign_tables, tables_of_others
from recovery.cache.errors import CacheError
from recovery.cache.manifests import ManifestError, current_id, load_snapshot
from recovery.cache.snapshots import snapshot_ids
from recovery.cache.store import Cache
from recovery.host.keys import public_key_of
from recovery.host.table_signatures import are_signed
from recovery.settings.config import Config
from recovery.settings.trust import Trust, key_or_why_not, trust_of

_FORGED = (
    "Somebody else than the jobs wrote what is shown here ({}), or they could not sign it, which Backup health then "
    "says: no key of the config did. Treat by paper or another copy until a cycle has made it again from the RT-PACS."
)
_OTHER_KEY = (
    "what this run wrote is not signed, and whoever reads refuses it: [signing] public_keys does not name the jobs' key"
)


def cache_of(config: Config) -> Cache:
    """For jobs: its newest snapshot, or an error; and tables that they signed, once they sign them."""
    trust = trust_of(config)
    is_strict = are_signed(config.cache_path, trust.public_keys) and not why_no_signature(config)
    return Cache(config.cache_path, trust=trust, signing_key=config.signing_key_path if is_strict else None)


def sign_what_is_there(config: Config) -> None:
    """Where there is a key, and the tables of the cache were never signed, they are now; as `sign_tables`."""
    trust, key = trust_of(config), config.signing_key_path
    if trust.public_keys and not are_signed(config.cache_path, trust.public_keys) and not why_no_signature(config):
        sign_tables(Cache(config.cache_path, trust=trust, signing_key=key))


def why_no_signature(config: Config) -> str:
    """What to say where the config names keys, and the jobs cannot sign so that these believe it; else empty."""
    if not config.signing.public_keys:
        return ""
    key, why = key_or_why_not(config)
    if key is None:
        return why
    return "" if public_key_of(key) in config.signing.public_keys else _OTHER_KEY


def cache_to_show(config: Config, now: datetime) -> Cache:
    """For people: the last snapshot that verifies, none of them from the future.

    Of `now` the day alone counts, so that what was read stays known all day.
    """
    trust = trust_of(config).until(now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1))
    return Cache(config.cache_path, trust=trust, falls_back=True)


def doubts_of(cache: Cache) -> tuple[str, ...]:
    """What of the newest snapshot is not what was written, in sentences, where an older one stands in for it; and which
    of the list's own tables the jobs did not sign."""
    forged = tables_of_others(cache.path, cache.trust)
    said = (_FORGED.format(", ".join(name.rpartition("/")[2] for name in forged)),) if forged else ()
    try:
        snapshot = cache.open_snapshot()
    except CacheError:
        return said  # every table says itself that it cannot be read
    return (*said, *snapshot.doubts, *passed_over(cache.path, cache.trust)) if snapshot is not None else said


def passed_over(cache_path: Path, trust: Trust) -> list[str]:
    """That a snapshot is newer than the one that is named the newest, and no clock that was ahead made it before."""
    try:
        newest = current_id(cache_path)
    except ManifestError:
        return []  # whoever opens the newest says so
    newer = tuple(one for one in snapshot_ids(cache_path) if newest is not None and one[:16] > newest[:16])
    return _passed_over(cache_path, newest, newer, trust) if newest is not None and newer else []


@lru_cache(maxsize=8)
def _passed_over(cache_path: Path, newest: str, newer: tuple[str, ...], trust: Trust) -> list[str]:
    believed, made_before, at = [], set[str](), newest
    for snapshot_id in newer:
        with suppress(ManifestError):
            if not load_snapshot(cache_path, snapshot_id, trust).manifest.quarantined:
                believed.append(snapshot_id)
    with suppress(ManifestError):
        while believed and (before := load_snapshot(cache_path, at).manifest.before) is not None:
            at = before.snapshot_id
            made_before.add(at)
    return [
        f"The snapshot {newest} of the R&V database's tables is named the newest, and {one} is newer: a run was "
        "killed, or somebody put an older state in its place. The next cycle makes a new one."
        for one in believed[-1:]
        if one not in made_before
    ]
