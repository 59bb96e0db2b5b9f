"""The simulated clinic's clock, and the file by which jobs and dashboard read it.

Goal
    Every process of the demonstration agrees on what time it is, also when the clock jumps over a night.

How
    A small JSON file, replaced in one step: `{"simulated": ISO 8601 with offset, "real": epoch seconds,
    "speed": float}`. The time now is `simulated` plus the real seconds since `real`, times `speed`.
    The environment variable `RBRDT_CLOCK` names it; `recovery.host.clock` reads it.
"""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recovery.host import system

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

CLOCK_VARIABLE = "RBRDT_CLOCK"


class SimulatedClock:
    """Runs `speed` times as fast as the real one. Times are the site's wall clock, without a zone."""

    def __init__(self, path: Path, start: datetime, speed: float, time_zone: ZoneInfo) -> None:
        self.path = path
        self.speed = speed
        self.time_zone = time_zone
        self._pace = speed
        self.set(start)

    def now(self) -> datetime:
        """The wall clock of the site."""
        elapsed = timedelta(seconds=(time.time() - self._real) * self._pace)
        return (self._simulated + elapsed).astimezone(self.time_zone).replace(tzinfo=None)

    @property
    def stands(self) -> bool:
        return not self._pace

    def stand(self, still: bool) -> None:
        """Stop, or go on from there."""
        if still != self.stands:
            now, self._pace = self.now(), 0.0 if still else self.speed
            self.set(now)

    def set(self, moment: datetime) -> None:
        """Jump to a wall-clock time, for every process at once.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._real = time.time()
        self._simulated = moment.replace(tzinfo=self.time_zone)
        said = {"simulated": self._simulated.isoformat(), "real": self._real, "speed": self._pace}
        beside = self.path.with_suffix(".part")
        beside.write_text(json.dumps(said), encoding="utf-8")
        system.move(beside, self.path)
