"""Too many failures close the door for a while, and never for everybody."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recovery.access.lockout import EVERYWHERE, Lockout

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
HERE, THERE = "10.0.0.1", "10.0.0.2"


def fail(lockout: Lockout, times: int, name: str = "doe", address: str = HERE, at: datetime = NOW) -> None:
    for _ in range(times):
        lockout.attempt(name, address, at)


@pytest.fixture
def lockout(tmp_path: Path) -> Lockout:
    return Lockout(tmp_path / "failed.json", 3, 15)


def test_the_third_failure_locks_the_name_at_its_address_for_fifteen_minutes(lockout: Lockout) -> None:
    fail(lockout, 2)
    assert lockout.locked_until("doe", HERE, NOW) is None
    fail(lockout, 1)
    assert lockout.locked_until(" DOE", HERE, NOW) == NOW + timedelta(minutes=15)
    assert lockout.locked_until("doe", HERE, NOW + timedelta(minutes=15)) is None


def test_who_fails_on_purpose_locks_out_neither_the_name_elsewhere_nor_anybody_else(lockout: Lockout) -> None:
    fail(lockout, 5)
    assert lockout.locked_until("doe", THERE, NOW) is None
    assert lockout.locked_until("roe", HERE, NOW) is None


def test_many_addresses_together_lock_a_name_everywhere(lockout: Lockout) -> None:
    for number in range(3 * EVERYWHERE):
        fail(lockout, 1, address=f"10.1.0.{number}")
    assert lockout.locked_until("doe", THERE, NOW) is not None


def test_a_restart_forgets_nothing_and_an_admin_unlocks(lockout: Lockout) -> None:
    fail(lockout, 3)
    after_restart = Lockout(lockout.path, 3, 15)
    assert after_restart.locked_until("doe", HERE, NOW) is not None
    assert after_restart.unlock("Doe", NOW) is True
    assert lockout.locked_until("doe", HERE, NOW) is None
    assert after_restart.unlock("doe", NOW) is False


def test_a_success_forgets_the_failures_before_it(lockout: Lockout) -> None:
    fail(lockout, 2)
    lockout.note_success("doe", HERE, NOW)
    fail(lockout, 2)
    assert lockout.locked_until("doe", HERE, NOW) is None


def test_what_was_typed_as_a_name_is_not_kept(lockout: Lockout) -> None:
    fail(lockout, 1, name="correct horse battery")
    assert "horse" not in lockout.path.read_text()
    assert stat.S_IMODE(lockout.path.stat().st_mode) == 0o600


def test_failures_of_a_future_that_a_clock_made_do_not_count(lockout: Lockout) -> None:
    fail(lockout, 3, at=NOW + timedelta(days=300))
    assert lockout.locked_until("doe", HERE, NOW) is None


@pytest.mark.parametrize("text", ["", "[]", '{"x": 3}', '{"x": ["y"]}', '{"x": ["2026-11-24"]}'])
def test_a_damaged_file_locks_nobody_out_and_counts_on(lockout: Lockout, text: str) -> None:
    lockout.path.write_text(text)
    assert lockout.locked_until("doe", HERE, NOW) is None
    fail(lockout, 3)
    assert lockout.locked_until("doe", HERE, NOW) is not None


def test_a_flipped_bit_changes_no_count_in_silence(lockout: Lockout, caplog: pytest.LogCaptureFixture) -> None:
    fail(lockout, 3)
    whole = lockout.path.read_bytes()
    for place, byte in enumerate(whole[:-1]):
        caplog.clear()
        lockout.path.write_bytes(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])
        assert lockout.locked_until("doe", HERE, NOW) is None and "cannot be read" in caplog.text, place


def test_where_the_file_cannot_be_written_the_process_still_counts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lockout = Lockout(tmp_path / "file" / "failed.json", 3, 15)
    fail(lockout, 3)
    assert lockout.locked_until("doe", HERE, NOW) is not None
    assert lockout.locked_until("doe", HERE, NOW + timedelta(minutes=16)) is None
