"""What binder and bundle are made of, read once: the list, the machines' days, and the file of each patient.

From the cache alone. A table that is missing or damaged is told in a sentence and stops nothing, but for the list of
patients, the records and the plans: without them nobody can say which fraction is next.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pandas as pd

from recovery.cache.copy_age import age_in_words, true_up_to
from recovery.cache.doors import doubts_of
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.store import Cache
from recovery.entries.charted import answers
from recovery.entries.downtimes import believed_up_to, grace_at, told_at
from recovery.lists import appointments, day_tables, filters, machine_day, rows
from recovery.lists.appointments import DayFacts, Given, PlanKey
from recovery.lists.machine_day import Day, Tables
from recovery.on_treatment.unknown_since import NO_ANSWERS, Doubt, doubt_of
from recovery.patient.chosen import everybody
from recovery.patient.file import PatientFile, read_patient_files
from recovery.settings.config import Config
from recovery.tables.relational import ALL_TABLES
from recovery.tables.schema import ON_TREATMENT, PIPELINE
from recovery.words.statuses import NOW_TREATED
from recovery.words.times import at_time

DAYS = 3


@dataclass(frozen=True, slots=True)
class Department:
    """`table`: every plan, as `rows.describe` makes it; `files`: whoever may still be treated, those on treatment
    first, by machine and name."""

    config: Config
    now: datetime
    """When it was read; aware."""
    as_of: datetime | None
    """Up to when everything is proven; aware."""
    told: tuple[str, ...]
    """What a reader must know of the copy before he believes it, in sentences."""
    damaged: tuple[str, ...]
    """Tables that are there and cannot be read."""
    table: pd.DataFrame
    files: tuple[PatientFile, ...]
    not_started: pd.DataFrame | None
    machines: tuple[str, ...]
    days: tuple[date, ...]
    """Today, and the next days on which somebody is booked."""
    tables: Tables
    given: Mapping[PlanKey, tuple[Given, ...]]
    doubt: Doubt | None

    @property
    def today(self) -> date:
        return self.local_now.date()

    @property
    def local_now(self) -> datetime:
        """Naive, local to the site."""
        return self.now.astimezone(self.config.site.zone).replace(tzinfo=None)

    @property
    def treated(self) -> pd.DataFrame:
        """Plans that somebody comes for these days."""
        return self.table[self.table["status"].isin(NOW_TREATED)]

    @property
    def treated_files(self) -> tuple[PatientFile, ...]:
        return tuple(file for file in self.files if any(plan.row.status in NOW_TREATED for plan in file.plans))

    @property
    def age(self) -> str:
        """`Proven up to Tue 24 Nov 2026 14:32`"""
        if self.as_of is None:
            return "Nothing is proven: nobody knows how old this is"
        return f"Proven up to {at_time(self.as_of.astimezone(self.config.site.zone))}"

    def day_of(self, machine: str, day: date) -> Day:
        """One machine's list of one of `days`."""
        told_of = answers(self.config.cache_path)
        facts = DayFacts(day, self.today, self.given if day == self.today else {}, self.doubt, told_of)
        return machine_day.day_of(self.table, self.tables, machine, day, facts)


def read_department(config: Config, cache: Cache, now: datetime, what: str) -> Department:
    """Everything at one moment. `what` it is for, as in "this binder".

    Raises `NobodyError` if nobody is on treatment; `CacheError` if list, records or plans cannot be read.
    """
    doubts = doubts_of(cache)
    with suppress(CacheError):  # the tables say themselves that they cannot be read
        cache = cache.pin()
    zone, today = config.site.zone, now.astimezone(config.site.zone).date()
    as_of = believed_up_to(config.cache_path, true_up_to(cache, ON_TREATMENT))
    built = rows.with_transfers(cache.read_frame(ON_TREATMENT), cache.path)
    table = rows.with_charted(rows.describe(rows.in_order(built)), cache)
    tables, without = day_tables.read_tables(cache.read_frame, table)
    newest = rows.newest_treatment(table)
    doubt = doubt_of(as_of, newest, now, zone, grace_at(config.cache_path, config.schedule.grace))
    if doubt is not None or table["unknown_since"].notna().any():
        told_of = answers(cache.path)
        recorded = day_tables.recorded_since(cache, table, doubt.since.date()) if doubt is not None else NO_ANSWERS
        table = rows.with_unknown(table, tables.schedule, doubt, told_of, recorded)
    tables, of_plans = day_tables.with_plans(tables, cache.path, today)
    ids = everybody(cache, config.dashboard.exclude_patient_ids).patient_ids
    others = table.loc[filters.is_unfinished(table), "patient_id"].dropna()
    files = read_patient_files(cache, config.site, [*ids, *others], now, config.schedule.grace)
    not_started = _not_started(cache)
    told = (
        told_at(config.cache_path, zone),
        age_in_words(as_of, now, config, what),
        *doubts,
        *without,
        *of_plans,
        *_without(cache, files),
    )
    return Department(
        config, now.astimezone(UTC), as_of, tuple(filter(None, told)), _damaged(cache), table, tuple(files),
        not_started, tuple(machine_day.machines_of(table, tables.schedule)), _days(tables.schedule, today), tables,
        _given(cache, table, today), doubt,
    )  # fmt: skip


def _damaged(cache: Cache) -> tuple[str, ...]:
    """Tables that are there and cannot be read."""
    found = []
    for name, schema in ALL_TABLES.items():
        try:
            cache.snapshot(schema)
        except TableMissingError:
            continue
        except CacheError:
            found.append(name)
    return tuple(found)


def _without(cache: Cache, files: Sequence[PatientFile]) -> Iterator[str]:
    """A sentence about the tables that patients' files and charts do without, and one about who has not started."""
    if names := sorted({name for file in files[:1] for name in file.tables_missing} - day_tables.NEEDED):
        yield f"▲ Not in the cache, or damaged, so that nothing of it is here: {', '.join(names)}."
    try:
        cache.snapshot(PIPELINE)
    except CacheError:
        yield "▲ Who is not on treatment yet is not known: the cache has no table of it that can be read."


def _days(schedule: pd.DataFrame | None, today: date) -> tuple[date, ...]:
    """Today, and the next days with an appointment on a machine that was not cancelled; without a schedule today."""
    if schedule is None:
        return (today,)
    expected = schedule[schedule["treatment_machine_name"].notna() & ~appointments.is_cancelled(schedule)]
    ahead = sorted({at.date() for at in expected["appointment_at"].dropna() if at.date() > today})
    return (today, *ahead[: DAYS - 1])


def _given(cache: Cache, table: pd.DataFrame, today: date) -> Mapping[PlanKey, tuple[Given, ...]]:
    try:
        found = day_tables.given_on(cache, day_tables.ids_treated(table, today), today)
    except CacheError:
        return {}
    return {key: tuple(own) for key, own in found.items()}


def _not_started(cache: Cache) -> pd.DataFrame | None:
    """Who is not on treatment yet; None where that is not known."""
    try:
        return rows.of_not_started(cache.read_frame(PIPELINE))
    except CacheError:
        return None
