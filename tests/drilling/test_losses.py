"""What a drill must not call passed: dates of the future, charted entries and snapshots that never got there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from recovery.__main__ import main
from recovery.drilling.comparison import charted_not_back, newest_given, snapshots_not_sent
from tests.recovery.charting import ENTERED, entry

NOW, ZONE = datetime(2026, 11, 24, 14, 38), ZoneInfo("Europe/Zurich")  # noqa: DTZ001


def test_a_fraction_of_the_future_is_no_recovery_point_and_is_a_finding() -> None:
    rows = [{"last_treatment_at": at} for at in (NOW + timedelta(days=3), None, NOW - timedelta(hours=5))]
    newest, problems = newest_given(rows, NOW)
    assert newest == NOW - timedelta(hours=5) and "of 1 plan the last fraction was given in the future" in problems[0]
    assert newest_given(rows[1:], NOW) == (newest, []) and newest_given([], NOW) == (None, [])


def test_what_was_charted_and_did_not_come_back_is_counted_unless_it_was_charted_just_now() -> None:
    live = [entry("a", 1, {1: 100.0}), entry("b", 2, {1: 100.0})]
    assert charted_not_back(live, live[:1], ENTERED + timedelta(hours=1)) == [
        "1 entry charted by hand did not come from the RT-PACS"
    ]
    assert charted_not_back(live, live[:1], ENTERED) == charted_not_back(live, live, ENTERED + timedelta(1)) == []


def test_an_archive_that_got_no_newer_snapshot_for_days_is_named(tmp_path: Path) -> None:
    came = datetime(2026, 11, 1, 2, tzinfo=UTC)
    names = ("20261101T020000Z", "20261102T020000Z", "20261124T133800Z")
    for name in names:
        (tmp_path / "snapshots" / f"{name}-0123456789ab").mkdir(parents=True)
    (said,) = snapshots_not_sent(tmp_path, came, datetime(2026, 11, 24, tzinfo=UTC), ZONE)
    assert "is of Sun 1 Nov 2026 03:00: that of Mon 2 Nov 2026 03:00, and what followed, never got there" in said
    assert snapshots_not_sent(tmp_path, came, datetime(2026, 11, 2, tzinfo=UTC), ZONE) == []


@pytest.mark.parametrize("patients", ["0", "-1"])
def test_a_sample_of_nobody_is_no_drill(patients: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["drill", "--patients", patients, "--config", "nowhere.toml"])
    assert "must be 1 or more" in capsys.readouterr().err
