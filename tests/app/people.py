"""Accounts of the tests' clinic: one person per role, all with one password, and how they sign in without a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher
from streamlit.testing.v1 import AppTest

from app.screens import PageEntry
from recovery.access.accounts import Accounts
from recovery.access.permissions import Role, User, roles_with

PASSWORD = "four words for tests"
ENROLLED_AT = datetime(2026, 11, 1, tzinfo=UTC)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Given to Accounts by tests alone: a hash in a millisecond."""


def who_sees(page: PageEntry) -> Role:
    """An admin, where an admin may see a page; else whoever may."""
    may = roles_with(page.permission)
    return Role.ADMIN if Role.ADMIN in may else may[0]


def enrol(file: Path) -> Accounts:
    """Make the accounts `viewer`, `therapist`, `physicist` and `admin`, if there are none."""
    accounts = Accounts(file, CHEAP)
    if not file.exists():
        for role in Role:
            accounts.add(User(role, f"{role.title()} of the tests", role), PASSWORD, ENROLLED_AT)
    return accounts


def sign_in(visit: AppTest, name: str = Role.PHYSICIST, password: str = PASSWORD) -> AppTest:
    """Fill the form and press; a visit that shows no form, because of its config or clock, stays as it is."""
    if not any(field.key == "sign_in_name" for field in visit.text_input):
        return visit
    visit.text_input(key="sign_in_name").set_value(name)
    visit.text_input(key="sign_in_password").set_value(password)
    return visit.button(key="sign_in_press").click().run()
