"""The crew: what it does when associations are refused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import pytest

from recovery.dicom.model import InstanceRef
from recovery.dimse import Link
from recovery.dimse.crew import Chunk, work_off
from recovery.dimse.peer import DimseError

CHUNKS = [[InstanceRef(f"1.2.{n}", "1.2.840.10008.5.1.4.1.1.481.4")] for n in range(4)]


class _Link:
    is_open = True


class _Job:
    """A node that refuses its first so many associations."""

    def __init__(self, refusals: int, *, busy: bool) -> None:
        self.opened = 0
        self.done: list[str] = []
        self._refusals = refusals
        self._busy = busy

    @contextlib.contextmanager
    def open(self) -> Iterator[Link]:
        self.opened += 1
        if self.opened <= self._refusals:
            raise DimseError("refused", busy=self._busy)
        yield cast("Link", _Link())

    def ask(self, link: Link, chunk: Chunk) -> Iterable[Chunk]:
        self.done += [ref.sop_instance_uid for ref in chunk]
        return []

    def divide(self, chunk: Chunk, error: DimseError) -> Sequence[Chunk]:
        raise AssertionError(f"nothing fails here: {chunk} {error}")


def test_a_node_that_refuses_all_who_come_at_once_is_asked_by_one_alone() -> None:
    """Each of several may be refused because of the others: a node that counts those it is about to refuse."""
    job = _Job(4, busy=True)
    work_off(CHUNKS, job, associations=4)
    assert sorted(job.done) == [chunk[0].sop_instance_uid for chunk in CHUNKS]


def test_a_node_that_is_still_busy_for_one_alone_is_an_error() -> None:
    job = _Job(100, busy=True)
    with pytest.raises(DimseError, match="refused"):
        work_off(CHUNKS, job, associations=4)
    assert job.opened == 5
    assert job.done == []


def test_a_node_that_is_down_is_not_asked_twice() -> None:
    job = _Job(100, busy=False)
    with pytest.raises(DimseError, match="refused"):
        work_off(CHUNKS, job, associations=4)
    assert job.opened == 4
