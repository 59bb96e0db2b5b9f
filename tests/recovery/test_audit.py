"""The audit file: every way to tamper with it that can be seen is seen, a crash is not mistaken for one."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import resource
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recovery.access.audit import HEAD_MISSING, TORN, AuditError, AuditEvent, AuditFile, Head, parsed
from recovery.access.audit_proof import verify

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)


def event(number: int, **details: str) -> AuditEvent:
    return AuditEvent(
        NOW + timedelta(seconds=number), "doe", "physicist", "view", "10.0.0.1", f"10023{number}", details
    )


@pytest.fixture
def audit(tmp_path: Path) -> AuditFile:
    made = AuditFile(tmp_path / "data" / "audit.jsonl")
    for number in range(6):
        made.append(event(number))
    return made


def lines_of(audit: AuditFile) -> list[bytes]:
    return audit.path.read_bytes().splitlines(keepends=True)


def test_each_line_says_who_did_what_to_whom_when_and_from_where(audit: AuditFile) -> None:
    said = parsed(lines_of(audit)[2].strip())
    before = hashlib.sha256(lines_of(audit)[1].strip()).hexdigest()
    assert said == {
        "n": 3, "at": "2026-11-24T13:38:02.000+00:00", "who": "doe", "role": "physicist", "action": "view",
        "patient_id": "100232", "from": "10.0.0.1", "details": {}, "before": before,
    }  # fmt: skip
    assert stat.S_IMODE(audit.path.stat().st_mode) == stat.S_IMODE(audit.head_path.stat().st_mode) == 0o600


def test_what_was_only_appended_to_is_whole_and_nothing_is_whole_too(audit: AuditFile, tmp_path: Path) -> None:
    verdict = verify(audit)
    assert verdict.is_whole and verdict.notes == () and verdict.head == audit.read_head()
    assert verdict.in_words == "The audit file is whole: 6 lines, each follows from the one before."
    nothing = verify(AuditFile(tmp_path / "none.jsonl"))
    assert nothing.is_whole and "nothing was written yet" in nothing.in_words
    one = AuditFile(tmp_path / "one.jsonl")
    one.append(event(1))
    assert "whole: 1 line, each" in verify(one).in_words


TAMPERED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "changed": (
        lambda ls: [*ls[:2], ls[2].replace(b"100232", b"100299"), *ls[3:]],
        "Line 4 does not follow from line 3",
    ),
    "removed": (lambda ls: [*ls[:2], *ls[3:]], "Line 3 does not follow from line 2"),
    "put in twice": (lambda ls: [*ls[:3], ls[2], *ls[3:]], "Line 4 does not follow"),
    "swapped": (lambda ls: [ls[0], ls[2], ls[1], *ls[3:]], "Line 2 does not follow"),
    "first removed": (lambda ls: ls[1:], "Line 1 does not follow"),
    "not JSON": (lambda ls: [*ls[:3], b"nothing\n", *ls[4:]], "Line 4 is not a line"),
    "last changed": (lambda ls: [*ls[:5], ls[5].replace(b"100235", b"100299")], "not the line that the head file"),
    "cut at the end": (lambda ls: ls[:4], "2 lines are missing at the end, from line 5 on"),
    "all cut": (lambda _: [], "6 lines are missing at the end, from line 1 on"),
    "two torn": (lambda ls: [*ls[:4], b"a\n", b"b\n"], "Line 5 is not a line"),
}


@pytest.mark.parametrize("way", TAMPERED)
def test_tampering_is_seen_and_the_line_is_named(audit: AuditFile, way: str) -> None:
    tamper, said = TAMPERED[way]
    audit.path.write_bytes(b"".join(tamper(lines_of(audit))))
    verdict = verify(audit)
    assert not verdict.is_whole
    assert said in " ".join(verdict.breaks)


@pytest.mark.parametrize("way", [*TAMPERED, "head removed", "head damaged", "longer last line"])
def test_going_on_writing_does_not_heal_what_was_tampered_with(audit: AuditFile, way: str) -> None:
    if way == "head removed":
        audit.head_path.unlink()
    elif way == "head damaged":
        audit.head_path.write_text("{")
    elif way == "longer last line":
        audit.path.write_bytes(b"".join([*lines_of(audit)[:5], lines_of(audit)[5].replace(b"100235", b"100235999")]))
    else:
        audit.path.write_bytes(b"".join(TAMPERED[way][0](lines_of(audit))))
    for number in range(3):
        audit.append(event(number))
    assert not verify(audit).is_whole


def test_a_missing_head_is_told_and_noted_by_the_next_writer(audit: AuditFile) -> None:
    audit.head_path.unlink()
    assert "head file audit.jsonl.head is missing" in verify(audit).in_words
    audit.append(event(9))
    assert [parsed(line.strip())["action"] for line in lines_of(audit)[-2:]] == [HEAD_MISSING, "view"]  # type: ignore[index]
    assert "Line 7: the head file was missing" in verify(audit).in_words


def test_a_missing_head_of_a_file_that_is_empty_hides_nothing_and_a_damaged_one_may(tmp_path: Path) -> None:
    empty = AuditFile(tmp_path / "audit.jsonl")
    empty.path.touch()
    assert verify(empty).is_whole
    empty.head_path.write_text("{")
    assert "head file audit.jsonl.head is damaged" in verify(empty).in_words


def test_a_file_made_anew_with_its_head_is_seen_only_by_who_noted_the_head_before(audit: AuditFile) -> None:
    noted = verify(audit).head
    for number in range(7, 12):
        audit.append(event(number))
        assert verify(audit, noted).is_whole, "however long ago it was noted"
    assert not verify(audit, Head(noted.number - 1, noted.sha256, 0)).is_whole
    assert not verify(audit, Head(99, noted.sha256, 0)).is_whole
    for path in (audit.path, audit.head_path):
        path.unlink()
    for number in range(8):
        audit.append(event(number, forged="yes"))
    assert verify(audit).is_whole
    assert "Line 6 is not the line that was noted" in verify(audit, Head(noted.number, noted.sha256, 0)).in_words


@pytest.mark.parametrize("cut", [2, 40, 150])
def test_a_torn_last_line_is_told_and_closed_by_the_next_writer(audit: AuditFile, cut: int) -> None:
    head = audit.head_path.read_bytes()
    audit.append(event(7))
    audit.path.write_bytes(audit.path.read_bytes()[:-cut])
    audit.head_path.write_bytes(head)  # a crash in the middle of the line: its head was not written
    assert verify(audit).is_whole and "Line 7 is torn" in verify(audit).notes[0]
    audit.append(event(8))
    verdict = verify(audit)
    assert verdict.is_whole and verdict.head.number == 9
    assert "Line 7 was torn by a crash or a full disk, and closed by line 8." in verdict.notes
    assert parsed(lines_of(audit)[7].strip())["action"] == TORN  # type: ignore[index]


def test_a_line_that_lost_only_its_newline_is_kept_as_it_is(audit: AuditFile) -> None:
    head = audit.head_path.read_bytes()
    audit.append(event(7))
    audit.path.write_bytes(audit.path.read_bytes()[:-1])
    audit.head_path.write_bytes(head)
    audit.append(event(8))
    assert verify(audit).is_whole
    assert [one["patient_id"] for one in audit.newest(10**6)][:3] == ["100238", None, "100237"]


def test_a_crash_between_line_and_head_is_no_tampering(audit: AuditFile) -> None:
    head = audit.head_path.read_bytes()
    audit.append(event(7))
    audit.head_path.write_bytes(head)
    verdict = verify(audit)
    assert verdict.is_whole and "a crash between the two explains it" in verdict.notes[0]
    audit.append(event(8))
    assert verify(audit).is_whole and verify(audit).notes == ()


@pytest.mark.parametrize(("behind", "explained"), [(1, True), (2, True), (3, False)])
def test_a_head_is_behind_by_the_lines_of_one_write_at_most(audit: AuditFile, behind: int, explained: bool) -> None:
    head = audit.head_path.read_bytes()
    for number in range(behind):
        audit.append(event(number))
    audit.head_path.write_bytes(head)
    verdict = verify(audit)
    assert (verdict.is_whole, len(verdict.notes)) == (explained, int(explained))
    assert explained or "3 lines at the end are not known to the head file" in verdict.in_words


def test_the_folder_is_made_with_all_above_it(tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "a" / "b" / "audit.jsonl")
    assert [audit.append(event(number)).number for number in range(2)] == [1, 2]


def test_a_head_file_in_which_a_bit_flipped_is_named_as_damaged_and_vouches_for_nothing(audit: AuditFile) -> None:
    head, whole = audit.read_head(), audit.head_path.read_bytes()
    for place, byte in enumerate(whole[:-1]):
        audit.head_path.write_bytes(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])
        said = verify(audit).in_words
        assert audit.head_path.name in said and "is damaged" in said, (place, said)
    audit.head_path.write_bytes(whole)
    assert audit.read_head() == head


def test_a_head_file_of_an_earlier_version_bears_no_hash_of_its_own_and_counts(audit: AuditFile) -> None:
    head = audit.read_head()
    assert head is not None
    audit.head_path.write_text(json.dumps({"number": head.number, "sha256": head.sha256, "size": head.size}))
    audit.append(event(9))
    assert verify(audit).is_whole and verify(audit).head.number == head.number + 1


def _write_some(path: Path, who: str) -> None:
    for number in range(40):
        AuditFile(path).append(event(number, by=who))


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_some, args=(path, f"w{n}")) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    verdict = verify(AuditFile(path))
    assert verdict.is_whole and verdict.head.number == 160


def _write_until_full(path: Path) -> None:
    limit = path.stat().st_size + 100  # bytes: not enough for a line
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        AuditFile(path).append(event(7))
    except AuditError as error:
        path.with_name("said").write_text(str(error)[-40:])


def test_a_disk_that_fills_in_the_middle_of_a_line_is_an_error_and_leaves_no_half_line(audit: AuditFile) -> None:
    before = audit.path.read_bytes()
    child = multiprocessing.get_context("fork").Process(target=_write_until_full, args=(audit.path,))
    child.start()
    child.join(30)
    assert "No space left on device" in audit.path.with_name("said").read_text()
    assert audit.path.read_bytes() == before and verify(audit).is_whole and verify(audit).notes == ()
    audit.append(event(8))
    assert verify(audit).is_whole


def test_an_audit_file_that_cannot_be_written_names_no_patient(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditError) as caught:
        AuditFile(tmp_path / "file" / "audit.jsonl").append(event(1))
    assert "10023" not in str(caught.value)


def test_the_newest_lines_are_found_at_the_end_of_a_long_file(audit: AuditFile) -> None:
    newest = audit.newest(600)
    assert [one["n"] for one in newest][:2] == [6, 5] and len(newest) < 6
    assert [one["n"] for one in audit.newest(10**6)] == [6, 5, 4, 3, 2, 1]
    size = audit.path.stat().st_size
    assert [one["n"] for one in audit.newest(size)] == [6, 5, 4, 3, 2, 1]
    assert [one["n"] for one in audit.newest(size - 1)] == [6, 5, 4, 3, 2], "the first is not whole"
    assert json.dumps(newest)
