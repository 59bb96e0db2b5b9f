"""Accounts: who may sign in, and that neither file, answer, error nor time tells a password or a name."""

from __future__ import annotations

import json
import stat
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from recovery.access.accounts import STRONG, AccountError, Accounts, AccountsFileError
from recovery.access.permissions import (
    BREAK_GLASS_GRANTS,
    PERMISSIONS,
    Permission,
    Role,
    User,
    gains_by_break_glass,
    roles_with,
)

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "correct horse battery"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path / "data" / "accounts.json", CHEAP)
    made.add(User("J.Doe ", "Jane Doe", Role.PHYSICIST), GOOD, NOW)
    return made


def test_name_and_password_together_open_and_nothing_else_does(accounts: Accounts) -> None:
    opened = accounts.check(" j.DOE", GOOD)
    assert opened is not None and opened.user == User("j.doe", "Jane Doe", Role.PHYSICIST)
    assert accounts.check("j.doe", GOOD + " ") is None
    assert accounts.check("j.doe", "") is None
    assert accounts.check("nobody", GOOD) is None
    assert accounts.check("", "") is None


def test_a_password_typed_on_another_keyboard_is_the_same_password(accounts: Accounts) -> None:
    accounts.set_password("j.doe", "Zu\u0308rich am Morgen", NOW)
    assert accounts.check("j.doe", "Z\u00fcrich am Morgen") is not None


def test_the_file_is_its_owners_alone_and_holds_no_password(accounts: Accounts) -> None:
    assert stat.S_IMODE(accounts.path.stat().st_mode) == 0o600
    text = accounts.path.read_text()
    assert GOOD not in text and json.loads(text)["accounts"][0]["password_hash"].startswith("$argon2id$")
    assert "argon2" not in repr(accounts.find("j.doe"))
    assert [path.name for path in accounts.path.parent.iterdir() if path.suffix != ".lock"] == ["accounts.json"]


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("a b", GOOD, "no account name"),
        ("../x", GOOD, "no account name"),
        ("", GOOD, "no account name"),
        ("j.doe", GOOD, "already an account"),
        ("new", "eleven char", "too short"),
        ("new", "x" * 257, "too long"),
        ("newton", "sir Newton 1687", "contains the account's name"),
        ("new", "abababababab", "too few characters"),
    ],
)
def test_what_is_no_account_is_refused_without_its_password_being_said(
    accounts: Accounts, name: str, password: str, said: str
) -> None:
    with pytest.raises(AccountError, match=said) as caught:
        accounts.add(User(name, "", Role.VIEWER), password, NOW)
    assert password not in str(caught.value)
    assert len(accounts.all()) == 1


def test_a_disabled_account_does_not_open_until_it_is_enabled(accounts: Accounts) -> None:
    accounts.set_disabled("j.doe", True, NOW)
    assert accounts.check("j.doe", GOOD) is None
    accounts.set_disabled("j.doe", False, NOW)
    assert accounts.check("j.doe", GOOD) is not None


def test_every_change_gives_the_account_another_moment(accounts: Accounts) -> None:
    before = accounts.find("j.doe")
    after = accounts.set_password("j.doe", "another password", NOW.replace(hour=14))
    assert before is not None and before.changed_at != after.changed_at
    with pytest.raises(AccountError, match="There is no account nobody"):
        accounts.set_password("nobody", "another password", NOW)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"accounts": [{"name": "x"}]}', '{"accounts": [{"role": "king"}]}'])
def test_a_damaged_file_is_not_an_empty_one(accounts: Accounts, text: str) -> None:
    accounts.path.write_text(text)
    with pytest.raises(AccountsFileError, match="cannot be read"):
        accounts.check("j.doe", GOOD)
    with pytest.raises(AccountsFileError):
        accounts.add(User("new", "", Role.VIEWER), GOOD, NOW)
    assert accounts.path.read_text() == text


def test_a_flipped_bit_or_a_hand_in_the_file_makes_nobody_somebody_else(accounts: Accounts) -> None:
    whole, before = accounts.path.read_bytes(), accounts.all()
    for place, byte in enumerate(whole[:-1]):
        accounts.path.write_bytes(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])
        with pytest.raises(AccountsFileError, match=r"accounts\.json cannot be read \(it "):
            assert accounts.all() == before, place
    accounts.path.write_bytes(whole.replace(b'"physicist"', b'"admin"'))
    assert accounts.path.read_bytes() != whole
    with pytest.raises(AccountsFileError, match="it was changed after it was written"):
        accounts.find("j.doe")


def test_a_file_of_an_earlier_version_bears_no_hash_and_is_sealed_by_the_next_change(accounts: Accounts) -> None:
    said = json.loads(accounts.path.read_text())
    del said["sha256"]
    accounts.path.write_text(json.dumps(said))
    assert accounts.check("j.doe", GOOD) is not None
    accounts.set_disabled("j.doe", True, NOW)
    assert "sha256" in accounts.path.read_text()


def test_accounts_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"

    def add(number: int) -> None:
        Accounts(file, CHEAP).add(User(f"user{number}", "", Role.VIEWER), GOOD, NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert len(Accounts(file, CHEAP).all()) == 24


def test_an_unknown_name_takes_the_time_of_a_wrong_password(tmp_path: Path) -> None:
    costly = PasswordHasher(time_cost=2, memory_cost=8 * 1024, parallelism=1)
    accounts = Accounts(tmp_path / "accounts.json", costly)
    accounts.add(User("known", "", Role.VIEWER), GOOD, NOW)
    accounts.add(User("gone", "", Role.VIEWER), GOOD, NOW)
    accounts.set_disabled("gone", True, NOW)

    def seconds(name: str) -> float:
        began = time.process_time()
        accounts.check(name, "a wrong password")
        return time.process_time() - began

    rounds = [(seconds("known"), seconds("unknown"), seconds("gone")) for _ in range(15)]
    known, unknown, gone = (statistics.median(times) for times in zip(*rounds, strict=True))
    assert 0.7 < unknown / known < 1.4
    assert 0.7 < gone / known < 1.4


def test_the_parameters_outside_tests_are_those_of_rfc_9106() -> None:
    assert (STRONG.memory_cost, STRONG.time_cost, STRONG.type.name) == (65536, 3, "ID")


def test_roles_give_what_the_issue_says() -> None:
    assert PERMISSIONS[Role.VIEWER] == {Permission.VIEW}
    assert roles_with(Permission.CHARTS) == (Role.THERAPIST, Role.PHYSICIST, Role.PHYSICIAN, Role.ADMIN)
    assert roles_with(Permission.EXPORT) == (Role.PHYSICIST, Role.PHYSICIAN, Role.ADMIN, Role.NETWORK)
    assert roles_with(Permission.NETWORK) == (Role.NETWORK,), "an admin of one clinic is nobody in the others"
    assert roles_with(Permission.RECOVERY) == (Role.PHYSICIST, Role.ADMIN)
    assert roles_with(Permission.PRIORITIES) == (Role.PHYSICIST, Role.PHYSICIAN)
    assert roles_with(Permission.DOWNTIME) == (Role.PHYSICIST, Role.PHYSICIAN)
    assert roles_with(Permission.CHARTING) == (Role.THERAPIST, Role.PHYSICIST, Role.PHYSICIAN)
    assert roles_with(Permission.SIGN_OFF) == (Role.PHYSICIST,)
    assert roles_with(Permission.AUDIT) == roles_with(Permission.USERS) == (Role.ADMIN,)
    assert all(Permission.VIEW in PERMISSIONS[role] for role in Role)


def test_break_glass_gives_no_signature_no_audit_file_and_no_accounts() -> None:
    assert not BREAK_GLASS_GRANTS & {Permission.DOWNTIME, Permission.CHARTING}
    assert not BREAK_GLASS_GRANTS & {Permission.SIGN_OFF, Permission.PRIORITIES, Permission.AUDIT, Permission.USERS}
    assert gains_by_break_glass(Role.VIEWER) == (Permission.CHARTS, Permission.EXPORT, Permission.RECOVERY)
    assert gains_by_break_glass(Role.PHYSICIST) == ()
