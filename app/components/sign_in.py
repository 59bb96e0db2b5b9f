"""The sign-in page: all that anybody sees who is not signed in."""

import os

import streamlit as st

from app.access import gate, hardening
from app.access.gate import Doorway
from app.components import header
from app.desk import Desk
from app.wording import words
from recovery.access.accounts import AccountsFileError
from recovery.access.permissions import Role

DEMO_VARIABLE = "RBRDT_DEMO_SIGN_IN"
"""`name:password`, set by `python -m demo` for the server that it starts; believed beside a simulated clock only."""
_WIDTH = 420


def show(desk: Desk, doorway: Doorway) -> None:
    """Draw the page."""
    header.style()
    with st.container(width=_WIDTH):
        st.markdown(f"## RBRDT :gray[· {words.as_markdown(desk.config.site.name)}]", anchors=False)
        for said in (doorway.ended, doorway.proxy_error):
            if said:
                st.markdown(f":orange[▲ **{words.as_markdown(said)}**]")
        if hardening.passwords_travel_open():
            st.markdown(
                ":red[■ **Passwords travel unencrypted.**] The dashboard listens beyond this machine without TLS: see "
                "`.streamlit/config.toml`."
            )
        if doorway.vouched is not None:
            _offer_to_return(desk, doorway)
            return
        try:
            has_accounts = bool(gate.accounts_of(desk.config.accounts_path).all())
        except AccountsFileError as error:
            st.markdown(f":red[■ **{words.as_markdown(str(error))}**]")
            return
        if has_accounts:
            _ask(desk)
        else:
            _explain_first_account()


def _ask(desk: Desk) -> None:
    demo_name, demo_password = _demo_account(desk)
    with st.form("sign_in", border=False):
        name = st.text_input("Name", value=demo_name, key="sign_in_name", autocomplete="username", max_chars=64)
        password = st.text_input(
            "Password", value=demo_password, type="password", key="sign_in_password", autocomplete="current-password",
            max_chars=256,
        )  # fmt: skip
        pressed = st.form_submit_button("Sign in", type="primary", key="sign_in_press")
    if pressed:
        _try(desk, name, password)
    if demo_name:
        others = ", ".join(f"`{role}`" for role in Role if role != demo_name)
        st.markdown(
            f"This clinic is simulated: sign in as `{demo_name}` with the password `{demo_password}`; it also opens "
            f"{others}, which may do other things."
        )
        return
    st.markdown(
        ":small[No account? An admin, or whoever keeps this machine, makes one: "
        "`python -m recovery user add NAME --role viewer`. Forgotten: `user password NAME`.]"
    )


def _try(desk: Desk, name: str, password: str) -> None:
    try:
        refused = gate.try_password(desk, name, password)
    except AccountsFileError as error:
        refused = str(error)
    if not refused:
        st.rerun()
    st.markdown(f":red[■ **{words.as_markdown(refused)}**]")


def _offer_to_return(desk: Desk, doorway: Doorway) -> None:
    assert doorway.vouched is not None
    if st.button(f"Sign in as {words.as_markdown(doorway.vouched.name)}", type="primary", key="sign_in_again"):
        refused = gate.enter_again(desk, doorway.vouched)
        if not refused:
            st.rerun()
        st.markdown(f":red[■ **{words.as_markdown(refused)}**]")


def _explain_first_account() -> None:
    st.markdown("**Nobody can sign in yet: there are no accounts.** On the machine that runs this dashboard, type:")
    st.code("python -m recovery user add NAME --role admin", language=None, wrap_lines=True)
    st.markdown("It asks for a password twice. Then reload this page.")


def _demo_account(desk: Desk) -> tuple[str, str]:
    """Name and password of the simulated clinic's account; empty in every other."""
    name, _, password = os.environ.get(DEMO_VARIABLE, "").partition(":")
    return (name, password) if desk.clock_is_simulated and password else ("", "")
