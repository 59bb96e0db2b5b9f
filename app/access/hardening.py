"""The server's own settings, looked at before anything is shown; and a log that says no patient's name.

Goal
    A dashboard that was started in another folder, without `.streamlit/config.toml`, shows nobody instead of showing
    everything to everyone.

How
    Ask Streamlit for the options that matter and compare. In the log, an error keeps its type and its place in the
    source, and loses its text: that may quote a value, and a value may be a name.
"""

import contextlib
import ipaddress
import logging
import traceback
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit import net_util

from recovery.words.printable import printable

_NO_ADDRESS = "none.invalid"
"""RFC 2606: no machine has this name."""

NEEDED: Mapping[str, object] = {
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.headless": True,
    "server.maxMessageSize": 10,
    "server.maxWidgetStateSize": 1,
    "server.unsafeMetricsUserAttributes": [],
    "server.scriptHealthCheckEnabled": False,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.disableDataExport": True,
    "global.developmentMode": False,
    "logger.enableRich": False,
}
"""What must be so, whatever folder or command the server was started with."""


def weaknesses() -> list[str]:
    """Every option that is not as it must be, in words; empty when all are. `server.address` must be said."""
    found = [
        f"{option} is {_said(is_now)}; it must be {_said(must)}"
        for option, must in NEEDED.items()
        if (is_now := st.get_option(option)) != must
    ]
    if not st.get_option("server.address"):
        found.append("server.address is not set: the dashboard would listen at every address of this machine")
    return found


def passwords_travel_open() -> bool:
    """Whether the server listens beyond this machine without TLS."""
    address = str(st.get_option("server.address"))
    try:
        is_here = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_here = address == "localhost" or address.startswith("unix:")
    return not is_here and not st.get_option("server.sslCertFile")


def ask_nobody_outside() -> None:
    """Keep Streamlit from asking the internet for this machine's address.

    It does so for any page of a foreign origin that knocks, by plain HTTP, waits for the answer, and then believes
    pages of that address. There is no option; a known address is not asked for, so it is given one that none has.
    """
    net_util._external_ip = _NO_ADDRESS
    net_util._internal_ip = _NO_ADDRESS


def keep_values_out_of_logs() -> None:
    """Let every log record of this process lose the text of the exception that it carries; once per process."""
    factory = logging.getLogRecordFactory()
    if factory is not _without_values:
        logging.setLogRecordFactory(_without_values)


def _without_values(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **kwargs)
    with contextlib.suppress(TypeError, ValueError):  # logging itself complains of these
        record.msg, record.args = printable(record.getMessage()), ()
    if isinstance(record.exc_info, tuple) and record.exc_info[0] is not None:
        kind, _, place = record.exc_info
        frames = "".join(traceback.format_tb(place))
        record.exc_text = f"{frames}{kind.__module__}.{kind.__qualname__} (its text is kept out of the log)"
        record.exc_info = None
    return record


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
