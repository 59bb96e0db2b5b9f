"""The planning image with structures and dose on three planes, and the reference images; or why they are not drawn."""

import streamlit as st

from app.data import pictures
from app.desk import Desk
from app.screens.patient import planes
from app.wording.words import as_markdown
from recovery.patient.plan import PlanFile
from recovery.pictures.drawing import draw_reference_image
from recovery.pictures.refusals import PictureError
from recovery.pictures.retrieval import Source, source_of
from recovery.words.values import absent

_PLANNING, _REFERENCE = "Planning image", "Reference images"
_PER_ROW = 4


def show(desk: Desk, plan: PlanFile) -> None:
    """Draw the kind of picture that is chosen."""
    if plan.uid is None or not plan.row.plan_held:
        st.markdown("The RT-PACS does not hold the plan, which names its pictures.")
        return
    kind = st.segmented_control(
        "Pictures", [_PLANNING, _REFERENCE], default=_PLANNING, required=True, key=f"kind_{plan.uid}",
        label_visibility="collapsed",
    )  # fmt: skip
    source = source_of(desk.config)
    try:
        with st.spinner("Loading plan and structure set from the RT-PACS"):
            picture = pictures.plan_picture(source, plan.uid)
        if kind == _REFERENCE:
            _reference_images(source, picture)
        else:
            planes.show(source, plan, picture)
    except PictureError as error:
        st.markdown(f":orange[▲ {as_markdown(str(error))}]")
        st.button("Try again", key=f"again_pictures_{plan.uid}")


def _reference_images(source: Source, picture: pictures.PlanPicture) -> None:
    uids = picture.plan.reference_image_uids
    if not uids:
        st.markdown("The plan names no reference images.")
        return
    low, high = st.slider(
        "Window, % of the image's own", -50, 150, (0, 100), key=f"reference_window_{picture.plan.ref.sop_instance_uid}",
        width=420,
    )  # fmt: skip
    names = {view.beam_number: view.beam_name for view in picture.views}
    bar = st.progress(0.0, text="Loading reference images")
    for start in range(0, len(uids), _PER_ROW):
        for column, uid in zip(st.columns(_PER_ROW), uids[start : start + _PER_ROW], strict=False):
            with column:
                _reference_image(source, uid, names, (low / 100, max(high, low + 1) / 100))
        bar.progress(min(start + _PER_ROW, len(uids)) / len(uids), text="Loading reference images")
    bar.empty()


def _reference_image(
    source: Source, uid: str, names: dict[int | None, str | None], shares: tuple[float, float]
) -> None:
    try:
        image = pictures.reference_image(source, uid)
    except PictureError as error:
        st.markdown(f":orange[▲ {as_markdown(str(error))}]")
        return
    beam = absent(names.get(image.beam_number) or image.rt_image_label)
    angle = f", gantry {image.gantry_angle:.1f}°" if image.gantry_angle is not None else ""
    centre, width = image.window
    bottom = centre - width / 2
    low, high = bottom + shares[0] * width, bottom + shares[1] * width
    said = f"{beam}{angle}"
    st.image(
        draw_reference_image(image, ((low + high) / 2, high - low)), width="stretch", alt=f"Reference image, {said}"
    )
    st.markdown(as_markdown(said))
    if image.axis is None:
        st.markdown(":small[The image does not say where the beam's axis meets it: no cross is drawn.]")
