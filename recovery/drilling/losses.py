"""What tables that are the same do not show: dates of the future, and what never got into the RT-PACS. In sentences."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from recovery.cache.copy_age import AHEAD
from recovery.cache.manifests import FOLDER, taken_at_of
from recovery.course.charted_entries import ChartedFraction
from recovery.words.times import at_time
from recovery.words.values import counted


def newest_given(rows: Iterable[Mapping[str, Any]], now: datetime) -> tuple[datetime | None, list[str]]:
    """When the newest fraction was given, of those that can have been; and how many rows tell of the future. Times are
    naive, local to the site."""
    told = [at for row in rows if (at := row["last_treatment_at"]) is not None]
    given = [at for at in told if at <= now + AHEAD]
    ahead = len(told) - len(given)
    of_the_future = f"of {counted(ahead, 'plan')} the last fraction was given in the future: a clock is or was wrong"
    return max(given, default=None), [of_the_future] if ahead else []


def charted_not_back(live: Iterable[ChartedFraction], back: Iterable[ChartedFraction], before: datetime) -> list[str]:
    """Entries charted before a time, aware, that the live journals have and the RT-PACS did not give."""
    there = {one.entry_id for one in back}
    lost = sum(one.entry_id not in there and one.entered_at < before for one in live)
    return [f"{counted(lost, 'entry', 'entries')} charted by hand did not come from the RT-PACS"] if lost else []


def snapshots_not_sent(cache_path: Path, came: datetime, before: datetime, zone: ZoneInfo) -> list[str]:
    """That the RT-PACS's newest snapshot of the database is of `came`, although a newer one was taken before a time."""
    taken = (taken_at_of(path.name) for path in (cache_path / FOLDER).glob("*"))
    waiting = [at for at in taken if at is not None and at > came and at < before]
    if not waiting:
        return []
    since = at_time(min(waiting).astimezone(zone))
    told = f"the newest snapshot of the database in the RT-PACS is of {at_time(came.astimezone(zone))}"
    return [f"{told}: that of {since}, and what followed, never got there"]
