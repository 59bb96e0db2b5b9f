"""`python -m recovery rebuild`: the cache again, from nothing but the RT-PACS and the config.

How
    The site's study in the RT-PACS lists its snapshots by time. The newest whole one is brought here, compared with
    the hashes inside, and becomes the cache's. Then the dashboard's tables are built as every run builds them.

Why the cache's own snapshot may stay
    Who rebuilds at three in the morning must not trade a good copy for an older one: a snapshot that is whole and
    not older than the newest in the RT-PACS is left alone, and that is said.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydicom import Dataset

from recovery.access.audit import AuditError, AuditEvent, AuditFile
from recovery.cache.manifests import (
    FOLDER,
    Manifest,
    ManifestError,
    Snapshot,
    current_id,
    fault_of_file_once,
    is_newer,
    load_snapshot,
    taken_at_of,
)
from recovery.cache.snapshot_publishing import install
from recovery.dicom.elements import InvalidObjectError
from recovery.dicom.model import RAW_DATA, InstanceRef
from recovery.dimse import Peer, fetch, find_refs, find_series, open_link
from recovery.objects.raw_data import (
    MOST_PARTS,
    RawSnapshotError,
    RestoredSnapshot,
    assemble,
    table_ref,
)
from recovery.objects.raw_part import (
    RawPart,
    series_number_at,
    site_study_uid,
    tables_series_uid,
    taken_at_of_series,
)
from recovery.settings.config import Config
from recovery.settings.trust import Trust, trust_of

HOW_TO_ACCEPT = (
    "Who knows one of them to be right takes it all the same: "
    "`python -m recovery rebuild --accept SNAPSHOT --signed-by NAME`. The audit file notes it."
)


@dataclass(slots=True)
class TablesReport:
    """What was restored, in sentences; `problems` are those of something that is not as it should be."""

    said: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ArchivedSnapshot:
    """A snapshot that the RT-PACS lists: its series, and when it was taken (aware, UTC; None: it does not say)."""

    series_instance_uid: str
    taken_at: datetime | None


def restore_tables(
    config: Config, pacs: Peer, now: datetime, *, are_expected: bool, accepted: str = ""
) -> TablesReport:
    """Bring the newest whole snapshot of the relational tables from the RT-PACS. Hold the lock of `snapshot_tables`.

    `are_expected`: the clinic has a database, so that none in the RT-PACS is a problem. `accepted`: the name of a
    snapshot that a person vouches for, whoever signed it.

    Raises `DimseError` if the RT-PACS cannot be asked; `CacheError` if the cache cannot be written; the snapshot before
    still stands.
    """
    report = TablesReport()
    archived = find_snapshots(pacs, config.site.name)
    trust = _trust(config, now, accepted)
    own = _own_whole(config, trust)
    newest = _newest_whole(config, pacs, archived, own, trust, report)
    if newest is not None:
        install(config.cache_path, newest.manifest_bytes, newest.files)
        _say_what_came(report, config, newest)
        if trust_of(config).fault_of(newest.manifest_bytes, newest.snapshot_id, newest.manifest.taken_at):
            report.said.append(
                f'So that others read it, add to [signing] of the config: accepted_snapshots = ["{newest.snapshot_id}"]'
            )
    elif own is not None:
        at = _when(own.manifest.taken_at, config)
        report.said.append(
            f"The cache's own snapshot of the R&V database's tables, of {at}, is whole, and no whole one in the "
            "RT-PACS is newer: it stays."
        )
    elif archived:
        report.problems.append(
            "No snapshot in the RT-PACS is whole and believed: the R&V database's tables were not restored."
        )
    else:
        _say_that_there_is_none(report, config, are_expected=are_expected)
    return report


def _newest_whole(
    config: Config,
    pacs: Peer,
    archived: Iterable[ArchivedSnapshot],
    own: Snapshot | None,
    trust: Trust,
    report: TablesReport,
) -> RestoredSnapshot | None:
    """The newest snapshot of the RT-PACS that is whole, believed and newer than the cache's own."""
    newest: RestoredSnapshot | None = None
    for candidate in archived:
        if own is not None and _is_as_new(own, candidate):
            break
        try:
            restored = fetch_snapshot(config, pacs, candidate, trust)
        except RawSnapshotError as error:
            when = _when(candidate.taken_at, config)
            report.problems.append(f"The snapshot of {when} in the RT-PACS cannot be used: {error}.")
            continue
        known = newest or own
        if known is None or restored.manifest.taken_at > known.manifest.taken_at:
            newest = restored
        if newest is not None and candidate.taken_at is not None:
            break  # the others that tell their time are older; of those that do not, each has to be looked at
    return newest


def note_accepted(config: Config, now: datetime, snapshot_id: str, signed_by: str) -> None:
    """Write down who vouches for a snapshot that no key of the config signed.

    Raises `AuditError` if nobody is named, or it cannot be written: then nothing is accepted.
    """
    if not signed_by.strip():
        raise AuditError("--accept needs --signed-by NAME: somebody answers for what nobody signed")
    event = AuditEvent(now, signed_by.strip(), "", "accept snapshot", "", None, {"snapshot": snapshot_id})
    AuditFile(config.audit_path).append(event)


def is_damaged(config: Config) -> bool:
    """Whether the cache has snapshots of the relational tables, and its newest is not what was written."""
    has_any = any(taken_at_of(path.name) is not None for path in (config.cache_path / FOLDER).glob("*"))
    return has_any and _own_whole(config, trust_of(config)) is None


def find_snapshots(pacs: Peer, site_name: str) -> list[ArchivedSnapshot]:
    """The snapshots of a site that the RT-PACS lists, newest first; those without a time are last.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    with open_link(pacs) as link:
        found = find_series(link, site_study_uid(site_name))
    dated = [
        ArchivedSnapshot(uid, taken_at_of_series(number) if number is not None else None)
        for uid, number in found.items()
        if uid != tables_series_uid(site_name)
    ]
    return sorted(dated, key=lambda s: (s.taken_at is not None, s.taken_at, s.series_instance_uid), reverse=True)


def fetch_snapshot(config: Config, pacs: Peer, archived: ArchivedSnapshot, trust: Trust) -> RestoredSnapshot:
    """Bring one snapshot here and compare it with its hashes, and with what `trust` believes.

    Raises `RawSnapshotError` if an object does not come, or they do not make a whole snapshot; `DimseError` if the
    RT-PACS cannot be asked.
    """
    if trust.not_after is not None and archived.taken_at is not None and archived.taken_at > trust.not_after:
        raise RawSnapshotError("it says that it was taken in the future")
    study, series = site_study_uid(config.site.name), archived.series_instance_uid
    place = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
    with open_link(pacs) as link:
        refs = {
            replace(ref, sop_class_uid=RAW_DATA, study_instance_uid=study, series_instance_uid=series)
            for ref in find_refs(link, place)
        }
    failures: dict[str, str] = {}
    try:
        restored = assemble(_fetched(config, pacs, refs, failures), trust, _tables_of(config, pacs, failures))
    except RawSnapshotError as error:
        why = "; ".join(f"object {uid}: {reason}" for uid, reason in sorted(failures.items()))
        raise RawSnapshotError(f"{error} ({why})" if why else str(error)) from error
    told = archived.taken_at
    if told is not None and series_number_at(told) != series_number_at(restored.manifest.taken_at):
        raise RawSnapshotError("its series says another time than its content: somebody stored it again")
    if restored.manifest.site_name not in {None, config.site.name} and restored.snapshot_id not in trust.accepted:
        raise RawSnapshotError("it is a snapshot of another site: somebody stored it here again")
    return restored


def _fetched(config: Config, pacs: Peer, refs: set[InstanceRef], failures: dict[str, str]) -> list[RawPart]:
    """Parts as they come; `failures` gets why one does not."""
    objects: list[Dataset] = []
    failures |= fetch(pacs, refs, objects.append, retrieve=config.pacs.retrieve)
    parts: list[RawPart] = []
    for ds in objects:
        try:
            parts.append(RawPart.from_dataset(ds))
        except InvalidObjectError as error:
            failures[InstanceRef.from_dataset(ds).sop_instance_uid] = str(error)
    return parts


def _tables_of(config: Config, pacs: Peer, failures: dict[str, str]) -> Callable[[Manifest, str], list[RawPart]]:
    """Brings the parts of a table's file: the first says how many there are."""

    def bring(manifest: Manifest, name: str) -> list[RawPart]:
        site = config.site.name
        first = _fetched(config, pacs, {table_ref(site, manifest, name)}, failures)
        count = min(first[0].parts, MOST_PARTS) if first else 1
        others = {table_ref(site, manifest, name, number) for number in range(2, count + 1)}
        return [*first, *(_fetched(config, pacs, others, failures) if others else ())]

    return bring


def _trust(config: Config, now: datetime, accepted: str) -> Trust:
    trust = trust_of(config).until(now)
    return replace(trust, accepted=trust.accepted | {accepted}) if accepted else trust


def _own_whole(config: Config, trust: Trust) -> Snapshot | None:
    """The cache's newest snapshot, if every byte of it is what was written, and it is believed."""
    try:
        snapshot_id = current_id(config.cache_path)
        snapshot = load_snapshot(config.cache_path, snapshot_id, trust) if snapshot_id is not None else None
    except ManifestError:
        return None
    if snapshot is None or any(fault_of_file_once(snapshot, name) for name in snapshot.manifest.tables):
        return None
    return snapshot


def _is_as_new(own: Snapshot, archived: ArchivedSnapshot) -> bool:
    if archived.taken_at is None:
        return False
    return series_number_at(own.manifest.taken_at) >= series_number_at(archived.taken_at)


def _say_that_there_is_none(report: TablesReport, config: Config, *, are_expected: bool) -> None:
    study = site_study_uid(config.site.name)
    none = (
        f"The RT-PACS holds no snapshot of the R&V database's tables for the site {config.site.name!r} (study {study})."
    )
    if are_expected:
        report.problems.append(
            f"{none} Compare [site] name with the config that wrote them; "
            "`python -m backup_jobs snapshot_tables` makes new ones once the database answers."
        )
    else:
        report.said.append(none)


def _say_what_came(report: TablesReport, config: Config, restored: RestoredSnapshot) -> None:
    tables = {name: state for name, state in restored.manifest.tables.items() if not is_newer(name)}
    rows = sum(state.row_count for state in tables.values())
    report.said.append(
        f"{len(tables)} tables of the R&V database restored from the RT-PACS, {rows} rows, "
        f"as of {_when(restored.manifest.taken_at, config)} (snapshot {restored.snapshot_id})."
    )
    report.said += [
        f"Of these, {state.name} is as of {_when(state.read_at, config)}: {state.kept.reason}."
        for state in tables.values()
        if state.kept is not None
    ]
    report.said += _missing(restored.manifest.missing.items())


def _missing(missing: Iterable[tuple[str, object]]) -> list[str]:
    return [f"Table {name} was never read, and is not among them." for name, _ in missing]


def _when(at: datetime | None, config: Config) -> str:
    if at is None:
        return "a time that it does not tell"
    return f"{at.astimezone(config.site.zone):%Y-%m-%d %H:%M:%S} ({config.site.time_zone})"
