"""Axial, sagittal and coronal slices of the planning image, side by side, each with its slider."""

import streamlit as st

from app.data import pictures
from app.wording.words import as_markdown
from recovery.patient.plan import PlanFile
from recovery.pictures.dose import Band, DoseGrid, band_numbers, bands
from recovery.pictures.drawing import Overlay, draw_section
from recovery.pictures.grids import PLANES, Plane, section, step_of
from recovery.pictures.image_series import ImageVolume
from recovery.pictures.raster import WINDOWS
from recovery.pictures.refusals import PictureError
from recovery.pictures.retrieval import Source, read_first_slice, read_volume, volume_on_shelf
from recovery.pictures.structures import Structure
from recovery.words.printable import as_html, printable
from recovery.words.values import absent

_OWN = "as the image says"


def show(source: Source, plan: PlanFile, picture: pictures.PlanPicture) -> None:
    """Draw the slices; while the series is not here yet, the one through the isocentre and a progress bar.

    Raises `PictureError` if nothing can be drawn.
    """
    contours = pictures.contours(source, picture.plan)
    volume = volume_on_shelf(source, contours.dataset)
    if volume is not None:
        _slices(source, plan, picture, contours, volume)
        return
    isocentre = picture.isocenter_position
    first = read_first_slice(source, contours.dataset, isocentre[2] if isocentre else None)
    place = st.columns([1.3, 1, 1])[0]
    overlay = Overlay(contours.structures, isocentre)
    with place:
        svg = draw_section(section(first.grid, "axial", 0), _first_window(first), overlay)
        st.image(svg, width="stretch", alt="Axial slice through the isocentre")
    bar = st.progress(0.0, text="Loading the planning image from the RT-PACS")

    def tell(done: int, of: int) -> None:
        bar.progress(done / max(of, 1), text=f"Loading the planning image from the RT-PACS: {done} of {of} slices")

    volume = read_volume(source, contours.dataset, tell)
    bar.empty()
    place.empty()
    if volume_on_shelf(source, contours.dataset) is not None:
        st.rerun(scope="fragment")
    _slices(source, plan, picture, contours, volume)


def _slices(
    source: Source,
    plan: PlanFile,
    picture: pictures.PlanPicture,
    contours: pictures.Contours,
    volume: ImageVolume,
) -> None:
    for remark in volume.remarks:
        st.markdown(f":orange[▲ {as_markdown(remark)}]")
    controls = st.columns([1.2, 1.6, 2.6, 0.8], vertical_alignment="bottom")
    with controls[0]:
        window = _window(volume, str(plan.uid))
    with controls[1]:
        low, high = _range(volume, window, str(plan.uid))
    with controls[2]:
        structures = _structures(contours.structures, str(plan.uid))
    with controls[3]:
        wants_dose = st.toggle("Dose", key=f"dose_on_{plan.uid}")
    dose = _dose(source, picture) if wants_dose else None
    prescribed = (plan.prescription.total_dose if plan.prescription is not None else None) or picture.prescribed
    steps = bands(prescribed, dose.maximum) if dose is not None else []
    for column, plane in zip(st.columns([1.3, 1, 1]), PLANES, strict=True):
        with column:
            _plane(volume, plane, ((low + high) / 2, high - low), picture, structures, dose, steps, str(plan.uid))
    _legend(structures, steps, dose, prescribed)


def _plane(
    volume: ImageVolume,
    plane: Plane,
    window: tuple[float, float],
    picture: pictures.PlanPicture,
    structures: list[Structure],
    dose: DoseGrid | None,
    steps: list[Band],
    uid: str,
) -> None:
    places = volume.grid.positions(plane)
    isocentre = picture.isocenter_position
    at = dict(zip(("sagittal", "coronal", "axial"), isocentre, strict=False)).get(
        plane, float(places[len(places) // 2])
    )
    nearest = volume.grid.nearest(plane, at)
    index = nearest
    place = st.container()
    if len(places) > 1:
        options = range(len(places))
        index = st.select_slider(
            f"{plane} slice", options, value=nearest, key=f"{plane}_{uid}", format_func=lambda i: f"{places[i]:.1f} mm",
            label_visibility="collapsed",
        )  # fmt: skip
    cut = section(volume.grid, plane, index)
    numbers = band_numbers(dose, cut, steps) if dose is not None else None
    overlay = Overlay(structures, isocentre, steps, numbers, step_of(volume.grid.z) or 1.0)
    with place:
        st.image(draw_section(cut, window, overlay), width="stretch", alt=f"{plane} slice at {cut.at:.1f} mm")


def _window(volume: ImageVolume, uid: str) -> str:
    names = [*WINDOWS] if volume.modality == "CT" else []
    names += [_OWN] if volume.window is not None or not names else []
    return str(st.selectbox("Window", names, key=f"window_{uid}", filter_mode=None))


def _range(volume: ImageVolume, name: str, uid: str) -> tuple[float, float]:
    """From black to white, in HU for CT."""
    centre, width = WINDOWS.get(name) or _first_window(volume)
    low, high = round(centre - width / 2), round(centre + width / 2)
    room = max(high - low, 100)
    unit = "HU" if volume.modality == "CT" else "values"
    chosen = st.slider(f"Black to white, {unit}", low - room, high + room, (low, high), key=f"range_{name}_{uid}")
    return float(chosen[0]), float(max(chosen[1], chosen[0] + 1))


def _first_window(volume: ImageVolume) -> tuple[float, float]:
    """Soft tissue for CT, else the image's own; else all that there is."""
    if volume.modality == "CT":
        return WINDOWS["soft tissue"]
    if volume.window is not None:
        return volume.window
    values = volume.grid.values
    low, high = float(values.min()), float(values.max())
    return (low + high) / 2, max(high - low, 1.0)


def _structures(structures: tuple[Structure, ...], uid: str) -> list[Structure]:
    names = [printable(absent(s.roi_name)) for s in structures]
    numbers = list(range(len(structures)))
    chosen = st.multiselect(
        "Structures", numbers, default=numbers, format_func=lambda n: names[n], key=f"structures_{uid}",
        placeholder="none",
    )  # fmt: skip
    return [structures[n] for n in chosen]


def _dose(source: Source, picture: pictures.PlanPicture) -> DoseGrid | None:
    try:
        with st.spinner("Loading the dose from the RT-PACS"):
            return pictures.dose(source, picture.plan)
    except PictureError as error:
        st.markdown(f":orange[▲ {as_markdown(str(error))}]")
        return None


def _legend(structures: list[Structure], steps: list[Band], dose: DoseGrid | None, prescribed: float | None) -> None:
    """What the colours mean; every patch has its word beside it."""
    patches = [(s.colour, absent(s.roi_name)) for s in structures]
    st.html(_patches(patches))
    odd = [f"{absent(s.roi_name)}: {s.not_drawn}" for s in structures if s.not_drawn]
    if odd:
        st.markdown(
            f":small[Contours that are points, open or not axial are not drawn ({as_markdown(', '.join(odd))}).]"
        )
    if dose is None:
        return
    st.html(_patches([(b.colour, f"≥ {b.lower:.2f} Gy" + (f" ({b.share:.0%})" if b.share else "")) for b in steps]))
    of = f"of the prescribed {prescribed:.2f} Gy" if prescribed else "no prescribed dose is known: parts of the maximum"
    kind = as_markdown(f"{absent(dose.summation_type)}, {absent(dose.dose_type)}: {dose.is_of}")
    if not dose.is_whole:
        st.markdown(f":orange[▲ **Not the plan's dose: {as_markdown(dose.is_of)}.**]")
    st.markdown(f":small[Dose ({kind}), {of}; maximum {dose.maximum:.2f} Gy.]")


def _patches(patches: list[tuple[str, str]]) -> str:
    return "".join(
        '<span style="overflow-wrap:anywhere;margin-right:1.1em"><span style="display:inline-block;width:.8em;'
        f'height:.8em;background:{colour};margin-right:.35em;border:1px solid #6B7280"></span>{as_html(name)}</span> '
        for colour, name in patches
    )
