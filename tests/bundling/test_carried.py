"""A bundle's cache on a computer that has nothing else: taken in whole, or not at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recovery.__main__ import main
from recovery.bundling.carried import CACHE, ENTRIES, carry_out, take_in
from recovery.cache.damages import damaged_tables
from recovery.cache.errors import CacheError
from recovery.cache.store import Cache
from recovery.entries.noted import lost, note
from recovery.entries.transfers import TransferEntry, standing_at
from recovery.folder.sums import SUMS, sums_text
from recovery.host.entry_lines import Statements, append_statement, file_of, read_statements
from recovery.host.keys import public_key_of
from recovery.packing.proof import hash_of
from recovery.settings.trust import Trust
from recovery.tables.relational import ALL_TABLES
from recovery.tables.schema import ON_TREATMENT
from tests.app.clinic import CONFIG
from tests.bundling.clinic import NOW, make

SIGNED = TransferEntry("100001", ("1.2.3",), "St. Elsewhere", "", "Green, Gloria (physician)", NOW)
LATER = replace(SIGNED, to=None, reason="no bed there", entered_at=NOW + timedelta(hours=1))


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An opened bundle, as far as it is carried."""
    folder = tmp_path_factory.mktemp("jobs")
    config = make(folder)
    append_statement(config.cache_path, SIGNED)
    (config.cache_path / "runs.jsonl").write_text("a run\n")
    bundle = folder / "bundle"
    carry_out(config.cache_path, bundle)
    prove(bundle)
    return bundle


@pytest.fixture
def bundle(carried: Path, tmp_path: Path) -> Path:
    return shutil.copytree(carried, tmp_path / "bundle")


def prove(bundle: Path, key: Ed25519PrivateKey | None = None) -> None:
    files = [p for p in bundle.rglob("*") if p.is_file() and p.name != SUMS]
    (bundle / SUMS).write_text(sums_text({p.relative_to(bundle).as_posix(): hash_of(p) for p in files}, key))


def test_every_table_and_statement_is_the_same_on_the_new_computer(bundle: Path, tmp_path: Path) -> None:
    own = Cache(tmp_path / "new/cache")
    said = take_in(bundle, own, NOW)
    there = Cache(bundle / CACHE)
    held = [s for s in ALL_TABLES.values() if (bundle / CACHE / f"tables/{s.name}.parquet").exists()]
    assert len(held) > 5 and all(own.read(schema) == there.read(schema) for schema in held)
    assert list(standing_at(own.path).values()) == [SIGNED]
    assert (own.path / "runs.jsonl").read_text() == "a run\n"
    assert said.problems == [] and said.said == [
        "1 statement of people came with it.",
        "It holds no snapshot of the R&V database's tables.",
        f"The tables of the list restored, {len(own.read(ON_TREATMENT))} rows in on_treatment.",
        "▲ Nobody's signature was asked for: the config names no key.",
    ]


def test_a_bundle_that_no_key_signed_is_refused_where_keys_are_named(bundle: Path, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    own = Cache(tmp_path / "new/cache", trust=Trust((public_key_of(key),)))
    with pytest.raises(CacheError, match=r"no key of \[signing\] signed its SHA256SUMS. Nothing was taken in"):
        take_in(bundle, own, NOW)
    assert not own.path.exists()
    prove(bundle, key)
    assert "signature" not in " ".join(take_in(bundle, own, NOW).said)


def test_a_bundle_of_another_clinic_brings_no_statement_here(bundle: Path, tmp_path: Path) -> None:
    (bundle / "config.toml").write_text('[site]\nname = "Elsewhere"\n')
    own = Cache(tmp_path / "new/cache", trust=Trust(site_name="Here"))
    with pytest.raises(CacheError, match="is a bundle of Elsewhere, and this is Here: nothing was taken in"):
        take_in(bundle, own, NOW)
    assert not own.path.exists()


@pytest.mark.parametrize("bundle_is", ["older", "newer"])
def test_the_last_word_is_the_one_said_last_and_no_statement_is_called_lost(
    carried: Path, bundle: Path, tmp_path: Path, bundle_is: str
) -> None:
    own = Cache(tmp_path / "new/cache")
    here, there = (LATER, SIGNED) if bundle_is == "older" else (SIGNED, LATER)
    (bundle / ENTRIES / "transfers.jsonl").unlink()
    append_statement(bundle / CACHE, there)
    prove(bundle)
    append_statement(own.path, here)
    own.path.mkdir()
    assert note(own.path, "") == ()
    take_in(bundle, own, NOW)
    assert list(standing_at(own.path).values()) == [LATER] and lost(own.path) == ()
    file_of(own.path, TransferEntry).write_bytes(b"")
    take_in(bundle, own, NOW)
    assert [said.partition(" lacks")[0] for said in lost(own.path)] == ["transfers.jsonl"]


def test_tables_that_are_damaged_here_are_taken_from_a_bundle_that_is_as_old(bundle: Path, tmp_path: Path) -> None:
    own = Cache(tmp_path / "new/cache")
    take_in(bundle, own, NOW)
    plans = own.path / "tables/rt_plans.parquet"
    plans.write_bytes(plans.read_bytes()[:-9])
    assert "list restored" in " ".join(take_in(bundle, own, NOW).said) and not damaged_tables(own.path)


def test_a_second_time_nothing_changes_and_what_was_signed_here_stays_the_last_word(
    bundle: Path, tmp_path: Path
) -> None:
    own = Cache(tmp_path / "new/cache")
    append_statement(own.path, LATER)
    take_in(bundle, own, NOW)
    again = take_in(bundle, own, NOW).said
    assert "The tables of the list here are whole and not older: they stay." in again and len(again) == 3
    assert list(standing_at(own.path).values()) == [LATER]


def test_statements_that_were_encrypted_here_come_back_and_what_stood_there_stays_beside(
    bundle: Path, tmp_path: Path
) -> None:
    own = Cache(tmp_path / "new/cache")
    append_statement(own.path, LATER)
    transfers = file_of(own.path, TransferEntry)
    encrypted = transfers.read_bytes() + b"\x00RANSOM"
    transfers.write_bytes(encrypted)
    (problem,) = take_in(bundle, own, NOW).problems
    assert (
        "transfers.jsonl.before" in problem and transfers.with_name("transfers.jsonl.before").read_bytes() == encrypted
    )
    assert read_statements(own.path, TransferEntry) == Statements((SIGNED, LATER))


@pytest.mark.parametrize("what", ["changed", "smuggled", "lost", "no sums", "forged with its checksum"])
def test_what_is_not_what_was_written_changes_nothing_here(bundle: Path, tmp_path: Path, what: str) -> None:
    table, own = bundle / CACHE / "tables/on_treatment.parquet", Cache(tmp_path / "new/cache")
    if what == "lost":
        table.unlink()
    elif what == "no sums":
        (bundle / SUMS).unlink()
    elif what == "smuggled":
        (bundle / ENTRIES / "downtimes.jsonl").write_text("{}")
    else:
        data = bytearray(table.read_bytes())
        data[len(data) // 2] ^= 1
        table.write_bytes(data)
    if what.startswith("forged"):
        prove(bundle)
    with pytest.raises(CacheError):
        take_in(bundle, own, NOW)
    assert not own.path.exists()


def test_a_bundle_from_the_future_is_not_taken_in(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(CacheError, match=r"future|not come yet"):
        take_in(bundle, Cache(tmp_path / "new/cache"), NOW - timedelta(days=1))


def test_the_command_says_what_came_and_how_old_it_is(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new").mkdir()
    config = tmp_path / "new/config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    assert main(["rebuild", "--from-bundle", str(bundle), "--config", str(config)]) == 0
    said = capsys.readouterr()
    assert "rows in on_treatment." in said.out and "how old the tables" in said.err
    assert main(["rebuild", "--from-bundle", str(tmp_path), "--config", str(config)]) == 2
    assert "is no opened bundle" in capsys.readouterr().err
