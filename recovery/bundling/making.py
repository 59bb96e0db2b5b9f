"""One encrypted rescue bundle: built on this machine's own disk, encrypted, and proven by a key that opens it once."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyrage

from recovery.bundling.build import build
from recovery.bundling.department import read_department
from recovery.bundling.places import file_name, keep_in
from recovery.cache.doors import cache_to_show
from recovery.packing.encryption import encrypt, faults_of_encrypted, private_folder
from recovery.settings.config import Config
from recovery.words.refusals import RefusedError
from recovery.words.values import counted

BESIDE = "bundling-"
"""How the folder begins, in the cache's, that a bundle is made of."""


class BundleError(RefusedError):
    """No bundle can be made. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Made:
    """`proven`: places where it lies. `failed`: places where it does not, and why. `lacks`: what is not in it."""

    name: str
    patients: int
    size: int
    proven: Sequence[Path]
    failed: Sequence[str]
    lacks: Sequence[str]
    is_whole: bool
    """It lies in every place, with all that the copy holds."""

    @property
    def in_words(self) -> str:
        what = f"{self.name}, {counted(self.patients, 'patient')}, {self.size / 1e6:.1f} MB"
        return f"{what}, is in {counted(len(self.proven), 'place')}."


def make_bundle(config: Config, now: datetime, passphrase: str | None, places: Sequence[Path]) -> Made:
    """Make tonight's bundle and keep it in `places`; those that fail are told.

    Raises `BundleError` or `WrongKeyError` if nobody could open it, or it cannot be made; `NobodyError` if nobody is on
    treatment; `CacheError` if list, records or plans cannot be read.
    """
    if not config.bundle.recipients and passphrase is None:
        raise BundleError("[bundle] names no recipients and no passphrase_env: nobody could open it, and none is made.")
    if not places:
        raise BundleError("Name folders with -o, or in the config, [bundle] paths.")
    cache = cache_to_show(config, now)
    told = read_department(config, cache, now, "this copy")
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(private_folder(config.cache_path, BESIDE))
            inside = folder / "bundle"
            inside.mkdir()
            built = build(inside, told, cache)
            file = folder / file_name(told.local_now, is_whole=built.is_whole)
            once = pyrage.x25519.Identity.generate()
            encrypt(inside, file, [*config.bundle.recipients, str(once.to_public())], passphrase)
            faults = faults_of_encrypted(file, [once], {})
        except OSError as error:
            named = Path(str(error.filename or config.cache_path))  # in our folder, files bear patients' names
            where = config.cache_path if named.is_relative_to(config.cache_path) else named
            why = f"{where}: {error.strerror or error}"
            raise BundleError(f"The bundle cannot be made: {why}. Those that were kept before still stand.") from error
        if faults:
            raise BundleError(f"The bundle is not what was written: {faults[0]}. Those kept before still stand.")
        said = {place: keep_in(place, file, config.bundle.keep) for place in places}
        proven = [place for place, why in said.items() if not why]
        failed = [*filter(None, said.values())]
        is_whole = built.is_whole and not failed
        return Made(file.name, built.patients, file.stat().st_size, proven, failed, built.lacks, is_whole)
