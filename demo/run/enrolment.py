"""The one account of the simulated clinic: `demo`, an admin, with another password each time.

Goal
    Whoever starts the demonstration is in with one press; no password of a demonstration opens anything else.

How
    The launcher makes the account in the real file of accounts, says the password on its screen, and hands it to its
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

NAME = "demo"


def enrol(file: Path, now: datetime) -> tuple[str, str]:
    """Make the account, or give it a new password; returns name and password.

    Raises
    ------
    OSError
        If the file cannot be read or written.
    """
    accounts, password = Accounts(file), "-".join(secrets.token_hex(2) for _ in range(4))
    if accounts.find(NAME) is None:
        accounts.add(User(NAME, "Demo visitor", Role.ADMIN), password, now)
    else:
        accounts.set_password(NAME, password, now)
    return NAME, password
