"""Every page on every state of the cache: it explains itself, and nobody ever meets a stack trace."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import screens
from app.data import cached
from app.main import collect_no_modules
from app.screens import PAGES
from recovery.access.permissions import Permission
from recovery.cache.journal import Journal
from recovery.cache.store import Cache
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic, people
from tests.app.conftest import ROOT, said, set_clock
from tests.patience import seconds

Open = Callable[..., AppTest]

EXPECTED = {
    "good": "Backup is 6 minutes old. Everything up to Tue 14:32 is proven in the RT-PACS.",
    "stale": "No backup has run since Tue 12:08 (2 h 30 min).",
    "partial": "3 objects that a plan or course needs are not proven in the RT-PACS.",
    "down": "Backup is 2 h 30 min old. Everything up to Tue 12:08 is proven in the RT-PACS.",
    "empty": "Nobody is on treatment.",
    "missing": "No snapshot found in data/cache.**] Run `python -m backup_jobs cycle` once.",
    "damaged": "The snapshot in data/cache cannot be read.",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
@pytest.mark.parametrize("state", EXPECTED)
def test_a_page_says_what_is(open_dashboard: Open, state: str, page: screens.PageEntry) -> None:
    visit = open_dashboard(state, page=page.url_path, role=people.who_sees(page))
    assert not visit.exception
    assert not visit.error
    assert f"## {page.title} " in said(visit)
    if page.permission is Permission.VIEW:  # other pages do not show the safety copy
        assert EXPECTED[state] in said(visit)
        assert "Simulated clinic" in said(visit)
    assert "Demo clinic" in said(visit)
    if page is PAGES[0]:
        assert len(visit.dataframe) == (1 if state in {"good", "stale", "partial", "down"} else 0)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
def test_a_config_with_mistakes_names_them_all(
    page: screens.PageEntry, tmp_path: Path, clock_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = clinic.make(tmp_path, "missing")
    config.write_text(config.read_text().replace('ae_title = "RV"', 'ae_titel = "RV"').replace("11114", "0"))
    monkeypatch.setenv("RBRDT_CONFIG", str(config))
    visit = AppTest.from_file(str(Path(screens.__file__).parents[1] / "main.py"), default_timeout=seconds(30)).run()
    assert not visit.exception
    assert "[rv] ae_titel: unknown key; did you mean ae_title?" in said(visit)
    assert "[pacs] port" in said(visit)


def test_a_config_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RBRDT_CONFIG", str(tmp_path / "nowhere.toml"))
    visit = AppTest.from_file(str(Path(screens.__file__).parents[1] / "main.py"), default_timeout=seconds(30)).run()
    assert not visit.exception
    assert "nowhere.toml: not found" in said(visit)


def test_a_simulated_clinic_without_its_clock_says_so(open_dashboard: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = open_dashboard("good")
    monkeypatch.setenv("RBRDT_CLOCK", "nowhere.json")
    visit.run()
    assert not visit.exception
    assert "clock cannot be read" in said(visit)


@pytest.mark.parametrize(
    "line", ["null", "[]", '{"event": "START"}', '{"at": "2026-11-24"}', "5", '{"at": 3, "event": 1}']
)
def test_an_odd_line_in_the_journal_is_passed_over(open_dashboard: Open, line: str) -> None:
    visit = open_dashboard("good")
    journal = Journal(Path(os.environ["RBRDT_CONFIG"]).parent / "data" / "cache")
    with journal.path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    visit.run()
    assert not visit.exception
    assert "Backup is 6 minutes old" in said(visit)
    assert len(visit.dataframe) == 1


def test_a_journal_that_cannot_be_read_is_told_and_hides_no_patient(open_dashboard: Open) -> None:
    visit = open_dashboard("good")
    journal = Journal(Path(os.environ["RBRDT_CONFIG"]).parent / "data" / "cache")
    journal.path.unlink()
    journal.path.mkdir()
    visit.run()
    assert not visit.exception
    assert "The journal of runs" in said(visit)
    assert len(visit.dataframe) == 1


@pytest.mark.parametrize("folder", ["", "stick"])
def test_a_page_says_that_files_stand_in_for_the_rt_pacs(
    open_dashboard: Open, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setattr(clinic, "CONFIG", clinic.CONFIG.replace("[pacs]\n", f'[pacs]\nfolder = "{folder}"\n'))
    assert ("stick stand in for the RT\\-PACS" in said(open_dashboard("good")).replace("RT-P", "RT\\-P")) is bool(
        folder
    )


def test_the_banner_ages_while_the_page_stays_open(open_dashboard: Open, clock_file: Path) -> None:
    visit = open_dashboard("good")
    visit.multiselect(key="machine").set_value(["TB2"]).run()
    set_clock(clock_file, clinic.NOW + timedelta(minutes=35))
    visit.run()
    assert ":orange[▲ **Backup is 41 minutes old." in said(visit)
    assert visit.multiselect(key="machine").value == ["TB2"]
    set_clock(clock_file, clinic.NOW + timedelta(hours=3))
    visit.run()
    assert ":red[■ **Backup is 3 h 6 min old." in said(visit)


def test_the_counts_are_of_the_whole_table_and_say_what_is_hidden(open_dashboard: Open) -> None:
    visit = open_dashboard("good", patients=13)
    text = said(visit)
    assert "**7** on treatment" in text
    assert "**2** ready to start" in text
    assert "■ **2** interrupted, 1 of them hidden" in text
    assert "■ **3** not ready" in text
    assert "9 plans shown · 4 more: 2 completed, 1 on break, 1 superseded" in text
    assert "INTERRUPTED\\: finish fraction 5 first, 50\\.0 MU left" in text
    assert "missing 120 of 142 CT images" in text


def test_the_table_is_sorted_by_name_and_opened_on_who_is_treated_or_ready(open_dashboard: Open) -> None:
    table = open_dashboard("good", patients=13).dataframe[0].value
    assert list(table["patient_name"]) == sorted(table["patient_name"], key=str.casefold)
    assert set(table["status_words"]) == {"on treatment", "ready to start"}
    duponts = table[table["patient_name"] == "DUPONT, Rémi"]
    assert list(duponts["plan"]) == ["HeadNeck (1 of 2)", "HN_Boost (2 of 2)"]


def test_filters_are_found_by_key_and_take_rows_away(open_dashboard: Open) -> None:
    visit = open_dashboard("good", patients=13)
    visit.text_input(key="search").set_value("berg").run()
    assert list(visit.dataframe[0].value["patient_id"]) == ["100377", "100892"]
    visit.multiselect(key="physician").set_value(["O'NEIL, Sean"]).run()
    assert list(visit.dataframe[0].value["patient_id"]) == ["100892"]


def test_nobody_left_offers_to_clear_the_filters(open_dashboard: Open) -> None:
    visit = open_dashboard("good", patients=13)
    visit.text_input(key="search").set_value("nobody at all").run()
    assert "No patient matches these filters." in said(visit)
    visit.button(key="clear").click().run()
    assert not visit.exception
    assert len(visit.dataframe[0].value) == 13


def test_the_address_carries_the_view(open_dashboard: Open) -> None:
    visit = open_dashboard("good", machine="TB2", status="on treatment")
    assert visit.multiselect(key="machine").value == ["TB2"]
    assert set(visit.dataframe[0].value["treatment_machine_name"]) == {"TB2"}


def test_a_page_of_a_missing_cache_fills_after_the_first_cycle(open_dashboard: Open) -> None:
    visit = open_dashboard("missing")
    clinic.make(Path(os.environ["RBRDT_CONFIG"]).parent, "good", 13)
    visit.run()
    assert len(visit.dataframe) == 1


def test_a_table_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    clinic.make(tmp_path, "good", 5)
    first = cached.load_on_treatment(tmp_path / "data" / "cache")
    assert cached.load_on_treatment(tmp_path / "data" / "cache").table is first.table
    Cache(tmp_path / "data" / "cache").write(ON_TREATMENT, [], taken_at=clinic.NOW, source="RT-PACS")
    assert cached.load_on_treatment(tmp_path / "data" / "cache").table.empty


def test_no_folder_is_called_pages_or_streamlit_would_run_its_files_bare() -> None:
    folder = Path(screens.__file__).parent
    assert not (folder.parent / "pages").exists()  # else the first visit to any other page opens "Page not found"
    assert [file.name for file in folder.glob("*.py")] == ["__init__.py"]
    assert {page.url_path for page in PAGES} <= {entry.name for entry in folder.iterdir() if entry.is_dir()}


def test_a_table_of_another_version_says_what_to_run(open_dashboard: Open, tmp_path: Path) -> None:
    visit = open_dashboard("good")
    tables = Path(os.environ["RBRDT_CONFIG"]).parent / "data" / "cache" / "tables"
    other = Cache(tmp_path / "other").write(
        type(ON_TREATMENT)("on_treatment", {"patient_id": "str"}), [], taken_at=clinic.NOW, source="x"
    )
    shutil.copy(other.path, tables / "on_treatment.parquet")
    visit.run()
    assert not visit.exception
    assert "python -m recovery rebuild" in said(visit)


def test_the_first_page_does_not_wait_for_libraries_that_it_does_not_need() -> None:
    """pydicom, openpyxl and the like take longer to import than the page takes to paint."""
    heavy = {"pydicom", "pynetdicom", "openpyxl", "reportlab", "PIL.ImageDraw", "matplotlib", "recovery.dimse"}
    script = f"import sys, app.main; print(sorted({heavy!r} & set(sys.modules)))"
    project = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_what_is_imported_is_never_looked_through_for_garbage_again(open_dashboard: Open) -> None:
    gc.unfreeze()
    collect_no_modules.cache_clear()
    open_dashboard("good")
    assert gc.get_freeze_count() > 100_000


OPENED_FIRST = """
import json, os, sys
import numpy, pandas, pyarrow.parquet
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from tests.forked import look_through_packages_once
look_through_packages_once()
password, *pages = sys.argv[1:]
for path, who in map(str.split, pages):
    if os.fork() == 0:
        visit = AppTest.from_file("app/main.py", default_timeout=300)
        visit._page_hash = calc_hash(path) if path != "first" else ""
        visit.run()
        visit.text_input(key="sign_in_name").set_value(who)
        visit.text_input(key="sign_in_password").set_value(password)
        visit.button(key="sign_in_press").click().run()
        shown = [*(one.value for one in visit.markdown), *(one.message for one in visit.exception)]
        print(json.dumps([path, shown]), flush=True)
        os._exit(0)
    os.wait()
"""
"""Each page in a process of its own, in which nothing of ours is imported yet."""


def name_of(page: screens.PageEntry) -> str:
    """By which the address asks for it, and does for the first page without any."""
    return "first" if page is PAGES[0] else page.url_path


@pytest.fixture(scope="module")
def opened_first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("first")
    set_clock(folder / "clock.json", clinic.NOW)
    config = clinic.make(folder / "clinic", "good", 13)
    pages = [f"{name_of(page)} {people.who_sees(page)}" for page in PAGES]
    told = subprocess.run(
        [sys.executable, "-c", OPENED_FIRST, people.PASSWORD, *pages], cwd=ROOT, capture_output=True, text=True,
        check=True, env=os.environ | {
            "RBRDT_CONFIG": str(config), "RBRDT_CLOCK": str(folder / "clock.json"), "OPENBLAS_NUM_THREADS": "1",
        },
    ).stdout  # fmt: skip
    return dict(map(json.loads, told.splitlines()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
def test_a_page_opened_first_after_a_restart_by_its_own_address_is_drawn(
    opened_first: dict[str, list[str]], page: screens.PageEntry
) -> None:
    shown = opened_first[name_of(page)]
    assert any(f"## {page.title} " in text for text in shown), shown
