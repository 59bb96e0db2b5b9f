"""`python -m tests.island FOLDER`: a clinic in a network of its own: loopback, and no DNS, gateway or time server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from tests.backup_jobs.test_main_job import course
from tests.clinic import two_nodes
from tests.lesser import show


def walk(folder: Path) -> dict[str, Any]:
    """Back up, print, export and show a page; exit statuses, what the page says, and whether anybody else is there."""
    import backup_jobs.__main__ as jobs
    import recovery.__main__ as by_hand

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with two_nodes(folder) as nodes:
        nodes.put(course("A1", "BASALT^Osprey", {1: 100.0}, 3))
        told, listed = ["--config", str(nodes.config)], str(folder / "list.xlsx")
        return {
            "interfaces": [name for _, name in socket.if_nameindex()],
            "cycle": jobs.main(["cycle", *told]),
            "verify_backup": jobs.main(["verify_backup", *told]),
            "chart": by_hand.main(["chart", "--everybody", "-o", str(folder / "charts.pdf"), *told]),
            "table": by_hand.main(["table", "on_treatment", "--format", "xlsx", "-o", listed, *told]),
            "page": show(nodes.config),
        }


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        said = walk(Path(sys.argv[1]))
    print(json.dumps(said), flush=True)
