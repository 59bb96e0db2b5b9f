"""A sitting that outlives the reload of its page: the browser's mark, and what it is worth.

Goal
    F5, a second tab and a broken connection ask for no password; an address, a link or a session's number that somebody
    else got hold of opens nothing.

How
    Whoever signs in by password gets a mark, 256 random bits in a cookie: SameSite=Strict, Secure under https, gone
    after `LASTS`. The server keeps its hash alone, in memory. A connection that brings the mark is given the
    sitting itself, with its time-out as it was: a reload is no activity. The mark is worth nothing once the sitting is
    over (sign-out, time-out, a changed account), after `LASTS`, from another address or another kind of browser (such a
    mark has leaked: the sitting ends for everybody), and after a restart of the server. Who signs in again gets a new
    one. A connection that comes back by its session's number alone, without the mark, ends the sitting.

What it does not protect against
    Streamlit lets a page set a cookie by script alone, so it is not HttpOnly. Whoever runs a script in the page could
    read it; he could as well read the page. Nor against whoever reads the browser's own files or this server's memory,
    or listens where there is no TLS, and comes from the same address with the same browser; nor against another
    service of this host's name, which is sent the cookie, too. And what a page was still being sent when its
    connection broke, Streamlit keeps, and hands to whoever names that session next.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from app.access.sitting import Sitting

LASTS = timedelta(hours=12)
"""A shift; the sitting itself may go on in its page."""


class Kept:
    """The sittings of this process by the hashes of their marks.

    `cookie` is the marks' name: browsers send cookies to every port of a host, so that two dashboards need two names.
    """

    def __init__(self) -> None:
        self.cookie = f"rbrdt_{secrets.token_hex(4)}"
        self._sittings: dict[bytes, tuple[Sitting, datetime]] = {}

    def keep(self, here: Sitting) -> str:
        """Make the mark that brings a sitting back; forget those that are over."""
        for key, (other, since) in list(self._sittings.items()):
            if other.is_over or not _is_within(other, since):
                self._sittings.pop(key, None)
        mark = secrets.token_urlsafe(32)
        self._sittings[_hash(mark)] = (here, here.clock())
        return mark

    def find(self, mark: str) -> Sitting | None:
        """The sitting that a mark stands for, None where it is worth nothing; its time-out is for the gate to judge."""
        here, since = self._sittings.get(_hash(mark), (None, None))
        if here is None or since is None or here.is_over or not _is_within(here, since):
            return None
        return here


def _is_within(here: Sitting, since: datetime) -> bool:
    """A clock that was set back counts as the end."""
    return timedelta(minutes=-1) <= here.clock() - since < LASTS


def _hash(mark: str) -> bytes:
    return hashlib.sha256(mark.encode("utf-8", "replace")).digest()


@lru_cache(maxsize=1)
def kept_by_process() -> Kept:
    """Nothing of it lies on a disk: a restart asks everybody again."""
    return Kept()
