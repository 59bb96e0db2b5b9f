"""Tables of the cache that are not what was written, among those that jobs make again from the RT-PACS."""

from pathlib import Path

from recovery.cache.errors import CacheError
from recovery.cache.parquet import signed_again
from recovery.cache.store import Cache
from recovery.host.durable import replace
from recovery.host.seals import SealError, check_file
from recovery.host.table_signatures import are_signed, check_signed, note_signed, signer
from recovery.settings.trust import Trust
from recovery.tables.relational import ALL_TABLES, RELATIONAL_TABLES


def damaged_tables(cache_path: Path) -> list[str]:
    """Their names. Those of the R&V database lie in snapshots, which their manifests vouch for; parts of courses that
    rest are looked at when they are read."""
    return [path.stem for path in _files(cache_path) if _is_damaged(path)]


def damaged_parts(cache_path: Path) -> list[str]:
    """Tables of the parts of courses that rest, as `000012/treatment_records`."""
    return [f"{path.parent.parent.name}/{path.stem}" for path in _parts(cache_path) if _is_damaged(path)]


def tables_of_others(cache_path: Path, trust: Trust, *, in_parts: bool = False) -> list[str]:
    """Tables that are not damaged, and that no key of `trust` signed, of a cache whose tables the jobs sign;
    `in_parts`: of courses that rest too."""
    if not are_signed(cache_path, trust.public_keys):
        return []
    files = [*_files(cache_path), *(_parts(cache_path) if in_parts else ())]
    found = (path for path in files if not _is_damaged(path) and _is_of_others(path, trust))
    return [path.relative_to(cache_path).with_suffix("").as_posix() for path in found]


def sign_tables(cache: Cache) -> None:
    """Sign what the jobs find, once. Raises `CacheError` if it cannot be written."""
    try:
        for path in (*_files(cache.path), *_parts(cache.path)):
            if path.stem in ALL_TABLES and not _is_damaged(path):
                sign = signer(cache.signing_key, path.stem, cache.trust.site_name)
                replace(path, signed_again(path.read_bytes(), ALL_TABLES[path.stem], sign))
        note_signed(cache.path)
    except OSError as error:
        raise CacheError(f"{cache.path} cannot be written: {error}.") from error


def forget_damaged_tables(cache: Cache) -> None:
    """Delete them, and those of others where the jobs sign: what needs them makes them again."""
    for path in _files(cache.path):
        if _is_damaged(path) or (cache.signing_key is not None and _is_of_others(path, cache.trust)):
            path.unlink(missing_ok=True)


def _files(cache_path: Path) -> list[Path]:
    files = sorted((cache_path / "tables").glob("*.parquet")) + sorted(
        (cache_path / "resting/tables").glob("*.parquet")
    )
    return [path for path in files if path.stem not in RELATIONAL_TABLES]


def _parts(cache_path: Path) -> list[Path]:
    return sorted((cache_path / "resting").glob("[0-9]*/tables/*.parquet"))


def _is_of_others(path: Path, trust: Trust) -> bool:
    if path.stem not in ALL_TABLES:
        return False  # left by an earlier version: nobody reads it
    try:
        check_signed(path, trust.public_keys, trust.site_name)
    except SealError:
        return True
    except OSError:
        return False
    return False


def _is_damaged(path: Path) -> bool:
    try:
        check_file(path)
    except SealError:
        return True
    except OSError:
        return False  # whoever reads it says so
    return False
