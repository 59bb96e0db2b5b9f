"""The beam's-eye view beside the ledger: drawn at once when the plan was fetched before, else at a press."""

import streamlit as st

from app.access import rights
from app.data import pictures
from app.desk import Desk
from app.wording.words import as_markdown
from recovery.patient.plan import PlanFile
from recovery.pictures.beams_eye import BeamsEyeView
from recovery.pictures.drawing_beam import angles_in_words, draw_beams_eye_view
from recovery.pictures.refusals import PictureError
from recovery.pictures.retrieval import source_of
from recovery.words.printable import printable
from recovery.words.values import absent


def show(desk: Desk, plan: PlanFile) -> None:
    """Draw it, alone: choosing a beam draws nothing else anew."""
    rights.fragment(_show)(desk, plan)


def _show(desk: Desk, plan: PlanFile) -> None:
    st.markdown("**Beam's-eye view**")
    if plan.uid is None or not plan.row.plan_held:
        st.markdown("The RT-PACS does not hold the plan: there is nothing to draw.")
        return
    source = source_of(desk.config)
    is_asked = st.session_state.get(f"asked_beams_{plan.uid}")
    if not (is_asked or pictures.is_at_hand(source, plan.uid)):
        st.button("Load from the RT-PACS", key=f"load_beams_{plan.uid}", icon=":material/download:",
                  on_click=rights.callback(_ask), args=(plan.uid,))  # fmt: skip
        return
    try:
        with st.spinner("Loading the plan from the RT-PACS"):
            views = pictures.plan_picture(source, plan.uid).views
    except PictureError as error:
        st.markdown(f":orange[▲ {as_markdown(str(error))}]")
        st.button("Try again", key=f"again_beams_{plan.uid}")
        return
    _draw(
        plan.uid, [v for v in views if v.treatment_delivery_type in {"TREATMENT", "CONTINUATION", None}] or list(views)
    )


def _draw(uid: str, views: list[BeamsEyeView]) -> None:
    if not views:
        st.markdown("The plan holds no beams.")
        return
    index = 0
    if len(views) > 1:
        index = st.selectbox(
            "Beam", range(len(views)), format_func=lambda i: _name(views[i]), key=f"beam_{uid}",
            label_visibility="collapsed",
        )  # fmt: skip
    view = views[index]
    said = f"{_name(view)}: {', '.join(angles_in_words(view))}"
    st.image(draw_beams_eye_view(view), width=300, alt=f"Beam's-eye view, {said}")
    for remark in view.remarks:
        st.markdown(f":small[{as_markdown(remark)}]")


def _ask(uid: str) -> None:
    st.session_state[f"asked_beams_{uid}"] = True


def _name(view: BeamsEyeView) -> str:
    return printable(f"{absent(view.beam_number)} {absent(view.beam_name)}")
