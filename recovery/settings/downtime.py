"""`[downtime]` of config.toml: the clinic's own runbook, and what is asked when a fraction is charted."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from pydantic import ConfigDict, Field

from recovery.on_treatment.charting_limits import Checks, Limits

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
class DowntimeSettings:
    """`[downtime]`. `runbook` empty: the one that is built in. `checks`: whether each refuses, warns or is off."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    runbook: list[Annotated[str, Field(min_length=1, max_length=300)]] = field(default_factory=list)
    private_key: Annotated[str, Field(min_length=1)] = "data/charting.key"
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
