"""A PostgreSQL of the test's own, and Orthancs whose index it is: as docs/scale.md says, but for addresses."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.forked import PROJECT
from tests.orthanc import free_port, orthanc_is_installed

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so")
BINARIES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
IS_INSTALLED = orthanc_is_installed() and PLUGIN.exists() and BINARIES is not None and os.getuid() == 0
HOW_TO_INSTALL = (
    "ORTHANC WITH POSTGRESQL IS NOT TESTED: as root, "
    "apt-get install -y --no-install-recommends orthanc orthanc-postgresql postgresql"
)


def options(port: int, storage: Path) -> dict[str, Any]:
    """The settings of docs/scale.md."""
    (block,) = re.findall(r"```json\n(.*?)```", (PROJECT / "docs" / "scale.md").read_text(), re.DOTALL)
    told: dict[str, Any] = json.loads(block)
    told["PostgreSQL"] |= {"Host": "127.0.0.1", "Port": port, "Database": "postgres", "Username": "postgres"}
    return told | {"Plugins": [str(PLUGIN)], "StorageDirectory": str(storage)}


@contextmanager
def postgresql() -> Iterator[int]:
    """The port at which it listens; who connects from this machine is believed."""
    assert BINARIES is not None
    data, port = Path(tempfile.mkdtemp(prefix="rbrdt-pg-")), free_port()  # of another user, who sees no folder of ours
    user = pwd.getpwnam("postgres")
    shutil.chown(data, user.pw_uid, user.pw_gid)

    def run(*command: str) -> None:
        subprocess.run(
            command,
            check=True,
            user="postgres",
            group="postgres",
            cwd=data,
            stdout=subprocess.DEVNULL,
            env={},
            timeout=120,
        )

    run(str(BINARIES / "initdb"), "--auth=trust", "--no-sync", "-D", str(data))
    control = [str(BINARIES / "pg_ctl"), "-D", str(data), "-w", "-l", str(data / "log")]
    run(
        *control,
        "-o",
        f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories={data}",
        "start",
    )
    try:
        yield port
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(data)
