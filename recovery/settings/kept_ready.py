"""`[bundle]`, `[package]` and `[drill]` of config.toml: what is kept ready, where, and who can open it."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from recovery.settings.sections import Section, Text


@dataclass(frozen=True, slots=True)
class Bundle(Section):
    """`[bundle]`. Without `paths`, or without anybody who could open it, none is made."""

    paths: list[Text] = field(default_factory=list)
    recipients: list[Annotated[str, Field(pattern="^age1[0-9a-z]+$")]] = field(default_factory=list)
    passphrase_env: Text | None = None
    keep: Annotated[int, Field(ge=1, le=100, strict=True)] = 3
    wheelhouse: Text | None = None


@dataclass(frozen=True, slots=True)
class Package(Section):
    """`[package]`. Without `path` no packs are kept ready. `proven_hours`: a night may be missed, two may not."""

    path: Text | None = None
    proven_hours: Annotated[int, Field(ge=1, le=720, strict=True)] = 48


@dataclass(frozen=True, slots=True)
class DrillSettings(Section):
    """`[drill]`. Without `path` the reports lie in the cache. `every_days` 0: by hand alone."""

    path: Text | None = None
    every_days: Annotated[int, Field(ge=0, le=90, strict=True)] = 30
    patients: Annotated[int, Field(ge=1, le=1000, strict=True)] = 5
