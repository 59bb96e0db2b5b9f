"""The gate before every page: nobody passes without signing in.

A sitting holds while its address and browser are the same, its account is unchanged, somebody presses something now and
then, and, behind a proxy, the proxy still names the same person. All of it is looked at anew on every run, of a page or
a part of one. A new connection brings a sitting back by its browser's mark (`app/access/kept.py`).
"""

import os
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path

import streamlit as st

from app.access import rights
from app.access.audit_writer import audit_writer
from app.access.kept import kept_by_process
from app.access.proxy import REWRITTEN_BY, ProxyError, Vouched, vouched
from app.access.sitting import Sitting
from app.desk import Desk
from recovery.access.accounts import Account, Accounts, AccountsFileError
from recovery.access.audit import AuditEvent
from recovery.access.lockout import Lockout
from recovery.access.permissions import User

LOOPBACK = "127.0.0.1"
UNPROVEN_ADDRESS = f"unproven ({REWRITTEN_BY})"
_ENDED = "sitting_ended"
_MARK = "mark_of_browser"
_CONNECTION = "connection"
WRONG = "Name or password is not right."


@dataclass(frozen=True, slots=True)
class Doorway:
    """What the sign-in page has to say: who the proxy names, what it did wrong, why the last sitting ended."""

    vouched: Vouched | None = None
    proxy_error: str = ""
    ended: str = ""


def enter(desk: Desk) -> Sitting | Doorway:
    """The sitting of this browser tab, or what the sign-in page has to say."""
    try:
        person, error = _vouched(desk), ""
    except ProxyError as refused:
        person, error = None, str(refused)
    by_itself = rights.was_redrawn_by_itself()
    here = rights.sitting()
    if here is None and _ENDED not in st.session_state and (here := _marked()) is not None:
        _take(desk, here)
        by_itself = True  # a page that is loaded anew is not yet somebody who presses something
    if here is not None:
        why = _why_over(desk, here, person)
        if not why:
            if not by_itself:
                here.touch()
            return here
        leave(here, *why)
    ended = str(st.session_state.get(_ENDED, ""))
    if person is not None and not ended:
        return _welcome(desk, person)
    return Doorway(person, error, ended)


def mark_of_browser() -> str:
    """The mark that the browser is to keep; empty where it has one, or where the proxy says who is there."""
    return str(st.session_state.get(_MARK, ""))


def leave(here: Sitting, action: str, said: str) -> None:
    """End a sitting; nothing of it stays in the session but the sentence for the sign-in page."""
    here.end(action)
    for key in list(st.session_state):
        del st.session_state[key]
    st.session_state[_ENDED] = said


def try_password(desk: Desk, name: str, password: str) -> str:
    """Sign in by name and password; returns what to tell instead, empty when it succeeded.

    A name that is unknown, disabled or locked is told from a wrong password by nothing but the file of accounts.
    """
    found = check_password(desk, name, password)
    if isinstance(found, str):
        return found
    _begin(desk, found.user, found.changed_at, client_address(desk), "password")
    return ""


def check_password(desk: Desk, name: str, password: str) -> Account | str:
    """The account that name and password open, or what to tell instead: who signs in, and who signs beside him."""
    accounts, settings, now = accounts_of(desk.config.accounts_path), desk.config.sign_in, desk.wall_clock()
    lockout = _lockout(desk.config.lockout_path, settings.lock_after_failures, settings.lock_minutes)
    address = client_address(desk)
    if lockout.attempt(name, address, now) is not None:
        _note_refusal(desk, accounts, name, "locked")
        minutes = settings.lock_minutes
        return f"Too many failed attempts. Wait up to {minutes} minutes, or ask an admin for `user unlock`."
    account = accounts.check(name, password)
    if account is None:
        _note_refusal(desk, accounts, name, "name or password")
        return WRONG
    lockout.note_success(name, address, now)
    return account


def enter_again(desk: Desk, person: Vouched) -> str:
    """Sign in whom the proxy names, after a sign-out or time-out; returns what to tell instead."""
    st.session_state.pop(_ENDED, None)
    entered = _welcome(desk, person)
    return entered.proxy_error if isinstance(entered, Doorway) else ""


def _welcome(desk: Desk, person: Vouched) -> Sitting | Doorway:
    """Sign in whom the proxy vouches for; without a role from the proxy, as the local account of that name."""
    if person.role is not None:
        return _begin(desk, User(person.name, person.name, person.role), None, person.address, "proxy")
    account = accounts_of(desk.config.accounts_path).find(person.name)
    if account is None or account.is_disabled:
        return Doorway(None, f"The proxy names {person.name}, who has no account here. Ask an admin for `user add`.")
    return _begin(desk, account.user, account.changed_at, person.address, "proxy")


def _begin(desk: Desk, user: User, changed_at: str | None, address: str, by: str) -> Sitting:
    idle = timedelta(minutes=desk.config.sign_in.idle_minutes)
    stands = partial(_account_stands, desk.config.accounts_path, user.name, changed_at)
    audit, browser = audit_writer(desk.config.audit_path), _said_once("User-Agent")
    here = Sitting(user, address, changed_at, desk.wall_clock, idle, audit, browser, stands)
    for key in list(st.session_state):
        del st.session_state[key]
    _take(desk, here)
    if by == "password":
        st.session_state[_MARK] = kept_by_process().keep(here)
    here.note("sign in", None, {"by": by})
    return here


def _take(desk: Desk, here: Sitting) -> None:
    """Let this browser tab have a sitting."""
    st.session_state[rights.SITTING] = here
    st.session_state[rights.STILL_HERE] = partial(_is_still_here, desk, here)
    st.session_state[_CONNECTION] = _connection()


def _marked() -> Sitting | None:
    """The sitting whose mark this connection brought."""
    kept = kept_by_process()
    mark = st.context.cookies.get(kept.cookie)
    return kept.find(mark) if isinstance(mark, str) else None


def _connection() -> str:
    """What no two connections have in common (RFC 6455, 11.3.1)."""
    return _said_once("Sec-WebSocket-Key")


def _said_once(header: str) -> str:
    return "".join(st.context.headers.get_all(header)[:1])


def _is_still_here(desk: Desk, here: Sitting) -> bool:
    """As a page's run asks, for its parts; a proxy whose word cannot be used names nobody."""
    try:
        return _why_over(desk, here, _vouched(desk)) is None
    except ProxyError:
        return False


def _why_over(desk: Desk, here: Sitting, person: Vouched | None) -> tuple[str, str] | None:
    """The audit's action and the sentence for the sign-in page; None while the sitting holds."""
    if here.time_left <= timedelta(0):
        minutes = desk.config.sign_in.idle_minutes
        return "timed out", f"You were signed out: nobody pressed anything for {minutes} minutes."
    if (person.address if person else client_address(desk)) != here.address:
        return "address changed", "You were signed out: your computer's address has changed."
    if _said_once("User-Agent") != here.browser:
        return "browser changed", "You were signed out: another browser came with this one's mark."
    if person is None and _connection() != st.session_state.get(_CONNECTION):
        if _marked() is not here:
            return "connection changed", "You were signed out: the connection came back without this browser's mark."
        st.session_state[_CONNECTION] = _connection()
    if here.account_changed_at is None or (person is not None and person.name != here.user.name):
        same = person is not None and (person.name, person.role or here.user.role) == (here.user.name, here.user.role)
        return None if same else ("proxy changed", "")
    if not here.stands():
        return "account changed", "You were signed out: your account was changed. Sign in again."
    return None


def _account_stands(accounts: Path, name: str, changed_at: str | None) -> bool:
    """Whether an account is as it was at sign-in; always where a proxy vouches."""
    if changed_at is None:
        return True
    try:
        account = accounts_of(accounts).find(name)
    except AccountsFileError:
        return True  # who is in stays in: a damaged file in a downtime takes nobody's list away
    return account is not None and not account.is_disabled and account.changed_at == changed_at


def _note_refusal(desk: Desk, accounts: Accounts, name: str, why: str) -> None:
    """Only names that exist are written: people type their password into the wrong field."""
    account = accounts.find(name)
    who = account.name if account else "unknown name"
    event = AuditEvent(desk.wall_clock(), who, "", "sign in refused", client_address(desk), None, {"why": why})
    audit_writer(desk.config.audit_path).note(event)


def _vouched(desk: Desk) -> Vouched | None:
    settings = desk.config.sign_in.trusted_user_headers
    if settings is None:
        return None
    secret = os.environ.get(settings.secret_env) if settings.secret_env else None
    return vouched(settings, st.context.headers.get_all, _peer(), secret)


def client_address(desk: Desk) -> str:
    """Where the browser is: the peer, or what a believed proxy says."""
    try:
        person = _vouched(desk)
    except ProxyError:
        person = None
    return person.address if person else _peer()


def _peer() -> str:
    """Where the connection comes from. Streamlit says None for this machine's own address.

    It also lets anybody on this machine say another address, by X-Forwarded-For: what comes with it is counted as one.
    """
    if st.context.headers.get_all(REWRITTEN_BY):
        return UNPROVEN_ADDRESS
    said = st.context.ip_address
    return said if isinstance(said, str) else LOOPBACK


@lru_cache(maxsize=8)
def accounts_of(path: Path) -> Accounts:
    """One Accounts per file and process: its decoy hash is made once."""
    return Accounts(path)


@lru_cache(maxsize=8)
def _lockout(path: Path, after: int, minutes: int) -> Lockout:
    return Lockout(path, after, minutes)
