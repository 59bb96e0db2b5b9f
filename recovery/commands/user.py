"""`python -m recovery user …`: accounts, made and changed by whoever keeps this machine.

Goal
    The first admin, and every account after, without a browser; no password on a command line, a screen, or in a log.

How
    The password is asked for twice, or comes from an environment variable. Every change is a line of the audit file,
    in the name of the operating system's user.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from datetime import datetime

from recovery.access.accounts import AccountError, Accounts, AccountsFileError, folded_name
from recovery.access.audit import AuditError
from recovery.access.lockout import Lockout
from recovery.access.permissions import PERMISSIONS, Role, User
from recovery.commands.arguments import Commands, add_command, note
from recovery.settings.config import Config
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError


def add_parser(commands: Commands) -> None:
    """Declare `user` and its verbs."""
    user = commands.add_parser("user", help="accounts: add, list, password, disable, enable, unlock")
    verbs = user.add_subparsers(dest="verb", required=True, metavar="VERB")
    told = {
        "add": "make an account",
        "list": "every account, without passwords",
        "password": "give an account another password",
        "disable": "nobody signs in with it any more",
        "enable": "it may sign in again",
        "unlock": "forget its failed sign-ins",
    }
    for verb, words in told.items():
        parser = add_command(verbs, verb, words)
        if verb != "list":
            parser.add_argument("name", metavar="NAME")
        if verb == "add":
            roles = "; ".join(f"{role}: {', '.join(sorted(PERMISSIONS[role]))}" for role in Role)
            parser.add_argument("--role", type=Role, choices=list(Role), required=True, help=roles)
            parser.add_argument("--full-name", default="", help="shown on pages and exports; default: NAME")
        if verb in {"add", "password"}:
            parser.add_argument("--password-env", metavar="VAR", help="environment variable with the password")


def run(config: Config, options: argparse.Namespace, now: datetime) -> int:
    """Do what `options.verb` says; returns the exit status. Raises `RefusedError`."""
    accounts = Accounts(config.accounts_path)
    if options.verb == "list":
        return _list(accounts)
    try:
        said = _change(config, accounts, options, now)
    except AccountsFileError:
        raise
    except OSError as error:
        why = f"{config.accounts_path} cannot be written: {error.strerror}. Nothing was changed."
        raise RefusedError(why) from error
    tell(said)
    try:
        note(config, now, f"user {options.verb}", None, _details(options))
    except AuditError as error:
        tell(f"{error} The change is made and is not in the audit file.", file=sys.stderr)
        return 1
    return 0


def _change(config: Config, accounts: Accounts, options: argparse.Namespace, now: datetime) -> str:
    """Make one change and say what was done."""
    name = folded_name(options.name)
    if options.verb == "add":
        made = accounts.add(User(name, options.full_name, options.role), _new_password(options.password_env), now)
        return f"Account {made.name} ({made.full_name}) is a {made.role}."
    if options.verb == "password":
        accounts.set_password(name, _new_password(options.password_env), now)
        return f"Account {name} has another password. Whoever is signed in with it signs in again."
    if options.verb == "unlock":
        settings = config.sign_in
        lockout = Lockout(config.lockout_path, settings.lock_after_failures, settings.lock_minutes)
        there_were = lockout.unlock(name, now)
        return f"Account {name} may sign in again." if there_were else f"Account {name} was not locked."
    accounts.set_disabled(name, options.verb == "disable", now)
    return f"Account {name} is {options.verb}d."


def _details(options: argparse.Namespace) -> dict[str, str]:
    account = {"account": folded_name(options.name)}
    return account | ({"role": str(options.role)} if options.verb == "add" else {})


def _list(accounts: Accounts) -> int:
    every = accounts.all()
    for account in every:
        state = "disabled" if account.is_disabled else "active"
        tell(f"{account.name:<20} {account.role:<10} {state:<9} {account.full_name}")
    if not every:
        tell("no accounts; make the first: python -m recovery user add NAME --role admin", file=sys.stderr)
    return 0


def _new_password(variable: str | None) -> str:
    """The password from the environment, or from two prompts that agree.

    Raises `AccountError` if the variable is not set, the two differ, or there is no terminal to ask at.
    """
    if variable is not None:
        password = os.environ.get(variable)
        if not password:
            raise AccountError(f"The environment variable {variable} is not set.")
        return password
    if not sys.stdin.isatty():
        raise AccountError("There is no terminal to ask for the password at; use --password-env VAR.")
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise AccountError("The two passwords differ. Nothing was changed.")
    return first
