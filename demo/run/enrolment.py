"""The accounts of the simulated clinic: one for each role, named like it, with another password each time.

Goal
    Whoever starts the demonstration is in with one press; no password of a demonstration opens anything else.

How
    The launcher makes the accounts in the real file of accounts, says the password on its screen, and hands it to its
    own server, which shows it beside a simulated clock only.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from recovery.access.accounts import Accounts
from recovery.access.permissions import Role, User

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


def enrol(file: Path, now: datetime) -> tuple[str, str]:
    """Make the accounts, or give them a new password; returns the admin's name and everybody's password.

    Raises
    ------
    OSError
        If the file cannot be read or written.
    """
    accounts, password = Accounts(file), "-".join(secrets.token_hex(2) for _ in range(4))
    for role in Role:
        if accounts.find(role) is None:
            accounts.add(User(role, f"Demo {role}", role), password, now)
        else:
            accounts.set_password(role, password, now)
    return Role.ADMIN, password
