"""The page Network: all sites with their ages; one that fails is shown as such, and the others still are."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app.data import network
from recovery.cache.journal import JobResult, Journal
from recovery.cache.store import Cache
from recovery.entries.machines import MachineEntry, machines_at
from recovery.host.entry_lines import append_statement
from recovery.host.keys import load_key, make_key, public_key_of
from recovery.settings.config import load_config
from recovery.settings.sites import SiteCopy
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic, people
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
    assert "**5** clinics · :red[■ **3** not to be relied on] · :orange[▲ **1** to look at]" in said(visit)
    assert standing.loc["south clinic", "copied"] == "Tue 09:38" and "stale" in standing.loc["south clinic", "said"]
    assert "unsigned" in standing.loc["west clinic", "said"] and "it is not signed" in standing.loc["east", "said"]
    assert "cannot be reached: ask the clinic itself. Its IT" in standing.loc["gone", "said"]
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
    assert not day.exception and "Unfinished plans on TB1, appointments unknown: 1" in said(day), said(day)
    assert "0 appointments" not in said(day), "there is no schedule: nobody knows"
    visit.session_state["network_part"] = "Priorities"
    clocks = visit.run()
    assert not clocks.exception and "nobody has signed the rules" in said(clocks), said(clocks)


@pytest.mark.parametrize("role", ["physicist", "viewer", "admin"])
def test_nobody_sees_the_network_without_its_role(role: str, open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="network", role=role)
    assert "You may not see the patients of all sites" in said(visit) and not visit.dataframe


def open_page(visit: AppTest, role: str = "network") -> AppTest:
    network._looked.clear()
    visit._page_hash = calc_hash("network")
    return people.sign_in(visit.run(), role)


def signed(
    site: Site,
    machine: str,
    slots: int,
    beam_data: str = "Gold 2",
    energies: tuple[str, ...] = ("6X",),
    days: int = 0,
    until: date | None = None,
) -> None:
    """What a physicist of a site signs of a machine, in its next copy."""
    at = clinic.NOW - timedelta(days=days)
    entry = MachineEntry(machine, "TrueBeam", beam_data, energies, slots, "Green, Gloria (gg)", at, until)
    append_statement(site.cache_path, entry)
    site.send(clinic.NOW)


def network_of(open_dashboard: Open, *sites: Site, role: str = "network") -> AppTest:
    visit = open_dashboard("good", page="", role=None)
    config = Path(os.environ["RBRDT_CONFIG"])
    config.write_text(config.read_text() + "".join(map(configured, sites)))
    return open_page(visit, role)


def configured(site: Site) -> str:
    key = public_key_of(load_key(site.cache_path.parent / "key"))
    lines = f'name = "{site.name}"\nwhere = "{site.copy.where}"\nsite = "{site.name}"\npublic_keys = ["{key}"]\n'
    return f"\n[[site_copies]]\n{lines}"


def test_capacity_says_by_names_that_physicists_signed_who_could_take_whose_patients(
    open_dashboard: Open, tmp_path: Path
) -> None:
    north, south, west = (site_in(tmp_path, name) for name in ("north", "south", "west"))
    signed(north, "TB1", 0, energies=("6X", "10X"))
    signed(south, "TB7", 4, "gold  2", energies=("6x",))
    signed(west, "TB2", 9, "Silver")
    visit = network_of(open_dashboard, north, south, west)
    visit.session_state["network_part"] = "Capacity"
    visit = visit.run()
    rows = visit.dataframe[1].value.set_index(["clinic", "treatment_machine_name"])
    ours = rows.loc[("north clinic", "TB1")]
    assert (ours["patients"], ours["free_elsewhere"]) == (1, 4)
    assert ours["could_take"] == "south clinic TB7: 4 patients a day, without 10X"
    assert rows.loc[("south clinic", "TB7"), "could_take"] == "nobody: matching machines elsewhere have no free slot"
    assert rows.loc[("south clinic", "TB7"), "mark"] == "", "nobody is treated there"
    assert "no other clinic has this model" in rows.loc[("west clinic", "TB2"), "could_take"]
    assert rows.loc[("west clinic", "TB1"), "mark"] == "▲"
    shutil.rmtree(south.copy.where)
    network._looked.clear()
    again = visit.run().dataframe[1].value.set_index(["clinic", "treatment_machine_name"])
    assert again.loc[("north clinic", "TB1"), "could_take"].startswith("■ south clinic TB7"), "nobody knows it now"
    assert again.loc[("north clinic", "TB1"), "free_elsewhere"] == 0, "so it is not counted"
    assert again.loc[("north clinic", "TB1"), "mark"] == "▲"
    assert "free there: 9 a day, and ■ 4 of which nobody knows" in said(visit), said(visit)
    assert "not signed yet" in rows.loc[("west clinic", "TB1"), "could_take"]


def test_what_was_free_up_to_a_day_that_is_over_is_named_and_not_counted(open_dashboard: Open, tmp_path: Path) -> None:
    today = clinic.NOW.date()
    north, south, west = (site_in(tmp_path, name) for name in ("north", "south", "west"))
    signed(north, "TB1", 0)
    signed(south, "TB7", 5, days=1)
    signed(south, "TB8", 7, days=9, until=today - timedelta(days=1))
    signed(west, "TB2", 2, days=9, until=today)
    visit = network_of(open_dashboard, north, south, west)
    visit.session_state["network_part"] = "Capacity"
    rows = visit.run().dataframe[1].value.set_index(["clinic", "treatment_machine_name"])
    ours = rows.loc[("north clinic", "TB1")]
    assert ours["free_elsewhere"] == 2 and ours["could_take"] == (
        "west clinic TB2: 2 patients a day; south clinic TB8: 7 patients a day until Mon 23 Nov: ask anew; "
        "south clinic TB7: 5 patients a day until Mon 23 Nov: ask anew"
    )
    assert rows["free_slots"].dropna().to_dict() == {("north clinic", "TB1"): 0, ("west clinic", "TB2"): 2}
    assert "free there: 2 a day" in said(visit)
    with pytest.raises(ValueError, match="has not passed"):
        signed(north, "TB1", 1, until=today - timedelta(days=1))


def test_every_file_says_how_old_each_site_is(
    open_dashboard: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: dict[str, Callable[[], bytes]] = {}
    monkeypatch.setattr("streamlit.download_button", lambda label, **said: handed.update({label: said["data"]}))
    sites = site_in(tmp_path, "north"), site_in(tmp_path, "south", timedelta(hours=5))
    visit = network_of(open_dashboard, *sites)
    lines = list(csv.DictReader(handed["CSV"]().decode().splitlines()))
    assert {line["clinic"]: line["copied"] for line in lines} == {
        "north clinic": "2026-11-24 14:38",
        "south clinic": "2026-11-24 09:38",
    }
    book = load_workbook(BytesIO(handed["Excel"]()))
    told = {row[0].value: str(row[1].value) for row in book["About"].iter_rows()}
    assert "north clinic: copy of 2026-11-24 14:38, proven up to Tue 14:38." in told["Status when exported"]
    assert "■ south clinic: copy of 2026-11-24 09:38, proven up to Tue 09:38. stale" in told["Status when exported"]
    assert told["Everything up to here is proven"] == "2026-11-24 09:38:00", "the oldest of them"
    assert book.worksheets[0]["C2"].value in {"2026-11-24 14:38", "2026-11-24 09:38"}
    for part in ("Machine day", "Capacity", "Backup health"):
        visit.session_state["network_part"] = part
        visit = visit.run()
        assert handed["CSV"]().startswith(b"mark,clinic,copied,"), part
        assert "north clinic: copy of" in str(load_workbook(BytesIO(handed["Excel"]()))["About"]["B6"].value), part


def test_the_health_of_all_sites_and_an_empty_page_explain_themselves(open_dashboard: Open, tmp_path: Path) -> None:
    empty = open_dashboard("good", page="network", role="network")
    assert "The config names no copies" in said(empty) and "[[site_copies]]" in said(empty)
    visit = network_of(open_dashboard, site_in(tmp_path, "north"), site_in(tmp_path, "south", timedelta(hours=5)))
    visit.session_state["network_part"] = "Backup health"
    rows = visit.run().dataframe[1].value
    assert list(zip(rows["clinic"], rows["job"], rows["mark"], strict=True)) == [
        ("north clinic", "sync_records", "●"),
        ("south clinic", "sync_records", "■"),
    ]
    config = Path(os.environ["RBRDT_CONFIG"])
    config.write_text(config.read_text().replace("Europe/Zurich", "Europe/London"))
    assert visit.run().dataframe[1].value["last_good"].to_list() == ["Tue 13:38", "Tue 08:38"], (
        "by the clock of who looks"
    )
    assert "in the time of Europe/London" in said(visit)


def test_a_physicist_signs_a_machine_where_its_copies_go_to_a_network(open_dashboard: Open, tmp_path: Path) -> None:
    assert not [one for one in open_dashboard("good", page="machine_day").text_input if one.key == "machine_model"]
    visit, config = open_dashboard("good", page="machine_day"), Path(os.environ["RBRDT_CONFIG"])
    config.write_text(f'{config.read_text()}\n[[site_copies]]\nname = "vault"\nwhere = "{tmp_path}"\n')
    visit = visit.run()
    visit.text_input(key="machine_model").set_value("TrueBeam")
    visit = visit.button(key="machine_sign").click().run()
    assert "Nothing was signed" in said(visit)
    visit.text_input(key="machine_data").set_value("Gold 2")
    visit.text_input(key="machine_energies").set_value("6X, 10X, 6X")
    visit.number_input(key="machine_slots").set_value(3)
    visit.button(key="machine_sign").click().run()
    (entry,) = machines_at(load_config(config).cache_path).values()
    assert (entry.treatment_machine_name, entry.free_slots, entry.energies) == ("TB1", 3, ("6X", "10X"))
    assert entry.signed_by == "Physicist of the tests (physicist)"
    assert entry.told_until == entry.entered_at.date() + timedelta(days=6)
    assert '"action": "sign machine"' in load_config(config).audit_path.read_text()
