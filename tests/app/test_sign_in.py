"""Signing in, staying, leaving, rights and break-glass, as pages see them; without a browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.access.rights import SITTING
from app.access.sitting import Sitting
from recovery.access.accounts import Accounts
from recovery.access.audit import AuditFile
from recovery.access.audit_proof import verify
from recovery.access.lockout import Lockout
from recovery.host.clock import read_wall_clock
from tests.app import people
from tests.app.conftest import ROOT, said
from tests.patience import seconds

Open = Callable[..., AppTest]
NAMES = ("BERG", "ABELSEN", "100231", "100377")


def data() -> Path:
    return Path(os.environ["RBRDT_CONFIG"]).parent / "data"


def actions() -> list[tuple[str, str]]:
    return [(one["who"], one["action"]) for one in AuditFile(data() / "audit.jsonl").newest(10**6)[::-1]]


def sitting(visit: AppTest) -> Sitting:
    found = visit.session_state[SITTING]
    assert isinstance(found, Sitting)
    return found


def shows_patients(visit: AppTest) -> bool:
    return bool(visit.dataframe) or any(name in said(visit) for name in NAMES)


def test_nobody_sees_a_name_before_signing_in_and_everybody_who_may_does_after(open_dashboard: Open) -> None:
    visit = open_dashboard("good", role=None)
    assert not shows_patients(visit) and not visit.exception
    people.sign_in(visit, "viewer")
    assert shows_patients(visit)
    assert actions() == [("viewer", "sign in"), ("viewer", "view")]


def test_without_accounts_the_page_says_which_command_makes_the_first(open_dashboard: Open) -> None:
    visit = open_dashboard("good", role=None)
    (data() / "accounts.json").unlink()
    visit.run()
    assert "python -m recovery user add NAME --role admin" in said(visit)
    assert not shows_patients(visit) and not visit.text_input


def test_a_damaged_file_of_accounts_lets_nobody_in_and_says_what_to_do(open_dashboard: Open) -> None:
    visit = open_dashboard("good", role=None)
    (data() / "accounts.json").write_text("{")
    visit.run()
    assert "Nobody can sign in" in said(visit) and not visit.text_input


def test_who_is_in_when_the_file_of_accounts_is_damaged_stays_in(open_dashboard: Open) -> None:
    visit = open_dashboard("good")
    (data() / "accounts.json").write_text("{")
    assert shows_patients(visit.run())


@pytest.mark.parametrize(("name", "noted"), [("physicist", "physicist"), ("who is this", "unknown name")])
def test_a_wrong_password_and_an_unknown_name_are_told_in_the_same_words_and_then_locked(
    open_dashboard: Open, name: str, noted: str
) -> None:
    visit = open_dashboard("good", role=None)
    for _ in range(5):
        people.sign_in(visit, name, "a wrong password")
        assert "Name or password is not right" in said(visit) and not shows_patients(visit)
    people.sign_in(visit, name)
    assert "Too many failed attempts" in said(visit) and not shows_patients(visit)
    assert set(actions()) == {(noted, "sign in refused")} and len(actions()) == 6
    assert "who is this" not in (data() / "audit.jsonl").read_text()
    people.sign_in(visit, "viewer")
    assert shows_patients(visit), "others still sign in"


def test_an_admin_unlocks(open_dashboard: Open) -> None:
    visit = open_dashboard("good", role=None)
    for _ in range(6):
        people.sign_in(visit, "physicist", "a wrong password")
    Lockout(data() / "failed_sign_ins.json", 5, 15).unlock("physicist", read_wall_clock())
    assert shows_patients(people.sign_in(visit))


def test_sign_out_leaves_nothing_in_the_session(open_dashboard: Open) -> None:
    visit = open_dashboard("good")
    visit.text_input(key="search").set_value("berg").run()
    holder = sitting(visit)
    visit.session_state["what_a_page_keeps"] = "BERG, Bo"
    visit.button(key="sign_out").click().run()
    assert "You are signed out." in said(visit).replace("\\", "") and not shows_patients(visit)
    assert "what_a_page_keeps" not in visit.session_state and "search" not in visit.session_state
    assert SITTING not in visit.session_state
    assert holder.is_over
    assert actions()[-1] == ("physicist", "sign out")


def test_who_presses_nothing_is_signed_out_and_a_page_that_redraws_itself_presses_nothing(open_dashboard: Open) -> None:
    visit = open_dashboard("good")
    here = sitting(visit)
    here.last_active_at -= timedelta(minutes=19)
    visit.session_state["redrawn_by_itself"] = True
    visit.run()
    assert shows_patients(visit) and here.time_left < timedelta(minutes=2)
    assert "You will be signed out in" in said(visit)
    visit.button(key="stay").click().run()
    assert here.time_left > timedelta(minutes=19)
    here.last_active_at -= timedelta(minutes=20)
    visit.run()
    assert "nobody pressed anything for 20 minutes" in said(visit) and not shows_patients(visit)
    assert actions()[-1] == ("physicist", "timed out")


@pytest.mark.parametrize("change", ["password", "disable", "remove"])
def test_a_changed_account_ends_its_sittings(open_dashboard: Open, change: str) -> None:
    visit = open_dashboard("good")
    accounts, now = Accounts(data() / "accounts.json", people.CHEAP), read_wall_clock()
    if change == "password":
        accounts.set_password("physicist", "another password", now)
    elif change == "disable":
        accounts.set_disabled("physicist", True, now)
    else:
        accounts.path.write_text('{"accounts": []}')
    visit.run()
    assert not shows_patients(visit)


def test_only_roles_that_may_export_have_a_button_that_does(open_dashboard: Open) -> None:
    for role, may in (("viewer", False), ("therapist", False), ("physicist", True), ("admin", True)):
        visit = open_dashboard("good", role=role)
        assert ("excel" in {one.key for one in visit.get("download_button")}) is may, role
        refused = [button for button in visit.button if button.key == "excel_refused"]
        assert bool(refused) is not may
        assert all(
            button.disabled and "This needs the role physicist or physician or admin or network." in button.help
            for button in refused
        )


def test_break_glass_is_asked_with_a_reason_marked_on_the_page_and_ends(open_dashboard: Open) -> None:
    visit = open_dashboard("good", role="viewer")
    visit.button(key="break_glass").click().run()
    assert "print paper charts, export lists and recover plans" in said(visit)
    signed = "sign, sign priorities, declare a downtime, chart fractions, sign transfers"
    never = (
        f"{signed}, save views for everybody, read the audit file, look after accounts or see the patients of all sites"
    )
    assert f"You may not {never}" in said(visit)
    visit.button(key="break_glass_confirm").click().run()
    assert not visit.get("download_button")
    sitting(visit).break_glass("TB1 must go on tonight", timedelta(minutes=60))
    visit.run()
    assert "BREAK-GLASS ACCESS" in said(visit) and "TB1 must go on tonight" in said(visit)
    assert visit.get("download_button")
    visit.button(key="end_glass").click().run()
    assert "BREAK-GLASS ACCESS" not in said(visit) and not visit.get("download_button")
    assert [action for _, action in actions()][-2:] == ["break glass", "break glass ended"]


def test_broken_glass_whose_time_is_over_is_taken_away_and_noted(open_dashboard: Open) -> None:
    visit = open_dashboard("good", role="viewer")
    sitting(visit).break_glass("TB1 must go on tonight", timedelta(minutes=0))
    visit.run()
    assert not visit.get("download_button") and "BREAK-GLASS ACCESS" not in said(visit)
    assert actions()[-1] == ("viewer", "break glass ended")


def test_a_physicist_has_no_glass_to_break(open_dashboard: Open) -> None:
    assert "break_glass" not in [button.key for button in open_dashboard("good").button]


def test_a_clinic_may_have_no_break_glass(open_dashboard: Open) -> None:
    visit = open_dashboard("good", role="viewer")
    config = Path(os.environ["RBRDT_CONFIG"])
    config.write_text(config.read_text() + "[sign_in]\nbreak_glass_minutes = 0\n")
    assert "break_glass" not in [button.key for button in visit.run().button]


def test_an_audit_file_that_cannot_be_written_is_said_loudly_and_reading_goes_on(open_dashboard: Open) -> None:
    visit = open_dashboard("good", role=None)
    (data() / "audit.jsonl").mkdir()
    people.sign_in(visit)
    assert shows_patients(visit)
    assert "What is done now is not in the audit file." in said(visit)
    (data() / "audit.jsonl").rmdir()
    visit.run().run()
    assert "What is done now" not in said(visit)
    assert actions()[:2] == [("physicist", "sign in"), ("physicist", "view")]
    assert verify(AuditFile(data() / "audit.jsonl")).is_whole


def test_the_demos_password_is_shown_beside_a_simulated_clock_alone(
    open_dashboard: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RBRDT_DEMO_SIGN_IN", f"physicist:{people.PASSWORD}")
    visit = open_dashboard("good", role=None)
    assert people.PASSWORD in said(visit)
    assert shows_patients(visit.button(key="sign_in_press").click().run())
    monkeypatch.delenv("RBRDT_CLOCK")
    visit = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=seconds(30)).run()
    assert people.PASSWORD not in said(visit) and visit.text_input(key="sign_in_password").value == ""
