"""Where the shared, real DICOM-RT files lie: `RBRDT_TESTDATA`, default `../shared/testdata` beside the project."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TESTDATA = Path(os.environ.get("RBRDT_TESTDATA", PROJECT.parent / "shared" / "testdata"))
WHERE = "no test data: set RBRDT_TESTDATA to the folder that holds manifest.csv"


def is_there() -> bool:
    return (TESTDATA / "manifest.csv").is_file()
