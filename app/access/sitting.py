"""One person at one screen, from signing in to signing out: who, since when, with which rights.

A plain object on the server, held by Streamlit's session and by whatever must ask it later. A browser holds nothing of
it but its open connection and a mark (`app/access/kept.py`). It is over when somebody signs out, presses nothing for
too long, or loses the account; and over for every holder at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.access.audit_writer import AuditWriter
from recovery.access.audit import AuditEvent
from recovery.access.permissions import BREAK_GLASS_GRANTS, Permission, User

Details = Mapping[str, str | int | bool]

VIEW_AGAIN = timedelta(minutes=15)
"""A page that redraws itself is one view; one that is still looked at after this long is another."""


@dataclass(frozen=True, slots=True)
class Glass:
    """Break-glass: until when, and why."""

    until: datetime
    reason: str


@dataclass(slots=True, eq=False)
class Sitting:
    """`clock` is the computer's own, also in a simulated clinic; `account_changed_at` is None where a proxy vouches."""

    user: User
    address: str
    account_changed_at: str | None
    clock: Callable[[], datetime]
    idle: timedelta
    audit: AuditWriter
    browser: str = ""
    """As it names itself."""
    stands: Callable[[], bool] = lambda: True
    """Whether the account is still the one that signed in; looked up anew at every question."""
    last_active_at: datetime = field(init=False)
    glass: Glass | None = None
    is_over: bool = False
    _viewed: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.last_active_at = self.clock()

    def touch(self) -> None:
        """Somebody pressed something."""
        self.last_active_at = self.clock()

    @property
    def time_left(self) -> timedelta:
        """Until the time-out; negative or zero when it has come. A clock that was set back counts as the time-out."""
        since = self.clock() - self.last_active_at
        return self.idle - since if since >= timedelta(minutes=-1) else timedelta(0)

    @property
    def open_glass(self) -> Glass | None:
        """The break-glass access that still holds."""
        return self.glass if self.glass is not None and self.clock() < self.glass.until else None

    @property
    def holds(self) -> bool:
        """Whether it is not over, by sign-out, by time, or because the account was changed or disabled."""
        return not self.is_over and self.time_left > timedelta(0) and self.stands()

    def may(self, permission: Permission) -> bool:
        """Whether the role, or broken glass, gives the permission at this moment, and the sitting holds."""
        if not self.holds:
            return False
        return self.user.may(permission) or (self.open_glass is not None and permission in BREAK_GLASS_GRANTS)

    def note(
        self, action: str, patient_id: str | None = None, details: Details | None = None, *, must: bool = False
    ) -> None:
        """One line of the audit file in this person's name. Raises `AuditError` if `must` and it cannot be written."""
        told = dict(details or {}) | ({"break_glass": True} if self.open_glass is not None else {})
        event = AuditEvent(self.clock(), self.user.name, self.user.role, action, self.address, patient_id, told)
        self.audit.note(event, must=must)

    def note_view(self, what: str, patient_id: str | None = None) -> None:
        """As `note`, of looking: once per page or patient, and again after `VIEW_AGAIN`."""
        now, key = self.clock(), f"{what} {patient_id}"
        if key in self._viewed and now - self._viewed[key] < VIEW_AGAIN:
            return
        self._viewed[key] = now
        self.note("view", patient_id, {"page": what})

    def break_glass(self, reason: str, lasts: timedelta) -> None:
        """Give what `BREAK_GLASS_GRANTS` names for a while.

        Raises `AuditError` if its line cannot be written: then there is no access.
        """
        told: Details = {"reason": reason, "minutes": int(lasts.total_seconds() // 60)}
        self.note("break glass", None, told, must=True)
        self.glass = Glass(self.clock() + lasts, reason)

    def end_glass(self) -> None:
        """Give the access back before its time."""
        if self.open_glass is not None:
            self.note("break glass ended")
        self.glass = None

    def end(self, action: str) -> None:
        """Over, for every holder of this object; `action` is its line: `sign out`, `timed out`, …"""
        if not self.is_over:
            self.note(action)
        self.is_over = True
