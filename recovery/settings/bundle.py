"""`[bundle]` of config.toml: where the rescue bundle is kept every night, and who can open it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Bundle:
    """`[bundle]`. Without `paths`, or without anybody who could open it, none is made."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    paths: list[Annotated[str, Field(min_length=1)]] = field(default_factory=list)
    recipients: list[Annotated[str, Field(pattern="^age1[0-9a-z]+$")]] = field(default_factory=list)
    passphrase_env: Annotated[str, Field(min_length=1)] | None = None
    keep: Annotated[int, Field(ge=1, le=100, strict=True)] = 3
    wheelhouse: Annotated[str, Field(min_length=1)] | None = None
