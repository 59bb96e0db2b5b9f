"""Who is signed in, for every page: `signed_in()`, `may(…)`, `require(…)`.

How
    `app/access/gate.py` puts the Sitting into Streamlit's session, which lives on the server; nothing that a browser
    sends can put one there.

For pages
    `rights.fragment` and `rights.callback` in place of `st.fragment` and a bare function: what runs without the page
    around it asks anew whether the sitting holds. `rights.require(Permission.AUDIT)` at the top of a page that needs
    more than seeing; `rights.may(…)` before a button; `rights.redraw()` instead of `st.rerun()` in a part of a page
    that refreshes by itself, so that a screen that nobody looks at is not kept signed in by its own clockwork.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import TypeVar, cast

import streamlit as st

from app.access.sitting import Sitting
from recovery.access.permissions import BREAK_GLASS_GRANTS, Permission, User, roles_with

SITTING = "sitting"
STILL_HERE = "still_here"
"""Where the gate's question lies that is asked of each connection: is it still that person, address and browser?"""
Part = TypeVar("Part", bound=Callable[..., object])
_BY_ITSELF, _WITH_PAGE = "redrawn_by_itself", "drawn_with_its_page"


def sitting() -> Sitting | None:
    """The sitting of this browser tab, None when nobody is signed in or it is over."""
    found = st.session_state.get(SITTING)
    return found if isinstance(found, Sitting) and not found.is_over else None


def signed_in() -> User | None:
    """Who is signed in here."""
    here = sitting()
    return here.user if here else None


def may(permission: Permission) -> bool:
    """Whether whoever is signed in here has a permission now, by role or by broken glass."""
    here = sitting()
    return here is not None and here.may(permission)


def require(permission: Permission) -> User:
    """Return who is signed in, or say what is missing and end the page."""
    here = sitting()
    if here is not None and here.may(permission):
        return here.user
    st.markdown(f":red[■ **You may not {permission}.**] {refusal(permission)}")
    st.stop()
    raise PermissionError(permission)


def signer(permission: Permission) -> str | None:
    """The signed-in person's name as it stands under a signature; None when nobody who may sign is signed in.

    Who may not sign may look at what others signed. A signature is a profession, so break-glass gives none.
    """
    user = signed_in()
    return f"{user.full_name} ({user.name})" if user is not None and user.may(permission) else None


def refusal(permission: Permission) -> str:
    """Who may, and what to do, in one or two sentences."""
    who = " or ".join(roles_with(permission))
    way = " If a treatment cannot wait: **Break glass**, at the left." if permission in BREAK_GLASS_GRANTS else ""
    return f"This needs the role {who}.{way}"


def holds() -> bool:
    """Whether whoever signed in here still may see anything, by this connection as the gate judges it."""
    here, is_still_here = sitting(), st.session_state.get(STILL_HERE)
    return here is not None and here.holds and callable(is_still_here) and bool(is_still_here())


def fragment(draw: Part, run_every: timedelta | None = None) -> Part:
    """A part of a page that is drawn anew alone, and only for who is still signed in; else the whole page is."""

    @wraps(draw)
    def draw_if_held(*args: object, **kwargs: object) -> object:
        if not holds():
            _redraw()
        return draw(*args, **kwargs)

    part = st.fragment(draw_if_held, run_every=run_every)

    @wraps(draw)
    def draw_with_page(*args: object, **kwargs: object) -> object:
        before = st.session_state.get(_WITH_PAGE, False)  # a part may be drawn within another
        st.session_state[_WITH_PAGE] = True
        try:
            return part(*args, **kwargs)
        finally:
            st.session_state[_WITH_PAGE] = before

    return cast("Part", draw_with_page)


def callback(act: Part) -> Part:
    """What a pressed button does before its page is drawn: nothing for who is not signed in any more."""

    @wraps(act)
    def act_if_held(*args: object, **kwargs: object) -> object:
        return act(*args, **kwargs) if holds() else None

    return cast("Part", act_if_held)


def redraw() -> None:
    """Draw the page anew although nobody pressed anything, from a part that is drawn anew alone.

    Nothing where the part is drawn with its page: that run may bear somebody's press, which the page has not read yet,
    and an entry that was signed would be lost without a word. What is below is new then anyway.
    """
    if not st.session_state.get(_WITH_PAGE, False):
        _redraw()


def _redraw() -> None:
    st.session_state[_BY_ITSELF] = True
    st.rerun()


def was_redrawn_by_itself() -> bool:
    """Whether this run came from `redraw`; tells it once."""
    return bool(st.session_state.pop(_BY_ITSELF, False))
