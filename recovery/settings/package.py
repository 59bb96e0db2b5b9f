"""`[package]` of config.toml: where packs of plans are kept ready, and how lately their objects were proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Package:
    """`[package]`. Without `path` no packs are kept ready. `proven_hours`: a night may be missed, two may not."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    path: Annotated[str, Field(min_length=1)] | None = None
    proven_hours: Annotated[int, Field(ge=1, le=720, strict=True)] = 48
