"""The shift check: once a shift somebody compares the copy with the R&V system, while both can be seen. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from recovery.entries.shift_checks import ShiftCheck
from recovery.watch.events import Trouble

SHIFT_CHECK = "the shift check"
"""The trouble's name."""
GRACE = timedelta(hours=1)
"""After a shift has begun, so long may its check take."""
MISSED = "nobody has compared list and newest fractions with the R&V system"
DIFFERS = "who compared found that the copy and the R&V system differ"
LOOKS_BACK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift that has begun (aware), and the last check made in it."""

    begins: datetime
    check: ShiftCheck | None = None


def shifts_of(
    times: Iterable[str], weekdays: Collection[int], checks: Sequence[ShiftCheck], now: datetime, zone: ZoneInfo
) -> list[Shift]:
    """The shifts of the last days that have begun, newest first; none where no times are configured.

    `times`: `HH:MM`, site time; `weekdays`: those on which the clinic treats, Monday 0.
    """
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(LOOKS_BACK_DAYS + 1)]
    begun = sorted(
        datetime.combine(day, time.fromisoformat(at), zone).astimezone(UTC)
        for day in days
        if day.weekday() in weekdays
        for at in set(times)
    )
    begun = [at for at in begun if at <= now]
    made, end = [], now + timedelta(microseconds=1)
    for begins in reversed(begun):
        made.append(Shift(begins, next((one for one in reversed(checks) if begins <= one.entered_at < end), None)))
        end = begins
    return made


def trouble_of(shifts: Sequence[Shift], checks: Sequence[ShiftCheck], now: datetime) -> Trouble | None:
    """That the newest check found a difference, or that a shift passed without one: since the first of the row, or
    since the newest where no check was ever made."""
    if shifts and checks and not checks[-1].agrees:
        return Trouble(SHIFT_CHECK, checks[-1].entered_at, DIFFERS, "shift check")
    due = [shift for shift in shifts if shift.check is not None or now - shift.begins > GRACE]
    missed = next((n for n, shift in enumerate(due) if shift.check is not None), len(due))
    if not missed:
        return None
    return Trouble(SHIFT_CHECK, due[missed - 1 if checks else 0].begins, MISSED, "shift check")
