"""What can be wrong with the cache, in words that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recovery.words.refusals import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from recovery.cache.manifests import ManifestError
    from recovery.tables.schema import TableSchema


class CacheError(RefusedError, OSError):
    """The cache cannot be read or written. Its text says which file, why, and what to do."""


class TableMissingError(CacheError):
    """The table was never written."""


class TableDamagedError(CacheError):
    """A table, or the snapshot that it belongs to, is not what was written. A job makes it again by itself."""


def missing(schema: TableSchema, path: Path) -> TableMissingError:
    return TableMissingError(
        f"No table {schema.name} in {path.parent.parent}. Run `python -m backup_jobs cycle` once, "
        "or `python -m recovery rebuild` while the R&V system is down."
    )


def unusable(what: str, error: ManifestError) -> TableDamagedError:
    return TableDamagedError(
        f"{what} cannot be used: {error}. Run `python -m backup_jobs snapshot_tables`, which makes a new one, "
        "or `python -m recovery rebuild` while the R&V system is down."
    )


def damaged(path: Path, error: Exception) -> TableDamagedError:
    return TableDamagedError(
        f"{path} cannot be read: {str(error).rstrip('.')}. The next `python -m backup_jobs cycle` makes it again from "
        "the RT-PACS; so does `python -m recovery rebuild`."
    )
