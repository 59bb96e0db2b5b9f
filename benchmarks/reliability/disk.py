"""The disk is full, read-only or slow at every place where a job or a command writes.

A place is a line of this project that makes, opens, renames, deletes or fsyncs a file: a first run, which only listens,
finds them all. From there on everything that this run writes is refused in one of these ways.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backup_jobs.__main__ import main as backup_jobs
from benchmarks.reliability.ward import Ward, open_ward
from recovery.__main__ import main as recovery
from tests.forked import PROJECT, import_all

ANSWERS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "slow": 0}
TAKES_NO_ROOM = ("os.rename", "os.remove", "os.rmdir")
CHANGES = ("os.mkdir", "os.link", "os.symlink", "os.truncate", *TAKES_NO_ROOM)
SLOW = 0.5
LATER = "P1"
CONFIG = """[package]
path = "packs"
[bundle]
paths = ["bundles"]
passphrase_env = "RBRDT_TRIED"
"""
COPIES = """[[site_copies]]
name = "vault"
where = "copies"
"""
"""Named to the job itself alone: a cycle starts it beside, and it would write into the next try."""
SEVEN_WORDS = "seven words that nobody would ever guess"
RUNS = (
    "backup_jobs cycle",
    "backup_jobs verify_backup",
    "backup_jobs keep_packs",
    "backup_jobs keep_bundle",
    "backup_jobs copy_sites",
    "backup_jobs drill",
    "recovery rebuild",
    "recovery downtime begin --reason trial --signed-by Doe",
)


MAINS: dict[str, Callable[[list[str]], int]] = {"backup_jobs": backup_jobs, "recovery": recovery}


@dataclass
class Disk:
    """The files of a ward as they were before a run: what every try begins with."""

    ward: Ward
    kept: Path
    usual: dict[str, set[int]] = field(default_factory=dict)
    """Exit statuses of the first run and the second where the disk takes all."""

    @property
    def folder(self) -> Path:
        return self.ward.nodes.folder

    def keep(self, name: str) -> None:
        shutil.copytree(self.folder / "cache", self.kept / name)

    def begin(self, run: str) -> None:
        """A second patient is new to a cycle; all else finds a whole backup."""
        for name in ("cache", "packs", "bundles", "copies", "data", "tmp"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        shutil.copytree(self.kept / ("early" if run.endswith("cycle") else "late"), self.folder / "cache")
        for name in ("bundles", "copies", "tmp"):
            (self.folder / name).mkdir()
        if run.endswith("cycle"):
            self.ward.nodes.pacs.delete_patient(LATER)

    def places(self, run: str) -> list[tuple[str, str]]:
        """What is done to the disk, and where in the code; each once, in the order of a run."""
        self.begin(run)
        status, said = self.run(run, lambda tell: lambda event, place: tell(f"{event} {place}\n"))
        self.usual[run] = {status, self.run(run, lambda _: lambda *_: None)[0]}
        found = dict.fromkeys(line for line in said.splitlines() if line)
        return [(event, place) for event, _, place in (line.partition(" ") for line in found)]

    def run(
        self, run: str, spoilt: Callable[[Callable[[str], object]], Callable[[str, str], object]]
    ) -> tuple[int, str]:
        """Run it in a fork, whose every change of the disk is told first; its exit status, and what was told."""
        module, *arguments = run.split()
        nodes, before = self.ward.nodes, self.ward.nodes.extra
        nodes.extra += COPIES if "copy_sites" in arguments else ""
        with tempfile.TemporaryFile("w+b", buffering=0) as told, (self.folder / "output").open("wb") as output:
            config = str(nodes.config)
            nodes.extra = before
            child = os.fork()
            if child == 0:
                status = 70
                try:
                    os.dup2(output.fileno(), 1)
                    os.dup2(output.fileno(), 2)
                    os.environ |= {
                        "RBRDT_TRIED": "seven words that nobody would ever guess",
                        "TMPDIR": str(self.folder / "tmp"),
                    }
                    tempfile.tempdir = None
                    main = MAINS[module]
                    _listen(self.folder, spoilt(lambda line: os.write(told.fileno(), line.encode())))
                    status = main([*arguments, "--config", config])
                except SystemExit as error:
                    status = int(error.code or 0)
                finally:
                    os._exit(status)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            told.seek(0)
            return status, told.read().decode()


def _listen(folder: Path, act: Callable[[str, str], object]) -> None:
    """Before each change of a file below `folder`, `act` with what it is and where in the code."""
    sync, below = os.fsync, f"{folder}/"

    def fsync(descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        if str(Path(f"/proc/self/fd/{number}").readlink()).startswith(below):
            act("fsync", _place())
        sync(descriptor)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            is_change = bool(arguments[2] and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        else:
            is_change = event in CHANGES
        if is_change and os.fspath(arguments[0] if not isinstance(arguments[0], int) else "").startswith(below):
            act(event, _place())

    os.fsync = fsync
    sys.addaudithook(hook)


def _place() -> str:
    """The innermost line of this project, and that of its caller outside of the room that writes for all."""
    frame, found = sys._getframe(2), list[str]()
    while frame is not None and not (found and "/host/" not in found[-1]):
        name = frame.f_code.co_filename
        if name.startswith((f"{PROJECT}/recovery/", f"{PROJECT}/backup_jobs/")):
            found.append(f"{name.removeprefix(f'{PROJECT}/')}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    return " < ".join(dict.fromkeys((found[0], found[-1]))) if found else "elsewhere"


def _spoilt(way: str, at: tuple[str, str]) -> Callable[[Callable[[str], object]], Callable[[str, str], object]]:
    reached = False

    def with_tell(tell: Callable[[str], object]) -> Callable[[str, str], object]:
        def act(event: str, place: str) -> None:
            nonlocal reached
            is_first = not reached and (event, place) == at
            reached = reached or is_first
            if is_first:
                tell(way)
                time.sleep(SLOW if way == "slow" else 0)
            if reached and ANSWERS[way] > 0 and not (way == "full" and event in TAKES_NO_ROOM):
                raise OSError(ANSWERS[way], os.strerror(ANSWERS[way]))

        return act

    return with_tell


def disk(seed: int, tries: int) -> Iterator[list[str]]:
    """Every place of every run in every way, in an order by seed; no more than `tries` of them."""
    with made_disk() as disk:
        places = {run: disk.places(run) for run in RUNS}
        for run, found in places.items():
            print(f"{run}: {len(found)} places, exit status {disk.usual[run]}", flush=True)
        todo = [
            (run, way, at) for run, found in places.items() for way in ANSWERS for at in found
            if way != "full" or at[0] not in TAKES_NO_ROOM
        ]  # fmt: skip
        print(f"{len(todo)} tries in all", flush=True)
        random.Random(seed).shuffle(todo)
        for run, way, at in todo[:tries]:
            said = _tried(disk, run, way, at)
            if said is not None:
                yield [f"{run}, {way} at {' '.join(at)}: {one}" for one in said]


@contextmanager
def made_disk() -> Iterator[Disk]:
    """One patient is backed up and proven, and kept so; then both."""
    import_all(("backup_jobs", "recovery"))
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as kept,
        open_ward(Path(folder), later=LATER) as ward,
    ):
        made = Disk(ward, Path(kept))
        ward.nodes.extra += CONFIG
        for state in ("early", "late"):
            for job in ("cycle", "verify_backup", "cycle"):
                ward.nodes.job(job)
            made.keep(state)
            ward.put_later()
        yield made


def _tried(made: Disk, run: str, way: str, at: tuple[str, str]) -> list[str] | None:
    """What was wrong with it, what is left, and the same run on a disk that takes all; None if it never came there."""
    made.begin(run)
    status, reached = made.run(run, _spoilt(way, at))
    output, said = (made.folder / "output").read_text(), list[str]()
    if not reached:
        return None
    if "Traceback" in output or "please report it" in output:
        said.append(output[-600:])
    if status not in {0, 1, 2}:
        said.append(f"exit status {status}: {output[-300:]}")
    if run.endswith("cycle") and status == 0 and (lacks := made.ward.lacks()):
        said.append(f"exit status 0, and {lacks}")
    if way == "slow" and status not in made.usual[run]:
        said.append(f"exit status {status}")
    again, _ = made.run(run, lambda _: lambda *_: None)
    if again not in made.usual[run]:
        said.append(f"and then exit status {again}: {(made.folder / 'output').read_text()[-300:]}")
    return said + made.ward.healed()
