"""Patients: find one by name or ID, whatever the course's status, and open their page.

A page of its own, because a press on the menu's entry of the page that is open does not leave it.
"""

from app.components import listed, patient_search
from app.desk import Desk


def show(desk: Desk) -> None:
    """Draw the page."""
    loaded = listed.page(desk, "Patients")
    patient_search.show(loaded.table, desk.today(), link_is_dead=False)
