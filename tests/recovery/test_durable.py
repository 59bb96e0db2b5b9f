"""Replaced or appended, a file that must last is on the disk, whole, before anybody hears of it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recovery.host import durable


def wait_until_it_has_open(process: subprocess.Popen[bytes], file: Path) -> None:
    while str(file.resolve()) not in opened_by(process.pid):
        assert process.poll() is None, "it did not wait"


def opened_by(pid: int) -> set[str]:
    """The files that a process has open; one that it closes meanwhile may be missing."""
    files = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            files.add(os.readlink(descriptor))
    return files


def a_dead_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_whoever_fails_while_writing_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    durable.replace(tmp_path / "table", b"old")
    with pytest.raises(KeyboardInterrupt), durable.replacing(tmp_path / "table") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["table"]
    assert (tmp_path / "table").read_bytes() == b"old"


def test_what_a_killed_writer_left_beside_goes_with_the_next_write_of_that_file_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    dead, alive = a_dead_process(), os.getpid()
    gone = [f".memory.json.{dead}", f".memory.json.{dead}-7"]
    kept = [
        f".memory.json.{alive}-7", f".memoryxjson.{dead}", f".memory.json.bak.{dead}", f".other.json.{dead}-7",
        ".memory.json.x", f"memory.json.{dead}", f".memory.json.{dead}-7.bak",
    ]  # fmt: skip
    for name in [*gone, *kept]:
        (tmp_path / name).write_text("half")
    (tmp_path / f".memory.json.{dead}0").mkdir()
    durable.replace(tmp_path / "memory.json", b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {*kept, f".memory.json.{dead}0", "memory.json"}


def test_what_is_private_is_so_from_its_first_byte_on(tmp_path: Path) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    before = os.umask(0)
    try:
        with durable.replacing(tmp_path / "secret", private=True):
            (beside,) = tmp_path.iterdir()
            assert mode(beside) == 0o600
        durable.append_line(tmp_path / "lines", b"one", private=True)
        durable.replace(tmp_path / "open", b"")
    finally:
        os.umask(before)
    assert [mode(tmp_path / name) for name in ("secret", "lines", "open")] == [0o600, 0o600, 0o666]


def test_a_half_line_is_closed_by_the_next_one(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"one\nha")
    durable.append_line(file, b"two")
    assert file.read_bytes() == b"one\nha\ntwo\n"


def in_a_child(act: Callable[[], None]) -> int:
    """The exit status of a forked process: 7 where `act` raised OSError."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        except OSError:
            os._exit(7)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_on_a_full_disk_no_half_line_stays(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    durable.append_line(file, b"one")

    def fill() -> None:  # a limit on the size of files stands in for the end of the disk
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9))
        durable.append_line(file, b"a line that does not fit")

    assert in_a_child(fill) == 7
    assert file.read_bytes() == b"one\n"


def test_who_waits_to_append_while_the_file_is_replaced_writes_to_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    durable.append_line(file, b"old")
    program = "import sys, pathlib; from recovery.host.durable import append_line\n"
    program += "print(1, flush=True); append_line(pathlib.Path(sys.argv[1]), b'late')"
    with durable.appending(file):
        late = subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE)
        assert late.stdout is not None and late.stdout.readline()
        wait_until_it_has_open(late, file.with_name("lines.lock"))
        durable.replace(file, b"new\n")
    assert late.wait(60) == 0
    late.stdout.close()
    assert file.read_bytes() == b"new\nlate\n"


def test_a_refusal_is_said_by_who_does_not_wait(tmp_path: Path) -> None:
    file = tmp_path / "here" / "lock"
    assert not durable.is_free(file)
    with durable.locked(file):
        assert not durable.is_free(file)
        with pytest.raises(durable.LockedError, match="not now"), durable.locked(file, refusal="not now"):
            pass
    assert durable.is_free(file)


def test_the_next_place_is_taken_where_the_first_takes_no_lock_and_no_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with durable.locked(tmp_path / "file" / "lock", tmp_path / "lock"):
        assert not durable.is_free(tmp_path / "lock")
    with pytest.raises(OSError, match="no lock file"), durable.locked(tmp_path / "file" / "lock"):
        pass
