"""Whoever may write in the cache makes the list anew, with every checksum right: it is seen, and never counted from."""

from __future__ import annotations

import argparse
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from backup_jobs.jobs.build_on_treatment import build_on_treatment
from demo.pacs.archive import Archive
from recovery.access.audit import AuditEvent, AuditFile
from recovery.cache.doors import cache_to_show, doubts_of
from recovery.cache.store import Cache
from recovery.commands import verify
from recovery.dicom.model import DicomNode
from recovery.entries.audit_heads import AuditHead
from recovery.entries.noted import noted_file
from recovery.host.entry_lines import file_of, read_statements
from recovery.host.keys import make_key
from recovery.host.seals import sealed_json
from recovery.host.table_signatures import forget_signed, mark_of
from recovery.pacs.charted_journals import bring_charted
from recovery.pacs.peers import pacs_peer
from recovery.settings.config import Config
from recovery.tables.relational import ALL_TABLES, RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT, PROVEN_OBJECTS, TREATMENT_RECORDS, TableSchema
from tests.archive_clinic import NOW, OneSite, local
from tests.objects import beam_item, plan, record

EVERYTHING = argparse.Namespace(forget=None)


@dataclass
class Signing(OneSite):
    """A site whose jobs sign."""

    public_key: str = ""

    @property
    def config(self) -> Config:
        plain = super().config
        return replace(plain, signing=replace(plain.signing, public_keys=[self.public_key]))

    def built(self) -> tuple[str, str]:
        space = self.space()
        result = build_on_treatment(space)
        space.keep()
        return result.outcome, result.message

    def given(self) -> list[object]:
        return [row["fractions_delivered"] for row in Cache(self.config.cache_path).read(ON_TREATMENT)]

    def forge(self, schema: TableSchema, column: str, value: object) -> None:
        """Another value in every row, by the very code that wrote it, but without the key."""
        cache = Cache(self.config.cache_path)
        before = cache.snapshot(schema)
        rows = [{**row, column: value} for row in cache.read(schema)]
        cache.write(schema, rows, taken_at=before.taken_at, source=before.source)

    def doubts(self) -> tuple[str, ...]:
        return doubts_of(cache_to_show(self.config, self.now))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Signing]:
    treated = plan({1: 100.0}, fractions=20)
    given = [record(treated.SOPInstanceUID, [beam_item(1, n, 100.0, 100.0)], at=local(3 - n)) for n in (1, 2)]
    with Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as pacs:
        pacs.store.ingest([treated, *given])
        (tmp_path / "site").mkdir()
        ours = Signing(tmp_path / "site", pacs.node, has_database=False)
        ours.public_key = make_key(ours.folder / ours.config.signing.private_key)
        for _ in range(2):
            assert ours.built() == ("OK", "")
        yield ours


def test_a_list_with_other_numbers_and_the_right_checksums_is_said_and_made_again(
    site: Signing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (site.doubts(), verify.run(site.config, EVERYTHING)) == ((), 0)
    site.forge(ON_TREATMENT, "fractions_delivered", 7)
    assert site.given() == [7]
    (said,) = site.doubts()
    assert "Somebody else than the jobs wrote what is shown here (on_treatment)" in said
    assert verify.run(site.config, EVERYTHING) == 1
    assert "table tables/on_treatment: no key of the config signed it" in capsys.readouterr().err
    site.built()
    assert (site.given(), site.doubts(), verify.run(site.config, EVERYTHING)) == ([2], (), 0)


def test_records_that_somebody_else_wrote_are_read_again_and_never_counted(site: Signing) -> None:
    site.forge(TREATMENT_RECORDS, "current_fraction_number", 2)
    assert "(treatment_records)" in site.doubts()[0]
    _, message = site.built()
    assert "damaged in the cache, and made again from the RT-PACS: tables/treatment_records" in message
    assert (site.given(), site.doubts()) == ([2], ())


def test_a_cache_that_nobody_signed_yet_is_signed_once_and_one_made_by_hand_is_believed_again(site: Signing) -> None:
    forget_signed(site.config.cache_path)
    site.forge(ON_TREATMENT, "remarks", "rebuilt by hand")
    assert site.doubts() == ()
    assert site.built()[0] == "OK" and mark_of(site.config.cache_path).exists()
    assert (site.doubts(), verify.run(site.config, EVERYTHING)) == ((), 0)


def test_a_key_that_cannot_be_used_is_said_costs_no_reading_and_signs_nothing_for_the_first_time(
    site: Signing,
) -> None:
    """Somebody laid it back from a copy, for all to read."""
    key = site.config.signing_key_path
    key.chmod(0o644)
    for _ in range(2):
        outcome, message = site.built()
        assert outcome == "PARTIAL" and "is not signed, and whoever reads refuses it: others may read" in message
        assert "made again" not in message and "or they could not sign it" in site.doubts()[0]
    key.chmod(0o600)
    site.built()
    assert (site.built(), site.doubts()) == (("OK", ""), ())
    forget_signed(site.config.cache_path)
    key.chmod(0o644)
    assert (site.built(), site.doubts()) == (("OK", ""), ()), "as before there was a key"
    stranger = replace(site, public_key=make_key(site.folder / "another.pem"))
    key.chmod(0o600)
    assert (stranger.built(), stranger.doubts()) == (("OK", ""), ()), "the config names another key only"


def test_what_an_earlier_version_left_beside_the_tables_is_nobodys_forgery(site: Signing) -> None:
    tables = site.config.cache_path / "tables"
    Cache(site.folder / "other").write(PROVEN_OBJECTS, [], taken_at=NOW, source="test")
    shutil.copy(site.folder / "other/tables/proven_objects.parquet", tables / "of_an_earlier_version.parquet")
    assert site.doubts() == ()


def test_a_cycle_has_a_way_on_from_every_table_that_somebody_else_wrote(site: Signing) -> None:
    """Also from those that it would not write by itself: of the nightly proof, of a database that is gone."""
    unsigned = Cache(site.config.cache_path)
    for schema in ALL_TABLES.values():
        if schema.name not in RELATIONAL_TABLES:
            rows = unsigned.read(schema) if (unsigned.path / "tables" / f"{schema.name}.parquet").exists() else []
            unsigned.write(schema, rows, taken_at=NOW, source="test")
    assert len(site.doubts()) == 1
    site.built()
    assert (site.doubts(), site.given()) == ((), [2])


def test_another_sites_table_under_the_same_key_is_not_this_ones(site: Signing) -> None:
    other = replace(site.config, site=replace(site.config.site, name="Another clinic"))
    assert "holdings, on_treatment" in doubts_of(cache_to_show(other, NOW))[0]


def test_an_audit_file_that_is_deleted_with_all_that_knew_of_it_here_is_missed_once_the_rt_pacs_is_asked(
    site: Signing, capsys: pytest.CaptureFixture[str]
) -> None:
    config, audit = site.config, AuditFile(site.config.audit_path)
    for day in range(2):
        for who in ("pia", "theo"):
            audit.append(AuditEvent(NOW, who, "physicist", "sign in", "127.0.0.1"))
        for _ in range(2):
            site.later(days=day).built()
    heads = read_statements(config.cache_path, AuditHead).all
    assert [head.number for head in heads] == [2, 4], "one a day"
    for file in (audit.path, audit.head_path, file_of(config.cache_path, AuditHead), noted_file(config.cache_path)):
        file.unlink()
    for _ in range(5):
        audit.append(AuditEvent(NOW, "nobody", "", "sign in", ""))
    assert verify.run(config, EVERYTHING) == 0, "nothing here can know"
    said, problems = bring_charted(config, pacs_peer(config, site.space().memory))
    assert said == ["2 statements that people signed came from the RT-PACS."] and problems == []
    capsys.readouterr()
    assert verify.run(config, EVERYTHING) == 1
    assert "audit file: Line 2 is not the line that was noted" in capsys.readouterr().err


def test_the_heads_of_another_machines_audit_file_are_no_lines_of_this_one(
    site: Signing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, audit = site.config, AuditFile(site.config.audit_path)
    for machine in ("jobs", "console"):
        monkeypatch.setattr(platform, "node", lambda here=machine: here)
        for file in (audit.path, audit.head_path, noted_file(config.cache_path)):
            file.unlink(missing_ok=True)
        for _ in range(2):
            audit.append(AuditEvent(NOW, machine, "physicist", "sign in", "127.0.0.1"))
        site.built()
    assert [(head.number, head.machine) for head in read_statements(config.cache_path, AuditHead).all] == [
        (2, "jobs"),
        (2, "console"),
    ], "each notes its own, also of one day"
    assert verify.run(config, EVERYTHING) == 0
    assert "not here  the audit files of jobs: run it there, too" in capsys.readouterr().out
    audit.path.write_bytes(audit.path.read_bytes().replace(b"physicist", b"therapist"))
    assert verify.run(config, EVERYTHING) == 1


def test_a_head_that_an_earlier_version_noted_is_held_against_the_audit_file(site: Signing) -> None:
    config, audit = site.config, AuditFile(site.config.audit_path)
    audit.append(AuditEvent(NOW, "pia", "physicist", "sign in", "127.0.0.1"))
    line = sealed_json({"number": 1, "line_sha256": "0" * 64, "entered_at": NOW.isoformat()})
    file_of(config.cache_path, AuditHead).parent.mkdir(parents=True, exist_ok=True)
    file_of(config.cache_path, AuditHead).write_text(f"{line}\n")
    assert read_statements(config.cache_path, AuditHead).damaged_lines == 0
    assert verify.run(config, EVERYTHING) == 1
