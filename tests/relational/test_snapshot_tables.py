"""What becomes of the cache when the database changes, breaks, or says odd things."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backup_jobs.jobs import snapshot_tables as job
from backup_jobs.jobs.snapshot_tables import check_queries, snapshot_tables
from backup_jobs.rv.database import Database, open_database
from backup_jobs.rv.database_errors import ConnectionLostError, DatabaseError
from backup_jobs.rv.read_before import FILE
from recovery.cache.freshness import known_since
from recovery.cache.manifests import Kept
from recovery.cache.snapshots import list_snapshots, verify_snapshot
from recovery.cache.store import Cache
from recovery.settings.config import Config
from recovery.tables.delivered import DELIVERIES
from recovery.tables.relational import PATIENTS, PLANS, RELATIONAL_TABLES, SCHEDULE
from recovery.tables.schema import TableSchema
from tests.relational.aria import Aria
from tests.relational.conftest import without_database


def written_at(config: Config, schema: TableSchema) -> float:
    return Cache(config.cache_path).snapshot(schema).path.stat().st_mtime_ns


def test_every_table_comes_and_says_where_from_and_when(config: Config, now: datetime) -> None:
    result = snapshot_tables(config, now)
    assert (result.job, result.outcome, result.fault, result.message) == ("snapshot_tables", "OK", "", "")
    assert result.counts["written"] == result.counts["tables"] == len(RELATIONAL_TABLES)
    for schema in RELATIONAL_TABLES.values():
        snapshot = Cache(config.cache_path).snapshot(schema)
        assert snapshot.taken_at == now
        assert snapshot.source == "aria database, sqlite:aria.db"
        assert snapshot.query_sha256 is not None


def test_a_second_run_writes_no_table_and_the_tables_are_as_fresh_as_it(config: Config, now: datetime) -> None:
    snapshot_tables(config, now)
    before = written_at(config, PLANS)
    later = now + timedelta(minutes=10)
    result = snapshot_tables(config, later)
    assert (result.outcome, result.counts["written"]) == ("OK", 0)
    assert result.counts["unchanged"] == len(RELATIONAL_TABLES)
    assert written_at(config, PLANS) == before
    cache = Cache(config.cache_path)
    assert cache.snapshot(PLANS).taken_at == now
    assert known_since(cache, PLANS) == later


def test_only_the_table_that_changed_is_written(config: Config, aria: Aria, now: datetime) -> None:
    snapshot_tables(config, now)
    aria.execute("UPDATE PlanSetup SET Status = 'TreatApproval' WHERE Status = 'Unapproved'")
    result = snapshot_tables(config, now + timedelta(minutes=10))
    assert result.counts["written"] == 1
    assert known_since(Cache(config.cache_path), PLANS) == now + timedelta(minutes=10)


def test_every_run_that_finds_something_new_makes_one_snapshot_of_all_tables(
    config: Config, aria: Aria, now: datetime
) -> None:
    snapshot_tables(config, now)
    snapshot_tables(config, now + timedelta(minutes=10))
    aria.execute("UPDATE PlanSetup SET Status = 'TreatApproval' WHERE Status = 'Unapproved'")
    snapshot_tables(config, now + timedelta(minutes=20))
    newest, first = list_snapshots(config.cache_path)
    assert [newest.taken_at, first.taken_at] == [now + timedelta(minutes=20), now]
    for info in (newest, first):
        assert {state.name for state in info.tables} == set(RELATIONAL_TABLES)
        assert verify_snapshot(config.cache_path, info.snapshot_id) == []
    changed = {new.name for new in newest.tables if new not in first.tables and new.taken_at == newest.taken_at}
    assert changed == {"plans"}


def test_what_a_table_lacks_stands_in_the_manifest_until_it_is_read_again(
    config: Config, aria: Aria, now: datetime
) -> None:
    snapshot_tables(config, now)
    aria.execute("ALTER TABLE Patient RENAME COLUMN SpecialNeeds TO Needs")
    for minutes in (10, 20):
        snapshot_tables(config, now + timedelta(minutes=minutes))
    newest, first = list_snapshots(config.cache_path)
    assert [state.name for state in newest.kept] == ["patients"] and first.kept == ()
    assert newest.kept[0].kept == Kept(
        now + timedelta(minutes=10), "query patients: the database has no column SpecialNeeds"
    )
    aria.execute("ALTER TABLE Patient RENAME COLUMN Needs TO SpecialNeeds")
    assert snapshot_tables(config, now + timedelta(minutes=30)).outcome == "OK"
    assert list_snapshots(config.cache_path)[0].kept == ()


def test_a_database_that_says_nothing_leaves_the_snapshots_as_they_were(
    config: Config, aria: Aria, now: datetime
) -> None:
    snapshot_tables(config, now)
    before = list_snapshots(config.cache_path)
    for table in [row[0] for row in aria.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]:
        aria.execute(f"DROP TABLE {table}")
    with pytest.raises(DatabaseError):
        snapshot_tables(config, now + timedelta(minutes=10))
    assert list_snapshots(config.cache_path) == before
    assert known_since(Cache(config.cache_path), PATIENTS) == now


def test_snapshots_older_than_keep_days_are_forgotten(config: Config, aria: Aria, now: datetime) -> None:
    taken = [now + timedelta(days=days) for days in (0, 30, 60, 65, 70, 75, 80, config.cache.keep_days + 1)]
    for number, at in enumerate(taken):
        aria.execute(f"UPDATE PlanSetup SET Status = '{('Reviewed', 'Rejected')[number % 2]}'")
        snapshot_tables(config, at)
    assert sorted(info.taken_at for info in list_snapshots(config.cache_path)) == taken[1:]


def test_without_a_database_in_the_config_the_job_is_skipped(config: Config, now: datetime) -> None:
    result = snapshot_tables(without_database(config), now)
    assert (result.outcome, dict(result.counts), result.message) == ("SKIPPED", {}, "the config has no [rv.database]")
    assert check_queries(without_database(config)) == []


def test_a_column_lost_in_an_upgrade_keeps_that_table_and_the_others_come(
    config: Config, aria: Aria, cached: Callable[[str], list[dict[str, object]]], now: datetime
) -> None:
    snapshot_tables(config, now)
    aria.execute("ALTER TABLE Patient DROP COLUMN SpecialNeeds")
    aria.execute("UPDATE PlanSetup SET Status = 'Rejected'")
    result = snapshot_tables(config, now + timedelta(minutes=10))
    assert (result.outcome, result.fault, result.counts["kept"]) == ("PARTIAL", "database", 1)
    assert result.message == "query patients: the database has no column SpecialNeeds"
    assert len(cached("patients")) == 5
    assert {row["approval_status"] for row in cached("plans")} == {"rejected"}
    assert known_since(Cache(config.cache_path), PATIENTS) == now, "what could not be read is not fresh"


def test_a_missing_table_is_named(config: Config, aria: Aria, now: datetime) -> None:
    aria.execute("DROP TABLE ChartQA")
    result = snapshot_tables(config, now)
    assert (result.outcome, result.message) == ("PARTIAL", "query checks: the database has no table ChartQA")
    assert check_queries(config) == [
        "query checks: the database has no table ChartQA",
        "query changes/sources: the database has no table ChartQA: tables are read whole in every cycle",
    ]


def test_a_database_whose_every_query_fails_says_nothing_at_all(config: Config, aria: Aria, now: datetime) -> None:
    aria.execute("DROP TABLE Patient")
    with pytest.raises(DatabaseError) as caught:
        snapshot_tables(config, now)
    assert caught.value.fault == "database"


def test_a_table_that_lost_a_third_of_its_rows_is_not_believed(
    config: Config, aria: Aria, cached: Callable[[str], list[dict[str, object]]], now: datetime
) -> None:
    snapshot_tables(config, now)
    before = cached("deliveries")
    aria.execute("DELETE FROM RadiationHstry WHERE FractionNumber < 3")
    result = snapshot_tables(config, now)
    assert result.outcome == "PARTIAL"
    assert "table deliveries: 4 rows, and 6 in its last state, which stays" in result.message
    assert cached("deliveries") == before


def test_a_table_that_lost_a_few_rows_is_believed(config: Config, aria: Aria, now: datetime) -> None:
    snapshot_tables(config, now)
    aria.execute("DELETE FROM RadiationHstry WHERE FractionNumber < 2")
    assert snapshot_tables(config, now).outcome == "OK"
    assert Cache(config.cache_path).snapshot(DELIVERIES).row_count == 5


def test_a_null_where_none_is_expected_stays_null(config: Config, aria: Aria, now: datetime) -> None:
    aria.execute("UPDATE RadiationHstry SET FractionNumber = NULL, TerminationStatus = NULL, OverrideFlag = NULL")
    aria.execute("UPDATE ScheduledActivity SET ScheduledActivityCode = NULL")
    aria.execute("UPDATE Radiation SET SetupNote = NULL, RadiationId = NULL")
    assert snapshot_tables(config, now).outcome == "OK"


@pytest.mark.parametrize("day", ["2026-03-29T00:30:00+01:00", "2026-10-25T02:30:00+01:00", "2028-02-29T23:59:00+01:00"])
def test_the_windows_begin_and_end_at_the_sites_midnight(config: Config, day: str) -> None:
    at = datetime.fromisoformat(day)
    values = job.query_values(config, at)
    for name in ("since", "couch_since", "schedule_since", "schedule_until"):
        moment = values[name]
        assert isinstance(moment, datetime)
        assert (moment.tzinfo, moment.hour, moment.minute) == (None, 0, 0)
    assert str(values["schedule_since"])[:10] == str(at.date() - timedelta(days=60))
    assert str(values["schedule_until"])[:10] == str(at.date() + timedelta(days=61)), "all of the sixtieth day"


@contextlib.contextmanager
def changing(config: Config, changes: list[str], aria: Aria) -> Iterator[Database]:
    """The database as one whose readings see no single moment, and that changes after each reading."""
    with open_database(config) as database:
        database.engine = replace(database.engine, reads_are_consistent=False)
        fetch = database.fetch

        def fetch_and_change(table: str, values: object) -> Iterator[dict[str, object]]:
            yield from list(fetch(table, values))  # type: ignore[arg-type]
            if table == "plans" and changes:
                aria.execute("UPDATE PlanSetup SET StatusUserName = ?", changes.pop())

        database.fetch = fetch_and_change  # type: ignore[method-assign]
        yield database


@pytest.mark.parametrize(("changes", "outcome"), [(1, "OK"), (9, "PARTIAL")])
def test_readings_that_disagree_are_read_again_until_two_agree(
    config: Config, aria: Aria, now: datetime, monkeypatch: pytest.MonkeyPatch, changes: int, outcome: str
) -> None:
    users = [f"User{n}" for n in range(changes)]
    monkeypatch.setattr(job, "open_database", lambda given: changing(given, users, aria))
    result = snapshot_tables(config, now)
    assert result.outcome == outcome
    assert len(users) == max(0, changes - 3), "three readings at most"
    assert ("table plans: it changed each time that it was read" in result.message) == (outcome == "PARTIAL")


def test_a_reading_that_the_cache_confirms_is_not_repeated(
    config: Config, aria: Aria, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot_tables(config, now)
    readings: list[str] = []
    read = Database.read

    def read_and_count(self: Database, table: str, *rest: object) -> object:
        readings.append(table)
        return read(self, table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "open_database", lambda given: changing(given, [], aria))
    monkeypatch.setattr(Database, "read", read_and_count)
    (config.cache_path / FILE).unlink()
    assert snapshot_tables(config, now).counts["unchanged"] == len(RELATIONAL_TABLES)
    assert len([name for name in readings if not name.startswith("changes/")]) == len(RELATIONAL_TABLES)


def test_a_database_that_goes_away_in_the_middle_keeps_the_rest_and_is_not_asked_for_it(
    config: Config, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot_tables(config, now)
    read = Database.read

    def read_until_schedule(self: Database, table: str, *rest: object) -> object:
        if table == "schedule":
            raise ConnectionLostError("query schedule: the database went away in the middle")
        return read(self, table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "read", read_until_schedule)
    result = snapshot_tables(config, now + timedelta(hours=1))
    assert (result.outcome, result.fault) == ("PARTIAL", "database")
    assert "query schedule: the database went away in the middle" in result.message
    assert (
        "not asked for after that: deliveries, couch_shifts, calendar, notes, checks, documents, photos"
        in result.message
    )
    cache = Cache(config.cache_path)
    assert known_since(cache, PLANS) == now + timedelta(hours=1)
    assert known_since(cache, SCHEDULE) == now
    kept = {state.name: state.kept for state in list_snapshots(config.cache_path)[0].kept}
    assert list(kept) == [
        "calendar",
        "checks",
        "couch_shifts",
        "deliveries",
        "documents",
        "notes",
        "photos",
        "schedule",
    ]
    assert kept["notes"] == Kept(now + timedelta(hours=1), "the connection was lost before it was asked for")


def test_a_product_without_queries_says_so(config: Config, now: datetime) -> None:
    assert config.rv is not None
    other = replace(config, rv=replace(config.rv, product="another"))  # type: ignore[arg-type]
    with pytest.raises(DatabaseError, match="no queries for another"):
        snapshot_tables(other, now)
