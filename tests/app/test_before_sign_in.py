"""No patient's name or ID comes out before signing in, into a log, or into an address: every byte is read.

Each proof has its counter-proof: the same search finds the names as soon as somebody has signed in.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed

from app.screens import PAGES
from demo.run.pictures import INSTALL_CHROMIUM, chromium
from tests.app import clinic, people
from tests.app.browser import Server, new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.app.wire import Wire, wire
from tests.patience import seconds, wait_until

needs_browser = pytest.mark.skipif(
    chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}"
)

WATCH = """
import os, sys
def watch(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        address = arguments[1] if event == "socket.connect" else arguments
        host = address[0] if isinstance(address, tuple) else address
        if host not in {"127.0.0.1", "::1", "localhost", None}:
            with open(os.environ["OUTSIDE"], "a") as file:
                file.write(f"{event} {host}\\n")
sys.addaudithook(watch)
"""
"""A sitecustomize.py for the server's process: whom it asks outside this machine."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("before")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    set_clock(folder / "clock.json", clinic.NOW)
    config = clinic.make(folder / "clinic", "good", 60)
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "watch"))
        patch.setenv("OUTSIDE", str(folder / "outside.log"))
        with serving(config, folder / "clock.json", folder / "server.log", is_forked=False) as one:
            yield one


def secrets() -> list[str]:
    """Every name, ID and plan UID of the clinic."""
    rows = clinic.many_rows(60)
    return sorted({str(row[key]) for row in rows for key in ("patient_name", "patient_id") if row[key]})


def found_in(data: bytes) -> list[str]:
    """Which of them stand in some bytes, in UTF-8 or as JSON or a URL writes them."""
    text = data + b"\n" + unquote(data.decode("latin-1").replace("+", " "), errors="replace").encode()
    written = {secret: (secret.encode(), secret.encode("ascii", "backslashreplace")) for secret in secrets()}
    return [secret for secret, forms in written.items() if any(form in text for form in forms)]


class Recorder:
    """All that a page receives: bodies of answers, frames of WebSockets; and the addresses that it asked."""

    def __init__(self, page: Page) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self.frames: list[bytes] = []
        self.urls: list[str] = []
        page.on("response", lambda response: self.bodies.append((response.url, self._body(response))))
        page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        page.on("framenavigated", lambda frame: self.urls.append(frame.url))
        page.on("request", lambda request: self.urls.append(request.url))

    def _frame(self, payload: str | bytes) -> None:
        self.frames.append(payload if isinstance(payload, bytes) else payload.encode())

    @staticmethod
    def _body(response: object) -> bytes:
        try:
            body: bytes = response.body()  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001  a redirect or an aborted answer has none
            return b""
        return body

    @property
    def heard(self) -> bytes:
        return b"\n".join([*self.frames, *(body for url, body in self.bodies if "/static/" not in url)])

    @property
    def assets(self) -> bytes:
        return b"\n".join(body for url, body in self.bodies if "/static/" in url)


def get(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, method=method, headers=headers, data=b"x" if method != "GET" else None)
    try:
        with urllib.request.urlopen(request, timeout=seconds(10)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@needs_browser
def test_a_browser_receives_no_name_until_somebody_has_signed_in(server: Server, browser: Browser) -> None:
    page, requests = new_page(browser)
    recorder = Recorder(page)
    for path in ("", "patient"):  # all pages: by the wire, below
        frames = len(recorder.frames)
        page.goto(f"{server.url}/{path}?machine=TB2&patient=1&search=berg")
        page.get_by_label("Password", exact=True).wait_for()
        page.keyboard.press("Escape")
        if not path:
            page.get_by_label("Name", exact=True).fill("physicist")
            page.get_by_label("Password", exact=True).fill("not the password")
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.get_by_text("Name or password is not right").wait_for()
        assert len(recorder.frames) > frames + 3
    assert len(recorder.bodies) > 5
    assert found_in(recorder.heard) == []
    assert not any(name.encode() in recorder.assets for name in secrets() if "," in name)
    assert requests.outside == []
    page.context.close()


@needs_browser
def test_whoever_has_signed_in_receives_names_and_the_table_itself_hands_out_nothing(
    server: Server, browser: Browser
) -> None:
    page, _ = new_page(browser)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    recorder = Recorder(page)
    page.goto(server.url)
    sign_in(page)
    canvas = page.locator("[data-testid=stDataFrame] canvas").first
    canvas.wait_for()
    assert {"BERG, Bo", "100377", "EßER, Jürgen"} <= set(found_in(recorder.heard)), "the search would not find them"
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 53)
    page.locator("[data-testid=stElementToolbar]").first.wait_for()
    assert page.get_by_role("button", name=re.compile("download", re.IGNORECASE)).count() == 0
    page.evaluate("navigator.clipboard.writeText('nothing')")
    page.mouse.click(box["x"] + 100, box["y"] + 53)
    page.keyboard.press("Control+c")
    time.sleep(0.5)
    assert page.evaluate("navigator.clipboard.readText()") == "nothing"


def _sign_in_by_wire(line: Wire) -> bytes:
    line.rerun()
    line.listen_to_the_end()
    ids = line.widget_ids()
    line.rerun(
        widgets=[
            WidgetState(id=ids["Name"], string_value="physicist"),
            WidgetState(id=ids["Password"], string_value=people.PASSWORD),
            WidgetState(id=ids["Sign in"], trigger_value=True),
        ]
    )
    return line.listen(until=b"BERG, Bo") + line.listen()


def test_the_websocket_spoken_to_directly_says_no_name(server: Server) -> None:
    forged = {
        "X-Remote-User": "admin",
        "X-Remote-Role": "admin",
        "X-Forwarded-For": "127.0.0.1",
        "Cookie": "sitting=admin",
    }
    with wire(server.url, headers=forged) as line:
        line.rerun()
        line.listen(until=b"Password")
        line.listen()
        hashes = [*line.page_hashes(), "", "0" * 32]
        assert len(set(line.page_hashes())) >= len(PAGES)
        for page_hash in hashes:
            line.rerun(query="sitting=1&search=berg&role=admin&user=admin", page=page_hash)
        states = [
            WidgetState(id=name, string_value="admin")
            for name in ("sitting", "redrawn_by_itself", "search", "$$ID-0-search", "$$ID-0-sitting", "user")
        ]
        line.rerun(widgets=states)
        line.rerun(widgets=[*states, WidgetState(id="sitting", json_value='{"user": "admin"}')])
        fragment = BackMsg()
        fragment.rerun_script.fragment_id = "0" * 32
        line.send(fragment)
        for file_id in ("", "excel", "0" * 32):
            line.ask_file(file_id)
        for kind in ("load_git_info", "clear_cache", "debug_shutdown_runtime"):
            line.send(BackMsg(**{kind: True}))
        install = BackMsg()
        install.backend_operation_request.session_id = line.session_id
        install.backend_operation_request.install_skills.SetInParent()
        line.send(install)
        refused = b"not available in this environment"
        assert refused in line.listen(until=refused), "nobody writes files through it"
        line.listen(silence=2)
        assert len(line.heard) > 10
        assert found_in(b"".join(line.heard)) == []
    with wire(server.url) as line:
        assert "BERG, Bo" in found_in(_sign_in_by_wire(line)), "the same words, with a password, would open it"


def test_a_message_that_would_fill_the_memory_ends_its_connection_before_sign_in(server: Server) -> None:
    with wire(server.url) as line, pytest.raises(ConnectionClosed) as closed:
        line.connection.send(b"\0" * 11_000_000)  # 190 MB were once taken of whoever came
        line.listen()
        line.connection.recv(timeout=seconds(10))
    said = closed.value.rcvd  # none where the end of the connection overtakes it: not all of the message was read
    assert said is None or said.code == 1009


def test_a_download_asked_for_after_signing_out_is_refused(server: Server) -> None:
    with wire(server.url) as line:
        _sign_in_by_wire(line)
        file_id = next(
            said.delta.new_element.download_button.deferred_file_id
            for said in line.messages()[::-1]
            if said.delta.new_element.download_button.deferred_file_id
        )
        line.ask_file(file_id)
        assert b"/media/" in line.listen(until=b"/media/")
        line.rerun(widgets=[WidgetState(id=line.widget_ids()["Sign out"], trigger_value=True)])
        line.listen(until=b"You are signed out")
        line.ask_file(file_id)
        assert b"Failed to generate" in line.listen(until=b"Failed to generate")


ENDPOINTS = (
    "/", "/on_treatment", "/audit", "/_stcore/health", "/_stcore/metrics", "/_stcore/host-config",
    "/_stcore/script-health-check", "/_stcore/allowed-message-origins", "/_stcore/message?hash=0",
    "/_stcore/agent/openapi.json",
    "/_stcore/agent/interact", "/_stcore/agent/mcp", "/_stcore/bidi-components/x/y", "/component/x/index.html",
    "/media/0.xlsx", "/media/../../config.toml", "/app/static/data/accounts.json", "/static/../../data/accounts.json",
    "/auth/login", "/oauth2callback", "/data/audit.jsonl", "/config.toml",
)  # fmt: skip


def test_no_other_address_of_the_server_says_a_name_or_does_anything(server: Server) -> None:
    with wire(server.url) as line:
        _sign_in_by_wire(line)  # somebody is signed in meanwhile
        for path in ENDPOINTS:
            for method in ("GET", "POST", "PUT", "DELETE"):
                _, body = get(server.url + path, method, **{"X-Remote-User": "admin"})
                assert found_in(body) == [] and b"argon2" not in body, path
        assert get(f"{server.url}/_stcore/upload_file/{'0' * 32}/x", "PUT")[0] in {400, 403}
        assert b'"enabled":true' not in get(f"{server.url}/_stcore/agent/openapi.json")[1].replace(b" ", b"")
        assert get(f"{server.url}/_stcore/agent/interact", "POST")[0] >= 400


def knock(address: str, **headers: str) -> int:
    """Ask for the WebSocket with these headers; returns the status."""
    connection = HTTPConnection(address, timeout=seconds(10))
    connection.putrequest("GET", "/_stcore/stream", skip_host=True)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    for name, value in (upgrade | {"Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg=="} | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_page_of_a_foreign_origin_or_host_opens_no_websocket_and_makes_the_server_ask_nobody_outside(
    server: Server, folder: Path
) -> None:
    with wire(server.url) as line:
        line.rerun()
        line.listen(until=b"Password")
    host = urlsplit(server.url).netloc
    assert knock(host, Host=host, Origin=server.url) == 101
    assert knock(host, Host=host, Origin="http://evil.example") == 403
    assert knock(host, Host="evil.example") == 403
    assert knock(host, Host="evil.example", Origin="http://evil.example") == 403
    assert not (folder / "outside.log").exists(), (folder / "outside.log").read_text()


@needs_browser
def test_break_glass_opens_the_export_with_a_reason_and_the_audit_page_shows_it(
    server: Server, browser: Browser, folder: Path
) -> None:
    page, _ = new_page(browser)
    page.goto(server.url)
    sign_in(page, "viewer")
    page.get_by_role("button", name="Break glass").click()
    page.get_by_role("button", name="Break the glass").click()
    page.get_by_text("Write why, in at least 10 characters.").wait_for()
    page.get_by_label("Reason").fill("Nobody else is here for TB1")
    page.get_by_role("button", name="Break the glass").click()
    page.get_by_text("BREAK-GLASS ACCESS").wait_for()
    with page.expect_download():
        page.get_by_role("button", name="Excel").click()
    page.get_by_role("button", name="End it now").click()
    expect(page.get_by_role("button", name="Excel")).to_be_disabled()
    page.goto(f"{server.url}/audit")
    expect(page.get_by_text("You may not read the audit file.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "admin")  # on the page Audit, where the other person left
    expect(page.get_by_text("The audit file is whole")).to_be_visible()


@needs_browser
def test_after_a_whole_journey_no_log_or_address_names_a_patient_and_its_export_has_gone(
    server: Server, browser: Browser, folder: Path
) -> None:
    page, requests = new_page(browser)
    recorder = Recorder(page)
    page.goto(server.url)
    sign_in(page)
    page.get_by_label("Search name or ID").fill("100377")
    page.get_by_text("1 plan shown").wait_for()
    page.get_by_label("Search name or ID").fill("berg")
    page.get_by_text("2 plans shown").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Excel").click()
    media = download.value.url
    recorder.urls.append(media)
    assert re.search(r"/media/[0-9a-f]{32}\.xlsx$", media), "an address that nobody guesses: 128 bits"
    status, body = get(media)
    assert (status, body[:2]) == (200, b"PK"), "known exposure: whoever has the address; docs/reverse_proxy.md"
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out").wait_for()
    wait_until(lambda: get(media)[0] == 404, "the export has gone with the sitting")
    assert '"action": "export"' in (folder / "clinic" / "data" / "audit.jsonl").read_text()
    addresses = "\n".join([*recorder.urls, *requests.all, page.url]).encode()
    assert found_in(addresses) == [] and b"berg" not in addresses.lower()
    logs = b"".join(file.read_bytes() for file in folder.rglob("*.log"))
    assert b"Uvicorn" in logs and found_in(logs) == []
    assert people.PASSWORD.encode() not in logs + addresses + (folder / "clinic/data/audit.jsonl").read_bytes()
    assert requests.outside == [] and not (folder / "outside.log").exists()
