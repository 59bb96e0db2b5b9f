"""Read a copy: the newest manifest that verifies and all of whose files do; what is not so, in words.

How
    Manifests are tried from the newest back. Of the one that is taken each wanted file is read by the version that it
    names and compared with its SHA-256. Where a file is not what was written, the manifest before is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recovery.host.seals import unsealed_json, write_json
from recovery.settings.trust import Trust
from recovery.sites.manifests import (
    CopyError,
    FileState,
    NoCopyError,
    SiteManifest,
    believed,
    manifest_key,
    manifests_folder,
    number_of,
    object_key,
    pointer_key,
)
from recovery.sites.place import AbsentError, Place

MOST_TRIED = 50
"""Manifests that are read before a copy is given up: somebody may lay down as many as they like."""
MOST_SAID = 5


@dataclass(frozen=True, slots=True)
class SiteState:
    """What came of a copy: its manifest, that one's name, and the files that were wanted.

    `doubts`: what in the copy is not what was written, in sentences.
    """

    manifest: SiteManifest
    name: str
    files: dict[str, bytes]
    doubts: tuple[str, ...]


def read_site(
    place: Place,
    site: str,
    trust: Trust,
    known: str = "",
    wanted: Callable[[str], bool] = lambda _: False,
    near: Path | None = None,
) -> SiteState:
    """Read the newest state of a site that verifies. `known`: the name of a manifest that was seen before.

    What lies in the folder `near` already is not brought, once it is compared as what comes.

    Raises `CopyError` if none verifies; `PlaceError` if the place cannot be reached.
    """
    pointed = _pointed(place, site)
    listed = _listed(place, site, {pointed[:7], known[:7]})
    names = [name for name, _ in listed]
    # what was seen last and what the pointer names, should somebody's have drowned them
    tried = dict.fromkeys([*listed[:MOST_TRIED], *((name, "") for name in (pointed, known) if name in names)])
    doubts: list[str] = []
    for name, version in tried:
        number = number_of(name)
        try:
            manifest = believed(place.get(manifest_key(site, name), version), name, site, trust)
            paths = [path for path in manifest.files if wanted(path)]
            files = {path: brought(place, site, path, manifest.files[path], near and near / path) for path in paths}
        except AbsentError:
            doubts.append(f"Manifest {number} is gone.")
        except CopyError as error:
            doubts.append(f"Manifest {number} is not used: {error}.")
        else:
            doubts = [*doubts[:MOST_SAID], *_about_numbers(name, pointed, known, names)]
            return SiteState(manifest, name, files, tuple(dict.fromkeys(doubts)))
    if not names and not known:
        raise NoCopyError(f"there is no copy of the site {site}")
    raise CopyError(f"no state of the site {site} verifies. {' '.join(dict.fromkeys(doubts[:MOST_SAID]))}".strip())


def brought(place: Place, site: str, path: str, state: FileState, near: Path | None = None) -> bytes:
    """A file of a copy, or the same from `near`. Raises `CopyError` if it is not what was written."""
    with suppress(OSError):
        if near is not None and not state.fault_of(at_hand := near.read_bytes()):
            return at_hand
    try:
        data = place.get(object_key(site, path, state.sha256), state.version)
    except AbsentError as error:
        raise CopyError(f"{path} is gone") from error
    if fault := state.fault_of(data):
        raise CopyError(f"{path}: {fault}")
    return data


def last_seen(file: Path) -> tuple[str, datetime | None]:
    """The name of the manifest that this machine wrote or read last, and when (aware); empty where it knows of none."""
    try:
        said = unsealed_json(file.read_bytes())
        return str(said["manifest"]), datetime.fromisoformat(said["at"])
    except (OSError, ValueError, KeyError):
        return "", None


def note_seen(file: Path, name: str, now: datetime) -> None:
    """Remember it: a copy that is older later was set back. Raises `OSError` if it cannot be written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, {"manifest": name, "at": now.isoformat()})


def seen_file(cache_path: Path, copy_name: str) -> Path:
    return cache_path / "site_copies" / f"{copy_name}.json"


def _listed(place: Place, site: str, also: set[str]) -> list[tuple[str, str]]:
    """Manifests with their versions, the newest first: of the two newest thousands, and of those that are known."""
    folder = manifests_folder(site)
    thousands = sorted({name for name, _ in place.listed(folder) if name.isdigit()}, reverse=True)
    return [
        (name, version)
        for number, thousand in enumerate(thousands)
        if number < 2 or thousand in also
        for name, version in sorted(place.listed(f"{folder}/{thousand}"), reverse=True)
        if number_of(name) is not None
    ]


def _pointed(place: Place, site: str) -> str:
    try:
        return place.get(pointer_key(site)).decode(errors="replace").strip()
    except AbsentError:
        return ""


def _about_numbers(name: str, pointed: str, known: str, names: list[str]) -> list[str]:
    """What numbers tell: the pointer was set back, manifests are gone. One is written before the pointer is."""
    number, others = number_of(name) or 0, {number_of(one) or 0 for one in names}
    doubts = []
    if pointed != name and not 0 <= number - (number_of(pointed) or 0) <= 1:
        doubts.append(f"Its pointer names {number_of(pointed) or 'none'}, and {number} is the newest that verifies.")
    if known and (seen := number_of(known) or 0) >= number and known != name:
        doubts.append(f"It was set back: this machine saw manifest {seen}, and {number} is the newest that verifies.")
    lost = [one for one in range(min(others), number) if one not in others]
    if lost or (number < 2000 and min(others) > 1):
        doubts.append(f"Of the manifests before {number} some are gone, and nobody takes any away.")
    return doubts
