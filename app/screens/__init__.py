"""The pages of the dashboard, in the order of its menu.

Each is a folder of its own name, not a file, and this folder is not called `pages`: Streamlit would take what lies
there for pages of its own, and after a restart run them, bare, for whoever asks for their address first.
"""

from dataclasses import dataclass
from importlib import import_module

from app.desk import Desk
from recovery.access.permissions import Permission


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page: its title, its icon (bundled with Streamlit), its address, and who may see it.

    Its folder bears the name of its address, and is imported when somebody opens it: the first page need not wait for
    what pictures and charts are drawn with.
    """

    title: str
    icon: str
    url_path: str
    permission: Permission = Permission.VIEW
    is_in_menu: bool = True
    """A page that is none is reached from another one only."""

    def show(self, desk: Desk) -> None:
        """Draw the page."""
        import_module(f"{__name__}.{self.url_path}").show(desk)


PAGES = (
    PageEntry("On treatment", ":material/groups:", "on_treatment"),
    PageEntry("Machine day", ":material/calendar_today:", "machine_day"),
    PageEntry("Since the last proof", ":material/help:", "since_last_proof"),
    PageEntry("Chart fractions", ":material/edit_note:", "charting"),
    PageEntry("Downtime", ":material/power_off:", "downtime"),
    PageEntry("Shift check", ":material/fact_check:", "shift_check"),
    PageEntry("Not started yet", ":material/event_upcoming:", "not_started"),
    PageEntry("Patients", ":material/person:", "patients"),
    PageEntry("Patients", ":material/person:", "patient", is_in_menu=False),
    PageEntry("Priorities", ":material/low_priority:", "priorities"),
    PageEntry("Packs for file mode", ":material/inventory_2:", "recovery_packs"),
    PageEntry("Backup health", ":material/health_metrics:", "backup_health"),
    PageEntry("Network", ":material/hub:", "network", Permission.NETWORK),
    PageEntry("Audit", ":material/policy:", "audit", Permission.AUDIT),
)
