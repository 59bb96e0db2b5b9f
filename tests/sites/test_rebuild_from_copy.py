"""Ransomware: what was encrypted here comes back from the copy off site alone, as it was last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.cache.copy_age import newest_proof
from recovery.cache.store import Cache
from recovery.entries.shift_checks import ShiftCheck
from recovery.host.entry_lines import append_statement, read_statements
from recovery.settings.config import Config, load_config
from recovery.sites import restoring
from recovery.tables.schema import ON_TREATMENT, TREATMENT_RECORDS
from recovery.words.refusals import RefusedError
from tests.recovery.made_snapshots import numbers
from tests.recovery.test_config import GOOD
from tests.sites.made import NOW, Site

LATER = NOW + timedelta(hours=3)


@pytest.fixture
def config(site: Site, tmp_path: Path) -> Config:
    """A clinic that signs, whose copy has two states, and which entered something."""
    (public,) = site.trust.public_keys
    copies = '[[site_copies]]\nname = "vault"\nwhere = "vault"\nsite = "north"\n'
    copies += f'[signing]\npublic_keys = ["{public}"]\n'
    (tmp_path / "config.toml").write_text(GOOD.replace("[site]", '[site]\nid = "north"') + copies)
    site.cycle(1)
    append_statement(site.cache_path, ShiftCheck(True, "", "A (a)", NOW))
    site.cycle(2)
    return load_config(tmp_path / "config.toml")


def encrypt(cache_path: Path) -> None:
    for folder in (cache_path, cache_path.with_name("cache-entries")):
        for path in folder.rglob("*"):
            if path.is_file():
                path.write_bytes(b"\x00RANSOM" * 50)


def test_an_encrypted_cache_comes_back_as_it_was(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    encrypt(config.cache_path)
    assert restoring.run(config, "vault", LATER) == 1, "entries that were rewritten are told"
    said = capsys.readouterr()
    assert "2 h 40 min old" in said.out and "shift_checks.jsonl.before" in said.err
    cache = Cache(config.cache_path)
    assert numbers(cache) == [{"2"}] * 3
    assert [row["patient_id"] for row in cache.read(ON_TREATMENT)] == ["2"]
    assert len(cache.read(TREATMENT_RECORDS)) == 3
    assert newest_proof(cache) == NOW + timedelta(minutes=20)
    assert len(read_statements(config.cache_path, ShiftCheck).all) == 1
    assert restoring.run(config, "vault", LATER) == 0
    assert "not older: they stay" in capsys.readouterr().out


def test_an_altered_copy_gives_the_last_state_that_verifies_and_says_so(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    encrypt(config.cache_path)
    vault = config.file.parent / "vault"
    newest = max(vault.glob("site=north/table=on_treatment/*"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(b"changed")
    assert restoring.run(config, "vault", LATER) == 1
    said = capsys.readouterr()
    assert "Manifest 2 is not used: tables/on_treatment.parquet: it was changed" in said.err
    assert numbers(Cache(config.cache_path)) == [{"1"}] * 3


def test_a_copy_that_nobody_signed_is_refused_and_nothing_is_written(config: Config) -> None:
    encrypt(config.cache_path)
    before = {path: path.read_bytes() for path in config.cache_path.rglob("*.parquet")}
    for path in (config.file.parent / "vault").glob("site=north/manifests/*/*"):
        path.unlink()
    Site(config.file.parent / "forged", replace(config.site_copies[0], where=str(config.file.parent / "vault"))).cycle(
        5
    )
    with pytest.raises(RefusedError, match="it is not signed"):
        restoring.run(config, "vault", LATER)
    assert {path: path.read_bytes() for path in config.cache_path.rglob("*.parquet")} == before
    with pytest.raises(RefusedError, match="nowhere of this site"):
        restoring.run(config, "nowhere", LATER)
