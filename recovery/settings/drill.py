"""`[drill]` of config.toml: how often recovery is tried without the R&V system, on whom, and where the reports lie."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field


@dataclass(frozen=True, slots=True)
class DrillSettings:
    """`[drill]`. Without `path` the reports lie in the cache. `every_days` 0: by hand alone."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    path: Annotated[str, Field(min_length=1)] | None = None
    every_days: Annotated[int, Field(ge=0, le=90, strict=True)] = 30
    patients: Annotated[int, Field(ge=1, le=1000, strict=True)] = 5
