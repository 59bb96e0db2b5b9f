"""A downtime: declared and ended by somebody, by hand or on a page, and what cannot be read of it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from recovery.__main__ import main
from recovery.entries.charted import enter
from recovery.entries.downtimes import DowntimeEntry, believed_up_to, grace_at, lasting, lasting_at, told_at
from recovery.entries.noted import note
from recovery.host.entry_lines import append_statement, file_of, read_statements
from tests.app import clinic
from tests.recovery.charting import FULL, entry

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
ZURICH = ZoneInfo("Europe/Zurich")
BEGIN = DowntimeEntry("begin", "encrypted", "P. Physicist", NOW, NOW - timedelta(hours=5))
END = DowntimeEntry("end", "all compared", "P. Physicist", NOW + timedelta(days=3))
STEP = DowntimeEntry("step", "Unplug it.", "T. Therapist", NOW)


def test_a_downtime_lasts_from_its_begin_to_its_end_and_keeps_the_steps_that_are_done() -> None:
    assert lasting([]) is None and lasting([BEGIN, END]) is None
    found = lasting([BEGIN, END, BEGIN, STEP])
    assert found is not None and found.since == BEGIN.since and found.steps == {"Unplug it.": STEP}
    again = lasting([BEGIN, STEP, replace(BEGIN, said="declared twice", since=NOW)])
    assert again is not None and again.reason == "encrypted" and again.steps, "the first one holds, and its steps"
    later = lasting([BEGIN, STEP, END, BEGIN])
    assert later is not None and later.steps == {}, "another downtime, another runbook"


@pytest.mark.parametrize(
    "odd",
    [{"said": " "}, {"signed_by": ""}, {"since": None}, {"since": NOW + timedelta(minutes=1)}, {"kind": "end"}],
)
def test_without_reason_name_or_a_time_that_has_come_nothing_is_declared(odd: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="downtime"):
        replace(BEGIN, **odd)  # type: ignore[arg-type]


def test_a_proof_after_the_fall_is_not_believed_until_the_downtime_is_ended(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert believed_up_to(cache, NOW) == NOW and told_at(cache, ZURICH) == ""
    append_statement(cache, BEGIN)
    assert believed_up_to(cache, NOW) == BEGIN.since
    assert grace_at(cache, timedelta(minutes=30)) == timedelta(0), "whoever was booked a minute ago may be on the couch"
    earlier = NOW - timedelta(days=1)
    assert believed_up_to(cache, earlier) == earlier and believed_up_to(cache, None) is None
    assert told_at(cache, ZURICH).startswith(
        "DOWNTIME since Tue 24 Nov 2026 09:38, declared by P. Physicist: encrypted."
    )
    append_statement(cache, END)
    assert (believed_up_to(cache, NOW), told_at(cache, ZURICH)) == (NOW, "")


def test_a_file_that_cannot_be_read_is_said_and_is_not_no_downtime(tmp_path: Path) -> None:
    file = file_of(tmp_path / "cache", DowntimeEntry)
    append_statement(tmp_path / "cache", BEGIN)
    file.write_bytes(file.read_bytes().replace(b"encrypted", b"encrypteD"))
    cannot = "1 of what was said about downtimes cannot be read"
    half_an_hour = timedelta(minutes=30)
    assert told_at(tmp_path / "cache", ZURICH) == f"{cannot}: one may last."
    assert grace_at(tmp_path / "cache", half_an_hour) == timedelta(0), "as if it lasted"
    append_statement(tmp_path / "cache", DowntimeEntry("end", "all compared", "P. Physicist", NOW))
    assert told_at(tmp_path / "cache", ZURICH) == f"{cannot}."
    assert grace_at(tmp_path / "cache", half_an_hour) == half_an_hour, "whatever began was ended"
    file.unlink()
    file.mkdir()
    assert "Nobody can tell whether a downtime is declared" in told_at(tmp_path / "cache", ZURICH)
    assert grace_at(tmp_path / "cache", half_an_hour) == timedelta(0)
    assert lasting_at(tmp_path / "cache") is None


def test_where_statements_are_gone_whoever_was_booked_since_the_proof_is_unknown(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for one in (BEGIN, END):
        append_statement(cache, one)
    note(cache, "")
    assert (told_at(cache, ZURICH), grace_at(cache, timedelta(hours=1))) == ("", timedelta(hours=1))
    file_of(cache, DowntimeEntry).unlink()
    assert "downtimes.jsonl lacks some of 2 statements" in told_at(cache, ZURICH)
    assert grace_at(cache, timedelta(hours=1)) == timedelta(0)


def test_it_is_declared_told_and_ended_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(clinic.make(tmp_path, "good", 13))
    at = ["--config", config]
    assert main(["downtime", "status", *at]) == 0 and "No downtime is declared." in capsys.readouterr().out
    begin = ["downtime", "begin", "--reason", "encrypted", "--signed-by", "P. Physicist", *at]
    assert main([*begin, "--since", "2999-01-01 00:00"]) == 2, "a time that has not come"
    assert main([*begin, "--since", "at noon"]) == 2
    assert main([*begin, "--since", "2026-11-24 03:05-05:00"]) == 0, "09:05 of the site"
    assert main(begin) == 1, "it lasts already"
    capsys.readouterr()
    assert main(["downtime", "status", *at]) == 0
    assert "DOWNTIME since Tue 24 Nov 2026 09:05" in capsys.readouterr().out
    assert main(["table", "on_treatment", *at]) == 0
    assert "DOWNTIME since" in capsys.readouterr().err, "a reader of a table is told"
    late = entry("a", 1, FULL, entered_at=datetime.now(UTC) + timedelta(hours=1))
    enter(tmp_path / "data" / "cache", tmp_path / "key", late)
    assert main(["table", "on_treatment", *at]) == 0
    assert "1 entry was charted since, which pages and charts count, and this does not" in capsys.readouterr().err
    end = ["downtime", "end", "--reason", "all compared", "--signed-by", "P. Physicist", *at]
    assert (main(end), main(end)) == (0, 1)
    kept = read_statements(tmp_path / "data" / "cache", DowntimeEntry).all
    assert [one.kind for one in kept] == ["begin", "end"]
    audit = (tmp_path / "data" / "audit.jsonl").read_text()
    assert '"downtime begin"' in audit and '"downtime end"' in audit
