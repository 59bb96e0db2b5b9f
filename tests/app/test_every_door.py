"""Whoever lost the right to look loses it in an open tab too: in fragments, callbacks, dialogs and downloads."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.access import gate, rights
from app.access.proxy import REWRITTEN_BY
from app.data.views import read_views, views_file
from recovery.access.accounts import Accounts
from recovery.access.lockout import Lockout
from recovery.access.permissions import Role
from recovery.settings.config import load_config
from tests.app.conftest import ROOT

Open = Callable[..., AppTest]
NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
SOURCES = sorted((ROOT / "app").rglob("*.py"))


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield str(path.relative_to(ROOT)), node


def test_every_part_that_runs_without_its_page_asks_whether_the_sitting_holds() -> None:
    doors = 0
    for where, call in calls():
        if ast.unparse(call.func) == "st.fragment":
            assert where == "app/access/rights.py", f"{where}: rights.fragment instead of st.fragment"
        for keyword in call.keywords:
            if keyword.arg in {"on_click", "on_change", "on_select", "on_submit", "on_dismiss"}:
                said = ast.unparse(keyword.value)
                is_none = said in {"'ignore'", "'rerun'", '"ignore"', '"rerun"'}
                is_held = is_none or said.startswith("rights.callback(") or said in _held_names(where)
                assert is_held, f"{where}: {keyword.arg}={said} without rights.callback"
                doors += 1
        if ast.unparse(call.func) == "st.download_button":
            assert where == "app/components/output/download.py", f"{where}: downloads leave by download.show alone"
    assert doors >= 6


def _held_names(where: str) -> set[str]:
    """Names in a file that are made by `rights.callback`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / where).read_text())):
        if isinstance(node, ast.Assign) and "rights.callback(" in ast.unparse(node.value):
            names |= {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return names


def test_every_dialog_asks_whether_the_sitting_holds() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any("st.dialog" in ast.unparse(d) for d in node.decorator_list):
                assert "rights.holds()" in ast.unparse(node), f"{path.name}: {node.name}"


def disable(config_path: Path, name: str = "physicist") -> None:
    Accounts(load_config(config_path).accounts_path).set_disabled(name, True, datetime.now(UTC))


def config_of(folder: Path) -> Path:
    return next(folder.rglob("config.toml"))


def test_a_disabled_account_may_nothing_at_once_and_its_callbacks_do_nothing(
    open_dashboard: Open, tmp_path: Path
) -> None:
    visit = open_dashboard("fresh")
    here = visit.session_state[rights.SITTING]
    assert here.holds
    visit.text_input(key="view_name").set_value("mine")
    disable(config_of(tmp_path))
    assert not here.holds
    visit.button(key="view_save").click().run()
    assert read_views(views_file(load_config(config_of(tmp_path)).cache_path)) == []
    assert not visit.dataframe
    assert here.is_over


def test_a_viewer_hides_nobody_from_others_by_a_shared_view_and_who_may_leaves_a_line(
    open_dashboard: Open, tmp_path: Path
) -> None:
    visit = open_dashboard("fresh", role="viewer")
    assert not [one for one in visit.button if one.key == "view_save"]
    visit = open_dashboard("fresh")
    visit.text_input(key="view_name").set_value("mine")
    config = load_config(config_of(tmp_path))
    here = visit.session_state[rights.SITTING]
    here.user = replace(here.user, role=Role.VIEWER)  # what was drawn before is pressed after
    visit.button(key="view_save").click().run()
    assert read_views(views_file(config.cache_path)) == []
    here.user = replace(here.user, role=Role.THERAPIST)
    visit = visit.run()
    visit.text_input(key="view_name").set_value("mine")
    visit.button(key="view_save").click().run()
    assert [view.name for view in read_views(views_file(config.cache_path))] == ["mine"]
    assert '"action": "save view"' in config.audit_path.read_text()


def test_a_download_that_was_drawn_before_hands_out_nothing_after(
    open_dashboard: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[Callable[[], bytes]] = []
    monkeypatch.setattr("streamlit.download_button", lambda _label, **options: handed.append(options["data"]))
    open_dashboard("fresh")
    assert handed and handed[0]()
    disable(config_of(tmp_path))
    for make in handed:
        with pytest.raises(PermissionError):
            make()


def test_a_fragment_draws_nothing_for_who_lost_the_account(
    open_dashboard: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    class Redrawn(Exception):
        pass

    def redraw() -> None:
        raise Redrawn

    monkeypatch.setattr("app.access.rights._redraw", redraw)
    monkeypatch.setattr("streamlit.fragment", lambda draw, run_every=None: draw)
    part = rights.fragment(lambda: drawn.append("patients"))
    monkeypatch.setattr("app.access.rights.holds", lambda: True)
    part()
    monkeypatch.setattr("app.access.rights.holds", lambda: False)
    with pytest.raises(Redrawn):
        part()
    assert drawn == ["patients"]


def test_a_part_within_a_part_draws_no_page_anew_that_is_being_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    redrawn: list[str] = []
    monkeypatch.setattr("app.access.rights._redraw", lambda: redrawn.append("the page"))
    monkeypatch.setattr("app.access.rights.holds", lambda: True)
    monkeypatch.setattr("streamlit.fragment", lambda draw, run_every=None: draw)

    def outer() -> None:
        rights.fragment(lambda: None)()
        rights.redraw()

    rights.fragment(outer)()
    assert redrawn == [], "somebody's press would go with it"
    rights.redraw()
    assert redrawn == ["the page"]


def test_an_attempt_is_counted_before_its_password_is_looked_at(
    open_dashboard: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[bool] = []
    visit = open_dashboard("fresh", role=None)
    config = load_config(config_of(tmp_path))

    def check(_self: Accounts, name: str, _password: str) -> None:
        counted.append(
            Lockout(config.lockout_path, 1, 15).locked_until(name, gate.LOOPBACK, datetime.now(UTC)) is not None
        )

    monkeypatch.setattr(Accounts, "check", check)
    visit.text_input(key="sign_in_name").set_value("physicist")
    visit.text_input(key="sign_in_password").set_value("a wrong one")
    visit.button(key="sign_in_press").click().run()
    assert counted == [True]


def test_of_many_attempts_at_once_no_more_are_looked_at_than_in_a_row(tmp_path: Path) -> None:
    doors = [Lockout(tmp_path / "failed.json", 5, 15) for _ in range(4)]  # as many processes have
    may_go_on: list[bool] = []
    together = threading.Barrier(16)

    def guess(number: int) -> None:
        together.wait()
        may_go_on.append(doors[number % 4].attempt("doe", "10.0.0.1", NOW) is None)

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(may_go_on) == 5
    doors[0].note_success("doe", "10.0.0.1", NOW)
    assert doors[1].attempt("doe", "10.0.0.1", NOW) is None


def test_an_address_that_anybody_on_this_machine_may_say_is_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        def __init__(self, ip_address: str | None, sent: list[str]) -> None:
            self.ip_address, self.sent = ip_address, sent

        @property
        def headers(self) -> Context:
            return self

        def get_all(self, name: str) -> list[str]:
            return self.sent if name == REWRITTEN_BY else []

    for said, sent, peer in (
        (None, [], gate.LOOPBACK),
        ("10.0.0.7", [], "10.0.0.7"),
        ("10.0.0.7", ["10.0.0.7"], gate.UNPROVEN_ADDRESS),
        ("10.0.0.8", ["10.0.0.8, 1.2.3.4"], gate.UNPROVEN_ADDRESS),
    ):
        monkeypatch.setattr("streamlit.context", Context(said, sent))
        assert gate._peer() == peer
