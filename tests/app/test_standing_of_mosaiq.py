"""Where records come from a database, the banner believes the run that read it, and not the one that was skipped."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from app.data.standing import Level, Standing, judge
from recovery.cache.copy_age import proven_up_to
from recovery.cache.journal import JobResult, Journal, Outcome
from recovery.cache.store import Cache
from tests.app.clinic import NOW

ZURICH = ZoneInfo("Europe/Zurich")


def note(folder: Path, job: str, minutes_ago: float, outcome: Outcome = "OK", fault: str = "", **counts: int) -> None:
    journal, at = Journal(folder), NOW - timedelta(minutes=minutes_ago)
    journal.finish(journal.start(job, at), JobResult(job, outcome, counts, fault=fault), at)


def said_of(folder: Path) -> Standing:
    return judge(Journal(folder).runs(), NOW - timedelta(minutes=5), NOW, ZURICH)


def test_the_run_that_read_the_deliveries_is_what_the_backup_is_as_old_as(tmp_path: Path) -> None:
    note(tmp_path, "sync_records", 6, "SKIPPED")
    note(tmp_path, "snapshot_tables", 6, treatment_records=12, unproven=0)
    said = said_of(tmp_path)
    assert said.level is Level.GOOD
    assert said.age.said[0] == "Backup is 6 minutes old. Everything up to Tue 14:32 is proven in the RT-PACS."
    assert proven_up_to(Cache(tmp_path), NOW) == NOW - timedelta(minutes=6)


def test_a_run_whose_deliveries_stayed_as_they_were_proves_nothing_new(tmp_path: Path) -> None:
    for minutes_ago, counts in ((136, {"treatment_records": 12}), (6, {"kept": 1})):
        note(tmp_path, "sync_records", minutes_ago, "SKIPPED")
        note(tmp_path, "snapshot_tables", minutes_ago, "PARTIAL" if "kept" in counts else "OK", **counts)
    said = said_of(tmp_path)
    assert said.level is Level.STOP
    assert said.as_of == NOW - timedelta(minutes=136)


def test_a_silent_database_is_named(tmp_path: Path) -> None:
    for minutes_ago, outcome, fault in ((26, "OK", ""), (6, "FAILED", "database")):
        note(tmp_path, "sync_records", minutes_ago, "SKIPPED")
        told = {"treatment_records": 12} if outcome == "OK" else {}
        note(tmp_path, "snapshot_tables", minutes_ago, outcome, fault, **told)  # type: ignore[arg-type]
    assert said_of(tmp_path).answers.said[0].startswith("The R&V system's database has not answered since Tue 14:12")


def test_tables_of_a_clinic_whose_records_come_by_dicom_prove_no_record(tmp_path: Path) -> None:
    note(tmp_path, "sync_records", 136)
    note(tmp_path, "snapshot_tables", 6, moved=3, unproven=0)
    said = said_of(tmp_path)
    assert (said.level, said.as_of) == (Level.STOP, NOW - timedelta(minutes=136))
