"""A clinic whose RT-PACS is spoken to by DICOMweb: Orthanc's plugin behind nginx, which wants TLS and a token."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recovery.dicom.model import DicomNode
from recovery.dimse.tls import Tls
from tests.app.browser import is_listening
from tests.certificates import Authority
from tests.clinic import TwoNodes
from tests.orthanc import Orthanc, free_port, orthanc_is_installed
from tests.patience import seconds, wait_until

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
IS_INSTALLED = orthanc_is_installed() and PLUGIN.exists() and NGINX is not None
HOW_TO_INSTALL = (
    "DICOMWEB IS NOT TESTED: apt-get install -y --no-install-recommends orthanc orthanc-dicomweb nginx-light"
)
TOKEN_ENV, TOKEN = "RBRDT_PACS_TOKEN", "token-of-the-tests"


@dataclass
class WebNodes(TwoNodes):
    """As two nodes; the RT-PACS is spoken to at `url` alone, where there is one."""

    url: str = ""
    ca: Path = Path()

    def _config(self) -> str:
        config = super()._config()
        if not self.url:
            return config
        before, _, after = config.partition("[pacs]\n")
        after = after[after.index("[cache]") :]
        return (
            f'{before}[pacs]\nprotocol = "dicomweb"\nurl = "{self.url}"\ntoken_env = "{TOKEN_ENV}"\n'
            f'[pacs.tls]\nca = "{self.ca}"\n{after}'
        )


@contextmanager
def web_nodes(folder: Path) -> Iterator[WebNodes]:
    """Start the servers; stop them at the end."""
    folder.mkdir(exist_ok=True)
    local, rv, pacs = (DicomNode(title, "127.0.0.1", free_port()) for title in ("RBRDT", "RV", "RTPACS"))
    ca = Authority(folder, "clinic")
    options = {"Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True}}
    with (
        Orthanc(folder / "rv", rv, peers=[local, pacs]) as rv_server,
        Orthanc(folder / "pacs", pacs, peers=[local], options=options) as pacs_server,
        proxy(folder, pacs_server.http_port, ca.tls("pacs")) as url,
    ):
        yield WebNodes(folder, rv_server, pacs_server, local, url=f"{url}/dicom-web", ca=ca.file)


@contextmanager
def proxy(folder: Path, port_behind: int, tls: Tls) -> Iterator[str]:
    """docs/nginx-dicomweb.conf as it stands there, but for its addresses."""
    port = free_port()
    changes = {
        "443 ssl": f"127.0.0.1:{port} ssl",
        "127.0.0.1:8042": f"127.0.0.1:{port_behind}",
        "/etc/rbrdt/pacs.pem": str(tls.certificate),
        "/etc/rbrdt/pacs.key": str(tls.key),
        "put the token here": TOKEN,
    }
    example = (Path(__file__).parents[2] / "docs" / "nginx-dicomweb.conf").read_text()
    for old, new in changes.items():
        assert old in example, old
        example = example.replace(old, new)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{main}http {{\naccess_log {folder}/access.log;\n{temporary}{example}\n}}\n")
    process = subprocess.Popen([str(NGINX), "-c", str(folder / "nginx.conf"), "-p", str(folder)])
    try:
        wait_until(lambda: is_listening(port), "nginx listens")
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=seconds(20))
