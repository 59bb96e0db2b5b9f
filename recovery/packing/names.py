"""Names of folders and files that any disk takes, Windows and FAT too, and that a therapist reads. Pure, no I/O.

`TB1/MALACHITE_Curlew_100273/Cervix_fx12of25`: letters, marks and digits stay, after NFKC, which makes look-alikes
plain; anything else is an underscore: no path can be made of an ID. Who would get a name that is taken gets a number
behind it.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_RESERVED = re.compile(r"(con|prn|aux|nul|conin|conout|com\d|lpt\d)", re.IGNORECASE)
"""Names that are devices on Windows, with any ending."""
_LONGEST_MACHINE, _LONGEST_NAME, _LONGEST_ID, _LONGEST_PLAN = 20, 36, 20, 32
"""Of the 260 characters of a path on Windows, these and the rest of a path below the pack take less than 160."""


def safe(text: str | None, longest: int) -> str:
    """A text as the name of a folder."""
    name = _part(text, longest)
    return f"{name}_" if _RESERVED.fullmatch(name) else name


def _part(text: str | None, longest: int) -> str:
    """A text as part of a name; `unnamed` where nothing of it can stand in one."""
    plain = unicodedata.normalize("NFKC", text or "")
    kept = "".join(letter if letter == "-" or unicodedata.category(letter)[0] in "LMN" else "_" for letter in plain)
    return re.sub("_+", "_", kept).strip("_-")[:longest].strip("_-") or "unnamed"


def machine_folder(machine: str | None) -> str:
    return safe(machine, _LONGEST_MACHINE) if machine else "no_machine"


def patient_folder(patient_name: str | None, patient_id: str) -> str:
    """`MALACHITE_Curlew_100273`"""
    return f"{_part(patient_name, _LONGEST_NAME)}_{_part(patient_id, _LONGEST_ID)}"


def plan_folder(label: str | None, row: Mapping[str, Any], *, is_overridden: bool = False) -> str:
    """`Cervix_fx12of25`, and in capitals what nobody may miss who sees only this folder.

    Where records are known to be missing, no number is: it may have been given.
    The number of fractions stands behind a number that is its count, as `recovery.words.notices` has it.
    """
    number, given, planned = (
        row[column]
        for column in ("next_fraction_number", "course_fractions_delivered", "course_number_of_fractions_planned")
    )
    of = f"of{planned}" if planned is not None and given is not None and number == given + 1 else ""
    is_proven = row["records_held"] is not False
    parts = [_part(label, _LONGEST_PLAN), *([f"fx{number}{of}"] if number is not None and is_proven else [])]
    parts += ["INTERRUPTED"] if row["interrupted_fraction"] is not None else []
    parts += ["UNKNOWN"] if row["unknown_since"] is not None or not is_proven else []
    parts += ["OVERRIDDEN"] if is_overridden else []
    name = "_".join(parts)
    return name if len(parts) > 1 else safe(name, _LONGEST_PLAN)


class Names:
    """Paths that are taken, as disks compare them that know no difference of case."""

    def __init__(self) -> None:
        self._owners: dict[str, object] = {}

    def of(self, path: str, owner: object) -> str:
        """The path; with a number behind it where it is another owner's."""
        for number in range(1, len(self._owners) + 2):
            wanted = path if number == 1 else f"{path}_{number}"
            if self._owners.setdefault(wanted.casefold(), owner) == owner:
                break
        return wanted
