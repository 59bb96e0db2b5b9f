"""What is said to be written is on the disk: what was forced there (`os.fsync`) is noted, with its content."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recovery.access.audit import AuditError, AuditEvent, AuditFile
from recovery.cache.journal import JobResult, Journal
from recovery.entries.known_gaps import KnownGap
from recovery.host.durable import replace
from recovery.host.entry_lines import EntriesError, Statements, append_statement, file_of, read_statements

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
GAP = KnownGap(("1.2.3",), "lost", NOW.date(), "Doe", NOW)
EVENT = AuditEvent(NOW, "doe", "physicist", "view", "10.0.0.1", "100231")


class Disk:
    """What would be left if the power went: files as they were when they were forced to the disk."""

    def __init__(self) -> None:
        self.files: dict[int, bytes] = {}
        self.folders: dict[Path, set[str]] = {}
        self.order: list[str] = []
        self.full = False

    def fsync(self, descriptor: int) -> None:
        if self.full:
            raise OSError(errno.EIO, "input/output error")
        found = os.fstat(descriptor)
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        self.order.append(path.name)
        if stat.S_ISDIR(found.st_mode):
            self.folders[path] = set(os.listdir(path))
        else:
            self.files[found.st_ino] = path.read_bytes()

    def holds(self, path: Path) -> bool:
        """All that is in a file now."""
        return self.files.get(path.stat().st_ino) == path.read_bytes()

    def knows(self, path: Path) -> bool:
        """The name, and all that is in the file."""
        return path.name in self.folders.get(path.parent, ()) and self.holds(path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(os, "fsync", made.fsync)
    return made


def test_a_replaced_file_is_on_the_disk_before_it_has_its_name_and_then_its_name_is(disk: Disk, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    replace(file, b"new")
    assert disk.knows(file) and file.read_bytes() == b"new"
    assert [name == tmp_path.name for name in disk.order] == [False, True]
    assert "file" not in disk.order, "what was forced had another name: the old file stood until then"


def test_a_file_that_cannot_be_forced_replaces_nothing_and_leaves_nothing_beside(disk: Disk, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    disk.full = True
    with pytest.raises(OSError, match="input/output"):
        replace(file, b"new")
    assert file.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_what_people_enter_is_on_the_disk_with_its_name_when_it_is_said_to_be(disk: Disk, tmp_path: Path) -> None:
    file = file_of(tmp_path / "cache", KnownGap)
    for number in range(2):
        append_statement(tmp_path / "cache", GAP)
        assert disk.knows(file) and read_statements(tmp_path / "cache", KnownGap) == Statements((GAP,) * (number + 1))


def test_an_entry_that_cannot_be_forced_is_not_entered(disk: Disk, tmp_path: Path) -> None:
    file = file_of(tmp_path / "cache", KnownGap)
    append_statement(tmp_path / "cache", GAP)
    before, disk.full = file.read_bytes(), True
    with pytest.raises(EntriesError, match="Nothing was entered"):
        append_statement(tmp_path / "cache", GAP)
    assert file.read_bytes() == before


def test_a_line_of_the_audit_is_on_the_disk_then_its_head_is(disk: Disk, tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "audit.jsonl")
    for number in range(1, 3):
        disk.order.clear()
        assert audit.append(EVENT).number == number
        assert disk.holds(audit.path) and disk.knows(audit.head_path)
        assert disk.order[0] == "audit.jsonl" and len(disk.order) > 1
    assert disk.knows(audit.path)


def test_a_line_of_the_audit_that_cannot_be_forced_is_no_success_and_has_no_head(disk: Disk, tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "audit.jsonl")
    disk.full = True
    with pytest.raises(AuditError, match="input/output"):
        audit.append(EVENT)
    assert audit.read_head() is None


RUNS: dict[str, Callable[[Journal], object]] = {
    "start": lambda journal: journal.start("sync_records", NOW),
    "finish": lambda journal: journal.finish("1", JobResult("sync_records", "OK", {}), NOW),
}


@pytest.mark.parametrize("what", RUNS)
def test_a_line_of_the_journal_is_on_the_disk(disk: Disk, tmp_path: Path, what: str) -> None:
    journal = Journal(tmp_path)
    for _ in range(2):
        RUNS[what](journal)
        assert disk.holds(journal.path)


def test_a_pruned_journal_is_on_the_disk_with_its_name(disk: Disk, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.start("old", NOW.replace(month=9))
    journal.start("between", NOW.replace(month=10))
    journal.start("new", NOW)
    journal.prune(60, NOW)
    assert [run.job for run in journal.runs()] == ["between", "new"]
    assert disk.knows(journal.path)
