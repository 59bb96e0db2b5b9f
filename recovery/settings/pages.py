"""`[charts]`, `[priorities]` and `[downtime]` of config.toml: paper, who may wait how long, what is asked of a charted
fraction."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from recovery.on_treatment.charting_limits import Checks, Limits
from recovery.on_treatment.priorities import WEEKDAYS, Rules
from recovery.settings.sections import Section, Text


def _iso_day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError as error:
        raise ValueError('must be a day like "2026-11-24", or empty') from error


MissedDays = Annotated[int, Field(ge=0, le=60, strict=True)]


@dataclass(frozen=True, slots=True)
class Priorities(Section):
    """`[priorities]`: the clinic's own rules of who may wait how long; off until they are signed."""

    signed_by: str = ""
    signed_on: Annotated[str, AfterValidator(_iso_day)] = ""
    category_1_days: MissedDays | None = None
    category_2_days: MissedDays | None = None
    category_3_days: MissedDays | None = None
    treatment_weekdays: Annotated[
        list[Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]], Field(min_length=1)
    ] = field(default_factory=lambda: ["Mon", "Tue", "Wed", "Thu", "Fri"])

    @property
    def weekdays(self) -> frozenset[int]:
        """The days on which the clinic treats, Monday 0."""
        return frozenset(WEEKDAYS.index(day) for day in self.treatment_weekdays)

    @property
    def lacking(self) -> list[str]:
        """The keys that are still to be filled in before anything is computed."""
        keys = ("category_1_days", "category_2_days", "category_3_days", "signed_by", "signed_on")
        return [key for key in keys if getattr(self, key) in {None, ""}]

    @property
    def rules(self) -> Rules | None:
        """What the clinic signed; None until all of it is there."""
        limits = {1: self.category_1_days, 2: self.category_2_days, 3: self.category_3_days}
        allowed = {category: days for category, days in limits.items() if days is not None}
        if not self.signed_by.strip() or not self.signed_on or len(allowed) < len(limits):
            return None
        return Rules(allowed, self.weekdays, self.signed_by.strip(), date.fromisoformat(self.signed_on))


@dataclass(frozen=True, slots=True)
class Charts(Section):
    """`[charts]`: the paper of printed charts, and a font for letters that the charts' own fonts lack."""

    paper: Literal["a4", "letter"] = "a4"
    font: Text | None = None


RUNBOOK = (
    "Say who leads, and which number everybody calls. Tell IT security, the physicians and every machine.",
    "Unplug what may still be attacked. Nobody plugs the R&V system in again without physics.",
    "Per machine, with its own log in hand: work off the page Since the last proof. Who was treated, and how far?",
    "Print the charts and the day's list of every machine. Two people hold the newest fraction against each console.",
    "Call who is booked in the next hours: to come, to wait, or to be called again.",
    "With the physicians: who is treated first, and who cannot wait (page Priorities).",
    "Per machine: how it runs without the R&V system, who releases it, its checks, one plan on a phantom.",
    "The first patients: two people at the console, two identifiers and the photo, plan and fraction read aloud.",
    "Chart every fraction before the next patient comes in (page Chart fractions). Two people sign.",
    "Each evening: what was charted on a machine against the machine's own log.",
    "Before it is ended: per patient, what was charted against what the restored R&V system has.",
)


@dataclass(frozen=True, slots=True)
class DowntimeSettings(Section):
    """`[downtime]`. `runbook` empty: the one that is built in. `checks`: whether each refuses, warns or is off."""

    runbook: list[Annotated[str, Field(min_length=1, max_length=300)]] = field(default_factory=list)
    private_key: Text = "data/charting.key"
    checks: Checks = field(default_factory=Checks)
    checks_signed_by: str = ""
    meterset_percent: Annotated[float, Field(gt=0, le=20)] = 5.0
    interval_hours: Annotated[float, Field(ge=0, le=24)] = 6.0
    gap_days: Annotated[int, Field(ge=0, le=60, strict=True)] = 4

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(self.runbook) or RUNBOOK

    @property
    def limits(self) -> Limits:
        return Limits(self.meterset_percent / 100, timedelta(hours=self.interval_hours), self.gap_days)

    @property
    def own_checks(self) -> Checks:
        """The config's, once a physicist signed them; else what is safe."""
        return self.checks if self.checks_signed_by.strip() else Checks()
