"""`[watch]` and `[verify]`: who hears of a backup that fails or is silent, and how soon all of it is re-read."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from recovery.settings.sections import Port, Section, Text, TimeOfDay


def _url(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise ValueError("must be a URL that begins with http:// or https://")
    return value.rstrip("/")


def _address(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", value):
        raise ValueError("must be one mail address, such as physics@clinic.example")
    return value


Url = Annotated[str, AfterValidator(_url)]
MailAddress = Annotated[str, AfterValidator(_address)]


@dataclass(frozen=True, slots=True)
class MailSettings(Section):
    """`[watch.mail]`: a mail server and to whom it brings what."""

    server: Text
    sender: MailAddress
    recipients: Annotated[list[MailAddress], Field(min_length=1)]
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_env: str | None = None


@dataclass(frozen=True, slots=True)
class WatchSettings(Section):
    """`[watch]`: pings to a URL of the healthchecks kind, mail, and whatever `apprise` reaches.

    `ping_url` may hold `{job}`, which becomes the name of the job that was started. `apprise_env` names an environment
    variable with apprise's addresses, which hold secrets. `grace_minutes`, 0: as `[schedule]` says. `shift_checks`:
    when each shift begins in which somebody compares the copy with the R&V system.
    """

    ping_url: Url = ""
    watch_ping_url: Url = ""
    mail: MailSettings | None = None
    apprise_env: str | None = None
    daily_summary_at: TimeOfDay = "07:00"
    shift_checks: list[Annotated[TimeOfDay, Field(min_length=1)]] = field(default_factory=list)
    grace_minutes: Annotated[int, Field(ge=0, le=10_080, strict=True)] = 0
    timeout_seconds: Annotated[int, Field(ge=1, le=60, strict=True)] = 5
    state: Text = "data/watch.json"

    @property
    def tells_people(self) -> bool:
        return self.mail is not None or self.apprise_env is not None

    @property
    def timeout(self) -> float:
        return float(self.timeout_seconds)

    @property
    def grace(self) -> timedelta | None:
        return timedelta(minutes=self.grace_minutes) if self.grace_minutes else None


@dataclass(frozen=True, slots=True)
class Verify(Section):
    """`[verify]`: how soon everything is re-read, how fast, for how long in one night, and when `schedule` begins."""

    weeks: Annotated[int, Field(ge=1, le=520, strict=True)] = 8
    megabytes_per_second: Annotated[int, Field(ge=1, le=10_000, strict=True)] = 50
    hours: Annotated[int, Field(ge=1, le=24, strict=True)] = 6
    at: TimeOfDay = "02:00"
