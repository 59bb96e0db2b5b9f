"""What is to go into the copies: one moment of the cache, by hard links in a folder of its own, until it has gone.

Why hard links
    A file of the cache is replaced and never changed, so that a link keeps what was there when the cycle ended,
    whatever the next one writes; and it costs milliseconds. The newest moment alone waits: it holds all before it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from recovery.cache.journal import is_stopped
from recovery.cache.manifests import FOLDER, POINTER, ManifestError, current_id
from recovery.host import system
from recovery.host.entry_lines import entries_folder

JOB = "copy_sites"
ENTRIES, RUNS = "entries", "runs.jsonl"
_OUTBOX = "outgoing"
_MOST = 2
_TAIL = 65_536
"""Of the journal of runs: enough to tell the newest proof."""
_JOB = re.compile(rb'"job": "(\w+)"')


def stage(cache_path: Path, now: datetime) -> Path:
    """Keep the cache as it is now for the copies. `now` aware; call it while no job writes.

    Raises `OSError` if it cannot be kept.
    """
    folder = cache_path / _OUTBOX / f"{now.astimezone(UTC):%Y%m%dT%H%M%S}"
    beside = folder.with_name(f".new-{folder.name}")
    shutil.rmtree(beside, ignore_errors=True)
    for source, path in files_of(cache_path):
        target = beside / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(source, target)
    with suppress(OSError):
        (beside / RUNS).write_bytes(tail_of(cache_path / RUNS))
    shutil.rmtree(folder, ignore_errors=True)
    system.move(beside, folder)
    others = [path for path in staged(cache_path) if path != folder]
    left = [] if is_stopped(cache_path, JOB) else others[-_MOST:]  # who is sending the one before goes on with it
    for other in others:
        if other not in left or other > folder:  # the clock was ahead: it would stay the newest
            shutil.rmtree(other, ignore_errors=True)
    return folder


def staged(cache_path: Path) -> list[Path]:
    """Moments that wait, oldest first."""
    return sorted(path for path in (cache_path / _OUTBOX).glob("[0-9]*") if path.is_dir())


def files_of(cache_path: Path) -> Iterator[tuple[Path, str]]:
    """Each file, and its path in a copy."""
    yield from ((path, f"tables/{path.name}") for path in (cache_path / "tables").glob("*.parquet"))
    for path in (cache_path / "resting").rglob("*.parquet"):
        yield path, path.relative_to(cache_path).as_posix()
    with suppress(ManifestError):
        if (newest := current_id(cache_path)) is not None:
            yield cache_path / FOLDER / POINTER, f"{FOLDER}/{POINTER}"
            for path in (cache_path / FOLDER / newest).rglob("*.*"):
                yield path, path.relative_to(cache_path).as_posix()
    entries = entries_folder(cache_path)
    for path in entries.rglob("*.*"):
        if path.suffix in {".jsonl", ".head"}:
            yield path, f"{ENTRIES}/{path.relative_to(entries).as_posix()}"


def unpack(files: Mapping[str, bytes], cache_path: Path) -> None:
    """Make a cache of a copy's files, with what people entered beside it. Raises `OSError` if it cannot be written."""
    for path, data in files.items():
        is_entry = path.startswith(f"{ENTRIES}/")
        file = entries_folder(cache_path) / path.partition("/")[2] if is_entry else cache_path / path
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_bytes(data)


def _link(source: Path, target: Path) -> None:
    """Who appends to a file would change what is linked: entries are copied."""
    if source.suffix == ".parquet":
        with suppress(OSError):
            target.hardlink_to(source)
            return
    with suppress(FileNotFoundError):
        shutil.copyfile(source, target)


def tail_of(file: Path) -> bytes:
    """The end of the journal of runs, and before it the newest line of each job that the end does not tell of: of what
    runs once a night. Raises `OSError` if it cannot be read."""
    data = file.read_bytes()
    if len(data) <= _TAIL:
        return data
    at = data.index(b"\n", len(data) - _TAIL - 1) + 1
    told = set(_JOB.findall(data, at))
    older = {match[1]: line for line in data[:at].splitlines(True) if (match := _JOB.search(line))}
    return b"".join(line for job, line in older.items() if job not in told) + data[at:]
