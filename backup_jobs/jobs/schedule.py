"""Where there is no cron: stay up, and run the cycle at the config's pace."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import schedule

from recovery.settings.config import Config

log = logging.getLogger(__name__)


def keep_running(config: Config, run_cycle: Callable[[], int]) -> int:
    """Run a cycle now and then every `[schedule] cycle_minutes`, until stopped; returns the last exit status."""
    last = run_cycle()

    def again() -> None:
        nonlocal last
        last = run_cycle()

    schedule.every(config.schedule.cycle_minutes).minutes.do(again)
    log.info("the next cycle runs in %s minutes", config.schedule.cycle_minutes)
    try:
        while True:
            schedule.run_pending()
            time.sleep(1)
    except KeyboardInterrupt:
        return last
