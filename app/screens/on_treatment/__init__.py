"""On treatment: who is being treated, how far they are, and who must not be treated before someone has looked."""

import streamlit as st

from app.components import attention, counts, listed, patient_link, patient_table
from app.components.output import chart_export, list_export, paper
from app.data import cached
from app.desk import Desk
from app.screens.on_treatment import filter_bar, view_bar
from app.screens.on_treatment.view_bar import ORDERS
from recovery.lists import filters, gaps, list_sheet
from recovery.lists.columns import ON_TREATMENT


def show(desk: Desk) -> None:
    """Draw the page."""
    loaded = listed.page(desk, "On treatment")
    _show_rows(desk, loaded)


def _show_rows(desk: Desk, loaded: cached.Loaded) -> None:
    table, today = loaded.table, desk.today()
    place_of_counts = st.container()
    view, beside = filter_bar.show(table)
    shown, reasons = filters.select(table, view, today)
    shown = gaps.with_gaps(shown, today)
    with place_of_counts:
        counts.show(table, shown)
    place_of_shown = beside.container(width="stretch")
    with beside, st.container(horizontal=True, vertical_alignment="center", width="content"):
        looks = view_bar.show(desk, table)
        shown = looks.sort(shown)
        list_export.show(desk, loaded, shown, view, reasons, ORDERS[looks.order], looks.hidden_in_file)
        if ids := [str(patient_id) for patient_id in shown["patient_id"].dropna().unique()]:
            chart_export.show_everybody(desk, ids)
    place_of_shown.markdown(f"{counts.shown_sentence(shown, reasons)} :small[· {patient_table.HOW_TO_OPEN}]")
    if shown.empty:
        filter_bar.offer_to_clear()
        return
    printed = list_sheet.Block(counts.shown_sentence(shown, reasons), shown, ON_TREATMENT.paper)
    paper.show(
        f"On treatment · {desk.config.site.name}", f"{list_export.status_of(desk)} Shown: {view.in_words}.", [printed]
    )
    lines = attention.show(shown, filter_bar.show_problems_alone)
    clicked = patient_table.show(shown, today, lines_above=lines, columns=looks.columns)
    if clicked is not None:
        patient_link.open_patient(clicked)
