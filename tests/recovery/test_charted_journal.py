"""The journals of what was charted: nothing signed is lost or doubled, and what a hand changed is said."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from recovery.entries.charted import Charted, charted_folder, enter, merge, new_entry_id, read_charted
from recovery.host.entry_lines import EntriesError
from tests.recovery.charting import FULL, entry


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "data" / "cache"


def charted(cache: Path, *ids: str, key: str = "charting.key") -> Path:
    """Enter these in a workstation's journal; returns its file."""
    before = set(charted_folder(cache).glob("*.jsonl"))
    for entry_id in ids:
        enter(cache, cache.parent / key, entry(entry_id, 1, FULL))
    (file,) = set(charted_folder(cache).glob("*.jsonl")) - before or before
    return file


def ids(cache: Path) -> list[str]:
    return [one.entry_id for one in read_charted(cache).entries]


def test_what_two_people_signed_comes_back_as_it_was(cache: Path) -> None:
    assert read_charted(cache) == Charted()
    whole = entry("a", 1, FULL, comment="couch 3 mm, “kV” match", accepted=("not ready",))
    enter(cache, cache.parent / "charting.key", whole)
    enter(cache, cache.parent / "charting.key", whole)
    assert read_charted(cache) == Charted((whole,)), "a second press enters nothing"


def test_journals_of_several_workstations_merge_in_any_order_and_again(cache: Path, tmp_path: Path) -> None:
    charted(cache, "a", "b", key="one.key")
    charted(tmp_path / "other" / "cache", "c", key="two.key")
    for _ in range(2):
        shutil.copytree(charted_folder(tmp_path / "other" / "cache"), charted_folder(cache), dirs_exist_ok=True)
        assert sorted(ids(cache)) == ["a", "b", "c"] and read_charted(cache).faults == ()
    shutil.copy(next(charted_folder(cache).glob("*.jsonl")), charted_folder(cache) / "0123456789abcdef.jsonl")
    assert len(ids(cache)) == 3, "under another name no key signed it"


def test_a_folder_is_merged_by_length_and_never_backwards(cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "cache"
    file = charted(cache, "a")
    assert merge(other, charted_folder(cache)) == [] and ids(other) == ["a"]
    charted(cache, "b")
    assert merge(cache, charted_folder(other)) == [] and ids(cache) == ["a", "b"], "an older copy takes nothing away"
    assert merge(other, charted_folder(cache)) == [] and read_charted(other).faults == ()
    file.write_bytes(file.read_bytes().replace(b'"A"', b'"Z"'))
    assert "changed by hand" in merge(other, charted_folder(cache))[0] and ids(other) == ["a", "b"]


def test_a_merge_that_was_killed_between_journal_and_head_is_mended_by_the_next(cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "cache"
    file = charted(cache, "a")
    assert merge(other, charted_folder(cache)) == []
    charted(cache, "b", "c")
    shutil.copy(file, charted_folder(other) / file.name)
    assert read_charted(other).faults
    assert merge(other, charted_folder(cache)) == [] and (ids(other), read_charted(other).faults) == (list("abc"), ())


def test_one_line_whose_head_nobody_copied_is_taken_and_ends_no_merge(cache: Path, tmp_path: Path) -> None:
    charted(cache, "a", key="one.key")
    charted(cache, "b", key="two.key")
    for head in charted_folder(cache).glob("*.head"):
        head.unlink()
    assert merge(tmp_path / "cache", charted_folder(cache)) == [] and sorted(ids(tmp_path / "cache")) == ["a", "b"]


def test_two_machines_under_one_key_are_said_when_they_merge(cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "cache"
    charted(cache, "a")
    other.parent.mkdir()
    shutil.copy(cache.parent / "charting.key", other.parent)
    charted(other, "b")
    (said,) = merge(cache, charted_folder(other))
    assert "two machines write under one key" in said and ids(cache) == ["a"]


def test_an_older_copy_in_the_place_of_the_own_journal_is_said_before_anything_is_added(cache: Path) -> None:
    file = charted(cache, "a")
    older = [(path, path.read_bytes()) for path in charted_folder(cache).glob("*.*") if path.suffix != ".lock"]
    charted(cache, "b")
    for path, content in older:
        path.write_bytes(content)
    with pytest.raises(EntriesError, match="More was charted here than the journal"):
        charted(cache, "c")
    assert file.read_bytes().count(b"\n") == 1


def test_what_others_knew_of_and_is_not_here_is_said(cache: Path) -> None:
    enter(cache, cache.parent / "charting.key", entry("b", 1, FULL, known_entries=("a",)))
    assert read_charted(cache).faults == (
        "Not here: 1 entry that others knew of when they charted. Merge their journals (docs/downtime.md).",
    )


def test_half_a_line_that_a_crash_left_costs_nothing_that_was_acknowledged(cache: Path) -> None:
    file = charted(cache, "a")
    with file.open("ab") as half:
        half.write(b'{"number": 2, "before": "0')
    assert (ids(cache), read_charted(cache).faults) == (["a"], ())
    charted(cache, "b")
    assert (ids(cache), read_charted(cache).faults) == (["a", "b"], ())


def edited(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b"100.0", b"10.0"), *lines[2:]]


CHANGES = {
    "a number in the middle": (edited, ["a", "c"]),
    "the last line": (lambda lines: [*lines[:2], lines[2].replace(b'"A"', b'"Z"')], ["a", "b"]),
    "a line taken away": (lambda lines: [lines[0], lines[2]], ["a", "c"]),
    "the end cut off": (lambda lines: lines[:1], ["a"]),
    "all of it": (lambda _: [], []),
    "two lines exchanged": (lambda lines: [lines[1], lines[0], lines[2]], ["b", "a", "c"]),
    "a line doubled": (lambda lines: [*lines, lines[0]], ["a", "b", "c"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_journal_edited_by_hand_is_said_and_what_does_not_verify_never_counts(cache: Path, change: str) -> None:
    file = charted(cache, "a", "b", "c")
    how, left = CHANGES[change]
    file.write_bytes(b"".join(line + b"\n" for line in how(file.read_bytes().splitlines())))
    found = read_charted(cache)
    assert [one.entry_id for one in found.entries] == left
    assert all(one == entry(one.entry_id, 1, FULL) for one in found.entries)
    assert len(found.faults) == 1 and "was changed by hand" in found.faults[0]
    with pytest.raises(EntriesError, match="Nothing was entered"):
        charted(cache, "d")


@pytest.mark.parametrize("is_moved_aside", [False, True])
def test_whoever_does_what_is_said_of_a_changed_journal_can_chart_again(cache: Path, is_moved_aside: bool) -> None:
    """The journal alone moved aside ended nothing: what is noted beside the key then refused every entry for good."""
    file = charted(cache, "a", "b")
    file.write_bytes(file.read_bytes().replace(b'"b"', b'"z"'))
    if is_moved_aside:
        for path in (file, file.with_suffix(".head")):
            path.rename(path.with_name(f"{path.name}.aside"))
    with pytest.raises(EntriesError, match=r"move charting\.key aside: a new journal is begun"):
        charted(cache, "c")
    key = cache.parent / "charting.key"
    key.rename(key.with_suffix(".aside"))
    for entry_id in ("c", "d"):
        enter(cache, key, entry(entry_id, 1, FULL))
    assert sorted(ids(cache)) == (["c", "d"] if is_moved_aside else ["a", "c", "d"])
    assert is_moved_aside or "was changed by hand" in read_charted(cache).faults[0]


def test_a_journal_that_is_gone_or_cannot_be_read_is_said(cache: Path) -> None:
    file = charted(cache, "a")
    file.rename(file.with_suffix(".away"))
    assert "is gone" in read_charted(cache).faults[0]
    file.mkdir()
    assert any("cannot be read" in fault for fault in read_charted(cache).faults)


def test_a_line_signed_by_another_key_counts_in_no_journal_but_its_own(cache: Path, tmp_path: Path) -> None:
    file = charted(cache, "a")
    forged = charted(tmp_path / "other" / "cache", "b", key="forger.key").read_bytes()
    file.write_bytes(file.read_bytes() + forged)
    assert ids(cache) == ["a"]
    said = json.loads(file.read_bytes().splitlines()[0])
    assert said["entry"]["signed_by"] == "A" and said["entry"]["second_by"] == "B"


def test_a_refusal_at_the_last_moment_enters_nothing(cache: Path) -> None:
    charted(cache, "a")

    def refuse(known: Charted) -> None:
        raise EntriesError(f"{len(known.entries)} known")

    with pytest.raises(EntriesError, match="1 known"):
        enter(cache, cache.parent / "charting.key", entry("b", 2, FULL), refuse)
    assert ids(cache) == ["a"]


def test_a_full_disk_enters_nothing_and_says_so(cache: Path) -> None:
    folder = charted_folder(cache)
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"")
    with pytest.raises(EntriesError, match="cannot be written"):
        charted(cache, "a")


def test_an_entry_that_is_on_the_disk_is_entered_though_no_head_can_be_written(cache: Path) -> None:
    file = charted(cache, "a")
    full = file.with_name(f".{file.stem}.head.{os.getpid()}-{threading.get_ident()}")
    (full / "no space").mkdir(parents=True)
    charted(cache, "b")
    assert (ids(cache), read_charted(cache).faults) == (["a", "b"], ())
    with pytest.raises(EntriesError, match="Nothing was entered"):
        charted(cache, "c")
    assert ids(cache) == ["a", "b"]
    shutil.rmtree(full)
    charted(cache, "c")
    assert (ids(cache), read_charted(cache).faults) == (["a", "b", "c"], ())


def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_doubled(cache: Path, tmp_path: Path) -> None:
    """Fifty times a process that enters one after the other is killed, somewhere."""
    began = time.perf_counter()
    charted(cache, "first")
    pace = max(0.005, time.perf_counter() - began)  # a busy computer takes longer
    told = tmp_path / "acknowledged"
    told.write_bytes(b"")
    seed = random.Random(14)
    for _ in range(50):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    entry_id = new_entry_id()
                    enter(cache, cache.parent / "charting.key", entry(entry_id, 1, FULL))
                    with told.open("ab", buffering=0) as out:
                        out.write(entry_id.encode() + b"\n")
            finally:
                os._exit(1)
        time.sleep(seed.uniform(0.4, 5) * pace)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    found, acknowledged = ids(cache), told.read_text().splitlines()
    assert read_charted(cache).faults == ()
    assert len(found) == len(set(found)) and set(acknowledged) <= set(found)
    assert len(acknowledged) > 5 and len(found) - len(acknowledged) <= 51
    assert all(replace(one, entry_id="x") == entry("x", 1, FULL) for one in read_charted(cache).entries)
