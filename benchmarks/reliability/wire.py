"""The wires to R&V system, RT-PACS and this machine's own port, spoilt by a seeded schedule during a first cycle."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from benchmarks.reliability.proxy import Fault, Proxy
from benchmarks.reliability.ward import QUICK, Ward, open_ward
from recovery.dicom.model import DicomNode
from tests.clinic import TwoNodes
from tests.orthanc import Orthanc, free_port

LONGEST = 90.0
"""Seconds a cycle may take whose every wait ends after two, on a busy machine."""


@dataclass
class Wired(TwoNodes):
    """Two nodes that are reached by way of proxies; the R&V system reaches this machine by another."""

    ways: dict[int, int] = field(default_factory=dict)
    seconds: int = 2

    def _config(self) -> str:
        text = super()._config().replace("timeout_seconds = 20", f"timeout_seconds = {self.seconds}")
        for port, way in self.ways.items():
            text = text.replace(f"port = {port}\n", f"port = {way}\n")
        return text


@contextmanager
def wired(folder: Path) -> Iterator[tuple[Ward, list[Proxy]]]:
    """A ward whose nodes hear each other by way of proxies; the first is before this machine."""
    local, here = DicomNode("RBRDT", "127.0.0.1", free_port()), Proxy(0)
    here.target = local.port
    rv_node, pacs_node = (DicomNode(title, "127.0.0.1", free_port()) for title in ("RV", "RTPACS"))
    to_pacs = Proxy(pacs_node.port)
    peers = [DicomNode("RBRDT", "127.0.0.1", here.port), DicomNode("RTPACS", "127.0.0.1", to_pacs.port)]
    with (
        Orthanc(folder / "rv", rv_node, peers, QUICK) as rv,
        Orthanc(folder / "pacs", pacs_node, peers[:1], QUICK) as pacs,
    ):
        proxies = [here, Proxy(rv_node.port), to_pacs]
        nodes = Wired(folder, rv, pacs, local, ways={p.target: p.port for p in proxies[1:]})
        with open_ward(folder, database=False, nodes=nodes) as ward:
            yield ward, proxies


def wire(seed: int, tries: int) -> Iterator[list[str]]:
    """One to three faults a schedule; then the wires are whole, and a cycle must find, heal or name everything.

    A schedule of which nothing happened, because so much was never said there, is not counted.
    """
    happened: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, wired(Path(folder)) as (ward, proxies):
        for number in count():
            chance = random.Random(seed * 1_000_003 + number)
            did, said = _one(ward, proxies, chance)
            if did:
                happened.update([*did, "schedules"])
                way = f"number {number}, {ward.nodes.route} {ward.nodes.retrieve} {did}"
                yield [f"{way}: {one}" for one in said + ward.healed()]
            if happened["schedules"] >= tries:
                break
    print(f"seed {seed}: {dict(happened)}", flush=True)


def _one(ward: Ward, proxies: list[Proxy], chance: random.Random) -> tuple[list[str], list[str]]:
    """A first cycle among faults: which happened, and what it should not have said or done."""
    nodes = ward.nodes
    assert isinstance(nodes, Wired)
    nodes.route, nodes.retrieve = chance.choice(("relay", "direct")), chance.choice(("get", "move"))
    ward.empty()
    for _ in range(chance.choice((1, 1, 2, 3))):
        chosen = chance.choice(proxies)
        chosen.break_by([*chosen.plan, Fault.by(chance)])
    began, nodes.seconds = time.monotonic(), 2
    status, results = nodes.job("cycle")
    nodes.seconds = 30
    took, did = time.monotonic() - began, [kind for proxy in proxies for kind in proxy.did]
    for proxy in proxies:
        proxy.break_by([])
    said = [f"a cycle took {took:.0f} s"] if took > LONGEST else []
    said += [result["message"] for result in results.values() if "please report it" in result["message"]]
    if status == 0 and "gone" in (lacks := ward.lacks()).values():
        said.append(f"exit status 0, and {lacks}")
    return did, said
