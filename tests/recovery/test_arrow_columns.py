"""Columns made without pandas are those that pyarrow would make, and a job that writes tables imports none."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.tables.arrow_columns import column_of
from tests.forked import PROJECT

KINDS = [
    (pa.string(), st.text()),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.float64(), st.floats(allow_nan=False) | st.integers(-(2**50), 2**50)),
    (pa.bool_(), st.booleans()),
    (pa.date32(), st.dates()),
    (pa.timestamp("us"), st.datetimes()),
]
ANY = st.one_of(*(st.tuples(st.just(kind), st.lists(st.none() | values, max_size=20)) for kind, values in KINDS))


@given(ANY)
def test_a_column_is_the_one_that_pyarrow_makes(made: tuple[pa.DataType, list[Any]]) -> None:
    kind, values = made
    column = column_of(values, kind)
    column.validate(full=True)
    assert column.equals(pa.array(values, type=kind))
    assert column.to_pylist() == values


def test_what_a_column_cannot_hold_is_an_error_and_no_other_value() -> None:
    for kind, value in ((pa.int64(), 2**63), (pa.string(), "\ud800")):
        with pytest.raises((OverflowError, UnicodeEncodeError)):
            column_of([value], kind)
    assert column_of([float("nan")], pa.float64()).null_count == 0
    assert column_of([date.min, date.max], pa.date32()).to_pylist() == [date.min, date.max]


def test_writing_and_reading_tables_imports_no_pandas(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from recovery.cache.store import Cache; from recovery.tables.relational import PATIENTS\n"
        "cache, rows = Cache(Path(sys.argv[1])), [dict.fromkeys(PATIENTS.columns) | {'patient_id': 'A'}]\n"
        "cache.write(PATIENTS, rows, taken_at=datetime.now(UTC), source='test')\n"
        "assert cache.read_where(PATIENTS, 'patient_id', ['A']) == cache.read(PATIENTS) == rows\n"
        "assert 'pandas' not in sys.modules\n"
        "from recovery.host.stopping import leave; leave(0)\n"  # as all commands do: pyarrow may abort in exit()
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT, check=True)
