"""How far people's statements and the audit file had come when a job last looked, noted apart from them.

Nothing in a file can tell that its end is gone, and a downtime or a transfer would end in silence. These files only
grow: the job that builds the list notes in the cache, which is another folder, how many lines each had and their hash.
One that no longer begins so is said on every page, and not noted anew. Who owns both folders can change both.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from recovery.host.entry_lines import entries_folder
from recovery.host.seals import SealError, unsealed_json, write_json
from recovery.words.values import counted

_DAMAGED = "Nobody can tell whether statements that people signed are gone: {} is not what was written."
_LOST = (
    "{} lacks some of {} that people signed: somebody or something changed it. Bring it back from a copy; who knows "
    "why, deletes {}."
)


def noted_file(cache_path: Path) -> Path:
    return cache_path / "entries_noted.json"


def note(cache_path: Path, audit_head: str) -> tuple[str, ...]:
    """Note how far all files have come, but those that lost something; returns what is to be said, as `lost` does.

    `audit_head`: of the audit file, `NUMBER:HASH`, or empty. Raises `OSError` if something cannot be read or written.
    """
    said, noted, folder = lost(cache_path), _noted(cache_path) or {}, entries_folder(cache_path)
    before = noted.get("files", {})
    now = {path.relative_to(folder).as_posix(): _state(path) for path in sorted(folder.rglob("*.jsonl"))}
    now |= {name: state for name, state in before.items() if not _begins_so(folder / name, state)}
    head = max(noted.get("audit", ""), audit_head, key=lambda one: int(one.split(":")[0] or 0))
    if {"files": now, "audit": head} != noted:
        write_json(noted_file(cache_path), {"files": now, "audit": head})
    return said


def noted_audit_head(cache_path: Path) -> str:
    """The audit file's head as a job saw it, `NUMBER:HASH`; empty where none did."""
    return str((_noted(cache_path) or {}).get("audit", ""))


def lost(cache_path: Path) -> tuple[str, ...]:
    """A sentence for each file that is not what a job saw and what was added since."""
    noted, name_of_note = _noted(cache_path), noted_file(cache_path).name
    if noted is None:
        return (_DAMAGED.format(name_of_note),)
    return tuple(
        _LOST.format(name, counted(state[0], "statement"), name_of_note)
        for name, state in noted.get("files", {}).items()
        if not _begins_so(entries_folder(cache_path) / name, state)
    )


@contextmanager
def merging(cache_path: Path, file: Path) -> Iterator[None]:
    """While lines that were made elsewhere come between those of a file. It is noted anew if it had lost nothing."""
    noted = _noted(cache_path) or {}
    state = noted.get("files", {}).get(file.name)
    is_whole = state is not None and _begins_so(file, state)
    yield
    if is_whole and not _begins_so(file, state):
        write_json(noted_file(cache_path), {**noted, "files": {**noted["files"], file.name: _state(file)}})


def _noted(cache_path: Path) -> dict[str, Any] | None:
    """What was noted; None where it is not what was written."""
    try:
        return unsealed_json(noted_file(cache_path).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, SealError):
        return None


def _state(path: Path, most: int | None = None) -> list[int | str]:
    """How many lines a file has, and the hash of them; of its first `most`. Half a line at its end is none yet."""
    stat = path.stat()
    return list(_state_of(path, most, stat.st_ino, stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=256)
def _state_of(path: Path, most: int | None, *_stamp: int) -> tuple[int, str]:
    lines = [line for line in path.read_bytes().split(b"\n")[:-1] if line.startswith(b"{") and line.endswith(b"}")]
    return len(lines[:most]), hashlib.sha256(b"\n".join(lines[:most])).hexdigest()


def _begins_so(path: Path, state: list[int | str]) -> bool:
    """Whether a file begins with the lines that were noted; one that cannot be read is told by who reads it."""
    try:
        return _state(path, int(state[0])) == state
    except FileNotFoundError:
        return False
    except OSError:
        return True
