"""The side that a prescription's own words name. Neither database has a column for it.

Whole words only, in the languages of the clinics that we know. Single letters are no sides: `L Spine` is lumbar.
"""

import re

from backup_jobs.rv import values
from backup_jobs.rv.table_readings import Group, Reader

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
