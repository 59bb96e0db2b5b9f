"""Two people sign an entry, each with name and password; then it is on the disk, and counts."""

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from app.access import gate, rights
from app.desk import Desk
from app.screens.charting import whom
from app.screens.charting.draft import REASON_LACKS, Draft
from app.wording import words
from recovery.access.accounts import Account, AccountsFileError, folded_name
from recovery.access.audit import AuditError
from recovery.access.permissions import Permission
from recovery.course.charted_entries import ChartedFraction
from recovery.entries.charted import Charted, enter
from recovery.host.entry_lines import EntriesError
from recovery.words.values import absent

_AS_IT_IS = ":red[**This cannot be signed as it is.**]"
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def ask(desk: Desk, draft: Draft, corrected_key: str) -> None:
    """Draw the signatures and, when both are there, enter it."""
    entry, user = draft.entry, rights.signed_in()
    if user is None:
        return
    if refusing := {one.check for one in draft.found if one.is_refused}:
        is_new = refusing == {REASON_LACKS}
        st.markdown("**Say above why it is corrected.** Then two people sign." if is_new else _AS_IT_IS)
        return
    shown = hash(replace(entry, entered_at=_ANY_TIME))
    key = f"{entry.entry_id} {shown}"  # whatever changes, by a person or by what came meanwhile, is signed anew
    with st.form(f"sign {draft.key}", clear_on_submit=False):
        whom_with = " with the patient" if entry.beams else ""  # who was not treated may not be there
        compared = st.checkbox(f"Name, birth date and photo were compared{whom_with}", key=f"compared {key}")
        accepts = st.checkbox("We accept what is said above", key=f"accepts {key}") if draft.found else True
        with st.container(horizontal=True):  # in one row where there is room: the press stays in sight
            own = st.text_input(
                f"Password of {words.as_markdown(user.name)}",
                type="password",
                key=f"own {key}",
                max_chars=256,
                width=180,
            )
            name = st.text_input(
                "Second person, name", key=f"second {key}", max_chars=64, autocomplete="off", width=180
            )
            other = st.text_input(
                "Second person, password", type="password", key=f"other {key}", max_chars=256, width=180
            )
        pressed = st.form_submit_button(f"Sign: {_in_short(entry)}", type="primary", key="sign_it")
    if not pressed:
        return
    refused = "Compare name, birth date and photo first, and look at what is signed." if not compared else ""
    refused = refused or ("" if accepts else "Accept what is said above, or correct it.")
    if not refused:
        refused = _sign(desk, entry, (user.name, own), (name, other))
    if refused:
        st.markdown(f":red[■ **Nothing was entered.** {words.as_markdown(refused)}]")
        return
    st.session_state.pop(corrected_key, None)
    st.session_state["charting_ids"].pop(draft.key, None)
    whom.choose_anew(f"Entered and signed: {_in_short(entry)}, {absent(entry.patient_name)}.")
    st.rerun()


def _sign(desk: Desk, entry: ChartedFraction, first: tuple[str, str], second: tuple[str, str]) -> str:
    """Enter it; returns what to tell instead."""
    here = rights.sitting()
    try:
        signers = [gate.check_password(desk, *one) for one in (first, second)]
    except AccountsFileError as error:
        return str(error)
    for one, whose in zip(signers, ("Your", "The second person's"), strict=True):
        if not isinstance(one, Account):
            return f"{whose} signature: {one}"
        if not one.user.may(Permission.CHARTING):
            return f"{one.name} may not {Permission.CHARTING}. {rights.refusal(Permission.CHARTING)}"
    own = [one for one in signers if isinstance(one, Account)]
    if len({_person(one) for one in own}) < len(own):
        return f"Two different people sign: {' and '.join(one.name for one in own)} are both {own[0].full_name}."
    names = [f"{one.full_name} ({one.name})" for one in own]
    if here is None or not here.holds:
        return "You are not signed in any more."
    signed = replace(entry, signed_by=names[0], second_by=names[1], entered_at=desk.now())
    details: dict[str, str | int | bool] = {
        "entry": signed.entry_id,
        "fraction": signed.fraction_number or 0,
        "second": names[1],
    }
    try:
        here.note("chart", signed.patient_id, details, must=True)
        enter(desk.config.cache_path, desk.config.charting_key_path, signed, lambda known: _look_again(signed, known))
    except (AuditError, EntriesError) as error:
        return str(error)
    return ""


def _person(account: Account) -> str:
    """Whose account it is, however the name was typed when it was made: two accounts of one person sign once."""
    return " ".join(folded_name(account.full_name).split())


def _look_again(entry: ChartedFraction, known: Charted) -> None:
    """Whoever signs has seen all that was charted of the plan. Raises `EntriesError` if more came meanwhile."""
    own = [one for one in known.entries if one.of_plan(entry.referenced_rt_plan_uid)]
    new = [one for one in own if one.entry_id not in entry.known_entries]
    if new:
        raise EntriesError(f"Meanwhile it was charted: {new[-1].in_words}. Look again.")


def _in_short(entry: ChartedFraction) -> str:
    if entry.is_withdrawn:
        return "withdrawn"
    return f"fraction {entry.fraction_number}, {entry.meterset:.1f} MU" if entry.beams else "not treated"
