"""`[charts]` and `[priorities]` of config.toml: what is printed on, and who may wait how long by the clinic's rules."""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from recovery.on_treatment.priorities import WEEKDAYS, Rules

_STRICT = ConfigDict(extra="forbid")


def _iso_day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError as error:
        raise ValueError('must be a day like "2026-11-24", or empty') from error


MissedDays = Annotated[int, Field(ge=0, le=60, strict=True)]


@dataclass(frozen=True, slots=True)
class Priorities:
    """`[priorities]`: the clinic's own rules of who may wait how long; off until they are signed."""

    __pydantic_config__ = _STRICT
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
class Charts:
    """`[charts]`: the paper of printed charts, and a font for letters that the charts' own fonts lack."""

    __pydantic_config__ = _STRICT
    paper: Literal["a4", "letter"] = "a4"
    font: Annotated[str, Field(min_length=1)] | None = None
