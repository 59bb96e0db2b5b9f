"""Patients: find one by name or ID, whatever the course's status, and open their page.

Why a page of its own
    A press on the menu's entry of the page that is open does not leave it: with the search at the patient's own
    address, nobody would come back to it from a patient by the menu.
"""

from app.components import banner, header, listed, patient_search
from app.desk import Desk


def show(desk: Desk) -> None:
    """Draw the page."""
    header.show("Patients", desk.config.site.name)
    banner.show(desk)
    loaded = listed.load(desk)
    if loaded is None:
        return
    patient_search.show(loaded.table, desk.today(), link_is_dead=False)
