"""Two stock Orthancs as R&V system and RT-PACS, a config that names them, and the commands as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset

from recovery.dicom.model import DicomNode
from tests.forked import run_module
from tests.objects import encode
from tests.orthanc import Orthanc, free_port
from tests.patience import seconds


@dataclass
class TwoNodes:
    """An R&V system and an RT-PACS, and this machine beside them."""

    folder: Path
    rv: Orthanc
    pacs: Orthanc
    local: DicomNode
    tps: list[Orthanc] = field(default_factory=list)
    route: str = "relay"
    retrieve: str = "get"
    associations: int = 4
    extra: str = ""
    clock: str | None = None

    @property
    def config(self) -> Path:
        path = self.folder / "config.toml"
        path.write_text(self._config())
        return path

    def _config(self) -> str:
        def node(n: DicomNode) -> str:
            return f'ae_title = "{n.ae_title}"\nhost = "{n.host}"\nport = {n.port}\n'

        tps = "".join(f"[[tps]]\n{node(t.node)}" for t in self.tps)
        return (
            f'[site]\nname = "Test clinic"\ntime_zone = "Europe/Zurich"\n'
            f"[local]\n{node(self.local)}timeout_seconds = 20\n"
            f'[rv]\n{node(self.rv.node)}route = "{self.route}"\n'
            f'{tps}[pacs]\n{node(self.pacs.node)}retrieve = "{self.retrieve}"\n'
            f"associations = {self.associations}\n"
            f'[cache]\npath = "cache"\n{self.extra}'
        )

    def put(self, *groups: Dataset | Iterable[Dataset]) -> None:
        """Give objects to the R&V system."""
        for ds in flat(groups):
            self.rv.put(encode(ds))

    def job(self, name: str, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Run a job as cron does; returns the exit status, and its results by job."""
        done = self.run("backup_jobs", name, "--json", *arguments)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, {line["job"]: line for line in lines}

    def table(self, name: str = "on_treatment") -> list[dict[str, Any]]:
        done = self.run("recovery", "table", name, "--format", "json")
        assert done.returncode == 0, done.stderr
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **({"RBRDT_CLOCK": self.clock} if self.clock else {})}
        return run_module(
            module, *arguments, "--config", str(self.config), environment=environment, timeout=seconds(120)
        )


@contextmanager
def two_nodes(
    folder: Path,
    *,
    tps: int = 0,
    environment: dict[str, str] | None = None,
    options: dict[str, object] | None = None,
) -> Iterator[TwoNodes]:
    """Start the servers; stop them at the end."""
    local = DicomNode("RBRDT", "127.0.0.1", free_port())
    pacs_node = DicomNode("RTPACS", "127.0.0.1", free_port())
    names = ["RV", *(f"TPS{n}" for n in range(1, tps + 1))]
    with ExitStack() as stack:
        sources = [
            stack.enter_context(
                Orthanc(
                    folder / name.lower(),
                    DicomNode(name, "127.0.0.1", free_port()),
                    peers=[local, pacs_node],
                    environment=environment or {},
                    options=dict(options or {}),
                )
            )
            for name in names
        ]
        pacs = stack.enter_context(
            Orthanc(folder / "pacs", pacs_node, [local], environment=environment or {}, options=dict(options or {}))
        )
        yield TwoNodes(folder, sources[0], pacs, local, sources[1:])


def flat(groups: Iterable[Dataset | Iterable[Dataset]]) -> Iterator[Dataset]:
    for group in groups:
        if isinstance(group, Dataset):
            yield group
        else:
            yield from group
