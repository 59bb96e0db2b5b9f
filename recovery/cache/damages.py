"""Tables of the cache that are not what was written, among those that jobs make again from the RT-PACS."""

from pathlib import Path

from recovery.host.seals import SealError, check_file
from recovery.tables.relational import RELATIONAL_TABLES


def damaged_tables(cache_path: Path) -> list[str]:
    """Their names. Those of the R&V database lie in snapshots, which their manifests vouch for; parts of courses that
    rest are looked at when they are read."""
    return [path.stem for path in _files(cache_path) if _is_damaged(path)]


def damaged_parts(cache_path: Path) -> list[str]:
    """Tables of the parts of courses that rest, as `000012/treatment_records`."""
    files = sorted((cache_path / "resting").glob("[0-9]*/tables/*.parquet"))
    return [f"{path.parent.parent.name}/{path.stem}" for path in files if _is_damaged(path)]


def forget_damaged_tables(cache_path: Path) -> None:
    """Delete them: what needs them makes them again."""
    for path in _files(cache_path):
        if _is_damaged(path):
            path.unlink(missing_ok=True)


def _files(cache_path: Path) -> list[Path]:
    files = sorted((cache_path / "tables").glob("*.parquet")) + sorted(
        (cache_path / "resting/tables").glob("*.parquet")
    )
    return [path for path in files if path.stem not in RELATIONAL_TABLES]


def _is_damaged(path: Path) -> bool:
    try:
        check_file(path)
    except SealError:
        return True
    except OSError:
        return False  # whoever reads it says so
    return False
