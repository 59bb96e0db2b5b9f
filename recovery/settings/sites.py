"""`[[site_copies]]` of config.toml: where copies off site lie: this clinic's, and others' for a network."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from recovery.settings.sections import Section, Text
from recovery.settings.signing import PublicKey

SiteId = Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")]


@dataclass(frozen=True, slots=True)
class SiteCopy(Section):
    """A `[[site_copies]]`. `site`: whose copy; empty, or this clinic's own id: it is written here, else only read.

    `public_keys`: of those who sign it; empty, for this clinic's own, are those of `[signing]`. Of `user_env` and
    `secret_env`, environment variables, S3 takes the access key and its secret, SFTP a user and a password.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,39}$")]
    where: Text
    site: SiteId = ""
    public_keys: list[PublicKey] = field(default_factory=list)
    endpoint_url: str = ""
    user_env: str | None = None
    secret_env: str | None = None
    known_hosts: str = "~/.ssh/known_hosts"


def id_of(name: str) -> str:
    """A clinic's id made of its name: `Zürich Süd` becomes `zurich-sud`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "site"


def named_twice(copies: list[SiteCopy]) -> list[str]:
    """Copies that cannot be told from each other."""
    names = [one.name.casefold() for one in copies]
    twice = [n for n, name in enumerate(names, start=1) if names.index(name) != n - 1]
    return [f"[site_copies.{n}] name: another copy has it" for n in twice]
