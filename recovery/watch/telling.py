"""Tell people what is new since they were last told, and remember that they were: in a file on the machine that tells.

Where nobody could be told, nothing is noted, and the next run tries again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.cache.journal import CYCLE
from recovery.host.seals import unsealed_json, write_json
from recovery.watch.events import Event, Told, Trouble, after_telling, events, stopped
from recovery.watch.messages import daily_summary, message
from recovery.watch.sending import send, ways

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recovery.dicom.model import JobRun
    from recovery.settings.config import Config

log = logging.getLogger(__name__)

DAY = timedelta(days=1)


@dataclass(slots=True)
class ToldBefore:
    """What was told, by the trouble's name, and the day (site time, ISO) of the newest summary."""

    told: dict[str, Told] = field(default_factory=dict)
    summary_of: str = ""

    @classmethod
    def load(cls, path: Path) -> ToldBefore:
        try:
            said = unsealed_json(path.read_bytes())
            told = {
                str(name): Told(_moment(one["since"]), _moment(one["last"]), int(one["times"]))
                for name, one in said["told"].items()
            }
            return cls(told, str(said["summary_of"]))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            log.warning("what was told before cannot be read, and is told once more: %s", path.name)
            return cls()

    def save(self, path: Path) -> None:
        told = {
            name: {"since": one.since.isoformat(), "last": one.last.isoformat(), "times": one.times}
            for name, one in self.told.items()
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, {"told": told, "summary_of": self.summary_of})
        except OSError as error:
            log.warning("what was told cannot be remembered, and is told again: %s", error)


def stopped_jobs(config: Config, runs: Sequence[JobRun], now: datetime) -> tuple[list[Trouble], set[str]]:
    """Jobs whose runs do not end any more, and the names of all that were judged.

    Of a cycle's jobs only what was begun is missed: a clinic may give each its own pace. A night may be an hour late.
    """
    night = DAY + timedelta(hours=config.verify.hours + 1)
    nightly = {"verify_backup": night}
    nightly |= {"keep_packs": night} if config.package_path else {}
    nightly |= {"keep_bundle": night} if config.bundle_paths else {}
    return stopped(runs, dict.fromkeys(CYCLE, config.watch.grace or config.schedule.grace), nightly, now)


def tell_troubles(config: Config, troubles: Iterable[Trouble], known: set[str], now: datetime) -> list[str]:
    """Tell what is new of troubles; returns what went wrong in telling. `known`: the names that are judged here."""
    due = events(troubles, ToldBefore.load(config.watch_path).told, now, known)
    return [p for event in due for p in _tell(config, event, now)]


def tell_the_day(config: Config, runs: Sequence[JobRun], proven_at: datetime | None, now: datetime) -> list[str]:
    """The daily summary, once its time has come and it was not sent today; returns what went wrong."""
    local = now.astimezone(config.site.zone)
    path, memory = config.watch_path, ToldBefore.load(config.watch_path)
    at, today = config.watch.daily_summary_at, local.date().isoformat()
    if not at or f"{local:%H:%M}" < at or memory.summary_of == today:
        return []
    of_the_day = [run for run in runs if now - DAY < run.started_at <= now]
    said = daily_summary(of_the_day, proven_at, config.site.name, now, config.site.zone)
    problems = send(said, config.watch, now)
    if len(problems) < ways(config.watch):
        replace(ToldBefore.load(path), summary_of=today).save(path)
    return problems


def _tell(config: Config, event: Event, now: datetime) -> list[str]:
    """Send one, and note that: read anew, for another job may have told something while this was on its way."""
    problems = send(message(event, config.site.name, now, config.site.zone), config.watch, now)
    if len(problems) < ways(config.watch):
        before = ToldBefore.load(config.watch_path)
        replace(before, told=after_telling(before.told, [event], now)).save(config.watch_path)
    return problems


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at
