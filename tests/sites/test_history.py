"""Questions over sites and years, from the months of their copies."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from recovery.cache.store import Cache
from recovery.settings.sites import SiteCopy
from recovery.sites import history
from recovery.tables.schema import TREATMENT_RECORDS
from tests.forked import run_module
from tests.recovery.test_config import GOOD
from tests.sites.made import NOW, Site, record

pytest.importorskip("duckdb", reason="NOT TESTED: questions over history need requirements-network.txt")


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Two sites, each with a beam a day from 1 September to 23 November, on two machines in turn."""
    text, folder = GOOD, tmp_path / "it's [old] *"
    for name in ("north", "south"):
        (folder / name / "vault").mkdir(parents=True)
        site = Site(folder / name / "cache", SiteCopy(name, str(folder / name / "vault")), name=name)
        days = (datetime(2026, 9, 1, 9, tzinfo=UTC) + timedelta(days=n) for n in range(84))
        records = [record(n, day, f"TB{1 + n % 2}") for n, day in enumerate(days)]
        Cache(site.cache_path).write(TREATMENT_RECORDS, records, taken_at=NOW, source="test")
        site.send(NOW)
        text += f'[[site_copies]]\nname = "{name}"\nwhere = "{name}/vault"\nsite = "{name}"\n'
    (folder / "config.toml").write_text(text)
    return folder / "config.toml"


def asked(config_file: Path, *more: str) -> tuple[int, list[dict[str, str]], str]:
    done = run_module("recovery", "history", *more, "--config", str(config_file))
    return done.returncode, list(csv.DictReader(done.stdout.splitlines())), done.stderr


def test_what_was_treated_and_what_a_machine_delivered_are_told_by_site(config_file: Path) -> None:
    status, rows, err = asked(config_file, "--since", "2026-09-15", "--until", "2026-10-31")
    assert (status, err) == (0, "")
    assert [(r["site"], r["month"], r["beams"], r["patients"]) for r in rows] == [
        (site, month, beams, "7")
        for site in ("north", "south")
        for month, beams in (("2026-09", "16"), ("2026-10", "31"))
    ]
    shelf = config_file.parent / "cache" / "history"
    assert sorted({path.parent.name for path in shelf.rglob("*.parquet")}) == ["month=2026-09", "month=2026-10"]
    span = ("--since", "2026-11-20", "--until", "2026-11-23", "--machine", "TB1", "--site", "south")
    status, rows, _ = asked(config_file, *span)
    assert status == 0 and {row["site"] for row in rows} == {"south"}
    assert [row["started_at"] for row in rows] == ["2026-11-20T09:00:00", "2026-11-22T09:00:00"]


def test_a_site_that_fails_is_told_and_the_others_answer(config_file: Path) -> None:
    for path in (config_file.parent / "south/vault").rglob("month=2026-10/*"):
        path.write_bytes(b"changed")
    status, rows, err = asked(config_file, "--since", "2026-10-01", "--until", "2026-10-31")
    assert status == 1 and [row["site"] for row in rows] == ["north"]
    assert (
        "south is not in this answer, or not all of it: months/treatment_records/2026-10.parquet: it was changed" in err
    )


def test_months_that_are_no_tables_cost_their_site_alone(config_file: Path) -> None:
    span = ("--since", "2026-09-01", "--until", "2026-09-30")
    asked(config_file, *span)
    shelf = config_file.parent / "cache/history"
    (bad,) = (shelf / "site=north").rglob("*.parquet")
    bad.write_bytes(b"ransom")
    said: list[str] = []
    files = list(shelf.rglob("*.parquet"))
    rows = history.answer(files, date(2026, 9, 1), date(2026, 9, 30), None, said)
    assert [row["site"] for row in rows] == ["south"]
    assert said == ["site=north is not in this answer: InvalidInputException"]


def test_without_duckdb_it_says_what_brings_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(history.HistoryError, match="pip install -r requirements-network"):
        history.answer([tmp_path / "a"], date(2026, 1, 1), date(2026, 1, 2), None, [])
