"""The dashboard's way into the audit file, also when that cannot be written.

How
    One AuditWriter per audit file and process. A line that cannot be written waits in memory, in order, and is written
    before the next one, marked late, with the time at which it happened.

Why reading goes on
    A full disk in a downtime must not take the list of patients away: a treatment without the list is the greater
    harm, and the gap is shown on every page until it is closed. What gives somebody more rights, or changes
    something, does not happen without its line (`must=True`).
"""

import logging
import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from recovery.access.audit import AuditError, AuditEvent, AuditFile

log = logging.getLogger(__name__)

_MOST_WAITING = 20_000
"""Lines of about 1 kB in memory."""


class AuditWriter:
    """Notes events; thread-safe. `failing_since` is when a line first could not be written, None when all are."""

    def __init__(self, path: Path) -> None:
        self._file = AuditFile(path)
        self._waiting: deque[AuditEvent] = deque(maxlen=_MOST_WAITING)
        self._lock = threading.Lock()
        self._why = ""
        self.failing_since: datetime | None = None

    def note(self, event: AuditEvent, *, must: bool = False) -> None:
        """Write an event, after those that wait.

        Raises `AuditError` if `must` and the line cannot be written; it then did not happen and does not wait.
        """
        with self._lock:
            try:
                self._write_waiting()
                self._file.append(event)
                self.failing_since = None
            except AuditError as error:
                if self.failing_since is None:
                    log.warning("%s", error)
                    self.failing_since = event.at
                self._why = str(error)
                if must:
                    raise
                self._waiting.append(event)

    def try_again(self) -> None:
        """Write what waits, if it can be written by now."""
        with self._lock, suppress(AuditError):
            self._write_waiting()
            if not self._waiting:
                self.failing_since = None

    def _write_waiting(self) -> None:
        while self._waiting:
            late = self._waiting[0]
            self._file.append(replace(late, details=dict(late.details) | {"written_late": True}))
            self._waiting.popleft()

    @property
    def complaint(self) -> str:
        """What every page says while lines wait; empty when none does."""
        if self.failing_since is None:
            return ""
        return (
            f"{self._why} {len(self._waiting)} lines wait in memory and are lost if the dashboard stops. "
            "Free space on its disk, or mend its rights."
        )


@lru_cache(maxsize=8)
def audit_writer(path: Path) -> AuditWriter:
    """The AuditWriter of an audit file, the same for every visitor of this process."""
    return AuditWriter(path)
