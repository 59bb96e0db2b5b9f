"""`python -m recovery verify` names every file that is not what was written, whichever it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from recovery.__main__ import main
from recovery.access.audit import AuditEvent, AuditFile
from recovery.cache.journal import JobResult, Journal
from recovery.cache.store import Cache
from recovery.entries.charted import enter
from recovery.entries.downtimes import DowntimeEntry
from recovery.entries.known_gaps import KnownGap
from recovery.host.entry_lines import append_statement
from recovery.pacs.verified_objects import VerifiedObjects
from recovery.tables.schema import EXCLUDED_PATIENTS
from tests.recovery import made_snapshots
from tests.recovery.charting import FULL, entry
from tests.recovery.test_copy_age import CONFIG

NOW = datetime(2026, 11, 24, 14, 32, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    """A cache with one of everything, and an audit file."""
    (tmp_path / "config.toml").write_text(CONFIG)
    cache = Cache(tmp_path / "cache")
    made_snapshots.take(cache.path, 1)
    cache.write(EXCLUDED_PATIENTS, [{"patient_id": "A1"}], taken_at=NOW, source="RT-PACS")
    journal = Journal(cache.path)
    journal.finish(journal.start("sync_records", NOW), JobResult("sync_records", "OK", {}), NOW)
    gap = KnownGap(("1.2.3",), "never sent", date(2026, 12, 1), "physicist", NOW)
    append_statement(cache.path, gap)
    enter(cache.path, tmp_path / "charting.key", entry("a", 1, FULL))
    begin = DowntimeEntry("begin", "encrypted", "physicist", NOW, NOW)
    append_statement(cache.path, begin)
    AuditFile(tmp_path / "data" / "audit.jsonl").append(
        AuditEvent(NOW, "physicist", "physicist", "sign in", "127.0.0.1")
    )
    return ["--config", str(tmp_path / "config.toml")]


def kept(folder: Path) -> list[Path]:
    """Every file that says something; locks say nothing, and what jobs remember only puts off questions."""
    files = [*(folder / "cache").rglob("*"), *folder.glob("cache-entries/**/*"), folder / "data" / "audit.jsonl"]
    return [path for path in files if path.is_file() and path.suffix != ".lock" and path.name != "memory.json"]


def test_what_is_whole_is_said_to_be_and_a_flipped_bit_of_any_file_is_named(
    config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *config]) == 0
    assert "CHANGED" not in capsys.readouterr().err
    files = kept(tmp_path)
    assert len(files) >= 10, files
    for path in files:
        data = path.read_bytes()
        for place in {0, len(data) // 3, len(data) // 2, len(data) - 2}:
            path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
            assert main(["verify", *config]) in {1, 2}, (path.name, place)
            told = capsys.readouterr().err
            assert "CHANGED" in told or "cannot be read" in told, path.name
        path.write_bytes(data)
    assert main(["verify", *config]) == 0


def test_an_object_that_somebody_compared_is_forgotten_and_others_are_not(
    config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, verified = Cache(tmp_path / "cache"), VerifiedObjects()
    for uid in ("1.2", "1.3", "1.4"):
        assert verified.came(uid, "digest", NOW)
    assert not verified.came("1.2", "another", NOW)
    assert not verified.came("1.3", "another", NOW)
    verified.save(cache, NOW)
    assert main(["verify", "--forget", "1.2", "1.4", *config]) == 1
    assert "1.4: nothing is wrong with it" in capsys.readouterr().err
    assert VerifiedObjects.load(cache).faults.keys() == {"1.3"}
    assert "1.4" in VerifiedObjects.load(cache).objects
