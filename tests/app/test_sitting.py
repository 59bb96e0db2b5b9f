"""One sitting: its rights end when they must, for every holder, and what it does is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.access.audit_writer import AuditWriter
from app.access.sitting import VIEW_AGAIN, Sitting
from recovery.access.audit import AuditError, AuditFile
from recovery.access.audit_proof import verify
from recovery.access.permissions import Permission, Role, User


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def here(tmp_path: Path, clock: Clock) -> Sitting:
    audit = AuditWriter(tmp_path / "data" / "audit.jsonl")
    return Sitting(User("doe", "Doe", Role.VIEWER), "10.0.0.1", "x", clock, timedelta(minutes=20), audit)


def told(tmp_path: Path) -> list[dict[str, object]]:
    return AuditFile(tmp_path / "data" / "audit.jsonl").newest(10**6)[::-1]


def test_an_empty_chair_has_no_rights(here: Sitting, clock: Clock) -> None:
    clock.pass_minutes(19.9)
    assert here.may(Permission.VIEW)
    clock.pass_minutes(0.1)
    assert not here.may(Permission.VIEW)
    here.touch()
    assert here.may(Permission.VIEW)


def test_a_clock_that_is_set_back_does_not_lengthen_a_sitting(here: Sitting, clock: Clock) -> None:
    clock.pass_minutes(-60)
    assert not here.may(Permission.VIEW)


def test_broken_glass_gives_its_rights_for_its_time_and_not_a_signature(
    here: Sitting, clock: Clock, tmp_path: Path
) -> None:
    assert not here.may(Permission.EXPORT)
    here.break_glass("TB1 must go on", timedelta(minutes=60))
    assert here.may(Permission.EXPORT) and here.may(Permission.CHARTS)
    assert not here.may(Permission.SIGN_OFF) and not here.may(Permission.AUDIT)
    here.note("export")
    clock.pass_minutes(60)
    here.touch()
    assert not here.may(Permission.EXPORT)
    here.note("view")
    first, second, third = told(tmp_path)
    assert first["action"] == "break glass" and first["details"] == {"reason": "TB1 must go on", "minutes": 60}
    assert second["details"] == {"break_glass": True} and third["details"] == {}


def test_there_is_no_break_glass_without_its_line(here: Sitting, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(AuditError):
        here.break_glass("TB1 must go on", timedelta(minutes=60))
    assert not here.may(Permission.EXPORT)


def test_a_sitting_that_has_ended_has_ended_for_everybody_who_holds_it(here: Sitting, tmp_path: Path) -> None:
    here.break_glass("TB1 must go on", timedelta(minutes=60))
    here.end("sign out")
    here.end("sign out")
    assert not here.may(Permission.VIEW) and not here.may(Permission.EXPORT)
    assert [one["action"] for one in told(tmp_path)] == ["break glass", "sign out"]


def test_a_page_that_redraws_itself_is_one_view_of_its_patient(here: Sitting, clock: Clock, tmp_path: Path) -> None:
    for _ in range(5):
        here.note_view("patient", "100231")
        here.note_view("patient", "100377")
        clock.pass_minutes(1)
    clock.pass_minutes(VIEW_AGAIN.total_seconds() / 60)
    here.note_view("patient", "100231")
    assert [one["patient_id"] for one in told(tmp_path)] == ["100231", "100377", "100231"]


def test_lines_that_cannot_be_written_are_said_and_written_later_in_their_order(
    here: Sitting, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("")
    here.note_view("on_treatment")
    clock.pass_minutes(5)
    here.note("export")
    assert "cannot be written" in here.audit.complaint and "2 lines wait" in here.audit.complaint
    (tmp_path / "data").unlink()
    here.audit.try_again()
    assert here.audit.complaint == ""
    here.note("sign out")
    lines = told(tmp_path)
    assert [(one["action"], "written_late" in one["details"]) for one in lines] == [  # type: ignore[operator]
        ("view", True), ("export", True), ("sign out", False),
    ]  # fmt: skip
    assert str(lines[0]["at"]).startswith("2026-11-24T13:38")
    assert verify(AuditFile(tmp_path / "data" / "audit.jsonl")).is_whole
