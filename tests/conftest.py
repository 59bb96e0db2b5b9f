"""Settings for all tests."""

from __future__ import annotations

import gc
import os

from hypothesis import Phase, settings

from tests.forked import shared_folder

settings.register_profile("rbrdt", deadline=None)  # the machine that tests may be busy
settings.register_profile(
    "mutants", deadline=None, derandomize=True, database=None, max_examples=20, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("RBRDT_HYPOTHESIS", "rbrdt"))


def pytest_configure() -> None:
    """Before xdist starts its workers, so that what forks commands for them all is one."""
    shared_folder()


def pytest_collection_finish() -> None:
    """What is collected stays to the end: no collection of garbage looks through it again."""
    gc.collect()
    gc.freeze()
