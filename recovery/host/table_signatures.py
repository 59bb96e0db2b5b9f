"""Tables beside the snapshots are signed one by one: whoever may write in the cache cannot make them anew.

Why a mark in another folder
    A cache of an earlier version, of a rebuild, or from before there was a key, has tables that nobody signed. The next
    run with a key signs what it finds, and says so by a mark beside what people sign. From then on a table that the
    jobs did not sign is none: they make it again from the RT-PACS, and every page says so of the list.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from recovery.host.durable import replace
from recovery.host.entry_lines import entries_folder
from recovery.host.keys import KeyFileError, is_signed, load_key, sign
from recovery.host.seals import SealError, signature_in

if TYPE_CHECKING:
    from pathlib import Path

NOT_OURS = "no key of the config signed it: somebody else than the jobs wrote it"


def signer(key_file: Path | None, table: str, site_name: str | None) -> Callable[[bytes], str] | None:
    """What signs a table; None without a key that can be used."""
    with suppress(FileNotFoundError, KeyFileError):
        if key_file is not None:
            key = load_key(key_file)
            return partial(sign, key, _purpose(table, site_name))
    return None


def check_signed(path: Path, public_keys: tuple[str, ...], site_name: str | None) -> None:
    """Raises `SealError` if a table was changed, or none of the keys signed it; `OSError` if it cannot be read."""
    stat = path.stat()
    _check(path, public_keys, _purpose(path.stem, site_name), stat.st_ino, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=512)
def _check(path: Path, keys: tuple[str, ...], purpose: str, *_state: int) -> None:
    digest, signature = signature_in(path.read_bytes())
    if not is_signed(purpose, digest, signature, keys):
        raise SealError(NOT_OURS)


def mark_of(cache_path: Path) -> Path:
    """The file that says that the jobs sign this cache's tables."""
    return entries_folder(cache_path) / "tables_signed"


def are_signed(cache_path: Path, public_keys: tuple[str, ...]) -> bool:
    """Whether the jobs sign, and somebody could tell."""
    return bool(public_keys) and mark_of(cache_path).exists()


def note_signed(cache_path: Path) -> None:
    mark_of(cache_path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace(mark_of(cache_path), b"The jobs sign the tables of the cache.\n", private=True)


def forget_signed(cache_path: Path) -> None:
    """Somebody makes the cache again by hand, maybe without a key: the next run signs that."""
    mark_of(cache_path).unlink(missing_ok=True)


def _purpose(table: str, site_name: str | None) -> str:
    return f"table {table} of {site_name}"
