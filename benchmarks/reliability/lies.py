"""An RT-PACS that says yes and drops, alters, cuts off, answers twice, or forgets later; then it becomes honest."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pynetdicom.events import Event

from benchmarks.reliability.ward import Ward, open_ward
from demo.pacs.archive import Archive
from demo.pacs.index import UNREADABLE
from recovery.dicom.elements import UNREADABLE as NO_DATASET
from recovery.dicom.model import DicomNode
from recovery.objects.digest import digest_of
from tests.clinic import TwoNodes
from tests.orthanc import Orthanc, free_port

LIES = ("drops", "alters", "cuts off", "answers twice", "forgets")


class Liar(Archive):
    """One object in seven is lied about, in the way that `lie` names."""

    lie = ""
    chance = random.Random(8)

    def _on_store(self, event: Event) -> int:
        is_hit = self.chance.random() < 1 / 7
        if self.lie == "drops" and is_hit:
            return 0
        status = super()._on_store(event)
        uid = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr]
        if self.lie in {"alters", "cuts off"} and is_hit:
            path = self.store.files.path_of(uid)
            data = bytearray(path.read_bytes())
            if self.lie == "cuts off":
                del data[len(data) * 2 // 3 :]
            else:
                data[-self.chance.randrange(1, len(data) // 3)] ^= 1
            path.write_bytes(bytes(data))
        return status

    def _on_find(self, event: Event) -> Iterator[tuple[int, Any]]:
        for answer in super()._on_find(event):
            yield answer
            if self.lie == "answers twice" and answer[1] is not None:
                yield answer

    def forget(self) -> None:
        for path in list(self.store.files):
            if self.chance.random() < 1 / 7:
                path.unlink()
        self.store.recover()

    def empty(self) -> None:
        for path in list(self.store.files):
            path.unlink()
        self.store.recover()

    def delete_all(self) -> None:
        self.empty()

    def digests(self) -> dict[str, list[str]]:
        """What its files say, read by nobody in between."""
        found: dict[str, list[str]] = {}
        for path in self.store.files:
            try:
                ds = dcmread(path)
                found.setdefault(str(ds.SOPInstanceUID), []).append(digest_of(ds))
            except (*UNREADABLE, *NO_DATASET, sqlite3.Error):
                continue
        return found


def lies(seed: int, tries: int) -> Iterator[list[str]]:
    """A first cycle and a proof among lies: nothing gone at exit status 0, nothing altered unnamed after the proof."""
    when: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        local, rv_node, node = (DicomNode(t, "127.0.0.1", free_port()) for t in ("RBRDT", "RV", "RTPACS"))
        with (
            Orthanc(folder / "rv", rv_node, [local, node]) as rv,
            Liar(node, folder / "pacs", {"RBRDT": local}) as liar,
        ):
            nodes = TwoNodes(folder, rv, liar, local)  # type: ignore[arg-type]
            with open_ward(folder, database=False, nodes=nodes) as ward:
                ward.held = liar.digests
                for number in range(tries):
                    liar.chance = random.Random(seed * 1_000_003 + number)
                    lie = LIES[number % len(LIES)]
                    nodes.route = ("relay", "direct")[number // len(LIES) % 2]
                    yield [f"{lie}, {nodes.route}: {one}" for one in _one(ward, liar, lie, when)]
    print(dict(when), flush=True)


def _one(ward: Ward, liar: Liar, lie: str, when: Counter[str]) -> list[str]:
    liar.lie = ""
    ward.empty()
    liar.lie = lie
    status, _ = ward.nodes.job("cycle")
    if lie == "forgets":
        liar.forget()
        status, _ = ward.nodes.job("cycle")
    lacks, said = ward.lacks(), []
    if lie == "answers twice" and status:
        said.append(f"exit status {status}")
    if lacks and status:
        when[f"{lie}: told by that cycle"] += 1
    elif lacks:
        when[f"{lie}: not told by that cycle"] += 1
        if lie == "drops":
            said.append(f"exit status 0, and {lacks}")
    _, results = ward.nodes.job("verify_backup")
    named = set(results["verify_backup"]["unproven"])
    if unnamed := {uid: why for uid, why in ward.lacks().items() if uid not in named and why == "altered"}:
        said.append(f"after the proof nobody names {unnamed}")
    ward.nodes.job("build_on_treatment")
    said += ward.wrong()
    liar.lie = ""
    return said + ward.healed()
