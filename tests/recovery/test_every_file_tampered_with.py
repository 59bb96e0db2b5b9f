"""Whatever somebody does to any one file of a cache, pages and commands show the truth or say what is wrong.

Every file, deleted, emptied, cut, with its last line gone, with a flipped bit, in an older version, and another site's.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from app.data import standing
from backup_jobs.jobs.build_on_treatment import build_on_treatment, note
from demo.pacs.archive import Archive
from recovery.access.audit import AuditEvent, AuditFile
from recovery.cache.doors import cache_to_show, doubts_of
from recovery.cache.errors import CacheError
from recovery.cache.journal import Journal
from recovery.cache.store import Cache
from recovery.commands import verify
from recovery.dicom.model import DicomNode
from recovery.entries.charted import enter, read_charted
from recovery.entries.downtimes import DowntimeEntry, grace_at, told_at
from recovery.entries.known_gaps import KnownGap
from recovery.entries.next_decisions import NextDecision, NextEvidence
from recovery.entries.noted import noted_file
from recovery.entries.priority_entries import PriorityEntry
from recovery.entries.reconciled import Worked
from recovery.entries.shift_checks import ShiftCheck
from recovery.entries.transfers import TransferEntry
from recovery.host.entry_lines import append_statement, entries_folder, read_statements
from recovery.host.keys import make_key
from recovery.pacs.workspace import Workspace
from recovery.settings.config import Config, load_config
from recovery.tables.relational import ALL_TABLES
from recovery.tables.schema import ON_TREATMENT
from tests.app import clinic, states
from tests.archive_clinic import OneSite, local
from tests.objects import beam_item, plan, record
from tests.recovery import made_snapshots
from tests.recovery.charting import FULL, entry

NOW = clinic.NOW
STATEMENTS = (KnownGap, DowntimeEntry, TransferEntry, NextDecision, ShiftCheck, Worked, PriorityEntry)
SEEN = NextEvidence("0", 5, ("a beam without a number may be of it",), ())
NO_FILE_OF_DATA = {"config.toml", "accounts.json", "signing.key", "charting.key", "charting.newest"}
"""Without accounts nobody signs in; a key that is gone is said by who needs it."""


@dataclass(frozen=True)
class Site:
    """A folder with config and cache, and a copy of it as it was before its last half hour."""

    folder: Path
    before: Path

    @property
    def config(self) -> Config:
        return load_config(self.folder / "config.toml")

    @property
    def files(self) -> list[Path]:
        found = [path.relative_to(self.folder) for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return [path for path in found if path.suffix != ".lock" and path.name not in NO_FILE_OF_DATA]


def site(folder: Path, name: str) -> Site:
    config_file = states.make(folder, "good")
    text = config_file.read_text().replace("Demo clinic", name)
    key = folder / "data" / "signing.key"
    config_file.write_text(f'{text}[signing]\npublic_keys = ["{make_key(key)}"]\n')
    config = load_config(config_file)
    shutil.rmtree(config.cache_path / "snapshots")
    for number, minutes in ((1, 36), (2, 6)):
        at = NOW - timedelta(minutes=minutes)
        made_snapshots.take(config.cache_path, number + len(name), at, key=key)
        made_snapshots.take(config.cache_path, number + len(name), at + timedelta(minutes=1), key=key)
        cache = Cache(config.cache_path)
        rows = [{**row, "remarks": f"{name} {number}"} for row in cache.read(ON_TREATMENT)]
        cache.write(ON_TREATMENT, rows, taken_at=at, source="RT-PACS")
        state_of_people(config, number, at)
        note(config.cache_path, str(AuditFile(config.audit_path).read_head()))
        if number == 1:
            shutil.copytree(folder, folder.with_name(f"{folder.name} before"))
    return Site(folder, folder.with_name(f"{folder.name} before"))


def state_of_people(config: Config, number: int, at: datetime) -> None:
    """One more of everything that people sign."""
    for said in (
        KnownGap((f"1.2.{number}",), "never sent", date(2026, 12, 1), config.site.name, at),
        DowntimeEntry("begin", "encrypted", config.site.name, at, at)
        if number == 1
        else DowntimeEntry("step", "phone", config.site.name, at),
        TransferEntry("100377", (f"1.2.{number}",), "St. E", "", config.site.name, at),
        NextDecision("100377", f"1.2.{number}", "whole", 5, None, {}, "log", SEEN, config.site.name, at),
        ShiftCheck(True, "", config.site.name, at),
        Worked(f"i{number}", "agrees", "x", config.site.name, at, "why"),
    ):
        append_statement(config.cache_path, said)
    enter(config.cache_path, config.charting_key_path, entry(f"{config.site.name}{number}", number, FULL))
    AuditFile(config.audit_path).append(AuditEvent(at, config.site.name, "physicist", "sign in", "127.0.0.1"))


def seen(config: Config, names: list[str]) -> tuple[dict[str, object], set[str]]:
    """What pages read, of tables those that are named, and what they say besides."""
    path, cache = config.cache_path, cache_to_show(config, NOW)
    read: dict[str, object] = {"charted": read_charted(path).entries}
    said = {*doubts_of(cache), told_at(path, config.site.zone)}
    for name in names:
        try:
            read[name] = cache.read(ALL_TABLES[name])
        except CacheError as error:
            read[name] = None
            said.add(str(error))
    for kind in STATEMENTS:
        statements = read_statements(path, kind)
        read[kind.FILE] = statements.all
        said.add(f"{statements.damaged_lines} lines of {kind.FILE}")
    try:
        built_at = Cache(path).snapshot(ON_TREATMENT).taken_at
    except CacheError:
        built_at = None
    read["runs"] = Journal(path).runs()
    said.add(f"{Journal(path).damaged_lines()} lines of the journal")
    said.add(standing.judge(Journal(path).runs(), built_at, NOW, config.site.zone).in_plain_text)
    return read, said


def damages(path: Path, ours: Site, other: Site) -> Iterator[tuple[str, bytes | None]]:
    data = (ours.folder / path).read_bytes()
    middle, end = len(data) // 2, data.rstrip(b"\n").rfind(b"\n") + 1
    yield from (("deleted", None), ("emptied", b""), ("cut", data[: middle + 1]), ("its last line gone", data[:end]))
    yield "a flipped bit", data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]
    for what, folder in (("older", ours.before), ("another site's", other.folder)):
        found = [folder / path] if (folder / path).exists() else sorted(folder.rglob(path.name))
        yield from ((what, file.read_bytes()) for file in found[:1])


def test_whatever_happens_to_a_file_the_truth_is_shown_or_what_is_wrong_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, other = site(tmp_path / "one", "Demo clinic"), site(tmp_path / "other", "Other")
    config, silent, tried = ours.config, [], 0
    all_names = sorted({path.stem for path in ours.files if path.stem in ALL_TABLES})
    assert verify.run(config, argparse.Namespace(forget=None)) == 0, capsys.readouterr().err
    for path in ours.files:
        own = [path.stem] if path.parts[:3] == ("data", "cache", "tables") else []
        names = all_names if "snapshots" in path.parts else own
        whole, (read, said) = (ours.folder / path).read_bytes(), seen(config, names)
        for what, data in damages(path, ours, other):
            if data == whole:
                continue
            (ours.folder / path).unlink() if data is None else (ours.folder / path).write_bytes(data)
            tried += 1
            now, told = seen(config, names)
            is_said = bool(told - said)
            if now == read and not is_said:
                is_said = verify.run(config, argparse.Namespace(forget=None)) != 0 or is_harmless(path)
            if not is_said and not {(path.parent.name, what), (path.name, what)} & UNSIGNED:
                silent.append(f"{path} {what}")
            (ours.folder / path).write_bytes(whole)
    assert silent == [], "\n".join(silent)
    assert tried > 200


def is_harmless(path: Path) -> bool:
    """What it says makes nothing look newer or fewer when it is lost or older, and the next run writes it anew."""
    return path.name in {"confirmed.json", "entries_noted.json"} or path.suffix == ".head"


UNSIGNED = {("tables", "another site's"), ("runs.jsonl", "another site's"), ("runs.jsonl", "its last line gone")}
"""Tables beside the snapshots, and the journal of runs, bear their hash and no signature: docs/security.md. Of the
journal's end, what is gone makes the copy look older."""


def test_statements_that_are_gone_with_all_their_files_are_said_and_never_noted_as_if_there_had_been_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = site(tmp_path / "one", "Demo clinic")
    config, zone = ours.config, ours.config.site.zone
    entries, audit = ours.folder / "data" / "cache-entries", config.audit_path
    assert "lacks" not in told_at(config.cache_path, zone)
    for older in (None, ours.before / "data" / "cache-entries"):
        shutil.rmtree(entries, ignore_errors=True)
        if older is not None:
            shutil.copytree(older, entries)
        for _ in range(2):
            said = note(config.cache_path, "")
            assert len(said) == (7 if older else 8) and all(one in told_at(config.cache_path, zone) for one in said)
            assert grace_at(config.cache_path, timedelta(minutes=30)) == timedelta(0), "a downtime may last"
            assert any("downtimes.jsonl lacks some of 2 statements that people signed" in one for one in said)
    for path in (audit, AuditFile(audit).head_path):
        path.unlink()
    AuditFile(audit).append(AuditEvent(NOW, "nobody", "", "sign in", ""))
    note(config.cache_path, str(AuditFile(audit).read_head()))
    assert verify.run(config, argparse.Namespace(forget=None)) == 1
    assert "audit file: Line 2 is not the line that was noted" in capsys.readouterr().err
    noted_file(config.cache_path).unlink()
    assert note(config.cache_path, "") == () and "lacks" not in told_at(config.cache_path, zone)


@pytest.mark.parametrize("ending", ["", ".locked"])
def test_a_cache_that_ransomware_encrypted_is_said_and_is_made_again_by_the_next_cycle(
    tmp_path: Path, ending: str
) -> None:
    chance = Random(7)
    treated = plan({1: 100.0}, fractions=20)
    with Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as pacs:
        given = [record(treated.SOPInstanceUID, [beam_item(1, n, 100.0, 100.0)], at=local(3 - n)) for n in (1, 2)]
        pacs.store.ingest([treated, *given])
        (tmp_path / "site").mkdir()
        ours = OneSite(tmp_path / "site", pacs.node, has_database=False)
        path = ours.config.cache_path
        append_statement(path, DowntimeEntry("begin", "encrypted", "G", NOW, NOW))
        assert [build_on_treatment(space_of(ours)).outcome for _ in range(2)] == ["OK", "OK"]
        (row,) = Cache(path).read(ON_TREATMENT)
        assert row["next_fraction_number"] == 3
        files = [one for folder in (path, entries_folder(path)) for one in folder.rglob("*") if one.is_file()]
        for one in sorted(files):
            data = one.read_bytes()
            one.write_bytes(chance.randbytes(len(data) + 16))
            one.rename(one.with_name(one.name + ending))
        with pytest.raises(CacheError):
            cache_to_show(ours.config, NOW).read(ON_TREATMENT)
        assert ending or "one may last" in told_at(path, ours.config.site.zone)
        made = build_on_treatment(space_of(ours))
        assert Cache(path).read(ON_TREATMENT) == [row]
        assert ending or (made.outcome == "PARTIAL" and "damaged in the cache" in made.message)


def space_of(ours: OneSite) -> Workspace:
    return ours.space()
