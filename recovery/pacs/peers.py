"""The nodes of the config as peers to speak to, each with what is remembered of it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from recovery.dicom.elements import required_uid
from recovery.dicomweb.door import WebDoor
from recovery.dimse import NodeTraits, Peer
from recovery.dimse.tls import Tls
from recovery.folder.door import FolderDoor, understands_all
from recovery.objects.digest import digest_of
from recovery.settings.nodes import NodeTls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pydicom import Dataset

    from recovery.cache.memory import Memory
    from recovery.dicom.model import DicomNode
    from recovery.settings.config import Config
    from recovery.settings.nodes import Destination, OwnTls


def pacs_peer(config: Config, memory: Memory) -> Peer:
    """The RT-PACS where it answers queries and retrieves, or the folder that stands in for it."""
    if config.pacs_folder is not None:
        return _folder(config, memory, config.pacs_folder)
    if config.pacs.url:
        return _web_peer(config, memory)
    return _peer(config, memory, config.pacs.query_node, config.pacs.query_tls, "pacs", _of_pacs(config))


def pacs_store_peer(config: Config, memory: Memory) -> Peer:
    """The RT-PACS where it stores, or the folder, which takes nothing."""
    if config.pacs_folder is not None:
        return _folder(config, memory, config.pacs_folder)
    if config.pacs.url:
        return _web_peer(config, memory)
    return _peer(config, memory, config.pacs.node, config.pacs.tls, "pacs")


def rv_peer(config: Config, memory: Memory) -> Peer:
    """The R&V system. Raises `ValueError` if the config is one in which it does not exist."""
    if config.rv is None:
        raise ValueError("this config has no R&V system")
    return _peer(config, memory, config.rv.node, config.rv.tls, "rv", config.rv.sends_as)


def tps_peers(config: Config, memory: Memory) -> list[Peer]:
    """The further sources, in the config's order."""
    return [_peer(config, memory, tps.node, tps.tls, "tps", tps.sends_as) for tps in config.tps]


def receiver_peers(config: Config, memory: Memory, to: Destination) -> tuple[Peer, Peer]:
    """A destination of `[[restore_to]]`, where it stores and where it answers queries."""
    return _peer(config, memory, to.node, to.tls, ""), _peer(config, memory, to.query_node, to.query_tls, "")


def _web_peer(config: Config, memory: Memory) -> Peer:
    pacs, node = config.pacs, config.pacs.web_node
    tls = _files(config, pacs.tls) if pacs.tls is not None else None
    door = WebDoor(pacs.url, pacs.token_env, tls)
    timeout = float(config.local.timeout_seconds)
    return Peer(config.local.node, node, "pacs", timeout, memory.traits(node), tls=tls, door=door)


def _folder(config: Config, memory: Memory, folder: Path) -> Peer:
    door = FolderDoor(folder, tuple(config.signing.public_keys), _differs_of(config))
    traits = understands_all(memory.nodes.setdefault(door.name, NodeTraits()))
    return Peer(config.local.node, config.pacs.node, "pacs", traits=traits, door=door)


def _differs_of(config: Config) -> Callable[[Dataset], bool]:
    """Whether an object is another than was first read, by the digests of the cache as it was at the first question."""

    @cache
    def digests() -> dict[str, str]:
        from recovery.cache.doors import cache_of
        from recovery.pacs.verified_objects import VerifiedObjects

        return VerifiedObjects.load(cache_of(config)).digests

    def differs(ds: Dataset) -> bool:
        known = digests().get(required_uid(ds, "SOPInstanceUID"))
        return known is not None and digest_of(ds) != known

    return differs


def _of_pacs(config: Config) -> list[str]:
    """Where it answers queries at one address and stores at another, it may send from both."""
    return [f"{config.pacs.ae_title}@{config.pacs.host}", *config.pacs.sends_as]


def _peer(
    config: Config, memory: Memory, node: DicomNode, tls: NodeTls | None, role: str, sends_as: Iterable[str] = ()
) -> Peer:
    local, senders = config.local, [sender.split("@", 1) for sender in sends_as]
    others = tuple((ae_title, host) for ae_title, host in senders)
    timeout, traits = float(local.timeout_seconds), memory.traits(node)
    if tls is None:
        return Peer(local.node, node, role, timeout, traits, others)
    return Peer(local.node, node, role, timeout, traits, others, _files(config, tls), own_tls(config))


def own_tls(config: Config) -> Tls | None:
    """What nodes that are spoken to by TLS find when they send here."""
    return _files(config, config.local.tls) if config.local.tls is not None else None


def _files(config: Config, tls: NodeTls | OwnTls) -> Tls:
    """Relative paths start at the config."""
    at = config.file.parent
    certificate, key = (at / name if name else None for name in (tls.certificate, tls.key))
    return Tls(at / tls.ca, certificate, key, tls.server_name if isinstance(tls, NodeTls) else "")
