"""No age on a page is older than a minute: whatever does not draw itself anew prints absolute times."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.components import banner
from app.screens import PAGES
from recovery.access.permissions import Permission
from tests.app import clinic, relational
from tests.app.conftest import ROOT, said, set_clock

Open = Callable[..., AppTest]
AGE = re.compile(r"\b(ago|\(\d+ (min|h)\b|\d+ min old)|\d+ (minutes?|h|d)( \d+ \w+)? old")
REFRESHED = {
    "data/standing.py": "the banner's fragment, and exports, which say when they were made",
    "data/health.py": "the fragment of the table of jobs",
    "screens/backup_health/job_table.py": "the same",
    "components/signed_in.py": "the fragment that watches the sitting",
    "wording/words.py": "where they are made",
}
"""Files that may word an age, and which part of a page draws it anew."""


def test_ages_are_worded_only_where_they_are_drawn_anew() -> None:
    word = re.compile(r"\b(ago|age|age_in_full)\((?!self)")
    found = {
        str(file.relative_to(ROOT / "app"))
        for file in (ROOT / "app").rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if word.search(line) and "known_gap" not in line
    }
    assert found <= REFRESHED.keys(), found - REFRESHED.keys()
    assert timedelta(minutes=1) >= banner.REFRESH_EVERY


@pytest.mark.parametrize("page", [p for p in PAGES if p.permission is Permission.VIEW], ids=lambda page: page.url_path)
def test_what_stands_on_a_page_beside_its_refreshing_parts_tells_no_age(
    open_dashboard: Open, clock_file: Path, page: object
) -> None:
    open_dashboard("down", 13)
    relational.write(Path(clock_file).parent / "down" / "data" / "cache")
    visit = open_dashboard("down", 13, page=page.url_path, role="admin")  # type: ignore[attr-defined]
    assert not visit.exception
    first = [line for line in said(visit).splitlines() if AGE.search(line)]
    tables = [frame.value for frame in visit.dataframe if "due" not in frame.value.columns]
    shown = [str(value) for table in tables if isinstance(table, pd.DataFrame) for value in table.to_numpy().ravel()]
    assert not [value for value in shown if AGE.search(value)]
    set_clock(clock_file, clinic.NOW + timedelta(minutes=7))
    visit.run()
    assert not set(first) & {line for line in said(visit).splitlines() if AGE.search(line)}
    allowed = re.compile(r"Backup is|has not answered|The table below was built")
    assert not [line for line in first if not allowed.search(line)], first
