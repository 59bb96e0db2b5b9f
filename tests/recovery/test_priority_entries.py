"""Physicians' statements: kept for good, whole or not at all."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recovery.entries.priority_entries import PriorityEntry, latest
from recovery.host.entry_lines import EntriesError, append_statement, file_of, read_statements
from recovery.host.seals import sealed_json, unsealed_json

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
ENTRY = PriorityEntry("100377", 1, True, "curative", "do not prolong", "MEIER, Ursula", "J. Physicist", NOW)
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "data" / "cache"


@pytest.fixture
def file(cache: Path) -> Path:
    return file_of(cache, PriorityEntry)


def test_what_was_entered_is_read_again_whole(cache: Path) -> None:
    odd = replace(ENTRY, patient_id="QX 9", comment='line\nbreak, "quotes", Åsa', concurrent_chemotherapy=None)
    append_statement(cache, ENTRY)
    append_statement(cache, odd)
    assert read_statements(cache, PriorityEntry).all == (ENTRY, odd)
    assert read_statements(cache, PriorityEntry).damaged_lines == 0


def test_a_later_entry_supersedes_and_the_earlier_one_stays(cache: Path) -> None:
    later = replace(ENTRY, category=3, entered_at=NOW - timedelta(days=1), signed_by="A. Clock, whose clock is behind")
    append_statement(cache, ENTRY)
    append_statement(cache, later)
    assert latest(read_statements(cache, PriorityEntry).all) == {"100377": later}
    assert read_statements(cache, PriorityEntry).all == (ENTRY, later)


def test_entries_are_not_in_the_folder_that_may_be_deleted(tmp_path: Path) -> None:
    cache = tmp_path / "data" / "cache"
    assert cache not in file_of(cache, PriorityEntry).parents
    assert file_of(cache, PriorityEntry).parent.parent == cache.parent


def test_nothing_entered_is_not_the_same_as_nothing_readable(cache: Path, file: Path) -> None:
    assert read_statements(cache, PriorityEntry).all == ()
    file.mkdir(parents=True)
    with pytest.raises(EntriesError, match="cannot be read"):
        read_statements(cache, PriorityEntry)


def test_half_a_line_of_a_crash_is_told_and_harms_no_other(cache: Path, file: Path) -> None:
    append_statement(cache, ENTRY)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:40])
    append_statement(cache, replace(ENTRY, patient_id="2"))
    read = read_statements(cache, PriorityEntry)
    assert [entry.patient_id for entry in read.all] == ["100377", "2"]
    assert read.damaged_lines == 1


@pytest.mark.parametrize("line", ["null", "5", "{}", '{"patient_id": "1", "category": 9}', "\\ud800", "[]"])
def test_an_odd_line_is_counted_as_damaged(cache: Path, file: Path, line: str) -> None:
    append_statement(cache, ENTRY)
    with file.open("a") as raw:
        raw.write(line + "\n")
    assert (len(read_statements(cache, PriorityEntry).all), read_statements(cache, PriorityEntry).damaged_lines) == (
        1,
        1,
    )


def test_a_line_with_a_field_of_another_version_is_not_half_understood(cache: Path, file: Path) -> None:
    append_statement(cache, ENTRY)
    said = unsealed_json(file.read_text()) | {"weight": 7}
    file.write_text(sealed_json(said) + "\n")
    assert read_statements(cache, PriorityEntry).damaged_lines == 1


def test_a_full_disk_leaves_the_file_as_it_was(cache: Path, file: Path) -> None:
    append_statement(cache, ENTRY)
    before = file.read_bytes()
    pid = os.fork()
    if pid == 0:  # a limit on the size of files stands in for the end of the disk
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, len(before) + 10))
        try:
            append_statement(cache, ENTRY)
        except EntriesError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert file.read_bytes() == before


def test_two_processes_that_enter_at_once_lose_nothing(cache: Path, file: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from recovery.entries.priority_entries import PriorityEntry\n"
        "from recovery.host.entry_lines import append_statement\n"
        "for n in range(40):\n"
        "    append_statement(Path(sys.argv[1]), PriorityEntry(f'{sys.argv[2]}-{n}', 1, None, None, 'x' * 5000, 'M',"
        " 'J', datetime(2026, 11, 24, tzinfo=UTC)))\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, str(cache), who], cwd=PROJECT) for who in "ab"]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    read = read_statements(cache, PriorityEntry)
    assert (len(latest(read.all)), read.damaged_lines) == (80, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"category": 4},
        {"category": True},
        {"intent": "radical"},
        {"signed_by": " "},
        {"decided_by": ""},
        {"patient_id": ""},
        {"entered_at": NOW.replace(tzinfo=None)},
    ],
)
def test_what_nobody_could_have_meant_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(ENTRY, **change)  # type: ignore[arg-type]


def test_only_the_owner_may_read_the_file(cache: Path, file: Path) -> None:
    append_statement(cache, ENTRY)
    assert file.stat().st_mode & 0o077 == 0


def test_a_changed_byte_makes_no_other_statement(cache: Path, file: Path) -> None:
    append_statement(cache, replace(ENTRY, comment="ü"))
    (said,), whole = read_statements(cache, PriorityEntry).all, file.read_bytes()
    for place, byte in enumerate(whole[:-1]):
        for other in {byte ^ 1 << bit for bit in range(8)} | set(b'0123456789 "\n'):
            file.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            read = read_statements(cache, PriorityEntry)
            assert read.all == (said,) or (not read.all and read.damaged_lines), (place, other)


def test_a_line_of_an_earlier_version_bears_no_hash_and_counts(cache: Path, file: Path) -> None:
    append_statement(cache, ENTRY)
    file.write_text(json.dumps(unsealed_json(file.read_text()), ensure_ascii=False) + "\n")
    assert "sha256" not in file.read_text()
    append_statement(cache, replace(ENTRY, patient_id="2", comment='"sha256"'))
    assert [entry.patient_id for entry in read_statements(cache, PriorityEntry).all] == ["100377", "2"]
    assert read_statements(cache, PriorityEntry).damaged_lines == 0
