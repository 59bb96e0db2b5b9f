"""`python -m benchmarks NAME`: run one benchmark, or `all`, and print a row per way measured."""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydicom import Dataset

from benchmarks import big_clinic
from benchmarks.made_up import course_records, plans_of
from benchmarks.replaced_tool import move_one_by_one
from tests.clinic import TwoNodes, two_nodes
from tests.objects import encode
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

TUNED = {"TCP_NODELAY": "1"}


def records(count: int, sample: int) -> None:
    """New records, R&V system to RT-PACS: our two routes against the replaced way and against storescu."""
    for servers, environment in (("stock", {}), ("TCP_NODELAY=1", TUNED)):
        with tempfile.TemporaryDirectory() as folder, two_nodes(Path(folder), environment=environment) as clinic:
            files = list(course_records(count, newest=_today()))
            clinic.put(files)
            uids = [str(ds.SOPInstanceUID) for ds in files]
            seconds = {}
            if servers == "stock":
                started = time.perf_counter()
                move_one_by_one(clinic.local, clinic.rv.node, clinic.pacs.node, uids[:sample])
                seconds["the replaced way"] = (time.perf_counter() - started) * count / sample
            else:
                seconds["storescu, one association"] = _storescu(clinic, files, Path(folder))
            for route in ("relay", "direct"):
                _forget(clinic)
                clinic.route = route
                started = time.perf_counter()
                status, results = clinic.job("sync_records")
                seconds[f"sync_records, {route}"] = time.perf_counter() - started
                moved = results["sync_records"]["counts"]["moved"]
                assert status == 0 and moved == count == len(clinic.pacs.instances()), results
            slowest = next(iter(seconds.values()))
            for way, taken in seconds.items():
                row(f"records, {servers} servers", way, f"{taken / count * 1000:.1f} ms a record", slowest / taken)


def cycle(count: int, _: int) -> None:
    """A cycle that finds nothing new in a window of `count` records, as more and more old ones are stored."""
    with tempfile.TemporaryDirectory() as folder, two_nodes(Path(folder)) as clinic:
        clinic.put(course_records(count, newest=_today()), plans_of(count // 5))
        clinic.job("cycle")
        first = None
        for stored in (count, 2 * count, 4 * count):
            if stored > count:
                old = course_records(stored // 2, newest=_today() - timedelta(days=400), key=f"old{stored}")
                for ds in old:
                    clinic.rv.put(encode(ds))
                    clinic.pacs.put(encode(ds))
            taken, jobs = _repeated(lambda: _nothing_new(clinic), 5)
            first = first or taken
            row(
                "cycle, nothing new",
                f"{count} in the window, {stored} stored",
                f"{taken:.2f} s ({jobs:.2f} s in jobs)",
                first / taken,
            )


def build(count: int, _: int) -> None:
    """`build_on_treatment` for `count` records and a fifth as many plans: from nothing, and with one new record."""
    with tempfile.TemporaryDirectory() as folder, two_nodes(Path(folder)) as clinic:
        everything = [*course_records(count, newest=_today()), *plans_of(count // 5)]
        for ds in everything:
            clinic.pacs.put(encode(ds))
        started = time.perf_counter()
        _, results = clinic.job("build_on_treatment")
        empty = time.perf_counter() - started
        assert results["build_on_treatment"]["counts"]["moved"] == count, results
        row("build_on_treatment", "from an empty cache", f"{empty:.2f} s", 1.0)
        for number, ds in enumerate(course_records(3, newest=_today(), per_patient=1, key="new")):
            clinic.pacs.put(encode(ds))
            started = time.perf_counter()
            _, results = clinic.job("build_on_treatment")
            taken = time.perf_counter() - started
            assert results["build_on_treatment"]["counts"]["moved"] == 1, results
            job = results["build_on_treatment"]["seconds"]
            row(
                "build_on_treatment",
                f"one record new ({number + 1})",
                f"{taken:.2f} s ({job:.2f} s in the job)",
                empty / taken,
            )


def tables(_: int, __: int) -> None:
    """`snapshot_tables` of a large clinic, with all that it stores in the RT-PACS; then with little or nothing new."""
    with tempfile.TemporaryDirectory() as folder, two_nodes(Path(folder)) as clinic:
        database = clinic.folder / "aria.db"
        deliveries, appointments = big_clinic.fill(database, newest=_today().date())
        for ds in big_clinic.objects(_today()):
            clinic.pacs.put(encode(ds))
        clinic.extra = f'[rv.database]\nconnection = "sqlite:///{database}"\n'
        clinic.job("build_on_treatment")
        what = f"snapshot_tables, {deliveries} deliveries, {appointments} appointments"
        first = None
        for way in ("from nothing", "nothing new", "nothing new, again", "one row new"):
            if way == "one row new":
                big_clinic.change_a_phone(database)
            started = time.perf_counter()
            status, results = clinic.job("snapshot_tables")
            taken = time.perf_counter() - started
            result = results["snapshot_tables"]
            assert status == 0, result
            first = first or taken
            sent = result["counts"]["moved"]
            row(what, way, f"{taken:.1f} s, {_peak_mb():.0f} MB, {sent} objects sent", first / taken)


def history(count: int, _: int) -> None:
    """Cycles of clinics that hold 25, 100 and 250 times `count` records."""
    from benchmarks.long_history import long_history

    long_history(row, [25 * count, 100 * count, 250 * count])


def dashboard(_: int, __: int) -> None:
    """The pages of a very large clinic in a browser."""
    from benchmarks.dashboard import dashboard as measured

    measured(row)


def restore(_: int, __: int) -> None:
    """The simulated clinic to an empty node, killed at 20 random moments."""
    from benchmarks.restore import restore as measured

    measured(row, _today())


def tls(count: int, _: int) -> None:
    """What TLS costs a record."""
    from benchmarks.tls import tls as measured

    measured(row, count, _today())


def drill(_: int, __: int) -> None:
    """A recovery drill of the simulated clinic."""
    from benchmarks.drill import drill as measured

    measured(row, _today())


def packs(_: int, __: int) -> None:
    """File-mode packs of 500 patients."""
    from benchmarks.packs import packs as measured

    measured(row, _today(), 500)


def row(benchmark: str, way: str, figure: str, ratio: float) -> None:
    """One row of the table; the ratio is how many times quicker than the first row of its group."""
    print(f"| {benchmark} | {way} | {figure} | {ratio:.1f} |", flush=True)


def _storescu(clinic: TwoNodes, files: Iterable[Dataset], folder: Path) -> float:
    """dcmtk's storescu sends the same files to the RT-PACS over one association."""
    outbox = folder / "outbox"
    outbox.mkdir()
    for number, ds in enumerate(files):
        (outbox / f"{number:05d}.dcm").write_bytes(encode(ds))
    node = clinic.pacs.node
    command = ["storescu", "-xi", "-aec", node.ae_title, "+sd", node.host, str(node.port), str(outbox)]
    started = time.perf_counter()
    subprocess.run(command, env={**os.environ, **TUNED}, check=True, capture_output=True)
    return time.perf_counter() - started


def _nothing_new(clinic: TwoNodes) -> float:
    status, results = clinic.job("cycle")
    assert status == 0 and results["sync_records"]["counts"]["moved"] == 0, results
    return float(sum(result["seconds"] for result in results.values()))


def _repeated(run: Callable[[], float], times: int) -> tuple[float, float]:
    """Medians over some runs: of the whole process, and of what the run itself returns."""
    whole, own = [], []
    for _ in range(times):
        started = time.perf_counter()
        own.append(run())
        whole.append(time.perf_counter() - started)
    return statistics.median(whole), statistics.median(own)


def _forget(clinic: TwoNodes) -> None:
    clinic.pacs.delete_all()
    shutil.rmtree(clinic.folder / "cache", ignore_errors=True)


def _peak_mb() -> float:
    """The most memory that any process started here had, in MB; those beside it, which share most of it, apart."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _today() -> datetime:
    return datetime.now(UTC)


BENCHMARKS = {
    "records": records,
    "cycle": cycle,
    "history": history,
    "build": build,
    "tables": tables,
    "dashboard": dashboard,
    "restore": restore,
    "drill": drill,
    "packs": packs,
    "tls": tls,
}


def main() -> int:
    """Run the benchmarks that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", default="all", choices=[*BENCHMARKS, "all"])
    parser.add_argument("--count", type=int, default=1000, help="records (default 1000)")
    parser.add_argument("--sample", type=int, default=40, help="records moved in the replaced way (default 40)")
    options = parser.parse_args()
    if not orthanc_is_installed() or not shutil.which("storescu"):
        print(f"{HOW_TO_INSTALL} dcmtk", file=sys.stderr)
        return 2
    print("| benchmark | way | figure | times quicker |\n| --- | --- | --- | --- |")
    for name, benchmark in BENCHMARKS.items():
        if options.name in {name, "all"}:
            benchmark(options.count, options.sample)
    return 0


if __name__ == "__main__":
    sys.exit(main())
