"""The pages of the dashboard, in the order of its menu.

Each is a folder, not a file: Streamlit takes a `pages/*.py` beside its entry file for a page of its own, and after
a restart it would run that file, bare, for whoever asks for its address first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.desk import Desk
from app.screens import audit, backup_health, machine_day, on_treatment, patient, priorities
from recovery.permissions import Permission


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page: its title, its icon (bundled with Streamlit), its address, the function that draws it, and who may."""

    title: str
    icon: str
    url_path: str
    show: Callable[[Desk], None]
    permission: Permission = Permission.VIEW


PAGES = (
    PageEntry("On treatment", ":material/groups:", "on_treatment", on_treatment.show),
    PageEntry("Machine day", ":material/calendar_today:", "machine_day", machine_day.show),
    PageEntry("Patients", ":material/person:", "patient", patient.show),
    PageEntry("Priorities", ":material/low_priority:", "priorities", priorities.show),
    PageEntry("Backup health", ":material/health_metrics:", "backup_health", backup_health.show),
    PageEntry("Audit", ":material/policy:", "audit", audit.show, Permission.AUDIT),
)
