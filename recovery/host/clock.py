"""What time it is: the one place where an entry point may read the clock; every function below takes `now`.

In the simulated clinic the environment variable `RBRDT_CLOCK` names a file whose time stands in for the computer's; the
dashboard then says that its clock is simulated.

`believed_ages` is what old things are pruned by, for a clock may have been years ahead for a run: an age is the sum of
the steps from entry to entry. A step that is longer than what is kept is none: either the clock jumped, or nothing ran
for so long, and then what is there is all the history that there is.
"""

import json
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

CLOCK_VARIABLE = "RBRDT_CLOCK"


class ClockError(OSError):
    """The simulated clinic's clock cannot be read."""


def read_clock() -> datetime:
    """Return the time now, aware, in UTC.

    Raises `ClockError` if `RBRDT_CLOCK` is set and its file cannot be read: a simulated clinic without its clock must
    stop.
    """
    simulated = os.environ.get(CLOCK_VARIABLE)
    if not simulated:
        return datetime.now(UTC)
    try:
        setting = json.loads(Path(simulated).read_text(encoding="utf-8"))
        elapsed = (time.time() - float(setting["real"])) * float(setting["speed"])
        return datetime.fromisoformat(setting["simulated"]).astimezone(UTC) + timedelta(seconds=elapsed)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ClockError(
            f"The simulated clock {simulated} cannot be read ({type(error).__name__}). Where no clinic is simulated, "
            f"unset {CLOCK_VARIABLE}."
        ) from error


def read_wall_clock() -> datetime:
    """Return the computer's own time, aware, in UTC, also in a simulated clinic.

    For what is about the people who use this tool, not about its patients: sittings, locks, the audit file.
    """
    return datetime.now(UTC)


def clock_is_simulated() -> bool:
    """Tell whether the time is a simulated clinic's."""
    return bool(os.environ.get(CLOCK_VARIABLE))


_LONGEST_STEP = timedelta(days=30)
"""The least that a step must exceed to be no step."""


def believed_ages(times: Sequence[datetime], now: datetime, keep: timedelta) -> list[timedelta]:
    """The age of each entry. `times` are those at which they were made, in that order; `keep` is how long they stay."""
    longest = max(keep, _LONGEST_STEP)
    ages, age, later = [], timedelta(), now
    for one in reversed(times):
        step = later - one
        age += step if abs(step) <= longest else timedelta()
        ages.append(age)
        later = one
    return ages[::-1]
