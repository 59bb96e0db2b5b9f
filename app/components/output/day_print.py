"""A sheet for paper in place of the page: what a browser prints of it, and nothing else."""

import pandas as pd
import streamlit as st

from recovery.lists import day_sheet

_PAGE = """
@media print {
  [data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stStatusWidget"],
  [data-testid="stExpandSidebarButton"] {display: none !important;}
  [data-testid="stElementContainer"]:not(:has(.rbrdt-sheet)), [data-testid="stPopover"] {display: none !important;}
  html, body, #root, #root > div, .stApp, [data-testid="stAppViewContainer"], [data-testid="stMain"] {
    position: static !important; height: auto !important; overflow: visible !important; background: #FFFFFF !important;}
  .stMainBlockContainer {padding: 0 !important;}
  .rbrdt-sheet {padding: 0; -webkit-print-color-adjust: exact; print-color-adjust: exact;}
}
"""
STYLE = f"<style>{day_sheet.STYLE}{_PAGE}</style>"
"""Of the sheet, and of the page around it, which is not printed."""


def show(title: str, told: str, booked: pd.DataFrame, unbooked: pd.DataFrame, unbooked_title: str) -> None:
    """Draw a machine's day. `told`: how old the copy is and what the list may lack."""
    st.html(STYLE + day_sheet.sheet(title, told, booked, unbooked, unbooked_title))
