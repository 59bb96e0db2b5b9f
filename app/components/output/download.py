"""A button that hands out a file about patients: only to whom may have it, and noted in the audit file.

The file is made when the button is pressed, beside the page, so the question whether this person may is asked again at
that moment: a page that has stood open past a time-out, or past the end of a break-glass, hands out nothing.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from app.access import rights
from app.access.sitting import Sitting
from recovery.access.permissions import Permission

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show(
    label: str,
    make: Callable[[], bytes],
    *,
    file_name: str,
    mime: str = XLSX,
    key: str,
    help_text: str,
    details: Mapping[str, str | int | bool],
    permission: Permission = Permission.EXPORT,
    action: str = "export",
    patient_id: str | None = None,
) -> None:
    """Draw the button, or, for somebody who may not, one that cannot be pressed and says who may.

    `details` say what was handed out, without a name; they and `file_name` stand in the line of audit.
    """
    here = rights.sitting()
    may = here is not None and here.may(permission)
    if here is None or not may:
        st.button(label, key=f"{key}_refused", icon=":material/lock:", disabled=True, help=rights.refusal(permission))
        return

    def hand_out() -> bytes:
        _check(here, permission)
        made = make()
        here.note(action, patient_id, dict(details) | {"file": file_name, "bytes": len(made)})
        return made

    st.download_button(
        label, data=hand_out, file_name=file_name, mime=mime, key=key, icon=":material/download:", on_click="ignore",
        help=help_text,
    )  # fmt: skip


def in_file_name(text: str) -> str:
    """A text as a part of a file's name: letters and digits, and no more of them than a disk takes."""
    return "".join(letter if letter.isalnum() else "_" for letter in text[:40])


def _check(here: Sitting, permission: Permission) -> None:
    if not here.may(permission):
        here.note("refused", None, {"wanted": str(permission)})
        raise PermissionError("You may not do this any more. Reload this page.")
    here.touch()
