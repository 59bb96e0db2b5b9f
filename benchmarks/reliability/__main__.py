"""`python -m benchmarks.reliability FAULT`: break things by seed, count failures.

A row at the end says how often it was really tried; whatever was wrong is told at once, with the try's number.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module

from tests.forked import shared_folder

FAULTS = {
    "kill-job": "kill.kill_jobs",
    "kill-pacs": "kill.kill_pacs",
    "kill-rv": "kill.kill_rv",
    "wire": "wire.wire",
    "disk": "disk.disk",
    "cache-files": "cache_files.cache_files",
    "lies": "lies.lies",
    "bad-input": "bad_input.bad_input",
    "soak": "soak.soak",
}
"""Each yields, for every try, what was wrong."""

ENDED = threading.Event()


def run(fault: str, tries: int, seed: int, until: float = float("inf")) -> tuple[int, list[str]]:
    """Try so often, or until the time is over or SIGTERM came; how often it was, and all that was wrong."""
    module, name = FAULTS[fault].split(".")
    attempts: Callable[[int, int], Iterator[list[str]]] = getattr(
        import_module(f"benchmarks.reliability.{module}"), name
    )
    done, wrong = 0, list[str]()
    try:
        for said in attempts(seed, tries):
            done += 1
            found = [f"{fault} {seed}/{done}: {one}" for one in said]
            wrong += found
            print(*found, sep="\n", end="\n" if found else "", flush=True)
            if done % 10 == 0 and done < 1000:
                print(f"{fault} {seed}: {done} tried, {len(wrong)} wrong", flush=True)
            if time.monotonic() > until or ENDED.is_set():
                break
    except TimeoutError as error:  # in four minutes: a machine that busy tells nothing more
        wrong.append(f"{fault} {seed}/{done + 1}: a job did not end: {error}")
        print(wrong[-1], flush=True)
    return done, wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reliability", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("faults", nargs="+", choices=[*FAULTS, "all"])
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--at-once", type=int, default=1, help="rows of tries, of seed S, S+1, …")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: ENDED.set())  # what was tried until then is told
    failed = False
    for fault in FAULTS if "all" in told.faults else told.faults:
        began, seeds = time.monotonic(), range(told.seed, told.seed + told.at_once)
        row = partial(run, fault, -(-told.tries // told.at_once), until=began + told.seconds)
        if told.at_once == 1:  # which may fork, and limits its own memory
            rows = [row(told.seed)]
        else:
            shared_folder()
            with ThreadPoolExecutor(told.at_once) as pool:
                rows = [*pool.map(row, seeds)]
        done, wrong = sum(n for n, _ in rows), sum(len(said) for _, said in rows)
        name, took = "-".join(dict.fromkeys(map(str, (seeds[0], seeds[-1])))), time.monotonic() - began
        print(f"| {fault} | seed {name} | tried {done} | wrong {wrong} | {took:.0f} s |", flush=True)
        failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
