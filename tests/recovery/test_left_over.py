"""What killed runs left beside is deleted by the next one, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from recovery.host.left_over import sweep


def a_dead_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_only_own_files_of_processes_that_are_gone_are_deleted(tmp_path: Path) -> None:
    dead, alive = a_dead_process(), os.getpid()
    gone = [f".memory.json.{dead}", f".runs.jsonl.{dead}", f"tables/.holdings.parquet.{dead}"]
    kept = [
        *("memory.json", "runs.jsonl", "tables/holdings.parquet", f".memory.json.{alive}"),
        *(f"tables/.holdings.parquet.{alive}", f".accounts.json.{dead}", f".notes.{dead}", ".memory.json.x"),
        *(f"elsewhere/.holdings.parquet.{dead}", f"tables/.holdings.parquet.{dead}.bak"),
    ]
    for name in [*gone, *kept]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("half")
    (tmp_path / f".memory.json.{dead}0").mkdir()
    (tmp_path / f"tables/.rt_plans.parquet.{dead}").symlink_to(tmp_path / "memory.json")
    assert sorted(sweep(tmp_path)) == sorted(Path(name).name for name in gone)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()}
    assert left == set(kept)
    assert sweep(tmp_path / "nowhere") == []
