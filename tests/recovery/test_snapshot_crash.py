"""A writer of snapshots that is killed at any moment, or has no room: the next reader sees one whole snapshot."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.cache.errors import CacheError
from recovery.cache.manifests import FOLDER
from recovery.cache.snapshot_writing import open_writer
from recovery.cache.snapshots import list_snapshots, verify_snapshot
from recovery.cache.store import Cache
from tests.recovery.made_snapshots import NOW, SCHEMAS, numbers, take

PROJECT = Path(__file__).resolve().parents[2]
KILLS = 50

NURSERY = """
import os, sys
from pathlib import Path
from recovery.cache.snapshots import prune
from tests.recovery.made_snapshots import take
number, cache_path = 0, Path(sys.argv[1])
take(cache_path, number)
for line in sys.stdin:
    number += 1000
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    print(os.getpid(), flush=True)
    while number := number + 1:
        take(cache_path, number, changed=3 if number % 2 else 2)
        prune(cache_path, 1)
        if number % 1000 == 1:
            print("made one", flush=True)
"""
"""Forks a writer for each line that it is told: starting fifty Pythons would take a minute."""


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, str(tmp_path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        yield process
        process.kill()


def kill_one_writer(nursery: subprocess.Popen[str], after: float) -> None:
    """Have a writer make one snapshot and go on; kill it some seconds later."""
    assert nursery.stdin is not None and nursery.stdout is not None
    nursery.stdin.write("\n")
    writer = int(nursery.stdout.readline())
    assert nursery.stdout.readline() == "made one\n", "the run after a killed one works"
    time.sleep(after)
    os.kill(writer, signal.SIGKILL)


def test_killed_at_fifty_random_moments_the_next_reader_sees_a_whole_snapshot(
    tmp_path: Path, nursery: subprocess.Popen[str]
) -> None:
    moments = random.Random(20261122)
    seen = 0
    for _ in range(KILLS):
        kill_one_writer(nursery, moments.uniform(0, 0.06))
        notes, checks, documents = numbers(Cache(tmp_path).pin())
        (number,) = notes
        assert checks == notes and len(documents) == 1
        assert documents == notes or int(str(number)) % 2 == 0, "the third table is as old as its last change"
        assert int(str(number)) > seen
        seen = int(str(number))
        newest = next(info for info in list_snapshots(tmp_path) if info.is_newest)
        assert verify_snapshot(tmp_path, newest.snapshot_id) == []
    for info in list_snapshots(tmp_path):
        assert verify_snapshot(tmp_path, info.snapshot_id) == []


@contextlib.contextmanager
def keeping_all(cache_path: Path) -> Iterator[None]:
    """A run that reads nothing: only its manifest needs room."""
    with open_writer(cache_path, NOW + timedelta(minutes=20)) as new:
        for schema in SCHEMAS:
            new.keep(schema.name, "no right on it")
        yield
        new.commit()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, as the cache."""
    folder = tmp_path / "cache"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs root and the right to mount a tmpfs: run the tests as root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_on_a_full_disk_the_snapshot_before_stands_and_nothing_is_left_beside(disk: Path) -> None:
    take(disk, 1)
    with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    names = sorted(p.name for p in (disk / FOLDER).iterdir())
    with pytest.raises(CacheError, match="No space left"):
        take(disk, 2, count=2000)
    with pytest.raises(CacheError, match=r"No space left.*The snapshot before still stands"), keeping_all(disk):
        pass
    assert sorted(p.name for p in (disk / FOLDER).iterdir()) == names
    assert numbers(Cache(disk).pin()) == [{"1"}] * 3
    (disk / "ballast").unlink()
    take(disk, 3)
    assert numbers(Cache(disk).pin()) == [{"3"}] * 3


def test_on_a_read_only_folder_the_snapshot_before_stands(disk: Path) -> None:
    take(disk, 1)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for changed in (3, 0):
        with pytest.raises(CacheError, match="Read-only file system"):
            take(disk, 2, NOW + timedelta(minutes=20), changed)
    assert numbers(Cache(disk).pin()) == [{"1"}] * 3
