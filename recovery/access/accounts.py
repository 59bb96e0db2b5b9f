"""Who may sign in: a local file of accounts with argon2 hashes.

Goal
    People can sign in during a downtime, when no directory server answers; and nobody learns from this file, from an
    answer or from its time which password, or which name, is right.

How
    One JSON file, mode 0600, written beside and renamed, one writer at a time; `python -m recovery user` is the only
    one, and what another changed is refused by its hash. A name that is unknown, or disabled,
    is checked against a hash that no password fits, so that every refusal takes the time of one check.

Why not in config.toml
    A config is copied, mailed and shown to a colleague. Hashes are not.
"""

import re
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from recovery.access.permissions import Role, User
from recovery.host.durable import locked
from recovery.host.seals import SealError, checked_json, write_json
from recovery.words.refusals import RefusedError

STRONG = PasswordHasher()
"""argon2id with the library's parameters, RFC 9106's second recommendation: 64 MiB, three passes."""
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_AT_ONCE = threading.BoundedSemaphore(2)
"""Checks of 64 MiB each: a flood of sign-ins may take time, not the machine's memory."""


class AccountError(RefusedError, ValueError):
    """What was asked cannot be done with this account. Its text says why, and holds no password."""


class AccountsFileError(RefusedError, OSError):
    """The file of accounts is there and cannot be read. Its text says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person. `changed_at` is the moment of the last change: whoever signed in before it signs in again."""

    name: str
    full_name: str
    role: Role
    password_hash: str = field(repr=False)
    is_disabled: bool
    changed_at: str

    @property
    def user(self) -> User:
        return User(self.name, self.full_name, self.role)


class Accounts:
    """The accounts of one file. `hashing` is how new passwords are hashed, and what a refusal costs."""

    def __init__(self, path: Path, hashing: PasswordHasher = STRONG) -> None:
        self.path = path
        self._hashing = hashing
        self._decoy = _hash_that_nothing_fits(hashing)

    def all(self) -> list[Account]:
        """Every account, by name; none where there is no file.

        Raises `AccountsFileError` if the file is there and cannot be read.
        """
        try:
            said = checked_json(self.path.read_bytes(), {"accounts"})
            accounts = [Account(**(one | {"role": Role(one["role"])})) for one in said["accounts"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, LookupError) as error:
            why = str(error) if isinstance(error, SealError) else type(error).__name__
            raise AccountsFileError(
                f"The file of accounts {self.path} cannot be read ({why}). Nobody can sign in. "
                "Bring it back from a copy, or move it aside and make accounts with `python -m recovery user add`."
            ) from error
        return sorted(accounts, key=lambda account: account.name)

    def find(self, name: str) -> Account | None:
        """The account of a name as somebody types it, disabled or not."""
        folded = folded_name(name)
        return next((account for account in self.all() if account.name == folded), None)

    def check(self, name: str, password: str) -> Account | None:
        """The account if name and password are right and it is not disabled, else None, in the same time.

        Raises `AccountsFileError` as `all` does.
        """
        account = self.find(name)
        known = account is not None and not account.is_disabled
        expected = account.password_hash if account is not None and known else self._decoy
        with _AT_ONCE:
            fits = _fits(self._hashing, expected, password)
        return account if known and fits else None

    def add(self, user: User, password: str, now: datetime) -> Account:
        """Make an account. Raises `AccountError` if the name is taken or no name, or the password breaks a rule."""
        name = folded_name(user.name)
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"{user.name!r} is no account name: 1 to 64 letters a-z, digits, dots, dashes, underscores or @."
            )
        _check_password(password, name)
        with self._changing() as accounts:
            if name in accounts:
                raise AccountError(f"There is already an account {name}. `user password` gives it another password.")
            full_name = user.full_name.strip() or name
            accounts[name] = Account(name, full_name, user.role, self._hash(password), False, _stamp(now))
        return accounts[name]

    def set_password(self, name: str, password: str, now: datetime) -> Account:
        """Give an account another password; its sittings end.

        Raises `AccountError` if there is no such account, or the password breaks a rule.
        """
        _check_password(password, folded_name(name))
        hashed = self._hash(password)
        return self._change(name, now, lambda account: replace(account, password_hash=hashed))

    def set_disabled(self, name: str, is_disabled: bool, now: datetime) -> Account:
        """Disable an account, or enable it again; its sittings end.

        Raises `AccountError` if there is no such account.
        """
        return self._change(name, now, lambda account: replace(account, is_disabled=is_disabled))

    def _change(self, name: str, now: datetime, change: Callable[[Account], Account]) -> Account:
        folded = folded_name(name)
        with self._changing() as accounts:
            if folded not in accounts:
                raise AccountError(f"There is no account {folded}. `user list` shows all.")
            changed = replace(change(accounts[folded]), changed_at=_stamp(now))
            accounts[folded] = changed
        return changed

    def _hash(self, password: str) -> str:
        return self._hashing.hash(_normal(password))

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Account]]:
        """The accounts by name, to be changed; written when the block ends well, one writer at a time."""
        with locked(self.path.with_name(f"{self.path.name}.lock")):
            accounts = {account.name: account for account in self.all()}
            yield accounts
            write_json(self.path, {"accounts": [asdict(accounts[name]) for name in sorted(accounts)]}, private=True)


def folded_name(name: str) -> str:
    """An account's name however it was typed: `J.Doe ` is `j.doe`."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


@cache
def _hash_that_nothing_fits(hashing: PasswordHasher) -> str:
    """Made before anybody is refused, for the first refusal shall take no longer than the next."""
    return hashing.hash(secrets.token_hex())


def _fits(hashing: PasswordHasher, expected: str, password: str) -> bool:
    try:
        return hashing.verify(expected, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def _check_password(password: str, name: str) -> None:
    """Length counts, kinds of characters do not (NIST SP 800-63B section 3.1.1)."""
    if len(_normal(password)) < SHORTEST_PASSWORD:
        raise AccountError(f"The password is too short: at least {SHORTEST_PASSWORD} characters, such as four words.")
    if len(password) > LONGEST_PASSWORD:
        raise AccountError(f"The password is too long: at most {LONGEST_PASSWORD} characters.")
    if name in password.casefold():
        raise AccountError("The password contains the account's name. Choose another.")
    if len(set(password)) < 5:
        raise AccountError("The password repeats too few characters. Choose another.")


def _normal(password: str) -> str:
    """One form for characters that keyboards compose differently (NIST SP 800-63B section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat()
