"""Shift check: once a shift somebody compares the copy with the R&V system, says what he found, and is named."""

import streamlit as st

from app.access import rights
from app.access.statements import sign
from app.components import banner, header, listed
from app.components.output import day_print
from app.data import shifts
from app.desk import Desk
from app.screens.shift_check import compare_sheet
from app.wording import words
from recovery.access.permissions import Permission, roles_with
from recovery.entries.downtimes import told_at
from recovery.entries.shift_checks import ShiftCheck
from recovery.host.entry_lines import EntriesError, Statements
from recovery.watch.shifts import GRACE, LOOKS_BACK_DAYS, Shift
from recovery.words.times import at_time
from recovery.words.values import counted

AGREES, DIFFERS = "All of it agrees", "Something differs"


def show(desk: Desk) -> None:
    """Draw the page."""
    header.show("Shift check", desk.config.site.name)
    banner.show(desk)
    try:
        checks = shifts.statements(desk)
    except EntriesError as error:
        st.markdown(f":red[■ {words.as_markdown(str(error))}]")
        return
    begun = shifts.shifts_now(desk, checks)
    _show_state(desk, checks, begun)
    loaded = listed.load(desk)
    if loaded is None:
        return
    st.markdown(
        "Open the R&V system beside this page. For each machine: is this its newest fraction, of this patient, and are "
        "as many plans on treatment? A fraction of the last minutes may still be on its way."
    )
    title = f"Newest fractions of {desk.config.site.name}"
    proven = desk.local(loaded.snapshot.taken_at)
    downtime = told_at(desk.config.cache_path, desk.config.site.zone)
    told = f"{downtime} The copy as of {at_time(proven, desk.today())}, to be compared with the R&V system."
    lines = compare_sheet.by_machine(loaded.table)
    st.html(day_print.STYLE + compare_sheet.sheet(title, lines, told))
    _show_form(desk)
    _show_shifts(desk, begun)


def _show_state(desk: Desk, checks: Statements[ShiftCheck], begun: list[Shift]) -> None:
    """Whether a check is due, in one sentence."""
    if checks.damaged_lines:
        damaged = counted(checks.damaged_lines, "line")
        st.markdown(f":orange[▲ {damaged} of shift_checks\\.jsonl cannot be read: look at it.]")
    if not desk.config.watch.shift_checks:
        st.markdown(
            "Nobody is reminded of this check: the times at which shifts begin are missing in the config, as "
            "`shift_checks` under `[watch]`. It can be made all the same."
        )
    elif begun and begun[0].check is None:
        late = desk.now() - begun[0].begins > GRACE
        mark = ":red[■ **This shift's check is late.**]" if late else "**This shift's check is to be made.**"
        st.markdown(f"{mark} The shift began {_moment(desk, begun[0])}.")
    elif begun and (made := begun[0].check) is not None:
        at = at_time(desk.local(made.entered_at), desk.today())
        who = words.as_markdown(made.signed_by)
        st.markdown(
            f"This shift's check was made {at} by {who}."
            if made.agrees
            else f":red[■ **{who} found at {at} that something differs:** {words.as_markdown(made.remark)}] "
            "Settle it with the R&V system, then compare again."
        )


def _show_form(desk: Desk) -> None:
    """What was found, for whoever may have a chart in hand."""
    signer = rights.signer(Permission.CHARTS)
    if signer is None:
        st.markdown(f":small[A check bears the name of who compared: {_roles()}.]")
        return
    with st.form("shift_check"):
        found = st.radio("What did you find?", (AGREES, DIFFERS), index=None, horizontal=True, key="shift_found")
        remark = st.text_input(
            "What differs, or what to know", key="shift_remark", max_chars=300, help="Never a patient's name"
        )
        pressed = st.form_submit_button(f"Checked, as {words.as_markdown(signer)}", key="shift_sign")
    if pressed:
        _sign(desk, found, (remark or "").strip(), signer)


def _sign(desk: Desk, found: str | None, remark: str, signer: str) -> None:
    if found is None or (found == DIFFERS and not remark):
        st.markdown(":red[■ Nothing was entered. Choose what you found; of a difference, say what it is.]")
        return
    check = ShiftCheck(found == AGREES, remark, signer, desk.now())
    details = {"agrees": check.agrees}
    sign(desk, Permission.CHARTS, lambda: check, "shift check", details, thanks="Entered and signed.")


def _roles() -> str:
    *others, last = roles_with(Permission.CHARTS)
    return f"{', '.join(others)} or {last}"


def _show_shifts(desk: Desk, begun: list[Shift]) -> None:
    """The last shifts, and who compared in each."""
    if not begun:
        return
    st.markdown(f"### The last {LOOKS_BACK_DAYS} days", anchors=False)
    st.markdown("\n".join(f"- {_in_words(desk, shift)}" for shift in begun))


def _in_words(desk: Desk, shift: Shift) -> str:
    began = _moment(desk, shift)
    if shift.check is None:
        late = desk.now() - shift.begins > GRACE
        return f"{began}: :orange[▲ nobody compared]" if late else f"{began}: to be made"
    made = shift.check
    remark = f": {words.as_markdown(made.remark)}" if made.remark else ""
    verdict = "agrees" if made.agrees else ":red[■ differs]"
    at = desk.local(made.entered_at)
    return f"{began}: {verdict}{remark} ({at:%H:%M}, {words.as_markdown(made.signed_by)})"


def _moment(desk: Desk, shift: Shift) -> str:
    return at_time(desk.local(shift.begins), desk.today())
