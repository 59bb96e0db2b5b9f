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
from recovery.dimse.peer import DimseError, Door, Link, NodeTraits, Peer
from recovery.dimse.receiving import open_receiver
from recovery.dimse.storing import Forwarder, store

__all__ = [
    "DimseError",
    "Door",
    "EncodedObject",
    "Forwarder",
    "Guard",
    "Link",
    "NodeTraits",
    "Peer",
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
