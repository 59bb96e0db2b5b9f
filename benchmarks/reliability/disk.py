"""The disk is full, read-only or slow at every place where a job or a command writes.

A place is a line of this project that has a file made, opened, renamed, deleted or fsynced: a first run, which only
listens, finds them all. From there on everything that a run writes is refused, or once is slow.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.reliability.ward import Ward, forked, open_ward
from tests.forked import PROJECT, import_all

ANSWERS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "slow": 0}
TAKES_NO_ROOM = ("os.rename", "os.remove", "os.rmdir")
CHANGES = ("os.mkdir", "os.link", "os.symlink", "os.truncate", *TAKES_NO_ROOM)
LATER, OUTPUT = "P1", "output"
WRITTEN = ("cache", "cache-entries", "packs", "bundles", "copies", "data", "tmp")
CONFIG = """[package]
path = "packs"
[bundle]
paths = ["bundles"]
passphrase_env = "RBRDT_TRIED"
"""
COPIES = '[[site_copies]]\nname = "vault"\nwhere = "copies"\n'
"""Named to the job itself alone: a cycle starts it beside, and it would write into the next try."""
JOBS = ("cycle", "verify_backup", "keep_packs", "keep_bundle", "copy_sites", "drill")
COUNTING = ("cycle", "verify_backup", "rebuild")
RUNS = {
    **{f"backup_jobs {job}": {0} for job in JOBS},
    "recovery rebuild": {0},
    "recovery downtime begin --reason trial --signed-by Doe": {0, 1},
}
"""And their exit statuses where the disk takes all: one of a downtime that has begun is 1."""


def disk(seed: int, tries: int) -> Iterator[list[str]]:
    """Every place of every run, full, read-only and slow, in an order by seed; no more than `tries` of them."""
    import_all(("backup_jobs", "recovery"))
    with tempfile.TemporaryDirectory() as name, open_ward(Path(name), later=LATER) as ward:
        ward.nodes.extra += CONFIG
        for state in ("early", "late"):
            for job in ("cycle", "verify_backup", "cycle"):
                ward.nodes.job(job)
            shutil.copytree(ward.nodes.folder / "cache", ward.nodes.folder / state)
            ward.put_later()
        todo: list[tuple[str, str, str]] = []
        for run, usual in RUNS.items():
            _begin(ward, run)
            status, told = _run(ward, run)
            assert status in usual, (ward.nodes.folder / OUTPUT).read_text()
            places: dict[str, list[str]] = {}
            for at in dict.fromkeys(told):
                places.setdefault(at.rpartition(" < ")[2].rpartition(" ")[2], []).append(at)
            print(f"{run}: {len(places)} places", flush=True)
            todo += [(run, way, at) for found in places.values() for way, at in _ways(found)]
        print(f"{len(todo)} tries in all", flush=True)
        random.Random(seed).shuffle(todo)
        for run, way, at in todo[:tries]:
            said = _tried(ward, run, way, at)
            if said is not None:
                yield [f"{run}, {way} at {at}: {one}" for one in said]


def _ways(events: list[str]) -> Iterator[tuple[str, str]]:
    """Of what one line writes, in its order: read-only from the first on, then full, and slow, where it must last."""
    takes_room = [at for at in events if not at.startswith(TAKES_NO_ROOM)]
    yield "read-only", events[0]
    if takes_room:
        yield "full", takes_room[-1]
        yield "slow", takes_room[-1]


def _begin(ward: Ward, run: str) -> None:
    """A second patient is new to a cycle; all else finds a whole backup."""
    folder = ward.nodes.folder
    for name in WRITTEN:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("bundles", "copies", "tmp"):
        (folder / name).mkdir()
    shutil.copytree(folder / ("early" if run.endswith("cycle") else "late"), folder / "cache")
    if run.endswith("cycle"):
        ward.nodes.pacs.delete_patient(LATER)


def _tried(ward: Ward, run: str, way: str, at: str) -> list[str] | None:
    """What was wrong, also when it is run again on a disk that takes all; None where the run never came there."""
    _begin(ward, run)
    status, reached = _run(ward, run, way, at)
    output, said = (ward.nodes.folder / OUTPUT).read_text(), list[str]()
    if not reached:
        return None
    if "Traceback" in output or "please report it" in output:
        said.append(output[-600:])
    if status not in (RUNS[run] if way == "slow" else {0, 1, 2}):
        said.append(f"exit status {status}: {output[-300:]}")
    if run.endswith("cycle") and status == 0 and (lacks := ward.lacks()):
        said.append(f"exit status 0, and {lacks}")
    if way != "slow" and (again := _run(ward, run)[0]) not in RUNS[run]:
        said.append(f"and then exit status {again}: {(ward.nodes.folder / OUTPUT).read_text()[-300:]}")
    return said + (ward.healed() if run.endswith(COUNTING) else ward.wrong())


def _run(ward: Ward, run: str, way: str = "", at: str = "") -> tuple[int, list[str]]:
    """Its exit status, and the places at which it wrote; with a `way`, none but the one that it was spoilt at."""
    folder, extra = ward.nodes.folder, ward.nodes.extra
    ward.nodes.extra += COPIES if "copy_sites" in run else ""
    arguments, ward.nodes.extra = [*run.split(), "--config", str(ward.nodes.config)], extra
    with tempfile.TemporaryFile("w+b", buffering=0) as told:

        def before() -> None:
            os.environ |= {"RBRDT_TRIED": "seven words that nobody would guess", "TMPDIR": str(folder / "tmp")}
            tempfile.tempdir = None
            _spoil(tuple(f"{folder / name}/" for name in WRITTEN), told.fileno(), way, at)

        status, _ = forked(arguments, folder / OUTPUT, before)
        told.seek(0)
        return status, told.read().decode().splitlines()


def _spoil(below: tuple[str, ...], told: int, way: str, at: str) -> None:
    """From now on, in this process, each change of a file is told, or is as `way` says from the place `at` on."""
    sync, is_reached = os.fsync, False

    def change(event: str) -> None:
        nonlocal is_reached
        place = f"{event} {_place()}"
        if not way or (place == at and not is_reached):
            os.write(told, f"{place}\n".encode())
            is_reached = bool(way)
            time.sleep(0.5 if way == "slow" else 0)
        if is_reached and ANSWERS[way] and not (way == "full" and event in TAKES_NO_ROOM):
            raise OSError(ANSWERS[way], os.strerror(ANSWERS[way]))

    def fsync(descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        if str(Path(f"/proc/self/fd/{number}").readlink()).startswith(below):
            change("fsync")
        sync(descriptor)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        is_opened = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if is_opened or event in CHANGES:
            with suppress(TypeError):  # a descriptor's, which was opened before
                if os.fspath(arguments[0]).startswith(below):
                    change(event)

    os.fsync = fsync
    sys.addaudithook(hook)


def _place() -> str:
    """The innermost line of this project, and that of its caller outside of the room that writes for all."""
    frame, found = sys._getframe(2), list[str]()
    while frame is not None and not (found and "/host/" not in found[-1]):
        name = frame.f_code.co_filename.removeprefix(f"{PROJECT}/")
        if name.startswith(("recovery/", "backup_jobs/")):
            found.append(f"{name}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    return " < ".join(dict.fromkeys((found[0], found[-1]))) if found else "elsewhere"
