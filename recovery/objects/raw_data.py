"""A snapshot of the relational tables as DICOM objects that any archive keeps, and back again bit for bit.

How
    Its manifest, as a ZIP in a Raw Data object of a series of its own; each table's file, as a ZIP in another, which is
    there once a week, for all snapshots that name it by its SHA-256. Where a ZIP is larger than `PART_BYTES`, in
    several. What earlier versions stored, a ZIP of all files, is read, too.

Why a ZIP in Raw Data
    Raw Data is the standard's class for what only its maker reads, and archives take it as it is. When this program
    is gone, `unzip` opens the DICOM file itself, because the ZIP is its end and is looked for from there; the
    parquet files in it open in many tools.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from pydicom import Dataset

from recovery.cache.manifests import MANIFEST, Manifest, ManifestError, Snapshot, TableState, fault_of, id_of
from recovery.dicom.model import RAW_DATA, InstanceRef
from recovery.objects.raw_part import RawPart, site_study_uid, table_part_uid, tables_series_uid, to_dataset
from recovery.settings.trust import EVERYBODY, Trust

PART_BYTES = 64 * 1024 * 1024
"""Archives dislike giant objects (an element may have 4 GB, PS3.5 section 7.1.2). Even: a part is never padded."""

MOST_PARTS = 1000


class RawSnapshotError(ValueError):
    """Objects do not make a whole snapshot. The text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class RestoredSnapshot:
    """A snapshot's bytes as they came back, compared with its manifest; `files` are parquet by table name."""

    snapshot_id: str
    manifest: Manifest
    manifest_bytes: bytes
    files: Mapping[str, bytes]


def manifest_objects(snapshot: Snapshot, site_name: str, *, part_bytes: int = PART_BYTES) -> list[Dataset]:
    """A snapshot's manifest as objects of its own series.

    Raises `RawSnapshotError` if it cannot be read.
    """
    try:
        manifest = snapshot.manifest_file.read_bytes()
    except OSError as error:
        raise RawSnapshotError(f"snapshot {snapshot.snapshot_id} cannot be read: {error}") from error
    parts = packed(snapshot.snapshot_id, {MANIFEST: manifest}, part_bytes)
    return [to_dataset(part, site_name, snapshot.manifest.taken_at) for part in parts]


def table_objects(snapshot: Snapshot, name: str, site_name: str, *, part_bytes: int = PART_BYTES) -> list[Dataset]:
    """One table's file as objects that any snapshot may name.

    Raises `RawSnapshotError` if it cannot be read or is not the manifest's: what is damaged here is not archived.
    """
    state = snapshot.manifest.tables[name]
    try:
        data = snapshot.file(name).read_bytes()
    except OSError as error:
        raise RawSnapshotError(f"table {name} of {snapshot.snapshot_id} cannot be read: {error}") from error
    if fault := fault_of(state, data):
        raise RawSnapshotError(fault)
    parts = packed(state.sha256, {_place(name): data}, part_bytes)
    return [to_dataset(part, site_name, snapshot.manifest.taken_at, state.taken_at) for part in parts]


def table_ref(site_name: str, manifest: Manifest, name: str, number: int = 1) -> InstanceRef:
    """The object of one part of a table's file."""
    uid = table_part_uid(site_name, manifest.tables[name].sha256, manifest.taken_at, number)
    return InstanceRef(uid, RAW_DATA, "OT", tables_series_uid(site_name), site_study_uid(site_name))


def table_part_count(state: TableState, part_bytes: int = PART_BYTES) -> int:
    """How many objects a table's file is: a ZIP that packs nothing is as much longer as it is when it is empty."""
    return -(-(len(_zip({_place(state.name): b""})) + state.byte_count) // part_bytes)


def assemble(
    parts: Iterable[RawPart],
    trust: Trust = EVERYBODY,
    bring: Callable[[Manifest, str], Iterable[RawPart]] = lambda _, __: (),
) -> RestoredSnapshot:
    """Put the parts of one snapshot together, and compare every byte with the hashes that came with it.

    `bring` gets the parts of one table's file, once the manifest that names it is believed.

    Raises `RawSnapshotError` if a part is missing, anything is not what was archived, or `trust` does not believe it.
    """
    snapshot_id, zipped = _joined(parts)
    files = _unzip(zipped)
    try:
        manifest_bytes = files.pop(MANIFEST)
        manifest = Manifest.from_json(manifest_bytes)
    except (KeyError, ManifestError) as error:
        raise RawSnapshotError(f"its content cannot be read: {error}") from error
    if id_of(manifest_bytes, manifest.taken_at) != snapshot_id:
        raise RawSnapshotError("its manifest is not the one that it names")
    if fault := trust.fault_of(manifest_bytes, snapshot_id, manifest.taken_at):
        raise RawSnapshotError(f"{snapshot_id}: {fault}")
    tables = {name: _file_of(manifest, name, files, bring) for name in manifest.tables}
    return RestoredSnapshot(snapshot_id, manifest, manifest_bytes, tables)


def _file_of(
    manifest: Manifest, name: str, files: Mapping[str, bytes], bring: Callable[[Manifest, str], Iterable[RawPart]]
) -> bytes:
    state, place = manifest.tables[name], _place(name)
    if place not in files:
        try:
            sha256, zipped = _joined(bring(manifest, name))
        except RawSnapshotError as error:
            raise RawSnapshotError(f"table {state.name}: {error}") from error
        files = _unzip(zipped) if sha256 == state.sha256 else {}
    if place not in files:
        raise RawSnapshotError(f"table {state.name} is not what its manifest names")
    if fault := fault_of(state, files[place]):
        raise RawSnapshotError(fault)
    return files[place]


def packed(what: str, files: Mapping[str, bytes], part_bytes: int = PART_BYTES) -> list[RawPart]:
    """Files as a ZIP, in as many parts as it takes."""
    zipped = _zip(files)
    whole = RawPart(what, 1, 1, hashlib.sha256(zipped).hexdigest(), len(zipped), b"")
    pieces = [zipped[start : start + part_bytes] for start in range(0, len(zipped), part_bytes)]
    return [replace(whole, number=n, parts=len(pieces), data=data) for n, data in enumerate(pieces, start=1)]


def unpacked(parts: Iterable[RawPart]) -> dict[str, bytes]:
    """The files that `packed` made parts of.

    Raises `RawSnapshotError` if one is missing or anything was changed.
    """
    return _unzip(_joined(parts)[1])


def _joined(parts: Iterable[RawPart]) -> tuple[str, bytes]:
    """What the parts are of, and their bytes. Raises `RawSnapshotError` if one is missing or anything was changed."""
    by_number = {part.number: part for part in parts}
    first = next(iter(by_number.values()), None)
    if first is None:
        raise RawSnapshotError("it has no parts")
    if any((p.zip_sha256, p.parts) != (first.zip_sha256, first.parts) for p in by_number.values()):
        raise RawSnapshotError("its parts are not of one snapshot")
    if not 1 <= first.parts <= MOST_PARTS:
        raise RawSnapshotError(f"it says that it has {first.parts} parts")
    if absent := [number for number in range(1, first.parts + 1) if number not in by_number]:
        named = ", ".join(str(number) for number in absent)
        raise RawSnapshotError(f"of its {first.parts} parts, these are missing: {named}")
    zipped = b"".join(by_number[number].data for number in range(1, first.parts + 1))[: first.zip_length]
    if hashlib.sha256(zipped).hexdigest() != first.zip_sha256:
        raise RawSnapshotError("its content was changed: its SHA-256 is not the one that was archived with it")
    return first.snapshot_id, zipped


def _place(name: str) -> str:
    return f"tables/{name}.parquet"


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Stored, not packed: parquet is. The same files give the same bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as packed:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, data)
    return whole.getvalue()


def _unzip(zipped: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as packed:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in packed.infolist()):
                raise RawSnapshotError("its content is packed, and this program packs none")  # it may grow without end
            return {name: packed.read(name) for name in packed.namelist()}
    except (zipfile.BadZipFile, EOFError) as error:
        raise RawSnapshotError(f"its content cannot be read: {error}") from error
