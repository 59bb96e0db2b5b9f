"""`[sign_in]` of config.toml: accounts, audit file, locks, time-outs, and the proxy that may name who is there."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from recovery.settings.sections import Section, Text


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", value):
        raise ValueError("a header's name has letters, digits and dashes, such as X-Remote-User")
    return value


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        raise ValueError("must be one IP address of the proxy, such as 127.0.0.1") from error


HeaderName = Annotated[str, AfterValidator(_header_name)]
Minutes = Annotated[int, Field(ge=1, le=1440, strict=True)]


@dataclass(frozen=True, slots=True)
class TrustedUserHeaders(Section):
    """`[sign_in.trusted_user_headers]`: which headers name who is there, and the proxy from which they are believed.

    Without `role`, the role is that of the local account of that name.
    """

    user: HeaderName
    addresses: Annotated[list[Annotated[str, AfterValidator(_address)]], Field(min_length=1)]
    role: HeaderName | None = None
    client_address: HeaderName | None = None
    secret_env: str | None = None


@dataclass(frozen=True, slots=True)
class SignInSettings(Section):
    """`[sign_in]`: where accounts and the audit file lie (relative paths start at the config), locks and time-outs."""

    accounts: Text = "data/accounts.json"
    audit: Text = "data/audit.jsonl"
    lock_after_failures: Annotated[int, Field(ge=1, le=100, strict=True)] = 5
    lock_minutes: Minutes = 15
    idle_minutes: Minutes = 20
    break_glass_minutes: Annotated[int, Field(ge=0, le=1440, strict=True)] = 60
    trusted_user_headers: TrustedUserHeaders | None = None
