"""docs/nginx.conf, as it stands there, before a real dashboard: who signs in at the proxy is in, who lies is not."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect
from websockets.exceptions import InvalidStatus

from recovery.access.audit import AuditFile
from tests.app import clinic
from tests.app.browser import Server, is_listening, serving
from tests.app.conftest import ROOT, set_clock
from tests.app.wire import Wire, wire
from tests.orthanc import free_port
from tests.patience import seconds, wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
pytestmark = pytest.mark.skipif(
    NGINX is None, reason="THE PROXY'S EXAMPLE IS NOT TESTED: apt-get install -y --no-install-recommends nginx-light"
)
SECRET = "a secret of the tests"
SETTINGS = """
[sign_in.trusted_user_headers]
user = "X-Remote-User"
role = "X-Remote-Role"
addresses = ["127.0.0.1"]
client_address = "X-Real-IP"
secret_env = "RBRDT_PROXY_SECRET"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxied")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    set_clock(folder / "clock.json", clinic.NOW)
    config = clinic.make(folder / "clinic", "good", 20)
    config.write_text(config.read_text() + SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RBRDT_PROXY_SECRET", SECRET)
        with serving(config, folder / "clock.json", folder / "server.log") as one:
            yield one


@pytest.fixture(scope="module")
def proxy(server: Server, folder: Path) -> Iterator[str]:
    """nginx with the example, at a free port without TLS, before the dashboard; its address."""
    port = free_port()
    changes = {
        "443 ssl": f"127.0.0.1:{port}",
        "127.0.0.1:8501": urlsplit(server.url).netloc,
        "/etc/rbrdt/users": str(folder / "users"),
        "put the value of RBRDT_PROXY_SECRET here": SECRET,
    }
    example = (ROOT / "docs" / "nginx.conf").read_text()
    for old, new in changes.items():
        assert old in example, old
        example = example.replace(old, new)
    example = "\n".join(line for line in example.splitlines() if "ssl_certificate" not in line)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{main}http {{\naccess_log {folder}/access.log;\n{temporary}{example}\n}}\n")
    (folder / "users").write_text("physicist:{PLAIN}one two three\nvisitor:{PLAIN}one two three\n")
    process = subprocess.Popen([str(NGINX), "-c", str(folder / "nginx.conf"), "-p", str(folder)])
    try:
        wait_until(lambda: is_listening(port), "nginx listens")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=seconds(20))


def basic(name: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:one two three".encode()).decode()}


def asked(line: Wire, until: bytes) -> bytes:
    """What a page says, to its end; it says `until`."""
    line.rerun()
    return line.listen(until=until) + line.listen()


def test_who_signs_in_at_the_proxy_is_in_with_the_proxys_role_and_can_sign_out(
    proxy: str, browser: Browser, folder: Path
) -> None:
    context = browser.new_context(http_credentials={"username": "physicist", "password": "one two three"})
    page = context.new_page()
    page.goto(proxy)
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in as physicist")).to_be_visible()
    expect(page.locator("[data-testid=stDataFrame]")).to_have_count(0)
    page.get_by_role("button", name="Sign in as physicist").click()
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    first = AuditFile(folder / "clinic" / "data" / "audit.jsonl").newest(10**6)[-1]
    assert (first["who"], first["role"], first["from"], first["details"]) == (
        "physicist", "physicist", "127.0.0.1", {"by": "proxy"},
    )  # fmt: skip
    context.close()


def test_what_a_browser_sends_itself_is_overwritten(proxy: str) -> None:
    lies = {"X-Remote-User": "admin", "X-Remote-Role": "admin", "X-Real-IP": "1.2.3.4", "X-Forwarded-For": "1.2.3.4"}
    with wire(proxy, headers=basic("visitor") | lies) as line:
        said = asked(line, b"BERG, Bo")
        assert b"BERG, Bo" in said and b"viewer" in said and b"admin" not in said.replace(b"physician or admin", b"")


def test_without_a_password_the_proxy_lets_nothing_through(proxy: str) -> None:
    with pytest.raises(InvalidStatus) as caught, wire(proxy):
        pass
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize("secret", [None, "guessed"])
def test_past_the_proxy_its_headers_are_nothing(server: Server, secret: str | None) -> None:
    lies = {"X-Remote-User": "physicist", "X-Remote-Role": "physicist"} | ({"X-Proxy-Secret": secret} if secret else {})
    with wire(server.url, headers=lies) as line:
        said = asked(line, b"Password")
        assert b"Password" in said and b"BERG" not in said


def test_a_proxy_that_sends_x_forwarded_for_is_told_to_mend_it(server: Server) -> None:
    sent = {"X-Remote-User": "physicist", "X-Remote-Role": "physicist", "X-Proxy-Secret": SECRET}
    with wire(server.url, headers=sent | {"X-Forwarded-For": "127.0.0.1"}) as line:
        said = asked(line, b"It must not")
        assert b"It must not" in said and b"BERG" not in said
    with wire(server.url, headers=sent) as line:
        assert b"BERG, Bo" in asked(line, b"BERG, Bo"), "the same without it is believed"
