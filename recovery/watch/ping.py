"""Pings to a URL of the healthchecks kind: that a run began, and how it ended. Silence there is an alarm."""

from __future__ import annotations

import logging
import threading
import urllib.error
import urllib.request

log = logging.getLogger(__name__)


def ping(url: str, what: str, said: str, timeout: float) -> bool:
    """POST `said`, counts only, to `url/what` (`start`, or an exit status); whether it was taken.

    A URL that does not answer in `timeout` seconds is logged and is no failure of the job.
    """
    request = urllib.request.Request(f"{url}/{what}", data=said.encode(), method="POST")  # noqa: S310  http(s), by config
    try:
        with urllib.request.urlopen(request, timeout=timeout):  # noqa: S310
            return True
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        log.warning("the ping that a run %s was not taken: %s", "began" if what == "start" else "ended", reason)
        return False


def ping_beside(url: str, what: str, said: str, timeout: float) -> threading.Thread:
    """As `ping`, without waiting: a run does not begin later because somebody watches it."""
    thread = threading.Thread(target=ping, args=(url, what, said, timeout), daemon=True)
    thread.start()
    return thread
