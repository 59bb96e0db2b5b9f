"""pynetdicom's reactor can take a response that the caller waits for; the caller then reads "no match".

Lost were 8 of 12,000 single-match queries with pynetdicom 3.0.4 alone. The first test is the statistics, the second
holds the window open, so that a broken guard shows at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.association import Association

from recovery.dimse import open_link
from tests.dimse.scripted import PENDING, Scripted, match, peer_of, scp
from tests.patience import seconds

QUERIES = int(os.environ.get("RBRDT_FIND_QUERIES", "200"))
"""Some ten thousand show how rare a loss is; that there is none shows the second test for sure."""


def _one_match(here: Scripted, event: evt.Event) -> Iterator[tuple[int, Dataset]]:
    query = event.identifier
    yield PENDING, match(query, query.SOPInstanceUID)


def _query(number: int) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = "IMAGE"
    query.SOPInstanceUID = f"1.2.3.{number}"
    return query


def _lost(count: int) -> int:
    """How many of so many queries came back without their match."""
    lost = 0
    with scp({evt.EVT_C_FIND: _one_match}) as node, open_link(peer_of(node.node, timeout=seconds(20))) as link:
        for number in range(count):
            answers = [str(answer.SOPInstanceUID) for answer in link.find(_query(number))]
            lost += answers != [f"1.2.3.{number}"]
    return lost


def test_of_many_queries_none_comes_back_without_its_match() -> None:
    started = time.monotonic()
    lost = _lost(QUERIES)
    print(f"\n{QUERIES} C-FINDs, {QUERIES / (time.monotonic() - started):.0f} per second, {lost} without their match")
    assert lost == 0


def test_none_is_lost_while_the_reactor_wakes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reactor leaves its checkpoint, and only then says that it is no longer paused: here 5 ms later."""
    original = Association._run_reactor

    def late(self: Association) -> None:
        if self.is_requestor:
            wait = self._reactor_checkpoint.wait

            def slow_wait(timeout: float | None = None) -> bool:
                woken = wait(timeout)
                time.sleep(0.005)
                return woken

            self._reactor_checkpoint.wait = slow_wait  # type: ignore[method-assign]
        original(self)

    patched: Any = late
    monkeypatch.setattr(Association, "_run_reactor", patched)
    assert _lost(200) == 0
