"""`python -m benchmarks.reliability FAULT [--tries N] [--seed S] [--seconds T]`: break things by seed, count failures.

A row at the end says how often it was really tried; whatever was wrong is told at once, with the try's number.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

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


def run(fault: str, tries: int, seed: int, seconds: float = float("inf")) -> tuple[int, list[str]]:
    """Try so often, or until the time is over; how often it was, and all that was wrong."""
    module, name = FAULTS[fault].split(".")
    attempts: Callable[[int, int], Iterator[list[str]]] = getattr(
        import_module(f"benchmarks.reliability.{module}"), name
    )
    until, done, wrong = time.monotonic() + seconds, 0, list[str]()
    with suppress(KeyboardInterrupt), ending(wrong):
        for said in attempts(seed, tries):
            done += 1
            wrong += [f"{fault} {seed}/{done}: {one}" for one in said]
            print(*(f"{fault} {seed}/{done}: {one}" for one in said), sep="\n", end="\n" if said else "", flush=True)
            if done % 10 == 0 and done < 1000:
                print(f"{fault}: {done} tried, {len(wrong)} wrong", flush=True)
            if time.monotonic() > until:
                break
    return done, wrong


@contextmanager
def ending(wrong: list[str]) -> Iterator[None]:
    """What does not end in four minutes ends the run, and is told; a machine that busy tells nothing more."""
    try:
        yield
    except TimeoutError as error:
        wrong.append(f"a job did not end: {error}")
        print(wrong[-1], flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reliability", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("faults", nargs="+", choices=[*FAULTS, "all"])
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was tried until then is told
    failed = False
    for fault in FAULTS if "all" in told.faults else told.faults:
        began = time.monotonic()
        done, wrong = run(fault, told.tries, told.seed, told.seconds)
        took = time.monotonic() - began
        print(f"| {fault} | seed {told.seed} | tried {done} | wrong {len(wrong)} | {took:.0f} s |", flush=True)
        failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
