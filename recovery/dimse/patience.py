"""How long the sub-operations of a C-MOVE or C-GET are waited for: as long as something comes of them.

Why not by the node's word alone
    It may send what nobody asked for, the same object again and again, or "pending" with any numbers, for ever.
"""

import time
from collections.abc import Callable

from pydicom import Dataset

TIMEOUTS = 10
"""Time-outs that a C-FIND may take beside its matches, and a C-MOVE or C-GET between two objects, however often the
node speaks."""
TIMEOUTS_OF_MATCHES = 60
"""Time-outs that a whole C-FIND may take, however many matches come: an hour."""

_MOST = 0xFFFF
"""What a number of sub-operations can say at most: it is of two bytes."""


def patience_of(timeout: float) -> float:
    """In seconds."""
    return TIMEOUTS * timeout


def longest_of(timeout: float) -> float:
    """Of a C-FIND with matches, in seconds."""
    return TIMEOUTS_OF_MATCHES * timeout


class Patience:
    """Asked each time before a message is waited for. `arrived`: how many of those that `query` asks for have come."""

    def __init__(self, timeout: float, query: Dataset, arrived: Callable[[], int] = lambda: 0) -> None:
        self.has_ended = False
        self._seconds = patience_of(timeout)
        self._most = query["SOPInstanceUID"].VM if "SOPInstanceUID" in query else _MOST
        self._arrived = arrived
        self._told = self._done = 0
        self._until = time.monotonic() + self._seconds

    def hear(self, pending: Dataset) -> None:
        """Take the numbers of a response that says "pending" (PS3.7 section 9.1.4.1.7): no more than was asked for."""
        words = ("Completed", "Failed", "Warning")
        told = sum(int(pending.get(f"NumberOf{word}Suboperations") or 0) for word in words)
        self._told = max(self._told, min(told, self._most))

    def is_over(self) -> bool:
        done = self._arrived() + self._told
        if done > self._done:
            self._until, self._done = time.monotonic() + self._seconds, done
        self.has_ended = time.monotonic() > self._until
        return self.has_ended
