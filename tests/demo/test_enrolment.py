"""The simulated clinic's accounts, one a role: one press and in, and another password each time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from demo.run.enrolment import enrol
from recovery.access.accounts import Accounts
from recovery.access.permissions import Role

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)


def test_each_start_has_another_password_and_the_one_before_is_over(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    name, first = enrol(file, NOW)
    name, second = enrol(file, NOW)
    accounts = Accounts(file)
    assert first != second and accounts.check(name, first) is None
    opened = accounts.check(name, second)
    assert opened is not None and opened.role is Role.ADMIN
    assert {account.name: account.role for account in accounts.all()} == {str(role): role for role in Role}
