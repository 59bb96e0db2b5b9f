"""What was charted lies in the RT-PACS, proven; whoever rebuilds from that alone has it, or hears what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from backup_jobs.archive.charted import archive_charted
from backup_jobs.jobs.build_on_treatment import build_on_treatment
from demo.pacs.archive import Archive
from recovery.cache.journal import JobResult
from recovery.cache.store import Cache
from recovery.dicom.model import DicomNode
from recovery.entries.charted import charted_folder, enter, merge, read_charted
from recovery.entries.denials import Denial, note_denials, standing_denials
from recovery.entries.journal_parts import Signed, taken_apart, vouch
from recovery.entries.statement_lines import known_as
from recovery.entries.transfers import TransferEntry, standing_at
from recovery.host.entry_lines import append_statement
from recovery.host.keys import load_key, make_key
from recovery.host.seals import sealed_json
from recovery.objects.raw_journal import heads_object, line_object, statement_object
from recovery.pacs.charted_journals import bring_charted, with_denials
from recovery.pacs.peers import pacs_peer
from recovery.pacs.proven_objects import ProvenObjects
from recovery.settings.signing import Signing
from recovery.tables.schema import ON_TREATMENT, SET_ASIDE
from tests.archive_clinic import OneSite, local
from tests.objects import beam_item, plan, record
from tests.recovery.charting import FULL, entry

SITE = "A clinic that does not exist"
MADE = datetime(2026, 11, 24, 14, 0)  # noqa: DTZ001  as objects tell it


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Archive]:
    with Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as archive:
        yield archive


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the journals of two workstations: a, b and c of one, d of the other."""
    cache = tmp_path_factory.mktemp("charted") / "one" / "cache"
    other = cache.parent.with_name("two") / "cache"
    for entry_id in "abc":
        enter(cache, cache.parent / "key", entry(entry_id, "abc".index(entry_id) + 1, FULL))
    enter(other, other.parent / "key", entry("d", 4, FULL))
    assert merge(cache, charted_folder(other)) == []
    return cache


def objects(parts: list[Signed]) -> list[Dataset]:
    """As the job makes them, each with its heads."""
    lines, heads = [part for part in parts if not part.is_head], [part for part in parts if part.is_head]
    return [*(line_object(SITE, line, MADE) for line in lines), heads_object(SITE, heads, MADE)]


def here(folder: Path, pacs: Archive) -> OneSite:
    folder.mkdir(exist_ok=True)
    return OneSite(folder, pacs.node, has_database=False)


def bring(site: OneSite) -> tuple[list[str], list[str]]:
    return bring_charted(site.config, pacs_peer(site.config, site.space().memory))


def built(site: OneSite) -> JobResult:
    space = site.space()
    result = build_on_treatment(space)
    space.keep()
    return result


def number_held(pacs: Archive) -> int:
    return len(pacs.store.objects("1 = 1", ()))


def test_a_machine_that_has_nothing_but_the_rt_pacs_counts_what_was_charted_elsewhere(
    tmp_path: Path, pacs: Archive
) -> None:
    treated = plan({1: 100.0, 2: 50.0}, fractions=20)
    given = [beam_item(1, 1, 100.0, 100.0), beam_item(2, 1, 50.0, 50.0)]
    pacs.store.ingest([treated, record(treated.SOPInstanceUID, given, at=local(2))])
    one, other = here(tmp_path / "one", pacs), here(tmp_path / "other", pacs)
    said = {"patient_id": "100001", "referenced_rt_plan_uid": str(treated.SOPInstanceUID)}
    cache = one.config.cache_path
    enter(cache, cache.parent / "key", entry("a", 2, FULL, local(1), **said))
    assert built(one).outcome == "OK" and number_held(pacs) == 2 + 2, "a line and the heads"
    enter(cache, cache.parent / "key", entry("b", 3, FULL, local(), **said, known_entries=("a",)))
    assert [built(one).outcome for _ in range(2)] == ["OK", "OK"] and number_held(pacs) == 2 + 4
    came, problems = bring(other)
    assert problems == [] and came[0].startswith("2 entries charted by hand came from the RT-PACS")
    assert read_charted(other.config.cache_path) == read_charted(cache)
    assert built(other).outcome == "OK" and number_held(pacs) == 2 + 4, "who brought it stores nothing again"
    (row,) = other.space().cache.read(ON_TREATMENT)
    assert row["next_fraction_number"] == 4 and row["charted"]
    assert bring(other) == ([], [])


@pytest.mark.parametrize("lost", range(5))
def test_whichever_object_the_rt_pacs_lost_it_is_said_and_the_others_count(
    tmp_path: Path, pacs: Archive, journals: Path, lost: int
) -> None:
    made = objects(taken_apart(journals))
    pacs.store.ingest([*made[:lost], *made[lost + 1 :]])
    site = here(tmp_path / "new", pacs)
    _, problems = bring(site)
    (fault, *others) = read_charted(site.config.cache_path).faults
    assert "not all that was charted there counts" in fault and problems == [fault, *others] and others == []
    assert len(read_charted(site.config.cache_path).entries) == (4 if lost == 4 else 3)
    pacs.store.ingest([made[lost]])
    assert bring(site)[1] == [] and read_charted(site.config.cache_path).faults == ()
    assert len(read_charted(site.config.cache_path).entries) == 4


def test_an_object_that_was_changed_is_said_and_does_not_count(tmp_path: Path, pacs: Archive, journals: Path) -> None:
    made = objects(taken_apart(journals))
    block = made[1].private_block(0x0071, "RBRDT TABLE SNAPSHOT")
    block[0x10].value = block[0x10].value.replace(b"100.0", b"100.9")
    pacs.store.ingest(made)
    site = here(tmp_path / "new", pacs)
    changed, missing = bring(site)[1]
    assert made[1].SOPInstanceUID in changed and "SHA-256" in changed and "was changed by hand" in missing
    assert len(read_charted(site.config.cache_path).entries) == 3


def test_a_journal_that_a_hand_changed_here_is_healed_and_kept_beside(
    tmp_path: Path, pacs: Archive, journals: Path
) -> None:
    pacs.store.ingest(objects(taken_apart(journals)))
    site = here(tmp_path / "new", pacs)
    bring(site)
    file = max(charted_folder(site.config.cache_path).glob("*.jsonl"), key=lambda path: path.stat().st_size)
    file.write_bytes(file.read_bytes().replace(b'"A"', b'"Z"', 1))
    assert len(read_charted(site.config.cache_path).entries) == 3
    assert built(site).outcome == "PARTIAL", "the cycle says that a journal is not what was written"
    came, problems = bring(site)
    assert came[0].startswith("1 entry ") and problems == []
    assert b'"Z"' in file.with_suffix(".before").read_bytes()


def test_whatever_signs_itself_under_no_journals_key_is_said(tmp_path: Path, pacs: Archive, journals: Path) -> None:
    (line, *_) = taken_apart(journals)
    pacs.store.ingest([line_object(SITE, Signed("0123456789abcdef", 1, line.text), MADE)])
    site = here(tmp_path / "new", pacs)
    came, (problem,) = bring(site)
    assert came == [] and "its journal's key did not sign it" in problem
    assert read_charted(site.config.cache_path).entries == ()


def test_a_journal_of_an_attackers_own_key_counts_nowhere_unless_a_person_takes_it_by_name(
    tmp_path: Path, pacs: Archive, journals: Path
) -> None:
    key = tmp_path / "signing.key"
    signing = Signing(public_keys=[make_key(key)], private_key=str(key))
    jobs, forged = here(tmp_path / "jobs", pacs), tmp_path / "forged" / "cache"
    assert merge(jobs.config.cache_path, charted_folder(journals)) == []
    space = jobs.space()
    assert archive_charted(replace(space, config=replace(space.config, signing=signing))).unproven == {}
    enter(forged, forged.parent / "key", entry("f", 5, FULL))
    line, head = taken_apart(forged)
    by_own_hand = vouch(SITE, [line.journal], load_key(forged.parent / "key"))
    of_another_site = vouch("Another site", [line.journal], load_key(key))
    made = [heads_object(SITE, [head], MADE, one) for one in (by_own_hand, of_another_site)]
    pacs.store.ingest([line_object(SITE, line, MADE), *made])
    site = here(tmp_path / "new", pacs)
    config = replace(site.config, signing=signing)
    peer = pacs_peer(config, site.space().memory)
    came, (problem,) = bring_charted(config, peer)
    assert line.journal in problem and "1 entry" in problem and "anybody can have made it" in problem
    assert len(came) == 2 and {one.entry_id for one in read_charted(config.cache_path).entries} == set("abcd")
    came, problems = bring_charted(config, peer, accepted=line.journal)
    assert problems == [] and {one.entry_id for one in read_charted(config.cache_path).entries} == set("abcdf")


def test_where_a_journal_cannot_be_written_what_else_is_wrong_is_said_and_what_people_signed_comes(
    tmp_path: Path, pacs: Archive, journals: Path
) -> None:
    key = tmp_path / "signing.key"
    signing = Signing(public_keys=[make_key(key)], private_key=str(key))
    jobs, new = here(tmp_path / "jobs", pacs), here(tmp_path / "new", pacs)
    append_statement(jobs.config.cache_path, AWAY)
    assert merge(jobs.config.cache_path, charted_folder(journals)) == []
    space = jobs.space()
    assert archive_charted(replace(space, config=replace(space.config, signing=signing))).unproven == {}
    enter(tmp_path / "forged" / "cache", tmp_path / "forged" / "key", entry("f", 5, FULL))
    foreign, _ = taken_apart(tmp_path / "forged" / "cache")
    pacs.store.ingest([line_object(SITE, foreign, MADE)])
    config = replace(new.config, signing=signing)
    charted_folder(config.cache_path).parent.mkdir(parents=True)
    charted_folder(config.cache_path).write_bytes(b"no folder")
    came, problems = bring_charted(config, pacs_peer(config, new.space().memory))
    assert came == ["1 statement that people signed came from the RT-PACS."]
    said = " ".join(problems)
    assert "did not come back from the RT-PACS" in said and foreign.journal in said
    assert list(standing_at(config.cache_path).values()) == [AWAY]


AWAY = TransferEntry("100001", ("1.2.3",), "St. Elsewhere", "", "Green, Gloria (physician)", local().astimezone(UTC))
BACK = replace(AWAY, to=None, reason="no bed there", entered_at=AWAY.entered_at + timedelta(hours=1))


@pytest.mark.parametrize("is_signing", [False, True])
def test_what_people_signed_comes_back_in_the_order_of_its_times_and_what_lacks_is_said(
    tmp_path: Path, pacs: Archive, is_signing: bool
) -> None:
    key = tmp_path / "signing.key"
    signing = Signing(public_keys=[make_key(key)], private_key=str(key)) if is_signing else Signing()
    jobs, new = here(tmp_path / "jobs", pacs), here(tmp_path / "new", pacs)
    space = jobs.space()
    append_statement(jobs.config.cache_path, AWAY)
    for entry_of in (AWAY, BACK):
        assert archive_charted(replace(space, config=replace(space.config, signing=signing))).unproven == {}
        append_statement(jobs.config.cache_path, entry_of)
    assert archive_charted(replace(space, config=replace(space.config, signing=signing))).unproven == {}
    held, config = number_held(pacs), replace(new.config, signing=signing)
    assert held == (4 if is_signing else 2), "each line once; the job's word for each state of them"
    peer = pacs_peer(config, new.space().memory)
    append_statement(config.cache_path, BACK)
    assert bring_charted(config, peer) == (["1 statement that people signed came from the RT-PACS."], [])
    assert list(standing_at(config.cache_path).values()) == [BACK] and bring_charted(config, peer) == ([], [])
    forged = [statement_object(SITE, name, b'{"forged": 1}', MADE) for name in ("../users.jsonl", "downtimes.jsonl")]
    pacs.store.ingest(forged)
    came, (problem,) = bring_charted(config, peer)
    assert problem.startswith("2 statements" if is_signing else "1 statement") and len(came) == (not is_signing)
    assert not (config.cache_path.parent / "users.jsonl").exists()
    if is_signing:
        lost = vouch(SITE, [known_as("downtimes.jsonl", b'{"said": "begin"}')], load_key(key))
        pacs.store.ingest([heads_object(SITE, [], MADE, lost)])
        assert (
            bring_charted(config, peer)[1][-1]
            == "Of what people signed 1 statement cannot be had from the RT-PACS, and not from here."
        )


GIVEN, NOBODYS = "1.2.3.1", "1.2.3.2"


def denial(state: str, uid: str, at: str = "2026-11-24T14:00:00+01:00") -> bytes:
    """A statement of a job, as anybody can write one."""
    return sealed_json({"state": state, "records": {uid: "100001"}, "entered_at": at}).encode()


@pytest.mark.parametrize("is_signing", [False, True])
def test_what_the_jobs_stated_of_records_is_asked_from_the_rt_pacs_and_what_no_key_vouches_for_is_said(
    tmp_path: Path, pacs: Archive, is_signing: bool
) -> None:
    key = tmp_path / "signing.key"
    signing = Signing(public_keys=[make_key(key)], private_key=str(key)) if is_signing else Signing()
    jobs, new = here(tmp_path / "jobs", pacs), here(tmp_path / "new", pacs)
    config, at = replace(new.config, signing=signing), datetime(2026, 11, 24, 14, 0)  # noqa: DTZ001  as tables have it
    note_denials(jobs.config.cache_path, {NOBODYS: ("100001", SET_ASIDE, at)}, local().astimezone(UTC))
    space = jobs.space()
    assert archive_charted(replace(space, config=replace(space.config, signing=signing))).unproven == {}
    peer, cache = pacs_peer(config, new.space().memory), Cache(config.cache_path)
    known, problems = with_denials(config, cache, peer)
    assert (known.waiting, problems) == ({NOBODYS}, []) and not standing_denials(config.cache_path), "nothing is kept"
    made_up = [denial("", NOBODYS), denial(SET_ASIDE, GIVEN), *(denial("", NOBODYS, at) for at in ODD_TIMES)]
    pacs.store.ingest([statement_object(SITE, Denial.FILE, line, MADE) for line in made_up])
    known, problems = with_denials(config, cache, peer)
    assert known.waiting == ({NOBODYS} if is_signing else {GIVEN}), "without keys anybody is believed"
    assert [said.startswith(f"{len(made_up)} statements in the RT-PACS, for which no key") for said in problems] == (
        [True] if is_signing else []
    )
    changed = statement_object(SITE, Denial.FILE, denial(SET_ASIDE, "1.2.3.3"), MADE)
    block = changed.private_block(0x0071, "RBRDT TABLE SNAPSHOT")
    block[0x10].value = block[0x10].value.replace(b"100001", b"100002")
    pacs.store.ingest([changed])
    _, problems = with_denials(config, cache, peer)
    assert "what the R&V system denied, 1 object" in problems[0] and changed.SOPInstanceUID in problems[0]


ODD_TIMES = "2026-11-24T14:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"


def test_unzip_opens_an_object_without_this_program(journals: Path, tmp_path: Path) -> None:
    from zipfile import ZipFile

    (line, *_) = taken_apart(journals)
    path = tmp_path / "line.dcm"
    line_object(SITE, line, MADE).save_as(path, enforce_file_format=True)
    with ZipFile(path) as opened:
        assert opened.read(opened.namelist()[0]) == line.text
    assert dcmread(path).PatientID.startswith("RBRDT-")


def test_what_one_job_proved_in_the_midst_of_another_stays_proven(tmp_path: Path, pacs: Archive) -> None:
    space = here(tmp_path / "one", pacs).space()
    outer, inner = ProvenObjects.load(space.cache), ProvenObjects.load(space.cache)
    inner.note("1.2.1", "", space.now)
    inner.save(space.cache, space.now)
    outer.note("1.2.2", "", space.now)
    outer.save(space.cache, space.now)
    assert all(ProvenObjects.load(space.cache).is_proven(uid) for uid in ("1.2.1", "1.2.2"))
