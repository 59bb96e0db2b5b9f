"""One encrypted rescue bundle: built on this machine's own disk, encrypted, proven by a key that opens it, and kept.

It is copied to each place, read back there, and only then an old one goes. A place that is not there, or is full, costs
that place alone, and keeps what it has. Of a folder only files that are named as bundles are this program's. Whole ones
and those that lack something are counted apart: however many nights the RT-PACS is silent, the last whole ones stay.
"""

import re
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyrage

from recovery.bundling.build import build
from recovery.bundling.department import read_department
from recovery.cache.doors import cache_to_show
from recovery.host.durable import replace, replacing, staying
from recovery.packing.encryption import encrypt, faults_of_encrypted, key_file_of, private_folder
from recovery.packing.proof import hash_of
from recovery.settings.config import Config
from recovery.words.refusals import RefusedError
from recovery.words.values import counted

HOW_TO_OPEN = "HOW_TO_OPEN.txt"
_INCOMPLETE = "_incomplete"
_OURS = re.compile(r"\.?rbrdt_bundle_\d{4}-\d\d-\d\d_\d{6}(_incomplete)?\.(tar\.gz|key)\.age(\.\d+-\d+)?")
_TOLD = """The rescue bundle of the radiotherapy backup (RBRDT). Each .tar.gz.age is one night's copy of patients.
It is opened by the program age (https://age-encryption.org; keep age.exe on the stick) in a folder on a computer
that may hold patients' data, with Terminal or PowerShell:

  with the private key of a recipient:   age -d -i key.txt -o bundle.tar.gz FILE.tar.gz.age
  with the passphrase:                   age -d -i FILE.key.age -o bundle.tar.gz FILE.tar.gz.age
  then, on Windows, Linux and macOS:     tar -xf bundle.tar.gz

Then open index.html in any browser. Nothing is installed, and no network is needed.
"""


def file_name(made_at: datetime, *, is_whole: bool) -> str:
    """`made_at`: local to the site."""
    return f"rbrdt_bundle_{made_at:%Y-%m-%d_%H%M%S}{'' if is_whole else _INCOMPLETE}.tar.gz.age"


def keep_in(place: Path, bundle: Path, keep: int) -> str:
    """Put a bundle, and its key where it has one, into a place; why that failed, in a sentence; empty where it is
    proven there. Then `keep` of its kind stay, this one among them."""
    try:
        with staying(place):
            _keep(place, bundle, keep)
    except OSError as error:
        return f"{place}: {error.strerror or error}. Look whether the disk is there and has room; what was there stays."
    return ""


def _keep(place: Path, bundle: Path, keep: int) -> None:
    _sweep(place)
    for file in (key_file_of(bundle), bundle):
        if file.is_file():
            _copy(file, place / file.name)
    replace(place / HOW_TO_OPEN, _TOLD.encode())
    others = sorted(
        name
        for name in {path.name for path in place.glob("*.tar.gz.age")} - {bundle.name}
        if _OURS.fullmatch(name) and (_INCOMPLETE in name) is (_INCOMPLETE in bundle.name)
    )
    for name in others[: len(others) - keep + 1] if len(others) >= keep else ():
        (place / name).unlink()
        key_file_of(place / name).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Raises `OSError` if it cannot be written, or is another when it is read again."""
    with source.open("rb") as read, replacing(target, private=True) as write:
        shutil.copyfileobj(read, write)
    if hash_of(target) != hash_of(source):
        target.unlink()
        raise OSError("what was written there is read back as something else")


def _sweep(place: Path) -> None:
    """What a run that was killed left half written."""
    for path in place.glob(".rbrdt_bundle_*"):
        if _OURS.fullmatch(path.name):
            path.unlink()


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
