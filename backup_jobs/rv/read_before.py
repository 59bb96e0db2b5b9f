"""What is remembered of tables that were read, to spare the next run a reading: a file that may be deleted."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from backup_jobs.rv.table_readings import TableRows
from recovery.host.seals import unsealed_json, write_json
from recovery.settings.config import Config

log = logging.getLogger(__name__)

FILE = "read_before.json"


@dataclass(frozen=True, slots=True)
class ReadBefore:
    """What a table was made of when it was last read: its files in the cache, how it was read, and when whole.

    `sources`: what the database told of its tables; `days`: of each day, and the hash of that day's rows. `told`: what
    is odd about it, without its rows.
    """

    files: str
    way: str
    whole_at: datetime
    sources: Mapping[str, str]
    told: TableRows
    window: tuple[str, ...] = ()
    days: Mapping[str, tuple[str, str]] = field(default_factory=dict)


_ADAPTER = TypeAdapter(ReadBefore)


def load(cache_path: Path) -> dict[str, ReadBefore]:
    """What the last run remembered, by table."""
    path = cache_path / FILE
    try:
        return {name: _ADAPTER.validate_python(said) for name, said in unsealed_json(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError):
        log.warning("what was read before is forgotten, and is read again: %s is not what was written", path)
        return {}


def save(cache_path: Path, read: Mapping[str, ReadBefore]) -> None:
    """Keep it for the next run. Where that cannot be written, the next run reads everything."""
    try:
        content = {name: _ADAPTER.dump_python(said, mode="json") for name, said in read.items()}
        write_json(cache_path / FILE, content)
    except OSError as error:
        log.warning("what was read is not remembered, and will be read again: %s", error)


def last_full(config: Config, now: datetime) -> datetime:
    """The last time of day at which everything is to be read."""
    full_at = config.rv.database.full_at if config.rv is not None and config.rv.database is not None else "00:00"
    local = now.astimezone(config.site.zone)
    came = datetime.combine(local.date(), time.fromisoformat(full_at), config.site.zone)
    return came if came <= local else came - timedelta(days=1)


@cache
def this_program() -> str:
    """This program's own state: another version may read the same rows in another way."""
    rooms = [Path(__file__).parent, *(Path(__file__).parents[2] / "recovery" / room for room in ("tables", "words"))]
    return hash_of(*(path.read_bytes() for room in rooms for path in sorted(room.rglob("*.py"))))


def hash_of(*said: object) -> str:
    return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()
