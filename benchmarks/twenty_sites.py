"""Twenty sites, each a process, copy to one S3 and are killed between object, manifest and pointer; a network reads on.

`python -m benchmarks.twenty_sites [--sites 20] [--rounds 3] [--seed 1]`: moto's server stands in for S3. In each round
every site's process kills itself before or after one of its writes, at random. Meanwhile all copies are read without
pause: what is read is one of the site's states, whole, and never an older one than before. Afterwards every site
writes undisturbed, and all its rows are there. Exit status 1 where that is not so.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import pyarrow.parquet as pq

from recovery.settings.sites import SiteCopy
from recovery.sites.manifests import HISTORY, NoCopyError, months_in
from recovery.sites.place import Place
from recovery.sites.reading import brought, last_seen, note_seen
from tests.orthanc import free_port
from tests.patience import wait_until
from tests.sites.made import NOW, Site, number_of

WRITES = 14
"""Of a first copy; a later one has some fewer, and who would die after them is not killed."""
_BUCKET, _USER, _SECRET = "network-copies", "RBRDT_BENCH_USER", "RBRDT_BENCH_SECRET"


def main(arguments: list[str] | None = None) -> int:
    """Run it, and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.twenty_sites", description=(__doc__ or "")[:119])
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3, help="kills of each site")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    os.environ |= {_USER: "user", _SECRET: "secret"}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, s3() as address:
        copy = SiteCopy("cloud", f"s3://{_BUCKET}/rbrdt", endpoint_url=address, user_env=_USER, secret_env=_SECRET)
        sites = [
            Site(Path(folder) / f"{n}" / "cache", copy, name=f"site-{n:02d}", clinic=f"clinic {n}")
            for n in range(options.sites)
        ]
        seen = Seen(Path(folder) / "read")
        killed = run(sites, options.rounds, random.Random(options.seed), seen)  # noqa: S311  nothing is secret
        faults = [*seen.faults, *(fault for site in sites for fault in lost(site, options.rounds + 1, seen))]
    print(f"{len(sites)} sites, killed {killed} times, read {seen.reads} times in {time.monotonic() - began:.0f} s")
    print(*(faults or ["no half was read, nothing went back, and all rows are there"]), sep="\n")
    return 1 if faults else 0


def run(sites: list[Site], rounds: int, chance: random.Random, seen: Seen) -> int:
    """All rounds and one in which nobody is killed, reading meanwhile; returns how many were killed."""
    beside, killed = get_context("forkserver"), 0
    beside.set_forkserver_preload(["tests.sites.made", "s3fs"])
    for number in range(1, rounds + 2):
        deaths = [(chance.randint(1, WRITES), chance.random() < 0.5) if number <= rounds else (0, False) for _ in sites]
        work = [
            beside.Process(target=write, args=(site, number, *death)) for site, death in zip(sites, deaths, strict=True)
        ]
        for process in work:
            process.start()
        while any(process.is_alive() for process in work):
            for site in sites:
                seen.look(site)
        for process in work:
            process.join()
        killed += sum(process.exitcode == -signal.SIGKILL for process in work)
        seen.faults += [f"round {number}: a writer ended with {p.exitcode}" for p in work if p.exitcode not in {0, -9}]
    return killed


def write(site: Site, number: int, lives: int, is_after: bool) -> None:
    """One cycle and its copy, as the job does it; killed at its nth write, before or after that."""
    file = site.cache_path.parent / "seen.json"
    site.known = last_seen(file)[0]
    site.wrapped = lambda place: _Mortal(place, lives, is_after=is_after)  # type: ignore[assignment,return-value]
    report = site.cycle(number, NOW + timedelta(days=number))  # on a new day all is read back, and history written
    note_seen(file, report.name, NOW)
    if report.problems:
        print(site.name, *report.problems, file=sys.stderr)
        sys.exit(3)


class _Mortal:
    """A place whose writer's process is killed at the nth write; at none where `lives` is 0."""

    def __init__(self, place: Place, lives: int, *, is_after: bool) -> None:
        self._place, self._lives, self._is_after = place, lives, is_after

    def __getattr__(self, name: str) -> object:
        found = getattr(self._place, name)
        return self._mortal(found) if name == "put" else found

    def _mortal(self, put: Callable[..., str]) -> Callable[..., str]:
        def until_killed(key: str, data: bytes, *, once: bool = False) -> str:
            self._lives -= 1
            if self._lives == 0 and not self._is_after:
                os.kill(os.getpid(), signal.SIGKILL)
            version = put(key, data, once=once)
            if self._lives == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return version

        return until_killed


class Seen:
    """What the network's reader saw of each site: how often, the newest, and what must not be."""

    def __init__(self, folder: Path) -> None:
        self.reads, self.faults, self._folder = 0, list[str](), folder
        self._newest: dict[str, int] = {}

    def look(self, site: Site) -> None:
        """Read the newest state whole; a site of which nothing was written yet has none."""
        self.reads += 1
        try:
            state = site.read()
        except NoCopyError:
            if site.name in self._newest:
                self.faults.append(f"{site.name}: nothing is there any more")
            return
        try:
            number = number_of(state, self._folder / f"{self.reads}")
        except (AssertionError, ValueError) as error:
            self.faults.append(f"{site.name}: half a state was read: {error}")
            return
        if number < self._newest.get(site.name, 0):
            self.faults.append(f"{site.name}: {number} was read after {self._newest[site.name]}")
        self.faults += [f"{site.name}: {doubt}" for doubt in state.doubts]
        self._newest[site.name] = number


def lost(site: Site, number: int, seen: Seen) -> Iterator[str]:
    """What of a site's rows is not there in the end: of its tables, and of the months of its history."""
    seen.look(site)
    state = site.read()
    if (found := number_of(state, site.cache_path.parent / "afterwards")) != number:
        yield f"{site.name}: state {found} instead of {number}"
    months = months_in(state.files[HISTORY])
    rows = sum(
        pq.read_metadata(BytesIO(brought(site.place, site.name, path, month))).num_rows
        for path, month in months.items()
    )
    if rows != number + 1:
        yield f"{site.name}: {rows} rows of history instead of {number + 1}"


@contextmanager
def s3() -> Iterator[str]:
    """moto's server in a process of its own, with a bucket; its address."""
    import boto3
    from botocore.exceptions import BotoCoreError

    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    told = {"aws_access_key_id": "user", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, **told)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:

            def is_up() -> bool:
                try:
                    client.create_bucket(Bucket=_BUCKET)
                except BotoCoreError:
                    return False
                return True

            wait_until(is_up)
            yield address
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
