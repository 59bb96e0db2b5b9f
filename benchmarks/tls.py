"""What TLS costs: the same records by relay in the clear and inside TLS, in turns, on two pairs of stock Orthancs."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from benchmarks.made_up import course_records
from tests.clinic import TwoNodes, two_nodes
from tests.tls_clinic import Certificates, tls_nodes

TURNS = 5


def tls(row: Callable[[str, str, str, float], None], count: int, now: datetime) -> None:
    """`sync_records` of `count` records, from nothing, as often in the clear as inside TLS."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with two_nodes(folder / "clear") as clear, tls_nodes(folder / "tls", Certificates(folder)) as secure:
            ways = {"in the clear": clear, "inside TLS, certificates on both sides": secure}
            files = list(course_records(count, newest=now))
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for clinic in ways.values():
                clinic.put(files)
            for _ in range(TURNS):
                for way, clinic in ways.items():
                    taken[way].append(_relayed(clinic, count))
            first = None
            for way, seconds in taken.items():
                middle = statistics.median(seconds)
                first = first or middle
                spread = f"{min(seconds) / count * 1000:.1f} to {max(seconds) / count * 1000:.1f}"
                row(
                    f"relay, {count} records",
                    way,
                    f"{middle / count * 1000:.1f} ms a record ({spread})",
                    first / middle,
                )


def _relayed(clinic: TwoNodes, count: int) -> float:
    clinic.pacs.delete_all()
    shutil.rmtree(clinic.folder / "cache", ignore_errors=True)
    started = time.perf_counter()
    status, results = clinic.job("sync_records")
    taken = time.perf_counter() - started
    assert status == 0 and len(clinic.pacs.instances()) == count, results
    return taken
