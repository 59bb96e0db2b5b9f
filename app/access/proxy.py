"""Who a reverse proxy says is there, and whether it is believed.

How
    Headers are believed from the configured addresses only, each exactly once, and, where the config names a secret,
    only together with it.

Why X-Forwarded-For is refused
    Streamlit's web server lets this header replace the address of whoever speaks to it from this machine, so beside it
    the proxy's own address cannot be known. The example in docs/reverse_proxy.md sends X-Real-IP instead.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recovery.access.accounts import folded_name
from recovery.access.permissions import Role
from recovery.settings.sign_in import TrustedUserHeaders

SECRET_HEADER = "X-Proxy-Secret"  # noqa: S105  a name, not a secret
REWRITTEN_BY = "X-Forwarded-For"

Headers = Callable[[str], Sequence[str]]
"""All values of a header, by its name; none where it was not sent."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """A person for whom the proxy vouches. `role` is None where the local account says it."""

    name: str
    role: Role | None
    address: str


class ProxyError(ValueError):
    """The proxy is believed, and what it says cannot be used. Its text says what to mend."""


def vouched(settings: TrustedUserHeaders, headers: Headers, peer: str, secret: str | None) -> Vouched | None:
    """The person that the headers name; None when nobody is named, or by somebody who is not believed.

    `peer` is the address that the connection came from; `secret` what the proxy must know, None where the config
    asks for none.

    Raises `ProxyError` if the proxy names a role that there is none, or sends a header twice, or X-Forwarded-For.
    """
    if not headers(settings.user):
        return None
    if headers(REWRITTEN_BY):
        raise ProxyError(f"The proxy sends {REWRITTEN_BY}. It must not: see docs/reverse_proxy.md.")
    if peer not in settings.addresses:
        return None
    if settings.secret_env is not None and not _knows(secret, headers(SECRET_HEADER)):
        return None
    name = folded_name(_only(headers, settings.user) or "")
    if not name:
        return None
    role = _role(_only(headers, settings.role) or "") if settings.role is not None else None
    address = _only(headers, settings.client_address) if settings.client_address is not None else None
    return Vouched(name, role, address or peer)


def _only(headers: Headers, name: str) -> str | None:
    values = headers(name)
    if len(values) > 1:
        raise ProxyError(f"The proxy sends {name} more than once.")
    return values[0].strip() if values else None


def _role(said: str) -> Role:
    try:
        return Role(said.lower())
    except ValueError:
        raise ProxyError(f"The proxy names no role of this dashboard; there are {', '.join(Role)}.") from None


def _knows(secret: str | None, said: Sequence[str]) -> bool:
    """An unset secret is no secret: nobody knows it."""
    return bool(secret) and len(said) == 1 and hmac.compare_digest((secret or "").encode(), said[0].encode())
