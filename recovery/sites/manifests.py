"""What a copy says of itself: numbered, signed manifests that nobody writes over, and a pointer to the newest.

How
    `site=<id>/table=<name>/<sha256>.parquet` (history: `table=<name>/month=<yyyy-mm>/<sha256>.parquet`) holds a file of
    the cache, bit for bit; then `site=<id>/manifests/<thousand>/<number>-<sha256>.json` names each with its SHA-256 and
    VersionId; then `site=<id>/current` names that manifest. Who reads goes by the manifests: a pointer that was set
    back, or a number that is gone, is seen.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from recovery.settings.trust import Trust

PURPOSE = "site copy manifest 1"
HISTORY = "history.json"
"""The file of a copy that names its months."""

_FORMAT = 1
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*){0,5}")
"""A path becomes a place on disk: one of a manifest that somebody changed must not lead elsewhere."""
_NAME = re.compile(r"(\d{10})-([0-9a-f]{64})\.json")
_HASH = re.compile(r"[0-9a-f]{64}")


class CopyError(ValueError):
    """A copy, or a part of it, cannot be used. The text says what is wrong with it."""


class NoCopyError(CopyError):
    """Nothing of a site was ever there."""


@dataclass(frozen=True, slots=True)
class FileState:
    """A file of a copy. `version`: where the place has versions, the one that was written."""

    sha256: str
    byte_count: int
    version: str = ""

    def fault_of(self, data: bytes) -> str:
        """What is wrong with the bytes that came, in words; empty when they are those that were written."""
        is_same = len(data) == self.byte_count and hashlib.sha256(data).hexdigest() == self.sha256
        return "" if is_same else "it was changed after it was written: its SHA-256 is not the manifest's"


@dataclass(frozen=True, slots=True)
class SiteManifest:
    """One state of a site: its files by their path in the cache. Times aware; `before` names the manifest before.

    `clinic` and `time_zone` as the site's config has them.
    """

    site: str
    number: int
    made_at: datetime
    taken_at: datetime
    files: Mapping[str, FileState]
    before: str
    clinic: str
    time_zone: str

    def to_json(self) -> bytes:
        said = {"format": _FORMAT, **asdict(self), "files": {path: asdict(s) for path, s in sorted(self.files.items())}}
        return (json.dumps(said, indent=1, default=datetime.isoformat) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> SiteManifest:
        """Raises `CopyError` if it is no manifest."""
        try:
            said = json.loads(data)
            if said["format"] != _FORMAT:
                raise CopyError("it is of another format than this version reads")
            files = states_of(said["files"])
            texts = str(said["before"]), str(said["clinic"]), str(said["time_zone"])
            ZoneInfo(texts[2])
            times = _moment(said["made_at"]), _moment(said["taken_at"])
            return cls(str(said["site"]), int(said["number"]), *times, files, *texts)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise error if isinstance(error, CopyError) else CopyError("it is no manifest") from error


def states_of(said: Mapping[str, Mapping[str, Any]]) -> dict[str, FileState]:
    """Files by path, as JSON says them. Raises `CopyError` if they are none, or one leads elsewhere."""
    try:
        files = {path: FileState(str(s["sha256"]), int(s["byte_count"]), str(s["version"])) for path, s in said.items()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise CopyError("it names files in a way that none are named") from error
    if any(not _PATH.fullmatch(path) or not _HASH.fullmatch(state.sha256) for path, state in files.items()):
        raise CopyError("it names a file in a way that no file is named")
    return files


def months_in(data: bytes) -> dict[str, FileState]:
    """The months that a `HISTORY` names. Raises `CopyError` if it is none."""
    try:
        return states_of(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, CopyError) else CopyError("it is no list of months") from error


def object_key(site: str, path: str, sha256: str) -> str:
    """Where a file's content lies: the same content has the same key."""
    file = PurePosixPath(path)
    if file.parts[0] == "months":
        return f"site={site}/table={file.parent.name}/month={file.stem}/{sha256}.parquet"
    if file.suffix == ".parquet":
        return f"site={site}/table={file.stem}/{sha256}.parquet"
    return f"site={site}/file={file.name}/{sha256}"


def pointer_key(site: str) -> str:
    return f"site={site}/current"


def manifest_name(number: int, data: bytes) -> str:
    return f"{number:010d}-{hashlib.sha256(data).hexdigest()}.json"


def number_of(name: str) -> int | None:
    """The number in a manifest's name; None where that is no manifest's."""
    named = _NAME.fullmatch(name)
    return int(named[1]) if named else None


def manifest_key(site: str, name: str) -> str:
    return f"{manifests_folder(site)}/{name[:7]}/{name}"


def manifests_folder(site: str) -> str:
    return f"site={site}/manifests"


def believed(data: bytes, name: str, site: str, trust: Trust) -> SiteManifest:
    """The manifest of these bytes. Raises `CopyError` if it is not the one that was written, or is not believed."""
    manifest = SiteManifest.from_json(data)
    if name != manifest_name(manifest.number, data):
        raise CopyError("it is not what was written: its hash or number is not the one in its name")
    if manifest.site != site:
        raise CopyError(f"it is of the site {manifest.site}")
    if fault := trust.fault_of(data, name, manifest.made_at, PURPOSE):
        raise CopyError(fault)
    return manifest


def _moment(said: str) -> datetime:
    at = datetime.fromisoformat(said)
    if at.tzinfo is None:
        raise CopyError("a time has no zone")
    return at
