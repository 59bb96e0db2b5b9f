"""Failed sign-ins are counted, and too many of them close the door for a while; never for everybody.

Goal
    Nobody guesses a password by trying, also not across restarts; and nobody locks a department out by failing on
    purpose.

How
    An attempt is counted before its password is looked at, and taken back by a success: of many that come at once, no
    more are looked at than of those that come in a row. They are counted per name AND address: whoever fails at one
    machine is locked there, while the owner of the name signs in at another. Only when a name has failed ten times as
    often, from all addresses together, is it locked everywhere. Locks end by themselves, or by `python -m recovery
    user unlock`. A name that does not exist is locked like one that does, so a lock tells nothing.

Why hashes of names
    People type their password into the wrong field. What was typed is not kept.
"""

import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recovery.access.accounts import folded_name
from recovery.host.durable import locked
from recovery.host.seals import checked_json, write_json

log = logging.getLogger(__name__)

EVERYWHERE = 10
"""A name is locked at every address after this many times the failures that lock it at one."""
_MOST_KEPT = 5_000
"""Pairs of name and address; the oldest are forgotten first."""


class Lockout:
    """The failures of one file. Where it cannot be written, this process still counts."""

    def __init__(self, path: Path, after: int, minutes: int) -> None:
        self.path = path
        self._after = after
        self._span = timedelta(minutes=minutes)
        self._lock = threading.Lock()
        self._unwritten: dict[str, list[str]] | None = None

    def locked_until(self, name: str, address: str, now: datetime) -> datetime | None:
        """When this name may be tried again from this address; None when now."""
        recent = self._recent(now)
        person = _person(name)
        here = recent.get(f"{person} {address}", [])
        everywhere = sorted(at for pair, times in recent.items() if pair.startswith(f"{person} ") for at in times)
        ends = [
            times[-limit] + self._span
            for times, limit in ((here, self._after), (everywhere, self._after * EVERYWHERE))
            if len(times) >= limit
        ]
        return max(ends, default=None)

    def attempt(self, name: str, address: str, now: datetime) -> datetime | None:
        """Count an attempt, before its password is looked at; until when it is refused, None when it may go on."""
        with self._alone():
            until = self.locked_until(name, address, now)
            if until is None:
                self._count(name, address, now)
        return until

    def note_success(self, name: str, address: str, now: datetime) -> None:
        """Forget the failures of a name at an address."""
        with self._alone():
            recent = self._recent(now)
            if recent.pop(f"{_person(name)} {address}", None) is not None:
                self._write(recent)

    def unlock(self, name: str, now: datetime) -> bool:
        """Forget the failures of a name everywhere; tells whether there were any."""
        with self._alone():
            recent, person = self._recent(now), f"{_person(name)} "
            kept = {pair: times for pair, times in recent.items() if not pair.startswith(person)}
            self._write(kept)
            return len(kept) < len(recent)

    def _count(self, name: str, address: str, now: datetime) -> None:
        recent = self._recent(now)
        recent.setdefault(f"{_person(name)} {address}", []).append(now)
        newest = sorted(recent.items(), key=lambda pair: pair[1][-1])[-_MOST_KEPT:]
        self._write(dict(newest))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread, and no other process where the folder takes a lock file, counts at the same time."""
        with self._lock, ExitStack() as stack:
            with suppress(OSError):
                stack.enter_context(locked(self.path.with_name(f"{self.path.name}.lock")))
            yield

    def _recent(self, now: datetime) -> dict[str, list[datetime]]:
        """Failures that still count, oldest first; those of a future that a clock made do not."""
        said = self._read() if self._unwritten is None else self._unwritten
        recent = {}
        for pair, times in said.items():
            counting = sorted(at for text in times if now - self._span < (at := datetime.fromisoformat(text)) <= now)
            if counting:
                recent[pair] = counting
        return recent

    def _read(self) -> dict[str, list[str]]:
        """The file's content. A damaged file locks nobody out, and is told in the log."""
        try:
            said = checked_json(self.path.read_bytes(), {"failures"})["failures"]
            return {str(pair): [_moment(at) for at in said[pair]] for pair in said}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError) as error:
            log.warning("the file of failed sign-ins cannot be read, it starts anew: %s", type(error).__name__)
            return {}

    def _write(self, recent: dict[str, list[datetime]]) -> None:
        content = {pair: [at.astimezone(UTC).isoformat() for at in times] for pair, times in recent.items()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, {"failures": content}, private=True)
            self._unwritten = None
        except OSError as error:
            log.warning("failed sign-ins are counted in memory only: %s", error)
            self._unwritten = content


def _moment(said: str) -> str:
    return datetime.fromisoformat(said).astimezone(UTC).isoformat()


def _person(name: str) -> str:
    return hashlib.sha256(folded_name(name).encode("utf-8", "replace")).hexdigest()[:16]
