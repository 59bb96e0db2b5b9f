"""What a snapshot of the relational tables says about itself, and where it lies.

How
    `<cache>/snapshots/<time>-<hash>/` holds `tables/<name>.parquet` and a `manifest.json` that names each file with
    its SHA-256, size, rows, source and times. The hash in the folder's name is the manifest's own. The file
    `<cache>/snapshots/current` names the newest snapshot; it is renamed last.

Why a hash in the name
    A manifest that somebody or some disk changed would vouch for changed tables. Its own name gives it away.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from recovery.settings.trust import EVERYBODY, Trust

FORMATS = (1, 2)
"""2: tables may have newer days beside them, which an older version would not see."""
FOLDER = "snapshots"
POINTER = "current"
MANIFEST = "manifest.json"

_ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{12}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""A table's name is part of a path: one from a manifest that somebody changed must not lead elsewhere."""


def newer_of(name: str) -> str:
    """What a manifest calls the newer days of a table: see `newer_days`."""
    return f"{name}_newer"


def is_newer(name: str) -> bool:
    """Whether a manifest's table is the newer days of another."""
    return name.endswith("_newer")


class ManifestError(ValueError):
    """A snapshot cannot be trusted. The text says what is wrong with it, without its place and without a remedy."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A table that could not be read anew: since which run (aware, UTC), and why as the last run saw it."""

    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class TableState:
    """One table in a snapshot. Times are aware, UTC.

    `taken_at` is when these rows were first read and written, `read_at` when the source was last seen to say the
    same, up to the making of this snapshot. `rows_sha256` is of the rows as the job read them.
    """

    name: str
    sha256: str
    byte_count: int
    row_count: int
    taken_at: datetime
    read_at: datetime
    source: str
    query_sha256: str | None
    rows_sha256: str
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """The snapshot that was the newest when another was made, and the SHA-256 of its manifest."""

    snapshot_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All tables of one snapshot by name; `missing` are those that were asked for and never had.

    `before` makes the manifests a chain; None in the first, and where the one before could not be believed.
    `quarantined`: what in it care does not produce, a sentence each; it stays apart until a person decides.
    `site_name`: whose it is; None where an earlier version made it.
    """

    taken_at: datetime
    tables: Mapping[str, TableState]
    missing: Mapping[str, Kept] = field(default_factory=dict)
    before: Before | None = None
    quarantined: tuple[str, ...] = ()
    site_name: str | None = None

    def to_json(self) -> bytes:
        """The manifest as it is written: the same manifest gives the same bytes."""
        content: dict[str, object] = {
            "format": 2 if any(map(is_newer, self.tables)) else 1,
            "taken_at": self.taken_at,
            "before": asdict(self.before) if self.before is not None else None,
            "tables": {name: asdict(state) for name, state in sorted(self.tables.items())},
            "missing": {name: asdict(kept) for name, kept in sorted(self.missing.items())},
        }
        if self.quarantined:
            content["quarantined"] = self.quarantined
        if self.site_name is not None:
            content["site_name"] = self.site_name
        return (json.dumps(content, indent=1, ensure_ascii=False, default=datetime.isoformat) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Read a manifest. Raises `ManifestError` if it is none, or of a later format."""
        try:
            said = json.loads(data)
            if said["format"] not in FORMATS:
                raise ManifestError(f"its manifest is of format {said['format']}, and this version reads {FORMATS[-1]}")
            tables = {name: _state(state) for name, state in said["tables"].items()}
            missing = {name: _kept(kept) for name, kept in said["missing"].items()}
            before = _before(said["before"]) if said.get("before") is not None else None
            quarantined = tuple(map(str, said.get("quarantined", ())))
            site_name = str(said["site_name"]) if "site_name" in said else None
            manifest = cls(_moment(said["taken_at"]), tables, missing, before, quarantined, site_name)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, ManifestError):
                raise
            raise ManifestError("its manifest cannot be read") from error
        if any(name != state.name or not _NAME.fullmatch(name) for name, state in tables.items()):
            raise ManifestError("its manifest names a table in a way that no table is named")
        return manifest


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot on disk, whose manifest is the one that was written.

    `doubts`: what of a newer one is not what was written, in words; `elsewhere`: files of tables that an older one has
    to stand in for.
    """

    snapshot_id: str
    folder: Path
    manifest: Manifest
    doubts: tuple[str, ...] = ()
    elsewhere: Mapping[str, Path] = field(default_factory=dict)

    def file(self, name: str) -> Path:
        return self.elsewhere.get(name) or self.folder / "tables" / f"{name}.parquet"

    @property
    def manifest_file(self) -> Path:
        return self.folder / MANIFEST


def before_of(snapshot: Snapshot) -> Before:
    """How the manifest of the snapshot after this one names it.

    Raises `OSError` if its manifest cannot be read.
    """
    return Before(snapshot.snapshot_id, hashlib.sha256(snapshot.manifest_file.read_bytes()).hexdigest())


def id_of(manifest: bytes, taken_at: datetime) -> str:
    """The name of the snapshot that this manifest describes: it sorts by time."""
    return f"{taken_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{hashlib.sha256(manifest).hexdigest()[:12]}"


def taken_at_of(snapshot_id: str) -> datetime | None:
    """The time in a snapshot's name, aware, UTC, to the second; None when that is no snapshot's name."""
    named = _ID.fullmatch(snapshot_id)
    try:
        return datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if named else None
    except ValueError:
        return None


def current_id(cache_path: Path) -> str | None:
    """The newest snapshot's name; None where there never was one.

    Raises `ManifestError` if the pointer cannot be read, or is gone while there are snapshots.
    """
    try:
        named = (cache_path / FOLDER / POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        if _any_snapshot(cache_path):
            raise ManifestError(f"the file {FOLDER}/{POINTER}, which names the newest, is gone") from error
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"the file {FOLDER}/{POINTER}, which names the newest, cannot be read: {error}") from error
    if taken_at_of(named) is None:
        raise ManifestError(f"the file {FOLDER}/{POINTER} does not name a snapshot")
    return named


def _any_snapshot(cache_path: Path) -> bool:
    return any(taken_at_of(path.name) is not None for path in (cache_path / FOLDER).glob("*"))


def load_snapshot(cache_path: Path, snapshot_id: str, trust: Trust = EVERYBODY) -> Snapshot:
    """Read a snapshot's manifest and compare it with its name. Its tables are not looked at.

    Raises `ManifestError` if it is not there, cannot be read, is not the one that was written, or is not believed.
    """
    folder = cache_path / FOLDER / snapshot_id
    try:
        data = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise ManifestError(f"its manifest cannot be read: {error.strerror or error}") from error
    manifest = Manifest.from_json(data)
    if id_of(data, manifest.taken_at) != snapshot_id:
        raise ManifestError("its manifest was changed after it was written: its hash is not the one in its name")
    if fault := trust.fault_of(data, snapshot_id, manifest.taken_at):
        raise ManifestError(fault)
    return Snapshot(snapshot_id, folder, manifest)


def fault_of(state: TableState, data: bytes) -> str:
    """What is wrong with the bytes of a table's file, in words; empty when they are those of the manifest."""
    if len(data) != state.byte_count:
        return f"table {state.name} has {len(data)} bytes, and {state.byte_count} were written"
    if hashlib.sha256(data).hexdigest() != state.sha256:
        return f"table {state.name} was changed after it was written: its SHA-256 is not the manifest's"
    return ""


def fault_of_file(snapshot: Snapshot, name: str) -> str:
    """As `fault_of`, for the file on disk."""
    try:
        return fault_of(snapshot.manifest.tables[name], snapshot.file(name).read_bytes())
    except FileNotFoundError:
        return f"table {name} has lost its file"
    except OSError as error:
        return f"table {name} cannot be read: {error.strerror or error}"


def fault_of_file_once(snapshot: Snapshot, name: str) -> str:
    """As `fault_of_file`, but a file that was found whole is read again only when it has changed."""
    state, path = snapshot.manifest.tables[name], snapshot.file(name)
    try:
        stat = path.stat()
        _check_once(state, path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    except ManifestError as error:
        return str(error)
    except OSError:
        return fault_of_file(snapshot, name)
    return ""


@lru_cache(maxsize=256)
def _check_once(state: TableState, path: Path, *_stamp: int) -> None:
    if fault := fault_of(state, path.read_bytes()):
        raise ManifestError(fault)


def _state(said: Mapping[str, Any]) -> TableState:
    times = {key: _moment(said[key]) for key in ("taken_at", "read_at")}
    state = TableState(**{**said, **times, "kept": _kept(said["kept"]) if said["kept"] is not None else None})
    if not (isinstance(state.byte_count, int) and isinstance(state.row_count, int) and isinstance(state.sha256, str)):
        raise TypeError("a number is no number")
    return state


def _before(said: Mapping[str, Any]) -> Before:
    return Before(str(said["snapshot_id"]), str(said["sha256"]))


def _kept(said: Mapping[str, Any]) -> Kept:
    return Kept(_moment(said["since"]), str(said["reason"]))


def _moment(said: str) -> datetime:
    at = datetime.fromisoformat(said)
    if at.tzinfo is None:
        raise ValueError("a time has no zone")
    return at.astimezone(UTC)
