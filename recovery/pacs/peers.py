"""The nodes of the config as peers to speak to, each with what is remembered of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recovery.dimse import Peer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recovery.cache.memory import Memory
    from recovery.dicom.model import DicomNode
    from recovery.settings.config import Config


def pacs_peer(config: Config, memory: Memory) -> Peer:
    """The RT-PACS where it answers queries and retrieves."""
    return _peer(config, memory, config.pacs.query_node, "pacs", _of_pacs(config))


def pacs_store_peer(config: Config, memory: Memory) -> Peer:
    """The RT-PACS where it stores."""
    return _peer(config, memory, config.pacs.node, "pacs")


def rv_peer(config: Config, memory: Memory) -> Peer:
    """The R&V system. Raises `ValueError` if the config is one in which it does not exist."""
    if config.rv is None:
        raise ValueError("this config has no R&V system")
    return _peer(config, memory, config.rv.node, "rv", config.rv.sends_as)


def tps_peers(config: Config, memory: Memory) -> list[Peer]:
    """The further sources, in the config's order."""
    return [_peer(config, memory, tps.node, "tps", tps.sends_as) for tps in config.tps]


def receiver_peer(config: Config, memory: Memory, node: DicomNode) -> Peer:
    """A destination of `[[restore_to]]`, where it stores or where it answers queries."""
    return _peer(config, memory, node, "")


def _of_pacs(config: Config) -> list[str]:
    """Where it answers queries at one address and stores at another, it may send from both."""
    return [f"{config.pacs.ae_title}@{config.pacs.host}", *config.pacs.sends_as]


def _peer(config: Config, memory: Memory, node: DicomNode, role: str, sends_as: Iterable[str] = ()) -> Peer:
    local, senders = config.local, [sender.split("@", 1) for sender in sends_as]
    others = tuple((ae_title, host) for ae_title, host in senders)
    return Peer(local.node, node, role, float(local.timeout_seconds), memory.traits(node), others)
