"""Which of an appointment's machines treats, and which side a prescription's own words name: no column says either."""

import re

from backup_jobs.rv import values
from backup_jobs.rv.table_readings import Group, RawRow, Reader

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


_SIDES = {
    "Left": ("left", "links", "linke", "linker", "linkes", "linken", "gauche", "sinistra", "sinistro"),
    "Right": ("right", "rechts", "rechte", "rechter", "rechtes", "rechten", "droit", "droite", "destra", "destro"),
    "Bilateral": ("bilateral", "bilaterally", "both", "beide", "beider", "beidseits", "beidseitig", "bilatéral"),
}
_SIDE_OF = {word: side for side, words in _SIDES.items() for word in words}


def side_said(*texts: str | None) -> str | None:
    """`Left`, `Right` or `Bilateral`; where the texts name several sides, all of them: nobody chooses."""
    words = (word for text in texts if text for word in re.findall(r"[^\W\d_]+", text.casefold()))
    return " and ".join(dict.fromkeys(_SIDE_OF[word] for word in words if word in _SIDE_OF)) or None


def side_in(*columns: str) -> Reader:
    """The side that a row's texts name."""

    def read(group: Group) -> str | None:
        return side_said(*(values.line(group[0][column]) for column in columns))

    return read
