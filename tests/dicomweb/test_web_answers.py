"""What a DICOMweb server answers: all of it, or an error that says what to do; never silence that looks like none."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from recovery.dicom.model import InstanceRef
from recovery.dicomweb import door as door_module
from recovery.dicomweb import http, link
from recovery.dimse import DimseError, Peer, echo, fetch, find_refs, move, open_link, store
from recovery.dimse.encoding import with_file_meta
from recovery.settings.config import ConfigError, load_config
from tests.dicomweb.scripted import Answer, Question, matches, pages, web_server
from tests.dimse.scripted import encoded, ref_of
from tests.objects import item, record

SECRET_ID = "PATIENT-4711"


def answers(count: int, patient_id: str = "A1") -> list[Dataset]:
    return [
        item(SOPInstanceUID=f"1.2.{n}", StudyInstanceUID="1.3", SeriesInstanceUID=f"1.4.{n}", PatientID=patient_id)
        for n in range(1, count + 1)
    ]


def found_on(peer: Peer, **keys: str) -> set[str]:
    with open_link(peer) as way:
        return {ref.sop_instance_uid for ref in find_refs(way, keys)}


def by_keys(objects: list[Dataset], question: Question) -> list[Dataset]:
    """As a server that matches lists of UIDs, and the study and series of the address."""
    wanted = question.params.get("SOPInstanceUID", [""])[0]
    return [ds for ds in objects if not wanted or ds.SOPInstanceUID in wanted.split(",")]


@pytest.mark.parametrize("most", [1, 3, 500])
def test_an_answer_is_paged_to_its_end_whatever_the_server_gives_at_a_time(most: int) -> None:
    held = answers(8)
    with web_server(lambda question: pages(held, question, most)) as (peer, _):
        peer.traits.relational = True
        assert found_on(peer, PatientID="A1") == {ds.SOPInstanceUID for ds in held}


def test_a_server_that_cannot_page_is_believed_as_far_as_a_c_find_and_not_when_an_answer_is_as_long_as_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "PAGE", 10)
    held = answers(10)
    with web_server(lambda question: matches(*held[:3])) as (peer, _):
        peer.traits.relational = True
        assert len(found_on(peer, PatientID="A1")) == 3
    with web_server(lambda question: matches(*held)) as (peer, _), pytest.raises(DimseError, match="object twice"):
        peer.traits.relational = True
        found_on(peer, PatientID="A1")


def test_long_lists_of_uids_are_asked_in_addresses_that_a_web_server_takes() -> None:
    held = answers(200)
    with web_server(lambda question: pages(by_keys(held, question), question)) as (peer, asked):
        peer.traits.relational = True
        wanted = [f"1.2.{n}" for n in range(1, 151)]
        assert found_on(peer, SOPInstanceUID="\\".join(wanted)) == set(wanted)
        assert max(len(q.params["SOPInstanceUID"][0].split(",")) for q in asked) <= link.UIDS_PER_ADDRESS


FAULTS: dict[str, tuple[Callable[[Question], Answer], str]] = {
    "refused": (lambda _: Answer(403), "HTTP 403. Check what the token"),
    "not there": (lambda _: Answer(404), "HTTP 404. Check [pacs] url"),
    "down": (lambda _: Answer(502), "HTTP 502"),
    "sends on": (lambda _: Answer(302, headers={"Location": "http://127.0.0.1:1/"}), "HTTP 302"),
    "sign-in page": (lambda _: Answer(body=b"<html>", content_type="text/html"), "something else than DICOMweb"),
    "nothing at all": (lambda _: Answer(body=b""), "something else than DICOMweb"),
    "half": (lambda _: Answer(headers={"Content-Length": "9"}, write=lambda file: file.write(b"[")), "half of it"),
    "no match": (lambda _: Answer(body=b'{"error": "internal"}'), "a match that has no SOPInstanceUID"),
    "nested": (lambda _: Answer(body=b"[" * 100_000), "something else than DICOMweb"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_is_no_answer_is_an_error_in_words_and_never_an_empty_archive(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer, words = FAULTS[kind]
    caplog.set_level(logging.DEBUG)
    with web_server(answer) as (peer, _), pytest.raises(DimseError) as raised:
        peer.traits.relational = True
        found_on(peer, PatientID=SECRET_ID)
    assert words in str(raised.value) and raised.value.fault == "pacs"
    assert SECRET_ID not in "".join(traceback.format_exception(raised.value)) + caplog.text


def test_a_server_that_sends_a_byte_now_and_then_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def dribble(file: Any) -> None:
        for _ in range(200):
            file.write(b" ")
            file.flush()
            time.sleep(0.05)

    monkeypatch.setattr(http, "patience_of", lambda _: 0.5)
    started = time.monotonic()
    with web_server(lambda _: Answer(headers={"Content-Length": "9999"}, write=dribble)) as (peer, _):
        with pytest.raises(DimseError) as raised:
            echo(peer)
        assert raised.value.timed_out
        assert time.monotonic() - started < 5


def test_an_answer_larger_than_anything_a_clinic_keeps_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 10_000)
    with web_server(lambda _: Answer(body=b"[" + b" " * 100_000 + b"]")) as (peer, _), pytest.raises(DimseError):
        echo(peer)


def multipart(*parts: bytes) -> Answer:
    body = b"".join(b"--frontier\r\nContent-Type: application/dicom\r\n\r\n" + part + b"\r\n" for part in parts)
    kind = 'multipart/related; type="application/dicom"; boundary=frontier'
    return Answer(body=body + b"--frontier--\r\n", content_type=kind)


def test_objects_come_as_they_are_kept_and_one_that_is_another_or_damaged_costs_itself() -> None:
    good, other, damaged = (record("1.9", []) for _ in range(3))
    kept = {
        good.SOPInstanceUID: with_file_meta(encoded(good)),
        other.SOPInstanceUID: with_file_meta(encoded(good)),
        damaged.SOPInstanceUID: b"no DICOM",
    }
    came: list[Dataset] = []
    refs = [ref_of(ds) for ds in (good, other, damaged)] + [InstanceRef("1.2.99", None, None, "1.4", "1.3")]

    def answer(question: Question) -> Answer:
        file = kept.get(question.path.rpartition("/")[2])
        return Answer(404) if file is None else multipart(file)

    with web_server(lambda question: answer(question) if "/series/" in question.path else matches()) as (peer, asked):
        failures = fetch(peer, refs, came.append, retrieve="move")
    assert [ds.SOPInstanceUID for ds in came] == [good.SOPInstanceUID] and came[0] == good
    assert failures.keys() == {other.SOPInstanceUID, damaged.SOPInstanceUID, "1.2.99"}
    assert "HTTP 404" in failures["1.2.99"] and "no DICOM file" in failures[damaged.SOPInstanceUID]
    assert all("transfer-syntax=*" in question.headers["Accept"] for question in asked if "/series/" in question.path)


STOW: list[tuple[int, Dataset | None, int | None]] = [
    (200, item(ReferencedSOPSequence=[item(ReferencedSOPInstanceUID="UID")]), 0),
    (202, item(ReferencedSOPSequence=[item(ReferencedSOPInstanceUID="UID", WarningReason=0xB000)]), 0xB000),
    (202, item(FailedSOPSequence=[item(ReferencedSOPInstanceUID="UID", FailureReason=0x0122)]), 0x0122),
    (409, item(FailedSOPSequence=[item(ReferencedSOPInstanceUID="UID", FailureReason=0xA700)]), 0xA700),
    (200, item(ReferencedSOPSequence=[item(ReferencedSOPInstanceUID="1.2.3")]), None),
    (400, None, 0xC000),
]


@pytest.mark.parametrize(("status", "told", "expected"), STOW)
def test_the_server_s_own_word_about_an_object_is_what_storing_says(
    status: int, told: Dataset | None, expected: int | None
) -> None:
    sent = encoded(record("1.9", []))
    said = json.dumps(told.to_json_dict()).replace("UID", sent.sop_instance_uid) if told is not None else ""
    with web_server(lambda _: Answer(status, said.encode())) as (peer, asked):
        assert store(peer, [sent]) == {sent.sop_instance_uid: expected}
    assert with_file_meta(sent) in asked[0].body


def test_a_server_that_is_down_is_told_when_something_is_stored() -> None:
    with web_server(lambda _: Answer(502)) as (peer, _), pytest.raises(DimseError, match="HTTP 502"):
        store(peer, [encoded(record("1.9", []))])


def test_the_token_goes_to_the_server_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("A_TOKEN", "s3cret")
    with web_server(lambda _: matches()) as (peer, asked):
        door = replace(peer.door, token_env="A_TOKEN")  # type: ignore[type-var]
        echo(replace(peer, door=door))
        monkeypatch.delenv("A_TOKEN")
        with pytest.raises(DimseError, match="variable A_TOKEN"):
            echo(replace(peer, door=door))
    assert [question.headers.get("Authorization") for question in asked] == ["Bearer s3cret"]
    assert "s3cret" not in caplog.text


def test_it_is_not_told_to_move_and_says_so() -> None:
    with web_server(lambda _: matches()) as (peer, _), pytest.raises(DimseError, match="not spoken to by DIMSE"):
        move(peer, [InstanceRef("1.2.3")], "ELSEWHERE")


def test_without_the_package_it_is_said_which_file_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "recovery.dicomweb.http", None)
    with web_server(lambda _: matches()) as (peer, _), pytest.raises(DimseError, match=r"requirements-network\.txt"):
        echo(peer)
    assert "requirements-network.txt" in door_module.NOT_INSTALLED


PACS = 'protocol = "dicomweb"\nurl = "https://pacs.example/dicom-web"\n'
CA = '[pacs.tls]\nca = "ca.pem"\n'


@pytest.mark.parametrize(
    ("pacs", "route", "words"),
    [
        (PACS + CA, "relay", ""),
        (PACS + CA, "direct", 'route: must be "relay"'),
        (f'{PACS}ae_title = "ARCHIVE"\nport = 11112\n{CA}', "direct", ""),
        (PACS, "relay", "go together"),
        ('protocol = "dicomweb"\n', "relay", "go together"),
        (PACS.replace("https", "http") + 'token_env = "TOKEN"\n', "relay", "https alone"),
        (f'{PACS}[pacs.query]\nae_title = "Q"\nhost = "h"\nport = 1\n{CA}', "relay", "no [pacs.query]"),
        (PACS.replace("pacs.example", "user:word@pacs.example") + CA, "relay", "url"),
    ],
)
def test_the_config_says_what_goes_together(tmp_path: Path, pacs: str, route: str, words: str) -> None:
    file = tmp_path / "config.toml"
    node = 'ae_title = "{}"\nhost = "127.0.0.1"\nport = 104\n'
    file.write_text(
        f'[site]\nname = "A"\ntime_zone = "Europe/Zurich"\n[local]\n{node.format("RBRDT")}'
        f'[rv]\n{node.format("RV")}route = "{route}"\n[cache]\npath = "cache"\n[pacs]\n{pacs}'
    )
    if words:
        with pytest.raises(ConfigError) as raised:
            load_config(file)
        assert words in str(raised.value) and "word@" not in str(raised.value)
    else:
        node_of_web = load_config(file).pacs.web_node
        assert (node_of_web.host, node_of_web.port) == ("pacs.example", 443)
