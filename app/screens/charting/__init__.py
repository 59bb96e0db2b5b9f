"""Chart fractions: what was given on a machine, entered and signed by two people, and all that was charted before.

At the left the machine's list of a day, in order of appointment, or everybody whom nobody has answered for; at the
right whoever was chosen, with the next fraction filled in. `recovery.on_treatment.charting_checks` says what refuses.
"""

import streamlit as st

from app.access import rights
from app.components import failures, listed
from app.data import cached
from app.desk import Desk
from app.screens.charting import charted_list, draft, signing, whom
from app.screens.patient import identity
from app.wording import words
from recovery.access.permissions import Permission
from recovery.cache.errors import CacheError
from recovery.course.charted_entries import ChartedFraction
from recovery.entries.charted import read_charted
from recovery.entries.downtimes import lasting_at
from recovery.patient import notices, page_words
from recovery.patient.file import PatientFile, PatientNotFoundError
from recovery.patient.plan import PlanFile

CORRECTED = "charting_corrects"


def show(desk: Desk) -> None:
    """Draw the page."""
    loaded = listed.page(desk, "Chart fractions")
    for fault in read_charted(desk.config.cache_path).faults:
        st.markdown(f":red[■ **{words.as_markdown(fault)}**]")
    if lasting_at(desk.config.cache_path) is None:
        st.markdown(
            ":orange[▲ **No downtime is declared:** the R&V system records what is given. Chart only what it does not.]"
        )
    if rights.signer(Permission.CHARTING) is None:
        st.markdown(f":small[You may not {Permission.CHARTING}. {rights.refusal(Permission.CHARTING)}]")
    corrected = _corrected(desk)
    above = st.container(horizontal=True, vertical_alignment="bottom")  # half a tablet has no room for all machines
    left, right = st.columns([2, 3], gap="medium")
    with left:
        chosen = whom.choose(desk, loaded, corrected, CORRECTED, above)
    with right:
        if chosen is not None:
            _show_chosen(desk, chosen, corrected)
        else:
            whom.show_signed()
    charted_list.show(desk, loaded.table, CORRECTED)


def _corrected(desk: Desk) -> ChartedFraction | None:
    """The entry that somebody chose to correct."""
    wanted = st.session_state.get(CORRECTED)
    return next((e for e in read_charted(desk.config.cache_path).entries if e.entry_id == wanted), None)


def _is_corrected_already(desk: Desk, corrected: ChartedFraction | None) -> bool:
    """Whether somebody else corrected it since it was chosen: said, for two corrections of one entry are a conflict."""
    if corrected is None:
        return False
    entries = read_charted(desk.config.cache_path).entries
    instead = [one for one in entries if one.corrects == corrected.entry_id]
    for one in instead:
        said = f"Meanwhile it was corrected: {one.in_words}. Leave this one, and look whether that is right."
        st.markdown(f":red[■ {words.as_markdown(said)}]")
    return bool(instead)


def _show_chosen(desk: Desk, chosen: whom.Chosen, corrected: ChartedFraction | None) -> None:
    try:
        file = cached.load_patient_file(
            desk.cache, desk.config.site, chosen.patient_id, desk.now(), desk.config.schedule.grace
        )
    except (CacheError, PatientNotFoundError) as error:
        if isinstance(error, CacheError):
            failures.show_cache(error, desk.config)
        else:
            st.markdown(":red[■ The safety copy knows no plan of this patient: keep it on paper.]")
        return
    here = rights.sitting()
    if here is not None:
        here.note_view("charting", file.identity.patient_id)
    identity.show(file, may_leave=False)
    if not file.plans:
        st.markdown(":red[■ The safety copy has no plan of this patient: keep it on paper.]")
        return
    plan = _plan(file, corrected)
    st.markdown(f"**{words.as_markdown(page_words.plan_title(file, plan))}**")
    for notice in notices.of_plan(plan):
        if notice.is_stop or notice.word in {"UNKNOWN", "CHARTED", "DECIDED"}:
            st.markdown(f":{'red' if notice.is_stop else 'orange'}[{words.as_markdown(str(notice))}]")
    if rights.signer(Permission.CHARTING) is None or _is_corrected_already(desk, corrected):
        return
    made = draft.ask(desk, file, plan, chosen, corrected)
    if made is not None:
        signing.ask(desk, made, CORRECTED)


def _plan(file: PatientFile, corrected: ChartedFraction | None) -> PlanFile:
    """The plan to chart with: the corrected entry's, else one of those that may be treated."""
    plans = file.unfinished_plans or file.plans
    if corrected is not None:
        plans = tuple(p for p in file.plans if p.uid == corrected.referenced_rt_plan_uid) or plans
    if len(plans) == 1:
        return plans[0]
    titles = {str(p.course_uid): words.as_markdown(page_words.plan_title(file, p)) for p in plans}
    uid = st.radio("Plan", list(titles), format_func=titles.__getitem__, key=f"chart_plan_{file.identity.patient_id}")
    return next(p for p in plans if str(p.course_uid) == uid)
