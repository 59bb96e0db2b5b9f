"""What a job's log does not say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging, sys
from pathlib import Path
from recovery.host.logs import set_up_logging
set_up_logging(Path(sys.argv[1]))
logging.getLogger("fontTools.subset").info("maxp pruned")
logging.getLogger("fpdf.output").info("a stream")
logging.getLogger("pydicom").warning("Invalid value 'ABELSEN^Anna'")
logging.getLogger("recovery.anything").info("said")
"""


def test_libraries_say_no_names_and_do_not_fill_the_log_with_each_chart(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path], capture_output=True, text=True, check=True, timeout=60
    )
    for said in (done.stderr, (tmp_path / "rbrdt.log").read_text(encoding="utf-8")):
        assert [line.rpartition(" ")[2] for line in said.splitlines()] == ["said"]
