"""Which of an appointment's machines treats: by its type where the database tells it; else by any plan's field on
it."""

from backup_jobs.rv import values
from backup_jobs.rv.table_readings import Group, RawRow

_TREATS = "radiationdevice"
"""ARIA's Machine.MachineType of linacs and afterloaders."""
_ONLY_IMAGES = ("imaging", "ct", "mr", "pet", "scanner", "simulator", "ultrasound")


def treatment_machine(group: Group) -> str | None:
    """The first machine that treats; None where none does."""
    return next((values.line(row["machine_name"]) for row in group if _treats(row)), None)


def other_machine(group: Group) -> str | None:
    """The machine of an appointment at which nobody is treated, such as a CT scanner."""
    if treatment_machine(group) is not None:
        return None
    return next((name for row in group if (name := values.line(row["machine_name"]))), None)


def _treats(row: RawRow) -> bool:
    kind = (values.text(row.get("machine_type")) or "").casefold()
    if kind.replace(" ", "") == _TREATS:
        return True
    words = kind.replace("device", " ").replace("-", " ").split()
    return not any(word in _ONLY_IMAGES for word in words) and bool(values.truth(row["has_fields"]))
