"""A stick that is pulled while a pack, a packet or a bundle is written to it: it is said with what to do, nothing that
was there is lost, nothing is told to lie there that does not, and the next run is right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.__main__ import main
from recovery.bundling.making import file_name, keep_in
from recovery.packing.encryption import key_file_of
from tests.app.clinic import LOCAL
from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.stick import WAYS, Stick, Way, plugged_in, why_no_sticks

pytestmark = pytest.mark.skipif(bool(why_no_sticks()), reason=why_no_sticks())
needs_orthanc = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

MARK = "UNFINISHED_do_not_use"
WHAT_TO_DO = "Look whether the disk is there"
EVERY = 12
"""Each how manyeth call is tried, one after the other in each way: a pack of one plan makes some seventy."""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """A patient, backed up and proven."""
    with two_nodes(tmp_path_factory.mktemp("pulled")) as nodes:
        nodes.put(course("A", "A^X", {1: 100.0}, 3, last=1))
        assert nodes.job("cycle")[0] == nodes.job("verify_backup")[0] == 0
        yield nodes


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    with plugged_in(tmp_path) as one:
        yield one


def recovery(clinic: TwoNodes, command: str, *arguments: object) -> int:
    return main([command, *map(str, arguments), "--config", str(clinic.config)])


def beneath(stick: Stick) -> list[str]:
    """Files where it was mounted, on this computer's own disk."""
    while os.path.ismount(stick.place):
        stick.unmount()
    return [path.name for path in stick.place.rglob("*") if path.is_file()]


@needs_orthanc
@pytest.mark.parametrize("way", WAYS)
def test_a_pack(clinic: TwoNodes, stick: Stick, way: Way, capsys: pytest.CaptureFixture[str]) -> None:
    stick.way, pack, at, told = way, stick.place / "pack", 1 + WAYS.index(way), set[str]()
    assert recovery(clinic, "package", "--patient", "A", "-o", pack) == 0
    while True:
        one = next(pack.rglob("CT_*.dcm"))
        one.write_bytes(one.read_bytes()[:-1])  # so that there is something to write
        stick.sync(pull_at=at)
        status = recovery(clinic, "package", "--patient", "A", "-o", pack)
        said = capsys.readouterr().err
        if not stick.is_pulled:
            break
        told.add("half" if "it is half of a pack" in said else "before")
        assert (status, WHAT_TO_DO in said) == (2, True) or (status, beneath(stick)) == (0, []), (at, said)
        assert beneath(stick) == [], at
        stick.plug_in()
        faults = [] if recovery(clinic, "package", "--verify", pack) == 0 else capsys.readouterr().err.splitlines()
        assert (pack / MARK).exists() or faults in ([], [f"CHANGED  {one.relative_to(pack)} is not what was written"])
        assert recovery(clinic, "package", "--patient", "A", "-o", pack) == 0
        assert recovery(clinic, "package", "--verify", pack) == 0, (at, capsys.readouterr().err)
        at += EVERY
    assert (status, told) == (0, {"before", "half"})


@needs_orthanc
@pytest.mark.parametrize("way", WAYS)
def test_a_packet(clinic: TwoNodes, stick: Stick, way: Way, capsys: pytest.CaptureFixture[str]) -> None:
    stick.way, packet = way, stick.place / "packet"
    for at in (3, 12, 40):
        stick.sync(pull_at=at)
        assert recovery(clinic, "transfer-out", "--patient", "A", "-o", packet) == 2 and stick.is_pulled
        said = capsys.readouterr().err
        assert "No packet was made, and nothing signed" in said and WHAT_TO_DO in said
        assert beneath(stick) == []
        stick.plug_in()
        assert not (packet / "SHA256SUMS").exists(), "which is what proves it"
    stick.sync(pull_at=0)
    assert (
        recovery(clinic, "transfer-out", "--patient", "A", "-o", packet) in {0, 1} and (packet / "SHA256SUMS").exists()
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_bundle_and_its_key(stick: Stick, way: Way, tmp_path: Path) -> None:
    new, *old = (tmp_path / file_name(LOCAL - timedelta(days=n), is_whole=True) for n in range(3))
    new.write_bytes(b"n" * 500_000)
    key_file_of(new).write_bytes(b"k")
    stick.way, at, is_pulled = way, 0, True
    while is_pulled:
        at += 1
        for file in stick.place.glob("rbrdt*"):
            file.unlink()
        for one in old:
            (stick.place / one.name).write_bytes(b"old")
        stick.sync(pull_at=at)
        said, is_pulled = keep_in(stick.place, new, 2), stick.is_pulled
        assert not said or WHAT_TO_DO in said, at
        stick.plug_in()
        held = {path.name for path in stick.place.iterdir()}
        assert said or {new.name, key_file_of(new).name} <= held, at
        assert not said or {one.name for one in old} <= held or new.name in held, at
        assert keep_in(stick.place, new, 2) == "" and (stick.place / new.name).read_bytes() == new.read_bytes()
        assert key_file_of(stick.place / new.name).read_bytes() == b"k" and (stick.place / old[0].name).exists()
    assert at > 10
