"""A real Orthanc for the tests: Debian's, as a subprocess on free loopback ports, its storage in a folder of the test.

Nothing is tuned unless the test says so: an acceptance run meets stock servers.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recovery.dicom.model import DicomNode
from tests.patience import seconds

HOW_TO_INSTALL = "Orthanc is not installed: apt-get install -y --no-install-recommends orthanc"


def orthanc_is_installed() -> bool:
    return shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is not None


_PORTS = range(20_000, 32_000)
"""Below those of which the system takes one for each connection that is opened, and gives it back when it likes."""


def free_port() -> int:
    """A port of loopback at which nobody listens, and which no other test is given soon after."""
    with (Path("/tmp") / f"rbrdt-test-ports-{os.getuid()}").open("a+") as file:  # whatever TMPDIR says: one for all
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        last = int(file.read() or _PORTS.start)
        while True:
            last = last + 1 if last + 1 in _PORTS else _PORTS.start
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", last))
                file.truncate(0)
                file.write(str(last))
                return last


@dataclass
class Orthanc:
    """One server. `instances()` lists what it holds by its own word (REST), not by ours."""

    folder: Path
    node: DicomNode
    peers: list[DicomNode] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    http_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Orthanc:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "Name": self.node.ae_title,
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "DicomAet": self.node.ae_title,
            "DicomPort": self.node.port,
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "UnknownSopClassAccepted": True,
            "DicomModalities": {p.ae_title: [p.ae_title, p.host, p.port] for p in self.peers},
            **self.options,
        }
        config = self.folder / "orthanc.json"
        config.write_text(json.dumps(settings))
        binary = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert binary, HOW_TO_INSTALL
        with (self.folder / "orthanc.log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary, str(config)], stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        self._wait_until_it_listens()
        return self

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + seconds(30)
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self._get("/system")
                socket.create_connection((self.node.host, self.node.port), 1).close()
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "orthanc.log").read_text()[-2000:])

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(seconds(20))
            self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(seconds(20))
            self.process = None

    def instances(self) -> set[str]:
        """The SOP Instance UIDs that it holds."""
        found = self._get("/instances?expand")
        return {instance["MainDicomTags"]["SOPInstanceUID"] for instance in found}

    def count(self) -> int:
        """How many objects it holds, at once."""
        return int(self._get("/statistics")["CountInstances"])

    def patients(self) -> set[str]:
        """The Patient IDs of what it holds."""
        return {patient["MainDicomTags"]["PatientID"] for patient in self._get("/patients?expand")}

    def put(self, encoded: bytes) -> None:
        """Give it a DICOM file over REST: quicker than a C-STORE, and not by our own code."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}/instances", data=encoded, method="POST")
        urllib.request.urlopen(request, timeout=seconds(30)).read()

    def delete_all(self) -> None:
        for patient in self._get("/patients"):
            self.delete(f"/patients/{patient}")

    def delete_patient(self, patient_id: str) -> None:
        for patient in self._get("/patients?expand"):
            if patient["MainDicomTags"]["PatientID"] == patient_id:
                self.delete(f"/patients/{patient['ID']}")

    def delete(self, path: str) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", method="DELETE")
        urllib.request.urlopen(request, timeout=seconds(30)).read()

    def delete_instance(self, sop_instance_uid: str) -> None:
        for instance in self._get("/instances?expand"):
            if instance["MainDicomTags"]["SOPInstanceUID"] == sop_instance_uid:
                self.delete(f"/instances/{instance['ID']}")

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=seconds(30)) as answer:
            return json.load(answer)

    def __enter__(self) -> Orthanc:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()  # a clean stop takes seconds, and the folder goes with the test
