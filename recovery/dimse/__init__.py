"""The DICOM verbs: echo, find, move, fetch, store. Nothing else in the project speaks DICOM on the network."""

from recovery.dimse.encoding import EncodedObject
from recovery.dimse.fetching import fetch, fetch_encoded
from recovery.dimse.finding import (
    count_series_instances,
    echo,
    find_by_uid,
    find_held,
    find_images,
    find_refs,
    find_series,
)
from recovery.dimse.guard import Guard
from recovery.dimse.moving import move, move_series
from recovery.dimse.opening import open_link
from recovery.dimse.peer import NOT_SUPPORTED, DimseError, Door, Link, NodeTraits, Peer
from recovery.dimse.receiving import ask_to_commit, open_receiver
from recovery.dimse.storing import Forwarder, store

__all__ = [
    "NOT_SUPPORTED",
    "DimseError",
    "Door",
    "EncodedObject",
    "Forwarder",
    "Guard",
    "Link",
    "NodeTraits",
    "Peer",
    "ask_to_commit",
    "count_series_instances",
    "echo",
    "fetch",
    "fetch_encoded",
    "find_by_uid",
    "find_held",
    "find_images",
    "find_refs",
    "find_series",
    "move",
    "move_series",
    "open_link",
    "open_receiver",
    "store",
]
