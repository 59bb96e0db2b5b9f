"""Gaps that a physicist acknowledged: with a reason, until a day, kept for good."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from recovery.entries.known_gaps import KnownGap, on_day
from recovery.host.entry_lines import append_statement, file_of, read_statements
from recovery.host.seals import unsealed_json

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
GAP = KnownGap(("1.2", "1.3"), "no source has the CT of 2019", date(2026, 12, 8), "J. Physicist", NOW)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "data" / "cache"


@pytest.fixture
def file(cache: Path) -> Path:
    return file_of(cache, KnownGap)


def test_what_was_acknowledged_counts_until_its_day_and_not_after(cache: Path) -> None:
    append_statement(cache, GAP)
    assert on_day(read_statements(cache, KnownGap).all, date(2026, 11, 24)) == {"1.2": GAP, "1.3": GAP}
    assert set(on_day(read_statements(cache, KnownGap).all, date(2026, 12, 8))) == {"1.2", "1.3"}
    assert on_day(read_statements(cache, KnownGap).all, date(2026, 12, 9)) == {}


def test_the_latest_statement_about_an_object_counts_and_the_earlier_one_stays(cache: Path) -> None:
    shorter = replace(GAP, sop_instance_uids=("1.2",), until=date(2026, 11, 23), reason="found after all")
    append_statement(cache, GAP)
    append_statement(cache, shorter)
    assert set(on_day(read_statements(cache, KnownGap).all, date(2026, 11, 24))) == {"1.3"}
    assert read_statements(cache, KnownGap).all == (GAP, shorter)


@pytest.mark.parametrize(
    "odd", [{"reason": " "}, {"sop_instance_uids": ()}, {"signed_by": ""}, {"until": date(2027, 11, 24)}]
)
def test_without_object_reason_name_or_end_nothing_is_acknowledged(odd: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="gap"):
        replace(GAP, **odd)  # type: ignore[arg-type]


def test_a_damaged_line_costs_that_line_and_a_missing_file_acknowledges_nothing(cache: Path, file: Path) -> None:
    assert read_statements(cache, KnownGap).all == ()
    append_statement(cache, GAP)
    file.write_bytes(b'{"sop_instance_uids": "1.9"\n' + file.read_bytes() + b'{"half')
    assert (read_statements(cache, KnownGap).all, read_statements(cache, KnownGap).damaged_lines) == ((GAP,), 2)


def test_a_changed_byte_makes_no_other_statement(cache: Path, file: Path) -> None:
    append_statement(cache, GAP)
    whole = file.read_bytes()
    for place, byte in enumerate(whole[:-1]):
        for other in {byte ^ 1 << bit for bit in range(8)} | set(b'0123456789 "\n'):
            file.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            read = read_statements(cache, KnownGap)
            assert read.all == (GAP,) or (not read.all and read.damaged_lines), (place, other)


def test_a_line_of_an_earlier_version_bears_no_hash_and_counts(cache: Path, file: Path) -> None:
    append_statement(cache, GAP)
    file.write_text(json.dumps(unsealed_json(file.read_text())) + "\n")
    assert (read_statements(cache, KnownGap).all, read_statements(cache, KnownGap).damaged_lines) == ((GAP,), 0)
