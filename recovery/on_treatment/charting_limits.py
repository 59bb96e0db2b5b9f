"""What the config says of the checks before a fraction is charted; apart from these, which take long to import."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Answer = Literal["refuse", "warn", "off"]


@dataclass(frozen=True, slots=True)
class Checks:
    """`[downtime.checks]`: by check, what it does where the config says nothing."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  pydantic's own name
    more_fractions_than_planned: Answer = "refuse"
    not_the_next_fraction: Answer = "warn"
    meterset_beyond_tolerance: Answer = "warn"
    meterset_absurd: Answer = "refuse"
    second_fraction_same_day: Answer = "warn"
    interval_too_short: Answer = "warn"
    wrong_machine: Answer = "warn"
    not_ready: Answer = "warn"
    gap_too_long: Answer = "warn"
    plan_over: Answer = "refuse"
    plan_not_held: Answer = "refuse"
    told_already: Answer = "warn"
    conflict_open: Answer = "warn"
    clock: Answer = "refuse"


@dataclass(frozen=True, slots=True)
class Limits:
    """How far is too far. `meterset_share`: of what a beam was to give; `interval`: between two fractions of a day."""

    meterset_share: float = 0.05
    interval: timedelta = timedelta(hours=6)
    gap_days: int = 4
