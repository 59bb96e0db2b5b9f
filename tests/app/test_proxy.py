"""What a reverse proxy says is believed from the proxy alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.access.proxy import Headers, ProxyError, Vouched, vouched
from recovery.access.permissions import Role
from recovery.settings.sign_in import TrustedUserHeaders

PROXY, ELSEWHERE = "10.0.0.5", "10.0.0.9"
SETTINGS = TrustedUserHeaders("X-Remote-User", [PROXY], "X-Remote-Role", "X-Real-IP", "SECRET")
SENT = {
    "X-Remote-User": ["J.Doe"],
    "X-Remote-Role": ["Physicist"],
    "X-Real-IP": ["192.168.1.7"],
    "X-Proxy-Secret": ["s3cret"],
}


def headers(**changes: Sequence[str]) -> Headers:
    sent = SENT | {name.replace("_", "-"): list(values) for name, values in changes.items()}
    return lambda name: sent.get(name, [])


def test_the_proxy_names_person_role_and_address() -> None:
    assert vouched(SETTINGS, headers(), PROXY, "s3cret") == Vouched("j.doe", Role.PHYSICIST, "192.168.1.7")


def test_the_same_headers_from_elsewhere_are_nothing() -> None:
    assert vouched(SETTINGS, headers(), ELSEWHERE, "s3cret") is None


@pytest.mark.parametrize(
    ("secret", "said"),
    [("s3cret", ["guess"]), ("s3cret", []), ("s3cret", ["s3cret", "x"]), (None, ["s3cret"]), ("", [""])],
)
def test_without_the_secret_they_are_nothing_and_an_unset_secret_is_known_to_nobody(
    secret: str | None, said: list[str]
) -> None:
    assert vouched(SETTINGS, headers(X_Proxy_Secret=said), PROXY, secret) is None


@pytest.mark.parametrize("nobody", [[], [""], ["  "]])
def test_a_proxy_that_names_nobody_vouches_for_nobody(nobody: list[str]) -> None:
    assert vouched(SETTINGS, headers(X_Remote_User=nobody), PROXY, "s3cret") is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"X_Remote_User": ["j.doe", "admin"]}, "X-Remote-User more than once"),
        ({"X_Remote_Role": ["physicist", "admin"]}, "X-Remote-Role more than once"),
        ({"X_Remote_Role": ["king"]}, "no role of this dashboard"),
        ({"X_Remote_Role": []}, "no role of this dashboard"),
        ({"X_Forwarded_For": ["192.168.1.7"]}, "X-Forwarded-For"),
    ],
)
def test_what_cannot_be_used_is_said(changes: dict[str, list[str]], said: str) -> None:
    with pytest.raises(ProxyError, match=said):
        vouched(SETTINGS, headers(**changes), PROXY, "s3cret")


def test_without_a_header_for_roles_the_local_account_says_it() -> None:
    settings = TrustedUserHeaders("X-Remote-User", [PROXY])
    assert vouched(settings, headers(), PROXY, None) == Vouched("j.doe", None, PROXY)
