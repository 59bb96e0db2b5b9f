"""What people typed elsewhere, in every file that leaves: text, and no formula, link, direction or script."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.components.patient_link import keys_of_process
from recovery.cache.formats import write_table
from recovery.cache.store import Cache
from recovery.settings.config import load_config
from recovery.tables.relational import ALL_TABLES
from recovery.words.printable import is_like_formula
from tests.app import hostile
from tests.app.test_hostile_texts import opened


@pytest.fixture
def handed_out(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """By file name, what each download button of an opened page would hand out."""
    found: dict[str, Callable[[], bytes]] = {}
    monkeypatch.setattr(
        "streamlit.download_button", lambda _label, **told: found.__setitem__(told["file_name"], told["data"])
    )
    return found


@pytest.mark.parametrize("poison", hostile.POISONS)
@pytest.mark.usefixtures("clock_file")
def test_no_file_that_leaves_holds_a_formula_or_a_direction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poison: str, handed_out: dict[str, Callable[[], bytes]]
) -> None:
    put = hostile.POISONS[poison]
    monkeypatch.setenv("RBRDT_CONFIG", str(hostile.make(tmp_path, poison, "stale")))
    opened("patient", "physicist", {"patient": keys_of_process().key_of(put("100231"))})
    for page in ("on_treatment", "since_last_proof", "priorities"):
        opened(page, "physicist", {})
    opened("machine_day", "physicist", {"machine": put("TB1")})
    assert len(handed_out) >= 8, sorted(handed_out)
    for name, make in handed_out.items():
        assert len(name) < 100 and not hostile.steering(name), name
        content = make()
        for where, text in hostile.texts_of_pdf(content) if name.endswith("pdf") else hostile.texts_of_book(content):
            assert not hostile.steering(text), f"{name}: {where}: {hostile.steering(text)}"


@pytest.mark.parametrize("poison", hostile.POISONS)
def test_every_table_leaves_by_the_command_line_as_text(tmp_path: Path, poison: str) -> None:
    cache = Cache(load_config(hostile.make(tmp_path, poison)).cache_path)
    for schema in ALL_TABLES.values():
        if schema.name in {
            "image_series",
            "proven_objects",
            "database_counts",
            "verified_objects",
            "proofs",
            "resting",
        }:
            continue  # not in this clinic; of UIDs and counts
        written = {form: tmp_path / f"{schema.name}.{form}" for form in ("json", "csv", "xlsx", "parquet")}
        for form, file in written.items():
            write_table(cache, schema, form, file)  # type: ignore[arg-type]
        rows = cache.read(schema)
        told = json.loads(written["json"].read_text())
        assert [row.get("patient_id") for row in told] == [row.get("patient_id") for row in rows], "JSON says the same"
        assert not hostile.steering(written["json"].read_text())
        with written["csv"].open(newline="") as file:
            cells = [cell for line in csv.reader(file) for cell in line]
        assert not [c for c in cells if is_like_formula(c) and not is_number(c)]
        assert not hostile.steering("".join(cells))
        for where, text in hostile.texts_of_book(written["xlsx"].read_bytes()):
            assert not hostile.steering(text), where


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
