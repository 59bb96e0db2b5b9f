"""The pages of the dashboard, in the order of its menu.

Each is a folder, not a file: Streamlit takes a `pages/*.py` beside its entry file for a page of its own, and after
a restart it would run that file, bare, for whoever asks for its address first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.desk import Desk
from app.pages import on_treatment, patient


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page: its title, its icon (bundled with Streamlit), its address, and the function that draws it."""

    title: str
    icon: str
    url_path: str
    show: Callable[[Desk], None]


PAGES = (
    PageEntry("On treatment", ":material/groups:", "on_treatment", on_treatment.show),
    PageEntry("Patients", ":material/person:", "patient", patient.show),
)
