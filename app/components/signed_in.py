"""Who is signed in, at the left of every page: sign-out, break-glass, and the watch on an empty chair.

A fragment looks at the clock every few seconds. It warns before the time-out and draws the page anew when it has come,
which then is the sign-in page.
"""

from collections.abc import Callable
from datetime import timedelta

import streamlit as st

from app.access import gate, rights
from app.access.sitting import Sitting
from app.components import browser_mark
from app.desk import Desk
from app.wording import words
from recovery.access.audit import AuditError
from recovery.access.permissions import BREAK_GLASS_GRANTS, PERMISSIONS, Permission, Role, gains_by_break_glass
from recovery.words.printable import printable
from recovery.words.times import age_in_full

LOOK_EVERY = timedelta(seconds=10)
WARN_BEFORE = timedelta(minutes=2)
SHORTEST_REASON = 10


def show(desk: Desk, here: Sitting) -> None:
    """Draw the sidebar's end, and what must stand above the page."""
    watching: Callable[[Sitting], None] = rights.fragment(_watch, run_every=LOOK_EVERY)
    watching(here)
    if mark := gate.mark_of_browser():
        browser_mark.hand_out(mark)
    has_asked = False
    with st.sidebar:
        st.markdown(f"{words.as_markdown(here.user.full_name)}  \n:gray[{here.user.role}]")
        if _has_glass(desk, here.user.role) and here.open_glass is None:
            has_asked = st.button("Break glass", key="break_glass", icon=":material/emergency:")
        if st.button("Sign out", key="sign_out", icon=":material/logout:"):
            gate.leave(here, "sign out", "You are signed out.")
            st.rerun()
    if has_asked:
        _ask_reason(desk, here)


def _watch(here: Sitting) -> None:
    """Drawn anew every few seconds: time-out, the end of broken glass, an audit file that cannot be written."""
    if here.glass is not None and here.open_glass is None:
        here.glass = None
        here.note("break glass ended", None, {"by": "time"})
        rights.redraw()
    if here.time_left <= min(WARN_BEFORE, here.idle / 2):
        st.markdown(f":orange[▲ **You will be signed out in {age_in_full(here.time_left)}.**]")
        if st.button("Stay signed in", key="stay"):
            here.touch()
            st.rerun()
    _show_glass(here)
    here.audit.try_again()
    if here.audit.complaint:
        st.markdown(f":red[■ **What is done now is not in the audit file.**] {words.as_markdown(here.audit.complaint)}")


def _show_glass(here: Sitting) -> None:
    glass = here.open_glass
    if glass is None:
        return
    left = age_in_full(glass.until - here.clock())
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f":red-background[■ **BREAK-GLASS ACCESS** for {left} more · {words.as_markdown(glass.reason)} · "
            "everything is written in the audit file]"
        )
        if st.button("End it now", key="end_glass"):
            here.end_glass()
            st.rerun()


def _has_glass(desk: Desk, role: Role) -> bool:
    return desk.config.sign_in.break_glass_minutes > 0 and bool(gains_by_break_glass(role))


@st.dialog("Break glass")
def _ask_reason(desk: Desk, here: Sitting) -> None:
    if not rights.holds():
        rights.redraw()
    minutes = desk.config.sign_in.break_glass_minutes
    never = [p for p in Permission if p not in BREAK_GLASS_GRANTS | PERMISSIONS[here.user.role]]
    st.markdown(
        f"For {minutes} minutes you may also **{_listed(gains_by_break_glass(here.user.role))}**. You may not "
        f"{_listed(never, 'or')}.\n\nUse it when a patient's treatment cannot wait for somebody who has the right. "
        "Your name, your reason and all that you do are written in the audit file, marked, for the admins to read."
    )
    reason = st.text_area("Reason", key="break_glass_reason", max_chars=300, placeholder="Why it cannot wait")
    st.markdown(":small[Name no patient here; what you open and print is written down by itself.]")
    if not st.button("Break the glass", type="primary", key="break_glass_confirm"):
        return
    if len(reason.strip()) < SHORTEST_REASON:
        st.markdown(f":red[■ **Write why, in at least {SHORTEST_REASON} characters.**]")
        return
    try:
        here.break_glass(printable(reason.strip()), timedelta(minutes=minutes))
    except AuditError as error:
        st.markdown(f":red[■ **There is no break-glass without its line.** {words.as_markdown(str(error))}]")
        return
    st.rerun()


def _listed(permissions: tuple[Permission, ...] | list[Permission], last: str = "and") -> str:
    *first, final = (str(p) for p in permissions)
    return f"{', '.join(first)} {last} {final}" if first else final
