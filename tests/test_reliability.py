"""A small sample of what `python -m benchmarks.reliability` tries: the whole is for an evening."""

from __future__ import annotations

import os

import pytest

from benchmarks.reliability.__main__ import run
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

SEED = int(os.environ.get("RBRDT_CHAOS_SEED", "8"))


@pytest.mark.parametrize(("fault", "tries"), [("bad-input", 200), ("wire", 1)])
def test_what_is_broken_by_seed_is_refused_healed_or_named(fault: str, tries: int) -> None:
    if fault != "bad-input" and not orthanc_is_installed():
        pytest.skip(HOW_TO_INSTALL)
    assert run(fault, tries, SEED) == (tries, [])
