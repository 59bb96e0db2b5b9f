"""The page Network: all sites with their ages; one that fails is shown as such, and the others still are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.data import network
from recovery.cache.journal import JobResult, Journal
from recovery.cache.store import Cache
from recovery.host.keys import load_key, make_key, public_key_of
from recovery.settings.config import load_config
from recovery.settings.sites import SiteCopy
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic
from tests.app.conftest import clock_file, open_dashboard, said
from tests.sites.made import Site

__all__ = ["clock_file", "open_dashboard"]
Open = Callable[..., AppTest]


def site_in(folder: Path, name: str, at: timedelta = timedelta(0), *, signs: bool = True) -> Site:
    """A site with one patient, whose copy is that old."""
    (folder / name / "vault").mkdir(parents=True)
    make_key(folder / name / "key")
    site = Site(
        folder / name / "cache",
        SiteCopy(name, str(folder / name / "vault")),
        folder / name / "key",
        name=name,
        clinic=f"{name} clinic",
    )
    taken_at = clinic.NOW - at
    Cache(site.cache_path).write(
        ON_TREATMENT,
        [clinic.row(f"{name.upper()}, Anna", f"{name}-1", "Plan", 3, status="on_treatment")],
        taken_at=taken_at,
        source="test",
    )
    journal = Journal(site.cache_path)
    journal.finish(journal.start("sync_records", taken_at), JobResult("sync_records", "OK", {"found": 1}), taken_at)
    site.key = site.key if signs else None
    site.send(taken_at)
    return site


def test_each_site_is_shown_with_its_age_and_one_that_fails_hides_no_other(
    open_dashboard: Open, tmp_path: Path
) -> None:
    sites = [site_in(tmp_path, "north"), site_in(tmp_path, "south", timedelta(hours=5)), site_in(tmp_path, "west")]
    unsigned, gone = site_in(tmp_path, "east", signs=False), site_in(tmp_path, "gone")
    shutil.rmtree(gone.copy.where)
    visit = open_dashboard("good", page="", role=None)
    text = "".join(
        f'\n[[site_copies]]\nname = "{one.name}"\nwhere = "{one.copy.where}"\nsite = "{one.name}"\n'
        + (f'public_keys = ["{public_key_of(load_key(tmp_path / one.name / "key"))}"]\n' if one.name != "west" else "")
        for one in (*sites, unsigned, gone)
    )
    config = Path(os.environ["RBRDT_CONFIG"])
    config.write_text(config.read_text() + text)
    visit = open_page(visit)
    standing = visit.dataframe[0].value.set_index("clinic")
    assert list(standing["mark"]) == ["■", "■", "■", "▲", ""], standing["said"].to_list()
    assert standing.loc["south clinic", "copied"] == "Tue 09:38" and "stale" in standing.loc["south clinic", "said"]
    assert "unsigned" in standing.loc["west clinic", "said"] and "it is not signed" in standing.loc["east", "said"]
    assert "cannot be reached" in standing.loc["gone", "said"]
    listed = visit.dataframe[1].value
    assert set(listed["clinic"]) == {"north clinic", "south clinic", "west clinic"}
    assert dict(zip(listed["patient_name"], listed["mark"], strict=True))["SOUTH, Anna"] != "", "may be treated since"
    shutil.rmtree(sites[0].copy.where)
    network._looked.clear()
    again = visit.run()
    assert "cannot be reached" in again.dataframe[0].value.set_index("clinic").loc["north clinic", "said"]
    assert len(again.dataframe[1].value) == 3, "it is shown as it was last"
    for name, file in (("north", "site.json"), ("south", "on_treatment.parquet")):
        shutil.rmtree(tmp_path / name / "vault", ignore_errors=True)
        for path in (load_config(config).cache_path / "network" / name).rglob(file):
            path.write_bytes(b"ransom")
    network._looked.clear()
    network._list_of.cache_clear()
    encrypted = visit.run()
    standing = encrypted.dataframe[0].value.set_index("clinic")["said"]
    assert "what was kept of it here is damaged" in standing["north"], standing.to_list()
    assert "its list cannot be read" in standing["south clinic"]
    assert list(encrypted.dataframe[1].value["clinic"]) == ["west clinic"], "an error of one hides no other"
    visit.session_state["network_part"] = "Machine day"
    day = visit.run()
    assert not day.exception and "not booked: 1" in said(day), said(day)
    visit.session_state["network_part"] = "Priorities"
    clocks = visit.run()
    assert not clocks.exception and "nobody has signed the rules" in said(clocks), said(clocks)


@pytest.mark.parametrize("role", ["physicist", "viewer", "admin"])
def test_nobody_sees_the_network_without_its_role(role: str, open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="network", role=role)
    assert "You may not see the patients of all sites" in said(visit) and not visit.dataframe


def open_page(visit: AppTest) -> AppTest:
    from streamlit.util import calc_hash

    from tests.app import people

    network._looked.clear()
    visit._page_hash = calc_hash("network")
    return people.sign_in(visit.run(), "network")
