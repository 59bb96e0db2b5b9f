"""`[signing]` of config.toml: whose signature a snapshot must bear to be believed, and where the jobs' key lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from recovery.host.keys import known_public_key

PublicKey = Annotated[str, AfterValidator(known_public_key)]


@dataclass(frozen=True, slots=True)
class Signing:
    """`[signing]`. Without `public_keys` nothing is refused; the jobs sign as soon as the file `private_key` is there.

    `accepted_snapshots`: names of snapshots that a person found right though no key of these signed them.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    public_keys: list[PublicKey] = field(default_factory=list)
    private_key: Annotated[str, Field(min_length=1)] = "data/signing.key"
    accepted_snapshots: list[str] = field(default_factory=list)
