"""How old entries are, by a clock that may have been years ahead for a run: what old things are pruned by.

An age is the sum of the steps from entry to entry. A step that is longer than what is kept is none: either the clock
jumped, or nothing ran for so long, and then what is there is all the history that there is.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

_LONGEST_STEP = timedelta(days=30)
"""The least that a step must exceed to be no step."""


def believed_ages(times: Sequence[datetime], now: datetime, keep: timedelta) -> list[timedelta]:
    """The age of each entry. `times` are those at which they were made, in that order; `keep` is how long they stay."""
    longest = max(keep, _LONGEST_STEP)
    ages, age, later = [], timedelta(), now
    for time in reversed(times):
        step = later - time
        age += step if abs(step) <= longest else timedelta()
        ages.append(age)
        later = time
    return ages[::-1]
