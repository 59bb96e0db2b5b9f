"""`[signing]` and `[guard]` of config.toml: what makes a snapshot believed, and how much of it may change at once."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field

from recovery.host.keys import known_public_key
from recovery.settings.sections import Section, Text
from recovery.tables.flood import Limits

Percent = Annotated[int, Field(ge=1, le=100, strict=True)]
Count = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
PublicKey = Annotated[str, AfterValidator(known_public_key)]


@dataclass(frozen=True, slots=True)
class Signing(Section):
    """`[signing]`. Without `public_keys` nothing is refused; the jobs sign as soon as the file `private_key` is there.

    `accepted_snapshots`: names of snapshots that a person found right though no key of these signed them.
    """

    public_keys: list[PublicKey] = field(default_factory=list)
    private_key: Text = "data/signing.key"
    accepted_snapshots: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Guard(Section):
    """`[guard]`: what of the R&V database's tables may be gone or altered from one cycle to the next."""

    rows: Count = 20
    gone_percent: Percent = 10
    appointments_percent: Percent = 50
    altered_percent: Percent = 5
    past_patients: Count = 10
    encrypted_texts: Count = 5

    @property
    def limits(self) -> Limits:
        return Limits(**{name: getattr(self, name) for name in Limits.__slots__})
