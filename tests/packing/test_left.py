"""What killed runs leave of patients in the clear."""

from __future__ import annotations

from pathlib import Path

from recovery.cache.journal import lock
from recovery.packing.encryption import LOCK_OF, private_folder


def test_whoever_begins_tidies_what_killed_runs_left_and_leaves_those_under_way(tmp_path: Path) -> None:
    for begin, name in LOCK_OF.items():
        (tmp_path / f"{begin}left").mkdir()
        with lock(tmp_path, name):
            pass
    (tmp_path / "drill-left-entries").mkdir()
    with lock(tmp_path, "drill"), lock(tmp_path, "bundle"), private_folder(tmp_path, "bundling-") as own:
        there = {path.name for path in tmp_path.iterdir()} - {"locks"}
    assert there == {own.name, "drill-left", "drill-left-entries"}
