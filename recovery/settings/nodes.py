"""The DICOM nodes of config.toml: `[local]`, `[rv]` and its database, `[[tps]]`, `[pacs]`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from socket import getaddrinfo
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from recovery.dicom.model import DicomNode
from recovery.settings.products import known_product
from recovery.settings.sections import Port, Section, Text, TimeOfDay

NO_AE_TITLE = "DICOMWEB"
"""Of an RT-PACS that is spoken to by DICOMweb alone."""
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


def _ae_title(value: str) -> str:
    stripped = value.strip()
    if not 1 <= len(stripped) <= 16 or "\\" in stripped or not stripped.isprintable() or not stripped.isascii():
        raise ValueError("an AE title has 1 to 16 ASCII characters and no backslash (PS3.5 section 6.2)")
    return stripped


def _sender(value: str) -> str:
    ae_title, separator, host = value.partition("@")
    if not separator or not host.strip():
        raise ValueError("write it as AE_TITLE@host")
    return f"{_ae_title(ae_title)}@{host.strip()}"


AeTitle = Annotated[str, AfterValidator(_ae_title)]
Sender = Annotated[str, AfterValidator(_sender)]


@dataclass(frozen=True, slots=True)
class Node(Section):
    """A DICOM application entity."""

    ae_title: AeTitle
    host: Text
    port: Port

    @property
    def node(self) -> DicomNode:
        return DicomNode(self.ae_title, self.host, self.port)


@dataclass(frozen=True, slots=True)
class OwnTls(Section):
    """`[local.tls]`: nodes with a `tls` of their own send here by TLS, and with a certificate of `ca`."""

    ca: Text
    certificate: Text
    key: Text


@dataclass(frozen=True, slots=True)
class NodeTls(Section):
    """`[rv.tls]` and its like: the CA of the node's certificate, and ours, for a node that asks for one.

    `server_name`: the name that its certificate bears, if not its host.
    """

    ca: Text
    certificate: str = ""
    key: str = ""
    server_name: Annotated[str, Field(pattern=r"^([^.\s]\S*)?$")] = ""

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key go together")


@dataclass(frozen=True, slots=True)
class RemoteNode(Node):
    """A node that is spoken to, such as `[pacs.query]`."""

    tls: NodeTls | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class SourceNode(RemoteNode):
    """A `[[tps]]`; `sends_as`: further AE titles and hosts that its objects come from, as `AE_TITLE@host`."""

    sends_as: list[Sender] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Local(Node):
    """`[local]`: this machine as a node, and how long it waits for another, in seconds."""

    timeout_seconds: Annotated[int, Field(ge=1, le=600, strict=True)] = 60
    tls: OwnTls | None = None


@dataclass(frozen=True, slots=True)
class RvDatabase(Section):
    """`[rv.database]`: an ODBC connection string, or `sqlite:///PATH` for the simulated clinic.

    Neither level of `isolation` waits for the clinic's writers or makes them wait; SNAPSHOT sees one moment, and the
    database must allow it (ALLOW_SNAPSHOT_ISOLATION). `photo_type`: ARIA's word for portraits; empty takes any.
    """

    connection: Text
    password_env: str | None = None
    photo_type: Annotated[str, Field(max_length=32)] = ""
    isolation: Literal["read uncommitted", "snapshot"] = "read uncommitted"
    full_at: Annotated[TimeOfDay, Field(min_length=1)] = "01:00"


@dataclass(frozen=True, slots=True)
class RecordAndVerify(SourceNode):
    """`[rv]`: the R&V system's DICOM service, and how records leave it."""

    product: Annotated[str, AfterValidator(known_product)] = "aria"
    route: Literal["direct", "relay"] = "relay"
    database: RvDatabase | None = None


@dataclass(frozen=True, slots=True)
class Pacs(SourceNode):
    """`[pacs]`: the RT-PACS; `query` where it answers queries at another address than it stores.

    One that speaks DICOMweb has a `url`, and an AE title only where it speaks DIMSE, too. `token_env` names the
    environment variable of a bearer token. `folder`: files that stand in for it. `associations`: over how many it may
    be asked at once by all workers.
    """

    retrieve: Literal["get", "move"] = "get"
    query: RemoteNode | None = None
    folder: str = ""
    protocol: Literal["dimse", "dicomweb"] = "dimse"
    url: Annotated[str, Field(pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$")] = ""
    token_env: str | None = None
    associations: Annotated[int, Field(ge=1, le=64, strict=True)] = 4

    def __post_init__(self) -> None:
        is_web, parts = self.protocol == "dicomweb", urlsplit(self.url)
        if is_web != bool(self.url):
            raise ValueError('protocol = "dicomweb" and url go together')
        if is_web and self.query is not None:
            raise ValueError("what speaks DICOMweb is asked at its url: it has no [pacs.query]")
        if is_web and (parts.scheme == "https") != (self.tls is not None):
            raise ValueError("a url of https and [pacs.tls] with the CA of its certificate go together")
        if self.token_env is not None and not (parts.scheme == "https" or parts.hostname in _THIS_MACHINE):
            raise ValueError("a token is sent by https alone")

    @property
    def web_node(self) -> DicomNode:
        """Where the DICOMweb server listens."""
        parts = urlsplit(self.url)
        return DicomNode(NO_AE_TITLE, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def query_node(self) -> DicomNode:
        return self.query.node if self.query else self.node

    @property
    def query_tls(self) -> NodeTls | None:
        """The same as where it stores, unless said otherwise: it is never the clear by forgetting."""
        return (self.query.tls if self.query else None) or self.tls


@dataclass(frozen=True, slots=True)
class Destination(RemoteNode):
    """A `[[restore_to]]`: where objects may be restored to, by `name`; `query` where it answers at another address.

    One that `answers_queries` not can prove nothing: whatever is sent there stays unproven.
    """

    name: Annotated[str, Field(min_length=1, max_length=64)]
    query: RemoteNode | None = None
    answers_queries: bool = True

    @property
    def query_node(self) -> DicomNode:
        return self.query.node if self.query else self.node

    @property
    def query_tls(self) -> NodeTls | None:
        """The same as where it stores, unless said otherwise: it is never the clear by forgetting."""
        return (self.query.tls if self.query else None) or self.tls


def with_address(pacs: object) -> object:
    """`[pacs]` as the file says it; where it speaks DICOMweb alone, with the address that is in its url."""
    if not isinstance(pacs, dict) or pacs.get("protocol") != "dicomweb":
        return pacs
    with suppress(ValueError):
        parts = urlsplit(str(pacs.get("url", "")))
        known = {"host": parts.hostname or "-", "port": parts.port or (443 if parts.scheme == "https" else 80)}
        return {"ae_title": NO_AE_TITLE, **known, **pacs}
    return pacs


ArchiveAsGiven = Annotated[Pacs, BeforeValidator(with_address)]


def misdirected(destinations: list[Destination], pacs: Pacs, rv: RecordAndVerify | None) -> list[str]:
    """Destinations that nothing may be restored to, and why: where objects come from, nothing is written. And a route
    to an archive that nobody can move to."""
    others = {} if pacs.folder else dict.fromkeys(map(_address, (pacs, pacs.query or pacs)), "the RT-PACS itself")
    if rv is not None:
        others[_address(rv)] = "the R&V system of [rv], which recovery never speaks to"
    names = [one.name.casefold() for one in destinations]
    twice = [n for n, name in enumerate(names, start=1) if names.index(name) != n - 1]
    found = [f"[restore_to.{n}] name: another destination has it" for n in twice]
    if rv is not None and rv.route == "direct" and pacs.ae_title == NO_AE_TITLE:
        found.append('[rv] route: must be "relay": without an AE title of [pacs] nobody can move to it')
    for n, one in enumerate(destinations, start=1):
        is_what = others.get(_address(one)) or others.get(_address(one.query or one))
        found += [f"[restore_to.{n}] host: this is {is_what}"] if is_what else []
    return found


def sources_of(pacs: Pacs, rv: RecordAndVerify | None) -> list[RemoteNode]:
    """Where nothing is restored to."""
    nodes = (rv,) if pacs.folder else (pacs, pacs.query, rv)
    return [one for one in nodes if one is not None]


def is_really(to: Destination, sources: Iterable[Node]) -> bool:
    """Whether a destination is one of these by another name of its host. Asks this machine who that is, which may take
    seconds; a name that nobody knows is nobody's."""
    own = _found_at(to) | _found_at(to.query or to)
    return any(own & _found_at(one) for one in sources)


def _found_at(node: Node) -> set[tuple[str, int]]:
    """Every address of a node; all those of this machine's own loop are one."""
    found = set()
    with suppress(OSError, UnicodeError):
        for info in getaddrinfo(node.host.strip(), None):
            address = ip_address(str(info[4][0]).partition("%")[0])
            plain = getattr(address, "ipv4_mapped", None) or address
            found.add(("loop" if plain.is_loopback or plain.is_unspecified else str(plain), node.port))
    return found


def _address(node: Node) -> tuple[str, int]:
    host = node.host.strip().casefold()
    return "127.0.0.1" if host in {"localhost", "::1"} else host, node.port
