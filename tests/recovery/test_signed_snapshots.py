"""Snapshots are signed: what somebody else wrote, or wrote again, is refused in words and changes nothing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.cache.doors import doubts_of
from recovery.cache.errors import CacheError
from recovery.cache.manifests import FOLDER, MANIFEST, Manifest, Snapshot, id_of, load_snapshot
from recovery.cache.snapshots import broken_chain, list_snapshots, prune, verify_snapshot
from recovery.cache.store import Cache
from recovery.host.keys import KeyFileError, is_signed, load_key, make_key, public_key_of, sign
from recovery.objects.raw_data import RawSnapshotError, assemble, manifest_objects, table_objects
from recovery.objects.raw_part import RawPart
from recovery.settings.trust import Trust, signed
from tests.recovery.made_snapshots import NOW, numbers, take


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "signing.key"
    make_key(path)
    return path


@pytest.fixture
def trust(key_file: Path) -> Trust:
    return Trust((public_key_of(load_key(key_file)),))


def forged(cache_path: Path, snapshot: Snapshot, at: timedelta, key: Path | None = None) -> str:
    """A snapshot that is whole by every hash, made by somebody who may write into the cache; it is named the newest."""
    manifest = json.loads(snapshot.manifest_file.read_bytes())
    manifest.pop("signature", None)
    manifest["taken_at"] = (NOW + at).isoformat()
    data = (json.dumps(manifest, indent=1) + "\n").encode()
    data = signed(data, load_key(key)) if key is not None else data
    snapshot_id = id_of(data, Manifest.from_json(data).taken_at)
    folder = cache_path / FOLDER / snapshot_id
    (folder / "tables").mkdir(parents=True)
    for name in manifest["tables"]:
        os.link(snapshot.file(name), folder / "tables" / f"{name}.parquet")
    (folder / MANIFEST).write_bytes(data)
    (cache_path / FOLDER / "current").write_text(snapshot_id)
    assert verify_snapshot(cache_path, snapshot_id) == []
    return snapshot_id


def test_a_key_file_is_its_owners_alone_is_never_replaced_and_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "signing.key"
    public = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600 and public_key_of(load_key(path)) == public
    with pytest.raises(KeyFileError, match="is there already"):
        make_key(path)
    signature = sign(load_key(path), "one thing", b"data")
    assert is_signed("one thing", b"data", signature, [public])
    assert not is_signed("another", b"data", signature, [public])
    assert not is_signed("one thing", b"date", signature, [public])
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="others may read"):
        load_key(path)
    path.chmod(0o600)
    path.write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_key(path)


def test_a_signed_one_is_believed_and_each_names_the_one_before(tmp_path: Path, key_file: Path, trust: Trust) -> None:
    first, second = take(tmp_path, 1, key=key_file), take(tmp_path, 2, key=key_file)
    assert first is not None and second is not None and second.manifest.before is not None
    assert second.manifest.before.snapshot_id == first.snapshot_id
    assert second.manifest.before.sha256 == hashlib.sha256(first.manifest_file.read_bytes()).hexdigest()
    assert [info.fault for info in list_snapshots(tmp_path, trust)] == ["", ""]
    assert numbers(Cache(tmp_path, trust=trust)) == [{"2"}] * 3
    assert broken_chain(tmp_path, 90) == []


@pytest.mark.parametrize(
    ("at", "signer", "said"),
    [
        (timedelta(minutes=30), None, "it is not signed"),
        (timedelta(minutes=30), "stranger", "no key of the config signed it"),
        (timedelta(days=4000), "own", "in the future"),
    ],
)
def test_a_forged_newest_is_refused_and_the_last_that_verifies_is_shown_and_said(
    tmp_path: Path, key_file: Path, trust: Trust, at: timedelta, signer: str | None, said: str
) -> None:
    cache = tmp_path / "cache"
    older, newer = take(cache, 1, key=key_file), take(cache, 2, key=key_file)
    assert older is not None and newer is not None
    if signer == "stranger":
        make_key(tmp_path / "stranger")
    key = {"stranger": tmp_path / "stranger", "own": key_file}.get(signer or "")
    fake = forged(cache, older, at, key)
    strict = trust.until(NOW + timedelta(hours=1))
    with pytest.raises(CacheError, match=said):
        Cache(cache, trust=strict).pin()
    shown = Cache(cache, trust=strict, falls_back=True)
    assert numbers(shown) == [{"2"}] * 3 and shown.pin().snapshot_id == newer.snapshot_id
    (doubt,) = doubts_of(shown)
    assert said in doubt and "python -m recovery verify" in doubt
    accepting = Trust(trust.public_keys, frozenset({fake}))
    assert numbers(Cache(cache, trust=accepting)) == [{"1"}] * 3, "a person accepted it"
    assert numbers(Cache(cache)) == [{"1"}] * 3, "a clinic without keys is as it was"


def test_what_nobody_signed_is_read_anew_and_never_signed_over(tmp_path: Path, key_file: Path, trust: Trust) -> None:
    first = take(tmp_path, 1, key=key_file)
    assert first is not None
    forged(tmp_path, first, timedelta(minutes=15))
    with pytest.raises(ValueError, match="no snapshot before this one holds table"):
        take(tmp_path, 2, changed=0, key=key_file)  # it would confirm what the forged snapshot holds
    made = take(tmp_path, 2, key=key_file)
    assert made is not None and load_snapshot(tmp_path, made.snapshot_id, trust).manifest.before is None


def test_a_table_whose_file_was_changed_comes_from_the_last_snapshot_that_has_it_whole(
    tmp_path: Path, key_file: Path, trust: Trust
) -> None:
    take(tmp_path, 1, key=key_file)
    newest = take(tmp_path, 2, key=key_file)
    assert newest is not None
    newest.file("notes").write_bytes(b"PAR1")
    shown = Cache(tmp_path, trust=trust, falls_back=True)
    assert numbers(shown) == [{"1"}, {"2"}, {"2"}], "and the others stay of the newest"
    assert "Table notes has 4 bytes" in doubts_of(shown)[0]
    snapshot = shown.open_snapshot()
    assert snapshot is not None and snapshot.manifest.tables["notes"].kept is not None, "Backup health says so"
    with pytest.raises(CacheError, match="notes has 4 bytes"):
        numbers(Cache(tmp_path, trust=trust))


def test_one_that_is_gone_breaks_the_chain_and_pruning_does_not(tmp_path: Path, key_file: Path) -> None:
    made = [take(tmp_path, n, NOW + timedelta(hours=n), changed=3 if n == 0 else 1, key=key_file) for n in range(4)]
    ids = [one.snapshot_id for one in made if one is not None]
    assert broken_chain(tmp_path, 90) == []
    os.rename(tmp_path / FOLDER / ids[2], tmp_path / "aside")
    (said,) = broken_chain(tmp_path, 90)
    assert ids[2] in said and "is gone" in said
    os.rename(tmp_path / "aside", tmp_path / FOLDER / ids[2])
    take(tmp_path, 9, NOW + timedelta(days=5), changed=1, key=key_file)
    take(tmp_path, 10, NOW + timedelta(days=8), changed=1, key=key_file)
    assert prune(tmp_path, 90, floor=1) == ids[:3]
    assert broken_chain(tmp_path, 90) == []


def parts_of(snapshot: Snapshot) -> list[RawPart]:
    return [RawPart.from_dataset(ds) for ds in manifest_objects(snapshot, "Test clinic")]


def tables_of(snapshot: Snapshot) -> Callable[[Manifest, str], list[RawPart]]:
    return lambda _, name: [RawPart.from_dataset(ds) for ds in table_objects(snapshot, name, "Test clinic")]


def test_a_forged_or_changed_copy_from_the_rt_pacs_is_refused(tmp_path: Path, key_file: Path, trust: Trust) -> None:
    unsigned, own = take(tmp_path, 1), take(tmp_path, 2, key=key_file)
    assert unsigned is not None and own is not None
    assert assemble(parts_of(own), trust, tables_of(own)).snapshot_id == own.snapshot_id
    with pytest.raises(RawSnapshotError, match="table checks is not what its manifest names"):
        assemble(parts_of(own), trust, tables_of(unsigned))
    with pytest.raises(RawSnapshotError, match=f"{unsigned.snapshot_id}: it is not signed"):
        assemble(parts_of(unsigned), trust, tables_of(unsigned))
    with pytest.raises(RawSnapshotError, match="in the future"):
        assemble(parts_of(own), trust.until(NOW), tables_of(own))
    accepted = Trust(trust.public_keys, frozenset({unsigned.snapshot_id}))
    assert assemble(parts_of(unsigned), accepted, tables_of(unsigned))


def test_a_copy_that_claims_a_billion_parts_or_packs_its_content_costs_nothing(tmp_path: Path) -> None:
    snapshot = take(tmp_path, 1)
    assert snapshot is not None
    (part,) = parts_of(snapshot)
    with pytest.raises(RawSnapshotError, match="1000000000 parts"):
        assemble([replace(part, parts=10**9)])
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(MANIFEST, bytes(1_000_000))
    data = bomb.getvalue()
    with pytest.raises(RawSnapshotError, match="packed"):
        assemble([replace(part, data=data, zip_length=len(data), zip_sha256=hashlib.sha256(data).hexdigest())])


# --- pruning ------------------------------------------------------------------------------------------------------


def test_pruning_leaves_the_last_seven_and_deletes_nothing_while_the_newest_is_not_whole(tmp_path: Path) -> None:
    made = [take(tmp_path, n, NOW + timedelta(hours=n), changed=3 if n == 0 else 1) for n in range(9)]
    jumped = take(tmp_path, 20, NOW + timedelta(days=60), changed=1)  # a clock that is two months ahead
    ids = [one.snapshot_id for one in made if one is not None]
    assert jumped is not None
    notes = jumped.file("notes").read_bytes()
    jumped.file("notes").write_bytes(b"PAR1")
    assert prune(tmp_path, 90) == [], "the newest is damaged"
    jumped.file("notes").write_bytes(notes)
    assert prune(tmp_path, 90) == ids[:3]
    assert len(list_snapshots(tmp_path)) == 7
