"""Pings to a URL of the healthchecks kind: that a run began, and how it ended. Silence there is an alarm."""

import logging
import urllib.request
from concurrent.futures import Future
from http.client import HTTPException

from recovery.watch.bounded import begin

log = logging.getLogger(__name__)


def ping(url: str, what: str, said: str, timeout: float) -> bool:
    """POST `said`, counts only, to `url/what` (`start`, or an exit status); whether it was taken.

    A URL that does not answer in `timeout` seconds is logged and is no failure of the job.
    """
    return taken(ping_beside(url, what, said, timeout), what, timeout)


def ping_beside(url: str, what: str, said: str, timeout: float) -> Future[None]:
    """As `ping`, without waiting: a run does not begin later because somebody watches it."""
    request = urllib.request.Request(f"{url}/{what}", data=said.encode(), method="POST")  # noqa: S310  http(s), by config
    return begin(lambda: urllib.request.urlopen(request, timeout=timeout).close())  # noqa: S310


def taken(sent: Future[None], what: str, timeout: float) -> bool:
    """Wait for the answer to a ping, `timeout` seconds at most."""
    try:
        sent.result(timeout)
    except (HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error or f"no answer in {timeout:g} s"
        log.warning("the ping that a run %s was not taken: %s", "began" if what == "start" else "ended", reason)
        return False
    return True
