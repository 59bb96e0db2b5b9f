"""Who is next to lose from waiting: missed days against the gap that the clinic allows. Pure, no I/O, no clock.

A day of the site is missed when it is over, the clinic treats on it, and the patient was not treated; a public holiday
counts, for it prolongs a course. What is left is the limit of the patient's category less the days missed. Categories
are those of the RCR (The timely delivery of radical radiotherapy, 4th edition, 2019); the limits are the clinic's own,
and there are no defaults.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

CATEGORIES = (1, 2, 3)
INTENTS = ("curative", "palliative")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WORKING_WEEK = frozenset(range(5))
"""Monday to Friday, as `date.weekday()` numbers them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the clinic signed: by category the missed days that are allowed, and the weekdays it treats on."""

    allowed_missed_days: Mapping[int, int]
    treatment_weekdays: frozenset[int]
    signed_by: str
    signed_on: date


@dataclass(frozen=True, slots=True)
class MissedDays:
    """One patient's clock. None where it cannot be said: never treated, or no category entered.

    `days_left` is negative when the limit is passed.
    """

    missed_days: int | None
    allowed_days: int | None

    @property
    def days_left(self) -> int | None:
        if self.missed_days is None or self.allowed_days is None:
            return None
        return self.allowed_days - self.missed_days


def gap_days(last_treated: date | None, today: date) -> int | None:
    """Calendar days since the last treatment; None when there was none. A day in the future counts as today."""
    return None if last_treated is None else max(0, (today - last_treated).days)


def missed_days(
    last_treated: date | None, today: date, treatment_weekdays: Collection[int] = WORKING_WEEK
) -> int | None:
    """Treatment days that are over since the last treatment, without it; today is not over and does not count.

    `treatment_weekdays` as `date.weekday()` numbers them. None when the patient was never treated.
    """
    if last_treated is None:
        return None
    whole = max(0, (today - last_treated).days - 1)
    weeks, rest = divmod(whole, 7)
    first = last_treated + timedelta(days=1)
    odd = sum((first + timedelta(days=n)).weekday() in treatment_weekdays for n in range(rest))
    return weeks * len(set(treatment_weekdays)) + odd


def stand(last_treated: date | None, category: int | None, today: date, rules: Rules) -> MissedDays:
    """One patient's clock by the clinic's rules."""
    allowed = rules.allowed_missed_days.get(category) if category is not None else None
    return MissedDays(missed_days(last_treated, today, rules.treatment_weekdays), allowed)


def urgency(
    standing: MissedDays, category: int | None, has_chemotherapy: bool | None, intent: str | None
) -> tuple[int, int, int, int]:
    """What the list is sorted by, the least first: days left, category, chemotherapy, intent.

    Equal clocks are told apart by category, then concurrent chemotherapy before none, then curative before
    palliative. Whose clock cannot be said comes last.
    """
    left = standing.days_left
    unknown = 10**6
    return (
        unknown if left is None else left,
        unknown if category is None else category,
        0 if has_chemotherapy else 1,
        INTENTS.index(intent) if intent in INTENTS else len(INTENTS),
    )
