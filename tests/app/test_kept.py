"""A reload asks for no password, and what somebody else got hold of opens nothing; without a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.access import rights
from app.access.kept import LASTS, Kept, kept_by_process
from app.access.sitting import Sitting
from tests.app import people
from tests.app.conftest import ROOT, said
from tests.app.test_sign_in import actions, shows_patients, sitting
from tests.app.test_sitting import Clock
from tests.app.test_sitting import clock as clock
from tests.app.test_sitting import here as here

Open = Callable[..., AppTest]


@dataclass
class Connection:
    """What a browser sends when it connects."""

    browser: str = "Firefox"
    number: str = "one"
    address: str | None = "10.0.0.7"
    cookies: dict[str, str] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    theme: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(type="light"))

    @property
    def ip_address(self) -> str | None:
        return self.address

    @property
    def headers(self) -> Connection:
        return self

    def get_all(self, name: str) -> list[str]:
        told = {"User-Agent": self.browser, "Sec-WebSocket-Key": self.number, **self.sent}
        return [told[name]] if name in told else []


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    made = Connection()
    monkeypatch.setattr("streamlit.context", made)
    yield made


def reloaded(connection: Connection, mark: str) -> AppTest:
    """The page loaded anew, in a connection that brings a mark."""
    connection.number, connection.cookies = connection.number + " again", {kept_by_process().cookie: mark}
    return AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=30).run()


def mark_of(visit: AppTest) -> str:
    return str(visit.session_state["mark_of_browser"])


def test_a_reload_brings_the_same_sitting_and_is_no_activity(open_dashboard: Open, connection: Connection) -> None:
    visit = open_dashboard("good")
    here = sitting(visit)
    here.last_active_at -= timedelta(minutes=19)
    again = reloaded(connection, mark_of(visit))
    assert sitting(again) is here and shows_patients(again)
    assert here.time_left < timedelta(minutes=2)
    assert [action for _, action in actions()].count("sign in") == 1
    here.last_active_at -= timedelta(minutes=2)
    late = reloaded(connection, mark_of(visit))
    assert not shows_patients(late) and "nobody pressed anything for 20 minutes" in said(late)
    assert here.is_over


@pytest.mark.parametrize(("what", "value"), [("browser", "curl"), ("address", "10.0.0.8")])
def test_a_mark_from_elsewhere_opens_nothing_and_is_worth_nothing_from_then_on(
    open_dashboard: Open, connection: Connection, what: str, value: str
) -> None:
    visit = open_dashboard("good")
    mark, before = mark_of(visit), getattr(connection, what)
    setattr(connection, what, value)
    assert not shows_patients(reloaded(connection, mark))
    setattr(connection, what, before)
    assert not shows_patients(reloaded(connection, mark))
    assert not shows_patients(visit.run())
    assert actions()[-1] == ("physicist", f"{what} changed")


def test_a_mark_is_worth_nothing_after_sign_out_and_the_next_person_gets_another(
    open_dashboard: Open, connection: Connection
) -> None:
    visit = open_dashboard("good")
    mark = mark_of(visit)
    visit.button(key="sign_out").click().run()
    assert "mark_of_browser" not in visit.session_state
    assert not shows_patients(reloaded(connection, mark))
    people.sign_in(visit, "viewer")
    assert mark_of(visit) != mark
    assert not shows_patients(reloaded(connection, mark))


def test_a_sessions_number_alone_takes_no_sitting_over(open_dashboard: Open, connection: Connection) -> None:
    visit = open_dashboard("good")
    connection.number, connection.cookies = "two", {kept_by_process().cookie: mark_of(visit)}
    assert shows_patients(visit.run()), "a broken connection comes back with the mark"
    connection.number, connection.cookies = "three", {}
    assert not shows_patients(visit.run())
    assert actions()[-1] == ("physicist", "connection changed")


def test_parts_of_a_page_ask_again_who_is_there(
    open_dashboard: Open, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = open_dashboard("good")
    is_still_here = visit.session_state[rights.STILL_HERE]
    monkeypatch.setattr("streamlit.session_state", {"connection": "one"})  # of a run, which there is none of here
    assert is_still_here()
    for what, value in (("browser", "curl"), ("address", "10.0.0.8"), ("number", "two")):
        before = getattr(connection, what)
        setattr(connection, what, value)
        assert not is_still_here(), what
        setattr(connection, what, before)


def test_fragments_and_callbacks_ask_what_the_gate_asks(here: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    for question, holds in ((lambda: True, True), (lambda: False, False), (None, False)):
        monkeypatch.setattr("streamlit.session_state", {rights.SITTING: here, rights.STILL_HERE: question})
        assert rights.holds() is holds


def test_a_mark_lasts_a_shift_and_a_clock_that_was_set_back_ends_it(here: Sitting, clock: Clock) -> None:
    kept, began = Kept(), clock.now
    mark = kept.keep(here)
    assert kept.find(mark) is here
    assert kept.find("") is None and kept.find(mark + "x") is None and kept.find("\ud800") is None
    for then, lasts in ((LASTS - timedelta(seconds=1), True), (LASTS, False), (timedelta(minutes=-5), False)):
        clock.now = began + then
        assert (kept.find(mark) is here) is lasts, then
    clock.now = began + LASTS
    kept.keep(here)
    assert len(kept._sittings) == 1, "what is over is forgotten"


def test_a_mark_is_of_one_process_and_its_server_holds_its_hash_alone(here: Sitting) -> None:
    kept, other = Kept(), Kept()
    mark = kept.keep(here)
    assert len(mark) >= 43 and mark not in repr(kept._sittings)
    assert other.find(mark) is None and other.cookie != kept.cookie


def test_behind_a_proxy_parts_of_a_page_ask_whom_it_names(open_dashboard: Open, connection: Connection) -> None:
    visit = open_dashboard("good", role=None)
    config = Path(os.environ["RBRDT_CONFIG"])
    proxy = '[sign_in.trusted_user_headers]\nuser = "X-Remote-User"\nrole = "X-Remote-Role"\naddresses = ["10.0.0.7"]\n'
    config.write_text(config.read_text() + proxy)
    connection.sent = {"X-Remote-User": "doe", "X-Remote-Role": "viewer"}
    visit.run()
    assert shows_patients(visit) and visit.session_state[rights.STILL_HERE]()
    assert "mark_of_browser" not in visit.session_state, "who has no password here needs no mark"
    for other in ({"X-Remote-User": "roe"}, {"X-Remote-Role": "admin"}, {"X-Remote-Role": "king"}):
        connection.sent |= other
        assert not visit.session_state[rights.STILL_HERE](), other
        connection.sent = {"X-Remote-User": "doe", "X-Remote-Role": "viewer"}
    connection.sent = {}
    assert not visit.session_state[rights.STILL_HERE]()
    assert not shows_patients(visit.run())
