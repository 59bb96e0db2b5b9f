"""Questions over years: what a network of sites treated, asked of months on a disk as `recovery history` asks them.

`python -m benchmarks.years --sites 20 --months 100 --deliveries 10000` makes up 20,000,000 deliveries (some 320 MB) in
a folder of its own, or in `--folder`, where they stay for the next time.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recovery.sites.history import answer
from recovery.sites.months import COLUMNS, file_of

BEAMS, SESSIONS, MACHINES = 4, 20, 4
"""Of a fraction; of a patient in a month; of a site."""
FIRST_YEAR = 2018


def main() -> int:
    """Make what is asked for, ask, and print a row per question."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.years", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--months", type=int, default=100)
    parser.add_argument("--deliveries", type=int, default=10_000, help="of a site in a month")
    parser.add_argument("--folder", type=Path, help="where they are kept; default: a folder that goes afterwards")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as beside:
        shelf = options.folder or Path(beside)
        months = [date(FIRST_YEAR + n // 12, n % 12 + 1, 1) for n in range(options.months)]
        files = [made(shelf, site, month, options.deliveries) for site in range(options.sites) for month in months]
        size = sum(file.stat().st_size for file in files) / 1e6
        print(f"{len(files) * options.deliveries:,} deliveries in {len(files):,} files, {size:.0f} MB")
        last = months[-1].replace(day=28)
        ask("what was treated, by site and month", files, months[0], last, None)
        ask("what was treated in the last year", of(files, months[-12:]), months[-12:][0], last, None)
        ask("all deliveries of a machine in a month", of(files, months[-1:]), months[-1], last, "TB1")
    return 0


def of(files: list[Path], months: list[date]) -> list[Path]:
    """Those of some months, as `history` brings no others."""
    names = {f"month={month:%Y-%m}" for month in months}
    return [file for file in files if file.parent.name in names]


def ask(question: str, files: list[Path], since: date, until: date, machine: str | None) -> None:
    """Ask once, and print what it took."""
    said: list[str] = []
    began, processor = time.perf_counter(), time.process_time()
    rows = answer(files, since, until, machine, said)
    taken, used = time.perf_counter() - began, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert not said and rows, said
    print(f"| {question} | {taken:.1f} s, {used:.1f} s of the processor, {memory:.0f} MB so far, {len(rows)} rows |")
    sys.stdout.flush()


def made(shelf: Path, site: int, month: date, count: int) -> Path:
    """A month of a site as its copy holds it; made only where it is not there yet."""
    file = shelf / f"site=site-{site:02d}" / f"month={month:%Y-%m}" / f"{count}.parquet"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(file_of(deliveries(site, month, count)))
    return file


def deliveries(site: int, month: date, count: int) -> pa.Table:
    """Beams of courses that run through the month, each session's one after the other."""
    number = np.arange(count)
    session, patient = number // BEAMS, number // (BEAMS * SESSIONS)
    first = int(datetime(month.year, month.month, 1, 7, tzinfo=UTC).timestamp())
    at = first + session % SESSIONS * 86_400 + patient * 251 % 36_000 + number % BEAMS * 60
    started_at = pa.array(at * 1_000_000, pa.timestamp("us"))
    root = f"1.2.840.99999.{site}.{month:%Y%m}"
    values = {
        "sop_instance_uid": _numbered(f"{root}.1.", session),
        "beam_index": pa.array(number % BEAMS),
        "patient_id": _numbered(f"{site:02d}-", patient + month.month * 1_000),
        "treatment_machine_name": _numbered("TB", patient % MACHINES),
        "started_at": started_at,
        "treatment_date": started_at.cast(pa.date32(), safe=False),
        "referenced_rt_plan_uid": _numbered(f"{root}.2.", patient),
        "current_fraction_number": pa.array(session % SESSIONS + 1),
        "beam_number": pa.array(number % BEAMS + 1),
        "beam_name": _numbered("Field ", number % BEAMS + 1),
        "treatment_delivery_type": pa.repeat("TREATMENT", count),
        "treatment_termination_status": pa.repeat("NORMAL", count),
        "specified_meterset": pa.array(100.0 + number % 97),
        "delivered_meterset": pa.array(100.0 + number % 97),
        "meterset_unit": pa.repeat("MU", count),
    }
    return pa.table({name: values[name] for name in COLUMNS})


def _numbered(text: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(text, pc.cast(pa.array(numbers), pa.string()), "")


if __name__ == "__main__":
    sys.exit(main())
