"""Snapshots of the relational tables: dated, whole, unchanging, and honest about what they took over."""

from __future__ import annotations

import errno
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.freshness import known_since
from recovery.cache.manifests import FOLDER, Manifest, ManifestError, Snapshot
from recovery.cache.snapshot_publishing import install
from recovery.cache.snapshot_writing import open_writer
from recovery.cache.snapshots import list_snapshots, prune, verify_snapshot
from recovery.cache.store import Cache
from recovery.tables.relational import CHECKS, DOCUMENTS, NOTES
from recovery.tables.schema import TableError
from tests.recovery.made_snapshots import NOW, numbers, rows, take


def taken(cache_path: Path, number: int, at: datetime | None = None, changed: int = 3) -> Snapshot:
    snapshot = take(cache_path, number, at, changed)
    assert snapshot is not None
    return snapshot


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_snapshot_is_a_dated_folder_whose_manifest_names_every_file(tmp_path: Path) -> None:
    snapshot = taken(tmp_path, 1)
    assert snapshot.snapshot_id.startswith("20261122T111000Z-")
    assert sorted(contents(snapshot.folder)) == [
        "manifest.json", "tables/checks.parquet", "tables/documents.parquet", "tables/notes.parquet",
    ]  # fmt: skip
    said = json.loads(snapshot.manifest_file.read_bytes())
    assert said["format"] == 1
    notes = said["tables"]["notes"]
    assert (notes["row_count"], notes["source"], notes["query_sha256"]) == (3, "test", "ab")
    assert notes["taken_at"] == notes["read_at"] == said["taken_at"] == "2026-11-22T11:10:00+00:00"
    assert verify_snapshot(tmp_path, snapshot.snapshot_id) == []
    assert [(s.snapshot_id, s.is_newest, s.fault) for s in list_snapshots(tmp_path)] == [
        (snapshot.snapshot_id, True, "")
    ]


def test_a_later_snapshot_leaves_the_earlier_as_it_was_and_shares_what_has_not_changed(tmp_path: Path) -> None:
    first = taken(tmp_path, 1)
    before = contents(first.folder)
    second = taken(tmp_path, 2, changed=1)
    assert contents(first.folder) == before
    assert numbers(Cache(tmp_path)) == [{"2"}, {"1"}, {"1"}]
    assert numbers(Cache(tmp_path, first.snapshot_id)) == [{"1"}, {"1"}, {"1"}]
    assert second.file("checks").samefile(first.file("checks")), "written once"
    assert not second.file("notes").samefile(first.file("notes"))


def test_a_run_with_nothing_new_writes_no_snapshot_and_its_tables_are_fresh(tmp_path: Path) -> None:
    first = taken(tmp_path, 1)
    assert take(tmp_path, 2, changed=0) is None
    assert [info.snapshot_id for info in list_snapshots(tmp_path)] == [first.snapshot_id]
    cache = Cache(tmp_path)
    assert known_since(cache, NOTES) == NOW + timedelta(minutes=20)
    assert cache.snapshot(NOTES).taken_at == NOW + timedelta(minutes=10)


def test_what_was_confirmed_counts_for_that_file_only(tmp_path: Path) -> None:
    first = taken(tmp_path, 1)
    taken(tmp_path, 2)
    take(tmp_path, 3, changed=0)
    (tmp_path / FOLDER / "current").write_text(first.snapshot_id)
    assert known_since(Cache(tmp_path), NOTES) == NOW + timedelta(minutes=10)


@pytest.mark.parametrize("content", [b"", b'{"notes": [', b'{"notes": {"sha256": 1, "confirmed_at": "today"}}'])
def test_a_damaged_list_of_confirmations_confirms_nothing_and_stops_nothing(tmp_path: Path, content: bytes) -> None:
    taken(tmp_path, 1)
    take(tmp_path, 2, changed=0)
    (tmp_path / FOLDER / "confirmed.json").write_bytes(content)
    assert known_since(Cache(tmp_path), NOTES) == NOW + timedelta(minutes=10)
    assert take(tmp_path, 3, changed=0) is None


def test_a_table_that_could_not_be_read_is_kept_and_the_manifest_says_since_when_and_why(tmp_path: Path) -> None:
    taken(tmp_path, 1)
    take(tmp_path, 2, changed=0)
    for minutes, reason in ((30, "no table Note"), (40, "no right on Note")):
        with open_writer(tmp_path, NOW + timedelta(minutes=minutes)) as new:
            new.keep("notes", reason)
            new.confirm("checks")
            new.confirm("documents")
            assert new.commit() is not None, "the reason is news"
    newest = list_snapshots(tmp_path)[0]
    (notes,) = newest.kept
    assert notes.kept is not None
    assert (notes.name, notes.kept.since, notes.kept.reason) == (
        "notes",
        NOW + timedelta(minutes=30),
        "no right on Note",
    )
    cache = Cache(tmp_path)
    assert known_since(cache, NOTES) == NOW + timedelta(minutes=20), "when it was last read"
    assert known_since(cache, CHECKS) == NOW + timedelta(minutes=40)
    assert numbers(cache) == [{"1"}, {"1"}, {"1"}]
    with open_writer(tmp_path, NOW + timedelta(minutes=50)) as new:
        new.keep("notes", "no right on Note")
        new.confirm("checks")
        new.confirm("documents")
        assert new.commit() is None, "the same trouble is no news"
    assert known_since(cache, NOTES) == NOW + timedelta(minutes=20), "nor a reading"
    assert taken(tmp_path, 6, changed=0).manifest.tables["notes"].kept is None
    assert known_since(cache, NOTES) == NOW + timedelta(minutes=60)


def test_a_table_that_was_never_read_is_missing_and_says_why(tmp_path: Path) -> None:
    with open_writer(tmp_path, NOW) as new:
        new.write(NOTES, [], source="test", query_sha256=None, rows_sha256="")
        new.keep("checks", "the database has no table ChartQA")
        new.commit()
    with pytest.raises(TableMissingError, match="the database has no table ChartQA"):
        Cache(tmp_path).read(CHECKS)
    assert Cache(tmp_path).read(NOTES) == []
    ((name, kept),) = list_snapshots(tmp_path)[0].missing
    assert (name, kept.since) == ("checks", NOW)


def test_rows_that_do_not_fit_leave_the_table_to_be_kept(tmp_path: Path) -> None:
    taken(tmp_path, 1)
    with open_writer(tmp_path, NOW + timedelta(minutes=20)) as new:
        with pytest.raises(TableError):
            new.write(NOTES, [{"note_id": "1"}], source="test", query_sha256=None, rows_sha256="")
        new.keep("notes", "does not fit")
        new.confirm("checks")
        new.confirm("documents")
        assert new.commit() is not None
    assert numbers(Cache(tmp_path)) == [{"1"}, {"1"}, {"1"}]


def test_a_reader_of_several_tables_stays_on_one_snapshot(tmp_path: Path) -> None:
    taken(tmp_path, 1)
    pinned, moving = Cache(tmp_path).pin(), Cache(tmp_path)
    taken(tmp_path, 2)
    assert numbers(pinned) == [{"1"}, {"1"}, {"1"}]
    assert numbers(moving) == [{"2"}, {"2"}, {"2"}]


def test_a_run_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    first = taken(tmp_path, 1)
    with pytest.raises(KeyError), open_writer(tmp_path, NOW + timedelta(minutes=20)) as new:
        new.write(NOTES, rows("note_id", NOTES.columns, 2), source="test", query_sha256=None, rows_sha256="")
        raise KeyError
    assert sorted(p.name for p in (tmp_path / FOLDER).iterdir()) == [first.snapshot_id, "current"]


def test_a_table_of_snapshots_is_not_written_on_its_own(tmp_path: Path) -> None:
    taken(tmp_path, 1)
    with pytest.raises(CacheError, match="belongs to the snapshots"):
        Cache(tmp_path).write(NOTES, [], taken_at=NOW, source="test")


def test_a_disk_without_hard_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = taken(tmp_path, 1)

    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "link", no_links)
    second = taken(tmp_path, 2, changed=1)
    assert verify_snapshot(tmp_path, second.snapshot_id) == []
    assert not second.file("checks").samefile(first.file("checks"))


# --- the layout before --------------------------------------------------------------------------------------------


# --- damage -------------------------------------------------------------------------------------------------------


def test_a_truncated_table_is_an_error_that_says_what_to_do_and_the_next_run_mends_it(tmp_path: Path) -> None:
    snapshot = taken(tmp_path, 1)
    whole = snapshot.file("notes").read_bytes()
    snapshot.file("notes").write_bytes(whole[:-30])
    with pytest.raises(CacheError, match=r"table notes has .* bytes.*python -m recovery rebuild"):
        Cache(tmp_path).read(NOTES)
    assert len(Cache(tmp_path).read(CHECKS)) == 3, "the others still read"
    (said,) = verify_snapshot(tmp_path, snapshot.snapshot_id)
    assert f"table notes has {len(whole) - 30} bytes, and {len(whole)} were written" in said
    with open_writer(tmp_path, NOW + timedelta(minutes=20)) as new:
        assert new.last("notes") is None, "it is read anew"
    assert taken(tmp_path, 3).manifest.tables["notes"].row_count == 3
    assert len(Cache(tmp_path).read(NOTES)) == 3


def test_a_damaged_table_that_cannot_be_read_anew_is_missing_and_not_carried_on(tmp_path: Path) -> None:
    taken(tmp_path, 1).file("notes").write_bytes(b"PAR1")
    with open_writer(tmp_path, NOW + timedelta(minutes=20)) as new:
        new.keep("notes", "no right on Note")
        new.confirm("checks")
        new.confirm("documents")
        snapshot = new.commit()
    assert snapshot is not None and verify_snapshot(tmp_path, snapshot.snapshot_id) == []
    with pytest.raises(TableMissingError, match="no right on Note"):
        Cache(tmp_path).read(NOTES)


def test_one_changed_bit_of_a_table_is_found(tmp_path: Path) -> None:
    snapshot = taken(tmp_path, 1)
    data = bytearray(snapshot.file("notes").read_bytes())
    data[len(data) // 2] ^= 1
    snapshot.file("notes").write_bytes(data)
    with pytest.raises(CacheError, match="was changed after it was written"):
        Cache(tmp_path).read(NOTES)
    assert "table notes was changed" in verify_snapshot(tmp_path, snapshot.snapshot_id)[0]


def tampered(manifest: bytes) -> bytes:
    return manifest.replace(b'"row_count": 3', b'"row_count": 2', 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (tampered, "its manifest was changed after it was written"),
        (lambda m: m.replace(b'"format": 1', b'"format": 3'), "is of format 3"),
        (lambda m: m[:100], "its manifest cannot be read"),
        (lambda m: b"[]", "its manifest cannot be read"),
        (lambda m: m.replace(b'"notes"', b'"../../notes"'), "names a table in a way"),
    ],
)
def test_a_manifest_that_was_changed_is_told_in_words(tmp_path: Path, change: object, said: str) -> None:
    first, snapshot = taken(tmp_path, 1), taken(tmp_path, 2)
    snapshot.manifest_file.write_bytes(change(snapshot.manifest_file.read_bytes()))  # type: ignore[operator]
    (sentence,) = verify_snapshot(tmp_path, snapshot.snapshot_id)
    assert said in sentence
    newest, before = list_snapshots(tmp_path)
    assert said in newest.fault and newest.is_newest and before.fault == ""
    with pytest.raises(CacheError, match=r"cannot be used: .*python -m backup_jobs snapshot_tables"):
        Cache(tmp_path).read(NOTES)
    assert numbers(Cache(tmp_path, first.snapshot_id)) == [{"1"}, {"1"}, {"1"}]
    assert numbers_after_next_run(tmp_path) == [{"3"}, {"3"}, {"3"}]


def numbers_after_next_run(cache_path: Path) -> list[set[object]]:
    taken(cache_path, 3)
    return numbers(Cache(cache_path))


@pytest.mark.parametrize("pointer", [b"", b"\xff", b"../../etc", b"20261122T111000Z-0123456789ab"])
def test_a_pointer_that_names_nothing_is_an_error_and_the_next_run_mends_it(tmp_path: Path, pointer: bytes) -> None:
    taken(tmp_path, 1)
    (tmp_path / FOLDER / "current").write_bytes(pointer)
    with pytest.raises(CacheError, match="python -m recovery rebuild") as caught:
        Cache(tmp_path).pin()
    assert ("its manifest cannot be read" in str(caught.value)) == (len(pointer) == 29), "only a name is followed"
    assert prune(tmp_path, 1) == []
    assert numbers_after_next_run(tmp_path) == [{"3"}, {"3"}, {"3"}]


def test_a_pointer_that_is_gone_is_an_error_and_not_a_cache_without_snapshots(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    assert Cache(tmp_path).open_snapshot() is None
    taken(tmp_path, 1)
    (tmp_path / FOLDER / "current").unlink()
    with pytest.raises(CacheError, match=r"snapshots/current, which names the newest, is gone.*recovery rebuild"):
        Cache(tmp_path).pin()
    assert numbers_after_next_run(tmp_path) == [{"3"}, {"3"}, {"3"}]


def test_a_file_that_nobody_wrote_and_one_that_is_gone_are_told(tmp_path: Path) -> None:
    snapshot = taken(tmp_path, 1)
    snapshot.file("notes").rename(snapshot.file("more"))
    assert [said.split(": ")[1] for said in verify_snapshot(tmp_path, snapshot.snapshot_id)] == [
        "table notes has lost its file",
        "more.parquet is not in the manifest",
    ]
    assert "is not a snapshot's name" in verify_snapshot(tmp_path, "../tables")[0]


def test_a_snapshot_from_elsewhere_is_taken_bit_for_bit_or_not_at_all(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    snapshot = taken(there, 1)
    files = {name: snapshot.file(name).read_bytes() for name in snapshot.manifest.tables}
    manifest = snapshot.manifest_file.read_bytes()
    with pytest.raises(ManifestError, match="table notes"):
        install(here, manifest, files | {"notes": files["checks"]})
    assert list_snapshots(here) == [] and list((here / FOLDER).iterdir()) == []
    for _ in range(2):
        assert contents(install(here, manifest, files).folder) == contents(snapshot.folder)
    (here / FOLDER / snapshot.snapshot_id / "manifest.json").write_bytes(tampered(manifest))
    install(here, manifest, files)
    assert verify_snapshot(here, snapshot.snapshot_id) == []
    assert sorted(p.name for p in (here / FOLDER).iterdir()) == [snapshot.snapshot_id, "current"]


def test_the_same_manifest_reads_back_as_it_was(tmp_path: Path) -> None:
    manifest = taken(tmp_path, 1).manifest
    assert Manifest.from_json(manifest.to_json()) == manifest


# --- pruning ------------------------------------------------------------------------------------------------------


def test_pruning_keeps_two_days_whole_then_one_a_day_and_never_the_newest(tmp_path: Path) -> None:
    hours = [0, 1, 24 * 80, 24 * 80 + 2, 24 * 80 + 5, 24 * 89, 24 * 89 + 1, 24 * 90 + 12]
    kept = [24 * 80 + 5, 24 * 89, 24 * 89 + 1, 24 * 90 + 12]
    ids = {
        hour: taken(tmp_path, number, NOW + timedelta(hours=hour), changed=3 if number == 0 else 1).snapshot_id
        for number, hour in enumerate(hours)
    }
    assert set(prune(tmp_path, 90, floor=1)) == {ids[hour] for hour in hours if hour not in kept}
    assert [info.snapshot_id for info in reversed(list_snapshots(tmp_path))] == [ids[hour] for hour in kept]
    for hour in kept:
        assert verify_snapshot(tmp_path, ids[hour]) == [], "files of deleted snapshots are still there"
    assert prune(tmp_path, 90, floor=1) == []
    assert prune(tmp_path, 1, floor=1) == [ids[kept[0]]], "the last two days stay whatever keep_days says"
    assert Cache(tmp_path).read(DOCUMENTS), "written by the first run, and deleted with it but for the newest's link"


@pytest.mark.parametrize(
    ("age", "others", "stays"),
    [
        (timedelta(days=7), [], True),
        (timedelta(days=7, seconds=1), [], False),
        (timedelta(days=2), [timedelta(days=2, seconds=-1)], True),
        (timedelta(days=2, seconds=1), [timedelta(days=2)], False),
    ],
    ids=["as old as kept", "a second older", "not its day's last, two days old", "a second older than two days"],
)
def test_what_is_exactly_as_old_as_a_limit_stays(
    tmp_path: Path, age: timedelta, others: list[timedelta], stays: bool
) -> None:
    first = taken(tmp_path, 0, NOW - age).snapshot_id
    for number, other in enumerate([*others, timedelta()], start=1):
        taken(tmp_path, number, NOW - other)
    assert prune(tmp_path, 7, floor=1) == ([] if stays else [first])
