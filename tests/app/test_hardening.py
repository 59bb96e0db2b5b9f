"""A server without its settings shows nobody; a log keeps an error's place and loses its text; TLS by config."""

from __future__ import annotations

import logging
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from streamlit import net_util
from streamlit.error_util import handle_uncaught_app_exception
from streamlit.testing.v1 import AppTest

from app.access import hardening
from app.access.rights import SITTING
from app.components.output import download
from recovery.access.audit import AuditFile
from recovery.access.permissions import Permission
from tests.app import clinic
from tests.app.browser import serving
from tests.app.conftest import said, set_clock

Open = Callable[..., AppTest]


def test_the_projects_settings_are_what_the_code_needs() -> None:
    assert hardening.weaknesses() == []
    assert not hardening.passwords_travel_open()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("server.enableCORS", False),
        ("server.enableXsrfProtection", False),
        ("server.enableAgentApi", True),
        ("client.showErrorDetails", "full"),
        ("client.disableDataExport", False),
        ("browser.gatherUsageStats", True),
        ("server.unsafeMetricsUserAttributes", ["name"]),
        ("server.address", None),
    ],
)
def test_a_server_that_is_not_set_up_for_patients_shows_nobody(
    open_dashboard: Open, option: str, value: object
) -> None:
    visit = open_dashboard("good")
    assert visit.dataframe
    before = st.get_option(option)
    st.config.set_option(option, value)
    try:
        visit.run()
        assert option in said(visit) and not visit.dataframe and "BERG" not in said(visit)
    finally:
        st.config.set_option(option, before)
    assert visit.run().dataframe


@pytest.mark.parametrize(
    ("address", "open_"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("10.1.1.1", True)]
)
def test_passwords_beyond_this_machine_without_tls_are_warned_of(address: str, open_: bool) -> None:
    before = st.get_option("server.address")
    st.config.set_option("server.address", address)
    try:
        assert hardening.passwords_travel_open() is open_
    finally:
        st.config.set_option("server.address", before)


def test_an_error_that_quotes_a_patient_is_logged_without_its_text(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    factory = logging.getLogRecordFactory()
    hardening.keep_values_out_of_logs()
    try:
        try:
            {}["BERG, Bo"]
        except KeyError as error:
            handle_uncaught_app_exception(error)
            logging.getLogger("x").warning("it failed", exc_info=True)
    finally:
        logging.setLogRecordFactory(factory)
    told = caplog.text + "".join(capsys.readouterr())
    assert told.count("builtins.KeyError (its text is kept out of the log)") >= 2
    assert "test_hardening.py" in told
    assert "KeyError: 'BERG, Bo'" not in told


def test_streamlit_asks_nobody_for_this_machines_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda url, timeout: asked.append(url))
    monkeypatch.setattr(net_util, "_external_ip", None)
    net_util.get_external_ip()
    assert asked, "without our setting it asks"
    asked.clear()
    hardening.ask_nobody_outside()
    assert net_util.get_external_ip() == net_util.get_internal_ip() == "none.invalid"
    assert asked == []


def test_a_download_that_is_pressed_after_the_time_out_is_refused_and_noted(
    open_dashboard: Open, tmp_path: Path
) -> None:
    here = open_dashboard("good").session_state[SITTING]
    download._check(here, Permission.EXPORT)
    here.last_active_at -= timedelta(minutes=20)
    with pytest.raises(PermissionError):
        download._check(here, Permission.EXPORT)
    newest = AuditFile(tmp_path / "good" / "data" / "audit.jsonl").newest(10**6)[0]
    assert (newest["action"], newest["details"]) == ("refused", {"wanted": "export lists"})


@pytest.mark.skipif(shutil.which("openssl") is None, reason="TLS IS NOT TESTED: no openssl")
def test_with_certificate_and_key_it_speaks_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("STREAMLIT_SERVER_SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("STREAMLIT_SERVER_SSL_KEY_FILE", str(key))
    set_clock(tmp_path / "clock.json", clinic.NOW)
    with serving(clinic.make(tmp_path / "clinic", "missing"), tmp_path / "clock.json", tmp_path / "log") as server:
        trusted = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(server.url.replace("http:", "https:"), context=trusted, timeout=20) as answer:
            assert answer.status == 200
