"""What people typed elsewhere, in every column of every table, on every page: text, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app.components.patient_link import keys_of_process
from app.screens import PAGES
from tests.app import hostile, people
from tests.app.conftest import ROOT
from tests.patience import seconds

Walk = Callable[[str], Iterator[tuple[str, AppTest]]]


@pytest.fixture
def walk(tmp_path: Path, clock_file: Path, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """Every page of a poisoned clinic, as an admin, or who may see it, and a physicist do."""

    def walking(poison: str) -> Iterator[tuple[str, AppTest]]:
        put = hostile.POISONS[poison]
        monkeypatch.setenv("RBRDT_CONFIG", str(hostile.make(tmp_path / poison, poison)))
        for entry in PAGES:
            for who in (people.who_sees(entry), "physicist"):  # one reads the audit file, the other signs
                query = {"machine": put("TB1")} if entry.url_path == "machine_day" else {}
                if entry.url_path == "patient":
                    query = {"patient": keys_of_process().key_of(put("100231"))}
                yield f"{entry.url_path} of {who}", opened(entry.url_path, who, query)
        yield "print", opened("machine_day", "physicist", {"machine": put("TB1"), "print": "true"})

    return walking


def opened_alone(folder: Path, page: str, monkeypatch: pytest.MonkeyPatch, poison: str) -> AppTest:
    """A page of a poisoned clinic whose copy is old."""
    monkeypatch.setenv("RBRDT_CONFIG", str(hostile.make(folder, poison, "stale")))
    return opened(page, "physicist", {})


def opened(page: str, who: str, query: dict[str, str]) -> AppTest:
    visit = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=seconds(30))
    for key, value in query.items():
        visit.query_params[key] = value
    visit._page_hash = calc_hash(page) if page != PAGES[0].url_path else ""
    visit.run()
    return people.sign_in(visit, who)


def everything(visit: AppTest) -> list[Any]:
    return [node for node in visit._tree if hasattr(node, "proto")]


@pytest.mark.parametrize("poison", hostile.POISONS)
def test_no_page_shows_markup_direction_or_an_exception(walk: Walk, poison: str) -> None:
    found: list[str] = []
    for page, visit in walk(poison):
        found += [f"{page}: {one.message}" for one in visit.exception]
        found += [f"{page}: {one}" for one in hostile.faults(everything(visit))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("poison", hostile.POISONS)
@pytest.mark.usefixtures("clock_file")
def test_who_may_have_been_treated_is_told_of_an_old_copy_in_letters_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poison: str
) -> None:
    visit = opened_alone(tmp_path, "since_last_proof", monkeypatch, poison)
    assert not visit.exception
    sheets = [text for node in everything(visit) for name, text in hostile.texts(node) if "rbrdt-sheet" in text]
    assert any("ABELSEN" in sheet.replace("<wbr>", "") for sheet in sheets)
    assert not hostile.faults(everything(visit))


def test_tables_and_html_of_the_pages_pass_by_the_one_printable() -> None:
    rooms = (ROOT / "app", ROOT / "recovery/lists", ROOT / "recovery/bundling")
    for path in sorted(path for room in rooms for path in room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called == "st.dataframe":
                first = ast.unparse(node.args[0])
                assert first.startswith(("marked.printed(", "marked.styled(")) or path.name == "marked.py", (
                    path,
                    first,
                )
            assert called not in {"escape", "html.escape"}, f"{path}: recovery.words.printable.as_html"
            if called.endswith(("st.multiselect", "st.segmented_control")) and not isinstance(node.args[1], ast.List):
                told = {keyword.arg for keyword in node.keywords}
                assert "format_func" in told or ast.unparse(node.args[1]) == "list(_COLUMNS)", (path, ast.unparse(node))
