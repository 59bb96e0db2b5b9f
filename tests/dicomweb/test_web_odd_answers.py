"""A DICOMweb server, or a gateway before it, that is wrong, odd or half: it costs what it is about, no more."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from pydicom import Dataset

from recovery.dicom.model import DicomNode, InstanceRef
from recovery.dicomweb import http, link
from recovery.dicomweb.door import WebDoor
from recovery.dimse import DimseError, Peer, echo, fetch, open_link, store
from recovery.dimse.encoding import with_file_meta
from tests.dicomweb.scripted import JSON, Answer, Question, matches, pages, web_server
from tests.dicomweb.test_web_answers import answers, found_on, multipart
from tests.dimse.scripted import encoded, ref_of
from tests.objects import item, record

ODD_ID = "PATIENT-4711"


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "WAITS", (0.01,) * 3)


NOTHING = {
    **{f"{status} and nothing": Answer(status) for status in (200, 201, 202, 203, 206)},
    **{text: Answer(body=text.encode()) for text in ("null", '""', "0", "false", "5")},
    "a page that reads as no match": Answer(body=b"[]", content_type="text/html"),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_what_a_gateway_says_of_itself_is_never_an_empty_archive(kind: str) -> None:
    with web_server(lambda _: NOTHING[kind]) as (peer, _):
        peer.traits.relational = True
        for ask in (lambda: found_on(peer, PatientID="A1"), lambda: echo(peer)):
            with pytest.raises(DimseError, match=r"something else than DICOMweb|a match that has no"):
                ask()


def test_what_is_no_match_is_no_sign_that_the_archive_can_be_asked() -> None:
    with web_server(lambda _: Answer(body=b'{"status": "up"}')) as (peer, _), pytest.raises(DimseError, match="UID"):
        echo(peer)


def test_a_server_that_warns_that_there_is_more_is_not_believed_to_have_told_all() -> None:
    said = '299 pacs: "The number of results exceeded the maximum supported by the server."'
    held = answers(8)

    def answer(question: Question) -> Answer:
        return replace(pages(held[:5], question), headers={"Warning": said})

    with web_server(answer) as (peer, _), pytest.raises(DimseError, match="fewer matches than there are"):
        peer.traits.relational = True
        found_on(peer, PatientID="A1")
    said = '299 pacs: "The fuzzymatching parameter is not supported."'
    with web_server(answer) as (peer, _):
        peer.traits.relational = True
        assert len(found_on(peer, PatientID="A1")) == 5


ODD: list[dict[str, Any]] = [
    {"00080060": {"vr": "CS", "Value": None}},
    {"00080060": {"Value": ["RTPLAN"]}},
    {"00080060": {"vr": "CS", "Value": "RTPLAN"}},
    {"00200013": {"vr": "IS", "Value": ["1.5"]}},
    {"00200013": {"vr": "IS", "Value": [10**40]}},
    {"00100010": {"vr": "XX", "Value": ["a"]}},
    {"no tag": {"vr": "CS", "Value": ["x"]}},
    {"00100020": {"vr": "LO", "Value": ["A\ud800"]}},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_element_of_one_match_is_absent_and_costs_no_other(odd: dict[str, Any]) -> None:
    told = [ds.to_json_dict() for ds in answers(3)]
    told[1] |= odd
    body = json.dumps(told).encode()

    def answer(question: Question) -> Answer:
        return Answer(body=b"[]" if question.number("offset", 0) else body)

    with web_server(answer) as (peer, _), open_link(peer) as way:
        found = list(way.find(item(QueryRetrieveLevel="IMAGE", StudyInstanceUID="1.3", SOPInstanceUID="")))
        assert [ds.SOPInstanceUID for ds in found] == ["1.2.1", "1.2.2", "1.2.3"]
        for ds in found:
            str(ds.get("PatientID")).encode()


def test_whose_a_match_is_that_was_asked_for_by_a_wildcard_has_to_be_told() -> None:
    nobody_s = [item(SOPInstanceUID="1.2.3", StudyInstanceUID="1.3", SeriesInstanceUID="1.4")]
    with web_server(lambda question: pages(nobody_s, question)) as (peer, _):
        peer.traits.relational = True
        assert found_on(peer, PatientID="A1") == {"1.2.3"}
        with pytest.raises(DimseError, match="does not say whose it is"):
            found_on(peer, PatientID="A 1")


def brought(answer: Callable[[bytes], Answer]) -> tuple[list[Dataset], dict[str, str]]:
    """What comes of one object whose file is answered like this, and why not."""
    ds, came = record("1.9", []), []

    def of_file(question: Question) -> Answer:
        is_asked_for = question.path.endswith(ds.SOPInstanceUID)
        return answer(with_file_meta(encoded(ds))) if is_asked_for else matches()

    with web_server(of_file) as (peer, _):
        return came, fetch(peer, [ref_of(ds)], came.append)


def cut_off(file: bytes) -> Answer:
    """As of a gateway that ends with the connection, and lost its archive in the middle."""
    whole = multipart(file)
    return replace(whole, write=lambda out: out.write(whole.body[:-80]))


HALVES: dict[str, Callable[[bytes], Answer]] = {
    "ends with the connection, in the middle": cut_off,
    "bare, and ends with the connection": lambda file: Answer(
        content_type="application/dicom", write=lambda out: out.write(file[:-60])
    ),
    "another boundary": lambda file: replace(
        multipart(file), content_type='multipart/related; type="application/dicom"; boundary=another'
    ),
    "no boundary": lambda file: replace(multipart(file), content_type="multipart/related"),
    "no part": lambda _: multipart(),
    "two parts": lambda file: multipart(file, file),
    "no content type": lambda file: replace(multipart(file), content_type=""),
    "an empty answer": lambda _: Answer(204),
}


@pytest.mark.parametrize("kind", HALVES)
def test_half_an_object_is_none(kind: str) -> None:
    came, failures = brought(HALVES[kind])
    assert came == [] and len(failures) == 1


@pytest.mark.parametrize(
    "answer", [lambda file: multipart(file), lambda file: Answer(body=file, content_type="application/dicom")]
)
def test_a_whole_one_comes_bare_too(answer: Callable[[bytes], Answer]) -> None:
    came, failures = brought(answer)
    assert len(came) == 1 and not failures


@pytest.mark.parametrize("status", [401, 403, 429, 502, 503])
def test_a_server_that_lets_nobody_in_any_more_is_told_and_no_object_is_blamed(status: int) -> None:
    refs = [InstanceRef(f"1.2.{n}", None, "A1", "1.4", "1.3") for n in range(120)]
    came: list[Dataset] = []

    def answer(question: Question) -> Answer:
        return Answer(404 if len(asked) < 60 else status) if "/series/" in question.path else first(question)

    def first(_: Question) -> Answer:
        return matches() if len(asked) < 60 else Answer(status)

    with web_server(answer) as (peer, asked), pytest.raises(DimseError, match=f"HTTP {status}"):
        fetch(peer, refs, came.append)
    assert len(asked) < 100, "nobody goes on asking"


def test_a_server_that_is_busy_for_a_moment_is_asked_again() -> None:
    with web_server(lambda _: Answer(429 if len(asked) < 3 else 503) if len(asked) < 4 else matches()) as (peer, asked):
        echo(peer)
        assert len(asked) == 4


@pytest.mark.parametrize(("status", "reason", "expected"), [(200, None, 0), (202, 0, 0xC000), (409, 0x0122, 0x0122)])
def test_the_word_about_an_object_is_heard_also_with_a_character_set(
    status: int, reason: int | None, expected: int
) -> None:
    sent = encoded(record("1.9", []))
    named = item(ReferencedSOPInstanceUID=sent.sop_instance_uid)
    if reason is None:
        told = item(ReferencedSOPSequence=[named])
    else:
        named.FailureReason = reason
        told = item(FailedSOPSequence=[named])
    body = json.dumps(told.to_json_dict()).encode()
    with web_server(lambda _: Answer(status, body, f"{JSON}; charset=utf-8")) as (peer, _):
        assert store(peer, [sent]) == {sent.sop_instance_uid: expected}


def test_an_object_that_a_proxy_finds_too_large_costs_itself() -> None:
    large, small = encoded(record("1.9", [])), encoded(record("1.9", []))

    def answer(question: Question) -> Answer:
        return Answer(413) if large.sop_instance_uid.encode() in question.body else Answer(200)

    with web_server(answer) as (peer, _):
        assert store(peer, [large, small]) == {large.sop_instance_uid: 0xC000, small.sop_instance_uid: None}


@pytest.mark.parametrize(("token", "words"), [("s3cret\n", ""), ("s3\ncret", "holds what is none"), ("é", "is none")])
def test_a_token_that_no_header_can_hold_is_told(token: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", token)
    with web_server(lambda _: matches()) as (peer, asked):
        peer = replace(peer, door=replace(peer.door, token_env="A_TOKEN"))  # type: ignore[type-var]
        if not words:
            echo(peer)
            assert asked[0].headers["Authorization"] == "Bearer s3cret"
            return
        with pytest.raises(DimseError, match=words) as raised:
            echo(peer)
        assert token not in str(raised.value)


def test_a_server_that_hangs_up_after_each_answer_leaves_nothing_behind() -> None:
    held = answers(30)
    with web_server(lambda q: replace(pages(held, q, 1), headers={"Connection": "close"})) as (peer, asked):
        peer.traits.relational = True
        with open_link(peer) as way:
            found = list(way.find(item(QueryRetrieveLevel="IMAGE", SOPInstanceUID="")))
            assert len(found) == 30 and len(asked) == 31
            assert len(way._client.session._opened) <= 2  # type: ignore[attr-defined]


def test_no_proxy_of_the_environment_hears_of_a_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with web_server(lambda q: pages(answers(1, ODD_ID), q)) as (peer, _):
        peer.traits.relational = True
        assert found_on(peer, PatientID=ODD_ID) == {"1.2.1"}


def test_headers_that_come_a_byte_now_and_then_have_an_end_and_are_told_as_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "patience_of", lambda _: 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def dribble() -> None:
            with listening.accept()[0] as connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nX: ")
                for _ in range(200):
                    connection.sendall(b"x")
                    time.sleep(0.02)

        threading.Thread(target=dribble, daemon=True).start()
        port = listening.getsockname()[1]
        here = DicomNode("RBRDT", "127.0.0.1", 1)
        with pytest.raises(DimseError) as raised:
            echo(Peer(here, here, "pacs", 10.0, door=WebDoor(f"http://127.0.0.1:{port}")))
    assert raised.value.timed_out
