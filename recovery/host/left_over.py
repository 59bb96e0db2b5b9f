"""Files that killed runs left beside those that they were writing.

Goal
    A run that is killed leaves nothing that grows.

How
    `durable.replace_file` writes to `.NAME.PID`. What bears such a name, for a file that jobs write, and whose process
    is gone, is deleted when the next job begins. Nothing else is touched: a run that is under way is a process.
"""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

_LEFT_OVER = {
    "": re.compile(r"\.(?:memory\.json|runs\.jsonl)\.(\d+)"),
    "tables": re.compile(r"\.\w+\.parquet\.(\d+)"),
}
"""By folder of the cache: what jobs write there, under its name beside."""


def sweep(cache_path: Path) -> list[str]:
    """Delete what killed runs left over; returns its names. What cannot be deleted stays."""
    gone: list[str] = []
    for folder, pattern in _LEFT_OVER.items():
        with suppress(OSError):
            for path in (cache_path / folder).iterdir():
                found = pattern.fullmatch(path.name)
                if found and not _is_running(int(found[1])) and path.is_file() and not path.is_symlink():
                    path.unlink()
                    gone.append(path.name)
    if gone:
        log.info("left over by runs that were killed, and deleted: %s", ", ".join(gone))
    return gone


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
