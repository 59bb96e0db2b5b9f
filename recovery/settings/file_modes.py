"""Who may read what this tool writes: its own user, and the group that the config names, nobody else.

Every entry point sets the umask before its first file. `[cache] group` lets a group read the cache and nothing else:
its folder passes the group on (setgid). `check` complains of whatever is wider.
"""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

from recovery.host import system
from recovery.host.entry_lines import entries_folder

if TYPE_CHECKING:
    from pathlib import Path

    from recovery.settings.config import Config

PRIVATE = 0o077
WITH_GROUP = 0o027


class GroupError(OSError):
    """The group of the config cannot be used. The text says why."""


def keep_private() -> None:
    """What this process writes from now on is its own user's alone. For entry points, before the first file."""
    os.umask(PRIVATE)


def let_group_read(config: Config) -> None:
    """Where the config names a group, it may read what is written from now on into the cache.

    Raises `GroupError` if there is no such group, or this user may not give files to it.
    """
    if not config.cache.group:
        return
    config.cache_path.mkdir(parents=True, exist_ok=True)
    try:
        shutil.chown(config.cache_path, group=config.cache.group)
    except (LookupError, OSError) as error:
        raise GroupError(f"[cache] group: {config.cache.group} is no group that this user can give files to") from error
    config.cache_path.chmod(0o2750)
    os.umask(WITH_GROUP)


def too_open(config: Config) -> list[str]:
    """Files and folders that more people may read than the config says, in words; empty when none is.

    The config itself holds no secret and may be read; whoever may write it decides what is backed up, and where.
    """
    secret = [config.accounts_path, config.lockout_path, config.audit_path]
    secret += [path for folder in (entries_folder(config.cache_path), config.audit_path.parent) for path in _in(folder)]
    found = [path for path in secret if _allows(path, PRIVATE)]
    found += [config.file] if _allows(config.file, 0o022) else []
    allowed = WITH_GROUP if config.cache.group else PRIVATE
    cached = [config.cache_path, *config.cache_path.rglob("*")]
    found += [path for path in cached if _allows(path, allowed) or _is_of_another_group(path, config)]
    return [f"{path} ({stat.filemode(path.stat().st_mode)})" for path in dict.fromkeys(found) if path.exists()]


def _in(folder: Path) -> list[Path]:
    """A folder of this tool's own, and its files; nothing where it also holds other things, as the config's does."""
    is_own = folder.name.endswith("-entries")
    return [folder, *folder.glob("*")] if is_own else [*folder.glob("*.jsonl*"), *folder.glob("failed_sign_ins*")]


def _allows(path: Path, forbidden: int) -> bool:
    try:
        return bool(system.mode_of(path) & forbidden)
    except OSError:
        return False


def _is_of_another_group(path: Path, config: Config) -> bool:
    """Whether a group that is not the config's may read a file of the cache."""
    if not config.cache.group or not _allows(path, 0o070):
        return False
    try:
        return system.group_of(path) != config.cache.group
    except (OSError, KeyError):
        return True
