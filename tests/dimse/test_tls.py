"""DICOM inside TLS: both sides are sure of each other, refusals are words, and nobody silent is waited for."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from recovery.dicom.model import DicomNode
from recovery.dimse import DimseError, EncodedObject, Guard, Peer, echo, open_receiver, store
from recovery.dimse.tls import Tls
from recovery.host.certificates import faults_of_files
from tests.certificates import Authority
from tests.dimse.scripted import bare_socket, encoded, ref_of, scp
from tests.objects import record
from tests.orthanc import free_port
from tests.patience import seconds

HOST = "127.0.0.1"
RECORD = record(None, [])


class Clinic:
    """A CA, another that nobody knows here, and the certificates of two nodes."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.foreign = Authority(folder, "clinic"), Authority(folder, "foreign")
        self.here, self.there = self.ca.tls("here"), self.ca.tls("there")
        self.expired = self.ca.tls("expired", days=-3)
        self.other_name = self.ca.tls("named", "rv.clinic.example")
        self.unnamed = self.ca.tls("unnamed", is_named=False)
        self.by_foreign = self.foreign.tls("stranger", ca=self.ca)
        self.ended_on = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return Clinic(tmp_path_factory.mktemp("certificates"))


class Receiver:
    """This machine, which listens with `tls` for RECORD from RV, and what it heard and refused."""

    def __init__(self, tls: Tls | None, timeout: float = 5.0) -> None:
        self.node = DicomNode("RBRDT", HOST, free_port())
        self.took: list[EncodedObject] = []
        self.refused: list[str] = []
        self.tls, self.timeout = tls, timeout

    @contextlib.contextmanager
    def listening(self) -> Iterator[Receiver]:
        rv = Peer(self.node, DicomNode("RV", HOST, 104), "rv", self.timeout, tls=self.tls, own_tls=self.tls)
        with open_receiver(self.node, self._take, Guard.of(rv, [ref_of(RECORD)], self.refused.append)):
            yield self

    def _take(self, obj: EncodedObject) -> int:
        self.took.append(obj)
        return 0

    def peer(self, tls: Tls | None) -> Peer:
        """The receiver as the R&V system speaks to it."""
        return Peer(DicomNode("RV", HOST, 1), self.node, "", 5.0, tls=tls)

    def was_told(self) -> str:
        """What it refused, once it did."""
        until = time.monotonic() + seconds(5)
        while not self.refused and time.monotonic() < until:
            time.sleep(0.01)
        return "; ".join(self.refused)


def test_an_object_comes_by_tls_from_who_has_a_certificate_of_the_ca(clinic: Clinic) -> None:
    with Receiver(clinic.there).listening() as receiver:
        assert store(receiver.peer(clinic.here), [encoded(RECORD)]) == {RECORD.SOPInstanceUID: 0}
    assert receiver.took == [encoded(RECORD)] and receiver.refused == []


def test_a_large_object_comes_whole_in_many_tls_records(clinic: Clinic) -> None:
    large = record(None, [])
    large.SOPInstanceUID = RECORD.SOPInstanceUID
    large.ImageComments = "x" * 10_000
    large.EncapsulatedDocument = bytes(range(256)) * 12_000  # 3 MB, in PDUs of 128 KB and TLS records of 16
    large["EncapsulatedDocument"].VR = "OB"
    with Receiver(clinic.there).listening() as receiver:
        assert store(receiver.peer(clinic.here), [encoded(large)]) == {RECORD.SOPInstanceUID: 0}
    assert receiver.took == [encoded(large)]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_with_session_tickets_is_answered_in_either_version(clinic: Clinic, version: ssl.TLSVersion) -> None:
    """The tickets of TLS 1.3 come before a byte of DICOM does: whoever waits for that byte waits for ever."""
    server = clinic.there.context(is_server=True)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(str(clinic.there.certificate), str(clinic.there.key))
    own.load_verify_locations(clinic.ca.file)
    own.verify_mode, own.minimum_version, own.maximum_version = ssl.CERT_REQUIRED, version, version
    assert (own.num_tickets, server.num_tickets) == (2, 0)
    ae = AE("THERE")
    ae.add_supported_context(Verification)
    node = DicomNode("THERE", HOST, free_port())
    ae.start_server((HOST, node.port), block=False, ssl_context=own)
    try:
        began = time.monotonic()
        for _ in range(5):
            echo(Peer(DicomNode("RV", HOST, 1), node, "", 10.0, tls=clinic.here))
        assert time.monotonic() - began < seconds(3)
    finally:
        ae.shutdown()


OF_THE_SERVER = {
    "is another CA's": (lambda c: c.by_foreign, lambda c: c.here, "its certificate is signed by another CA than those"),
    "has expired": (lambda c: c.expired, lambda c: c.here, "its certificate expired on "),
    "has another name": (
        lambda c: c.other_name,
        lambda c: c.here,
        "its certificate is for rv.clinic.example, and not for 127.0.0.1",
    ),
    "has its name in its subject alone": (
        lambda c: c.unnamed,
        lambda c: c.here,
        "its certificate bears no host's name or address (subjectAltName), and is not believed to be 127.0.0.1",
    ),
    "asks for a certificate": (
        lambda c: c.there,
        lambda c: Tls(c.ca.file),
        "it asks for a certificate of ours, and its `tls` in the config names none",
    ),
    "does not know our CA": (
        lambda c: c.there,
        lambda c: c.by_foreign,
        "it does not know the CA that signed our certificate",
    ),
    "finds ours expired": (lambda c: c.there, lambda c: c.expired, "it says that our certificate has expired"),
}


@pytest.mark.parametrize("why", OF_THE_SERVER)
def test_a_node_that_is_not_believed_or_does_not_believe_is_told_in_words(clinic: Clinic, why: str) -> None:
    theirs, ours, words = OF_THE_SERVER[why]
    with Receiver(theirs(clinic)).listening() as receiver, pytest.raises(DimseError) as refused:
        echo(receiver.peer(ours(clinic)))
    assert f"cannot be spoken to by TLS: {words}" in str(refused.value)
    if why == "has expired":
        assert clinic.ended_on in str(refused.value)


def test_the_name_that_the_config_gives_is_the_one_that_counts(clinic: Clinic) -> None:
    with Receiver(clinic.other_name).listening() as receiver:
        echo(receiver.peer(replace(clinic.here, server_name="rv.clinic.example")))
        with pytest.raises(DimseError, match=r"is for rv\.clinic\.example, and not for pacs\.clinic\.example"):
            echo(receiver.peer(replace(clinic.here, server_name="pacs.clinic.example")))


def test_a_node_in_the_clear_and_one_inside_tls_do_not_find_each_other_and_both_are_told(clinic: Clinic) -> None:
    with scp() as plain, pytest.raises(DimseError, match="cannot be spoken to by TLS: it speaks no TLS"):
        echo(Peer(DicomNode("RV", HOST, 1), plain.node, "", 5.0, tls=clinic.here))
    with Receiver(clinic.there).listening() as receiver:
        with pytest.raises(DimseError, match=r"Does it want TLS, and has no `tls` in the config\?$"):
            echo(receiver.peer(None))
        assert receiver.was_told() == "a connection from 127.0.0.1 was refused: it speaks no TLS"
    assert receiver.took == []


def test_a_silent_node_is_not_waited_for_past_the_time_out(clinic: Clinic) -> None:
    began = time.monotonic()
    with bare_socket() as node, pytest.raises(DimseError, match="did not answer the TLS handshake in time"):
        echo(Peer(DicomNode("RV", HOST, 1), node, "", 1.0, tls=clinic.here))
    assert time.monotonic() - began < seconds(5)


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (lambda c: c.by_foreign, "its certificate is signed by another CA than those in"),
        (lambda c: c.expired, "its certificate has expired"),
        (lambda c: Tls(c.ca.file), "it shows no certificate"),
    ],
    ids=["foreign", "expired", "none"],
)
def test_a_sender_without_a_good_certificate_is_refused_and_told_in_words(
    clinic: Clinic, theirs: Callable[[Clinic], Tls], words: str
) -> None:
    with Receiver(clinic.there).listening() as receiver:
        with pytest.raises(DimseError):
            store(receiver.peer(theirs(clinic)), [encoded(RECORD)])
        assert words in receiver.was_told()
    assert receiver.took == []


def _says_nothing(_: socket.socket) -> None:
    time.sleep(seconds(30))


def _drips_a_hello(there: socket.socket) -> None:
    """A ClientHello, a byte now and then."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="x")
    with contextlib.suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    for byte in outgoing.read():
        there.sendall(bytes([byte]))
        time.sleep(0.2)


def _threads_of_connections() -> int:
    return len([t for t in threading.enumerate() if "Acceptor" in t.name or "process_request" in t.name])


@pytest.mark.parametrize("talk", [_says_nothing, _drips_a_hello])
def test_who_connects_and_does_not_shake_hands_holds_nobody_up(
    clinic: Clinic, talk: Callable[[socket.socket], None]
) -> None:
    before = _threads_of_connections()
    with Receiver(clinic.there, timeout=1.5).listening() as receiver, contextlib.ExitStack() as stack:
        for _ in range(3):
            there = stack.enter_context(socket.create_connection((HOST, receiver.node.port)))
            threading.Thread(target=_quietly, args=(talk, there), daemon=True).start()
        began = time.monotonic()
        assert store(receiver.peer(clinic.here), [encoded(RECORD)]) == {RECORD.SOPInstanceUID: 0}
        assert time.monotonic() - began < seconds(1.4), "others are served meanwhile"
        assert "did not answer the TLS handshake in time" in receiver.was_told()
        until = time.monotonic() + seconds(5)
        while len(receiver.refused) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        assert len(receiver.refused) == 3
        time.sleep(0.1)
        assert _threads_of_connections() <= before + 1, "the server's own, and no thread that waits"


def test_a_receiver_ends_at_once_though_somebody_is_in_mid_handshake(clinic: Clinic) -> None:
    with contextlib.ExitStack() as stack:
        with Receiver(clinic.there, timeout=30.0).listening() as receiver:
            stack.enter_context(socket.create_connection((HOST, receiver.node.port)))
            echo(receiver.peer(clinic.here))  # the other has been let in before
            began = time.monotonic()
        assert time.monotonic() - began < seconds(3)
    assert receiver.refused == [], "its own end is nobody's fault"


def test_half_a_message_inside_tls_is_not_waited_for(clinic: Clinic) -> None:
    before = _threads_of_connections()
    with Receiver(clinic.there, timeout=1.0).listening() as receiver:
        with (
            socket.create_connection((HOST, receiver.node.port)) as plain,
            clinic.here.context().wrap_socket(plain, server_hostname=HOST) as there,
        ):
            there.sendall(b"\x01\x00\x00\x00\x10\x00half an association")
            there.settimeout(seconds(5))
            with contextlib.suppress(OSError):
                while there.recv(1024):
                    pass
            assert store(receiver.peer(clinic.here), [encoded(RECORD)]) == {RECORD.SOPInstanceUID: 0}
        until = time.monotonic() + seconds(5)
        while _threads_of_connections() > before + 1 and time.monotonic() < until:
            time.sleep(0.02)
        assert _threads_of_connections() <= before + 1


def _quietly(talk: Callable[[socket.socket], None], there: socket.socket) -> None:
    with contextlib.suppress(OSError):
        talk(there)


def test_what_is_older_or_weaker_than_bcp_195_is_not_spoken(clinic: Clinic) -> None:
    for context in (clinic.here.context(), clinic.here.context(is_server=True)):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2 and context.verify_mode == ssl.CERT_REQUIRED
        names = [suite["name"] for suite in context.get_ciphers()]
        assert names and all("GCM" in name or "CHACHA20" in name for name in names)
        assert all(name.startswith(("ECDHE", "TLS_")) for name in names)
    assert clinic.here.context().check_hostname


def test_a_file_that_cannot_be_used_is_named_and_a_renewed_one_is_read(clinic: Clinic, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"TLS cannot begin: .*none\.pem: No such file"):
        replace(clinic.here, ca=tmp_path / "none.pem").context()
    with pytest.raises(OSError, match="key values mismatch"):
        replace(clinic.here, key=clinic.there.key).context()
    with pytest.raises(DimseError, match=r"is not spoken to: TLS cannot begin with .*: "):
        echo(Peer(DicomNode("RV", HOST, 1), DicomNode("X", HOST, 1), "", tls=replace(clinic.here, key=clinic.ca.file)))
    locked = tmp_path / "locked.key"
    assert clinic.here.key is not None
    key = serialization.load_pem_private_key(clinic.here.key.read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"secret")
    kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked.write_bytes(key.private_bytes(*kind, encryption))
    with pytest.raises(OSError, match="TLS cannot begin with"):  # and nobody is asked at a terminal
        replace(clinic.here, key=locked).context()
    now = datetime.now(UTC)
    told = faults_of_files(clinic.ca.file, clinic.here.certificate, locked, now)
    assert [said for said in told if "chmod" not in said] == [
        f"{locked} is not a private key as PEM without a passphrase"
    ]
    assert faults_of_files(clinic.here.key, None, None, now) == [f"{clinic.here.key} is not a certificate as PEM"]
    renewed = replace(clinic.here, certificate=tmp_path / "c.pem", key=tmp_path / "k.pem")
    assert renewed.certificate and renewed.key and clinic.here.certificate and clinic.here.key
    for mine, source in ((renewed.certificate, clinic.here.certificate), (renewed.key, clinic.here.key)):
        shutil.copy(source, mine)
    first = renewed.context()
    assert renewed.context() is first
    time.sleep(0.02)
    shutil.copy(clinic.here.certificate, renewed.certificate)
    assert renewed.context() is not first


DCMTK = pytest.mark.skipif(shutil.which("echoscu") is None, reason="DCMTK IS NOT TRIED: apt-get install dcmtk")


@DCMTK
def test_dcmtk_sends_here_by_tls_and_a_stranger_of_its_is_refused(clinic: Clinic) -> None:
    def echoscu(tls: Tls) -> int:
        files = [str(tls.key), str(tls.certificate), "+cf", str(clinic.ca.file)]
        called = ["-aet", "RV", "-aec", "RBRDT", HOST, str(receiver.node.port)]
        return subprocess.run(["echoscu", "+tls", *files, *called], capture_output=True, check=False).returncode

    with Receiver(clinic.there).listening() as receiver:
        assert echoscu(clinic.here) == 0 and receiver.refused == []
        assert echoscu(clinic.by_foreign) != 0
        assert "signed by another CA" in receiver.was_told()


@DCMTK
@pytest.mark.parametrize("program", ["storescp", "dcmrecv"])
def test_an_object_goes_to_dcmtk_by_tls_and_not_without_a_certificate(
    clinic: Clinic, tmp_path: Path, program: str
) -> None:
    node, tls = DicomNode("STORE", HOST, free_port()), clinic.there
    options = ["+tls", str(tls.key), str(tls.certificate), "+cf", str(clinic.ca.file), "-od", str(tmp_path)]
    with subprocess.Popen(
        [program, *options, str(node.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as it:
        try:
            peer = Peer(DicomNode("RBRDT", HOST, 1), node, "", 10.0, tls=clinic.here)
            until = time.monotonic() + seconds(10)
            while time.monotonic() < until:
                with contextlib.suppress(DimseError):
                    echo(peer)
                    break
            if program == "storescp":  # dcmrecv wants a file that says which classes it takes
                assert store(peer, [encoded(RECORD)]) == {RECORD.SOPInstanceUID: 0}
                assert len(list(tmp_path.iterdir())) == 1
            with pytest.raises(DimseError, match="cannot be spoken to by TLS"):
                echo(replace(peer, tls=Tls(clinic.ca.file)))
            with pytest.raises(DimseError, match="it does not know the CA that signed our certificate"):
                echo(replace(peer, tls=clinic.by_foreign))
        finally:
            it.terminate()
