"""Write a copy: objects, then the manifest that names them, then the pointer; each read back before the next.

Goal
    Killed at any moment, whoever reads sees the state before or this one. What is damaged here never takes the place
    of what is whole there.

How
    A file whose content lies there already is not written again; once a day all of it is read and compared all the
    same. Tables and snapshot go each as one: where one file of them is not what was written, the copy keeps the last
    whole ones, and says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from recovery.cache.manifests import FOLDER, ManifestError, fault_of_file
from recovery.cache.snapshots import newest_snapshot
from recovery.host.seals import SealError, check_parquet
from recovery.settings.trust import own_trust, signed
from recovery.sites.manifests import (
    HISTORY,
    PURPOSE,
    CopyError,
    FileState,
    NoCopyError,
    SiteManifest,
    manifest_key,
    manifest_name,
    number_of,
    object_key,
    pointer_key,
    states_of,
)
from recovery.sites.months import months_of
from recovery.sites.place import AbsentError
from recovery.sites.reading import brought, read_site

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from recovery.settings.config import Site
    from recovery.settings.trust import Trust
    from recovery.sites.place import Place

_TABLES = ("tables", "resting")
"""They are of one moment, and go together."""


@dataclass(slots=True)
class CopyReport:
    """What became of a copy: its manifest's name, empty where none was written; `problems` in sentences.

    `is_silent`: nothing went there for so long that people are to be told.
    """

    name: str = ""
    written: int = 0
    held: int = 0
    is_silent: bool = False
    problems: list[str] = field(default_factory=list)


class SiteWriter:
    """The one writer of a site's prefix. `known`: the name of the manifest that it wrote last, as it remembers."""

    def __init__(self, place: Place, site: Site, key: Ed25519PrivateKey | None, trust: Trust, known: str = "") -> None:
        self._place, self._site, self._key, self._known = place, site.known_as, key, known
        self._told = site.name, site.time_zone
        self._trust = own_trust(key, trust)
        self._report = CopyReport()
        self._last: Mapping[str, FileState] = {}
        self._is_daily = True

    def write(self, staged: Path, taken_at: datetime, now: datetime) -> CopyReport:
        """Bring a moment of the cache into the copy; both times aware.

        Raises `PlaceError` if the place cannot be reached; `CopyError` if it gives back something else than was
        written; `CacheError` if what is staged cannot be read.
        """
        before = self._find_last(now)
        whole = whole_files(staged, self._trust, self._report.problems)
        files = {path: self._put(path, data, self._last.get(path)) for path, data in whole.items()}
        files = _never_taken_away(self._last, files) | files
        if self._is_daily:
            files[HISTORY] = self._put(HISTORY, self._history(staged), self._last.get(HISTORY))
        number = 1 + max(number_of(before) or 0, number_of(self._known) or 0)
        manifest = SiteManifest(self._site, number, now, taken_at, files, before, *self._told)
        data = signed(manifest.to_json(), self._key, PURPOSE)
        name = manifest_name(number, data)
        self._proven(manifest_key(self._site, name), data, True)
        self._proven(pointer_key(self._site), f"{name}\n".encode(), False)
        self._report.name = name
        return self._report

    def _find_last(self, now: datetime) -> str:
        """The newest manifest there that verifies; what is not as it was left is told."""
        try:
            last = read_site(self._place, self._site, self._trust, self._known)
        except NoCopyError:
            return ""
        except CopyError as error:
            if not self._known:
                raise CopyError(f"another signs there, by another key or with the same [site] id: {error}") from error
            self._report.problems.append(f"What was copied before is not there as it was: {error}.")
            return ""
        if last.manifest.clinic != self._told[0] and last.name != self._known:
            raise CopyError(f"{last.manifest.clinic} writes there: no two clinics may have one [site] id")
        self._report.problems += last.doubts
        self._last = last.manifest.files
        self._is_daily = last.manifest.made_at.date() != now.date()
        return last.name

    def _put(self, path: str, data: bytes, last: FileState | None) -> FileState:
        """A file that lies in the copy, proven: in this run, or in the first of this day."""
        digest = hashlib.sha256(data).hexdigest()
        held = last if last is not None and last.sha256 == digest else None
        if held is not None and (not self._is_daily or self._is_there(path, held)):
            self._report.held += 1
            return held
        self._report.written += 1
        # whatever else lies under its name is written over, where there are no versions
        kinds = (True, False) if held is None else (False,)
        return FileState(digest, len(data), self._proven(object_key(self._site, path, digest), data, *kinds))

    def _is_there(self, path: str, state: FileState) -> bool:
        fault = ""
        try:
            brought(self._place, self._site, path, state)
            if self._place.version(object_key(self._site, path, state.sha256)) != state.version:
                fault = f"something was laid on top of {path}"
        except (CopyError, AbsentError) as error:
            fault = str(error)
        if fault:
            self._report.problems.append(f"Written again, for it was not what was written: {fault}.")
        return not fault

    def _proven(self, key: str, data: bytes, *once: bool) -> str:
        """Write, in these ways until one is read back as it was written; its version."""
        for kind in once:
            version = self._place.put(key, data, once=kind)
            if self._place.get(key, version) == data:
                return version
        raise CopyError(f"{key} is read back as something else than was written")

    def _history(self, staged: Path) -> bytes:
        """The file that names all months ever. One of which fewer rows are here than there stays as it is."""
        said: dict[str, dict[str, Any]] = {}
        last = self._last.get(HISTORY)
        with suppress(CopyError):  # what was told of it already, where it is written again
            said = json.loads(brought(self._place, self._site, HISTORY, last)) if last is not None else {}
        known, new = states_of(said), dict[str, dict[str, Any]]()
        for path, (data, row_count) in months_of(staged).items():
            if path not in known or row_count >= said[path]["row_count"]:
                new[path] = {**asdict(self._put(path, data, known.get(path))), "row_count": row_count}
        return (json.dumps(dict(sorted((said | new).items())), indent=1) + "\n").encode()


def _never_taken_away(last: Mapping[str, FileState], new: Mapping[str, FileState]) -> dict[str, FileState]:
    """Of the last state, what this one lacks: entries, and tables or snapshot where none here is whole."""
    tables, snapshot = (any(path.startswith(f"{first}/") for path in new) for first in (_TABLES[0], FOLDER))
    replaced = {first for first in _TABLES if tables} | ({FOLDER} if snapshot else set())
    return {path: state for path, state in last.items() if path.partition("/")[0] not in replaced}


def whole_files(staged: Path, trust: Trust, problems: list[str]) -> dict[str, bytes]:
    """The files of a moment that are what was written, by path; what is not, is told in `problems`."""
    found: dict[str, bytes] = {}
    for file in sorted(file for file in staged.rglob("*") if file.is_file()):
        found[file.relative_to(staged).as_posix()] = file.read_bytes()
    damaged = set()
    for path, data in found.items():
        if path.startswith(_TABLES):
            try:
                check_parquet(data)
            except SealError as error:
                damaged |= set(_TABLES)
                problems.append(f"Here, {path} is damaged: {error}. The copy keeps the last whole tables.")
        elif not path.startswith(FOLDER) and not data.startswith(b"{"):
            damaged.add(path)
            problems.append(f"Here, {path} is not what was written. The copy keeps the last that was.")
    if fault := _fault_of_snapshot(staged, trust):
        damaged.add(FOLDER)
        problems.append(f"The snapshot here is not believed: {fault}. The copy keeps the last that was.")
    return {p: data for p, data in found.items() if p not in damaged and p.partition("/")[0] not in damaged}


def _fault_of_snapshot(staged: Path, trust: Trust) -> str:
    try:
        snapshot = newest_snapshot(staged, None, trust)
    except ManifestError as error:
        return str(error)
    names = snapshot.manifest.tables if snapshot is not None else ()
    return next((fault for name in names if snapshot is not None and (fault := fault_of_file(snapshot, name))), "")
