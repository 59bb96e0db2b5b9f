"""What `deploy/` holds is what it says: units that systemd takes, commands that exist, an RT-PACS that is closed."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from recovery.dicom.model import DicomNode
from recovery.dimse import DimseError, Peer, echo, store
from tests.dimse.scripted import encoded
from tests.forked import PROJECT, run_module
from tests.objects import record
from tests.orthanc import HOW_TO_INSTALL, Orthanc, free_port, orthanc_is_installed
from tests.patience import seconds

DEPLOY = PROJECT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_a_unit_as_it_is_and_calls_a_service_hardened(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("NOT TESTED: no systemd-analyze. apt-get install systemd")
    here = tmp_path / unit.name
    for one in UNITS:  # a timer is verified with its service beside it
        text = one.read_text().replace("/opt/rbrdt/.venv/bin/python", "/bin/true").replace("/opt/rbrdt", str(tmp_path))
        (tmp_path / one.name).write_text(text)
    told = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, ""), told.stderr
    if unit.suffix == ".service":
        most = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", here]
        assert subprocess.run(most, capture_output=True, check=False).returncode == 0, "exposed by more than 2.0 of 10"


def test_every_command_exists() -> None:
    task = ElementTree.parse(DEPLOY / "windows" / "rbrdt-cycle.xml").find(f".//{TASK}Arguments")
    texts = [*(one.read_text() for one in UNITS), (DEPLOY / "crontab").read_text()]
    found = re.findall(r"-m (\w+) (\w+)", "\n".join([*texts, str(task is not None and task.text)]))
    assert {module for module, _ in found} == {"backup_jobs", "recovery", "streamlit"}
    for module in ("backup_jobs", "recovery"):
        helped = run_module(module, "--help").stdout
        assert all(name in helped for of, name in found if of == module)
    assert all((PROJECT / path).is_file() for path in re.findall(r"streamlit run (\S+)", "\n".join(texts)))


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """Debian's Orthanc with the settings of `deploy/`; places, ports and the peer's address apart."""
    if not orthanc_is_installed():
        pytest.skip(HOW_TO_INSTALL)
    settings = json.loads(re.sub(r"^\s*//.*$|\s//.*$", "", (DEPLOY / "orthanc.json").read_text(), flags=re.MULTILINE))
    folder, node, web = tmp_path_factory.mktemp("pacs"), DicomNode("RTPACS", "127.0.0.1", free_port()), free_port()
    peers = {name: peer | {"Host": "127.0.0.1"} for name, peer in settings["DicomModalities"].items()}
    ours = {"StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"), "DicomModalities": peers,
            "DicomPort": node.port, "HttpPort": web, "AuthenticationEnabled": False}  # fmt: skip
    with Orthanc(folder, node, options=settings | ours, http_port=web) as server:
        yield server


def test_its_orthanc_starts_beside_the_other_files_of_debian() -> None:
    """It refuses a section that two files of its folder define, and does not start."""
    others = [one for one in Path("/etc/orthanc").glob("*.json") if one.name != "orthanc.json"]
    if not others:
        pytest.skip(HOW_TO_INSTALL)
    ours, *theirs = (
        set(re.findall(r'^  "(\w+)"', one.read_text(), re.MULTILINE)) for one in (DEPLOY / "orthanc.json", *others)
    )
    assert ours and theirs and ours & set().union(*theirs) == set()


def as_peer(title: str, pacs: Orthanc) -> Peer:
    return Peer(DicomNode(title, "127.0.0.1", free_port()), pacs.node, "pacs", seconds(5))


def test_its_orthanc_serves_the_named_peers_alone(pacs: Orthanc) -> None:
    echo(as_peer("RBRDT", pacs))
    with pytest.raises(DimseError):
        echo(as_peer("STRANGER", pacs))
    with pytest.raises(DimseError):
        store(as_peer("STRANGER", pacs), [encoded(record(None, []))])
    assert pacs.instances() == set()


def test_its_orthanc_keeps_the_first_of_two_objects_under_one_uid(pacs: Orthanc) -> None:
    first = record(None, [], PatientComments="as it was given")
    second = copy.deepcopy(first)
    second.PatientComments = "as somebody wants it"
    for ds in (first, second):
        store(as_peer("RBRDT", pacs), [encoded(ds)])
    (held,) = pacs._get("/instances")
    assert pacs._get(f"/instances/{held}/simplified-tags")["PatientComments"] == "as it was given"
