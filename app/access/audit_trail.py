"""One line of the audit file from any page: `audit_trail.note("export", rows=60)`.

Actions are short verbs: `view`, `export`, `chart`, `change`, `sign`. A patient goes by ID, never by name, and a name
never stands in the details.
"""

from __future__ import annotations

from app.access import session


def note(action: str, patient_id: str | None = None, *, must: bool = False, **details: str | int | bool) -> None:
    """Note what the person at this screen does; `must=True` for what changes something.

    Raises
    ------
    AuditError
        If `must` and the line cannot be written. Then do not do it, and say so.
    PermissionError
        If nobody is signed in.
    """
    here = session.sitting()
    if here is None:
        raise PermissionError("nobody is signed in")
    here.note(action, patient_id, details, must=must)


def note_view(page: str, patient_id: str | None = None) -> None:
    """Note that the person at this screen looks at a page, or at a patient; once in a quarter of an hour.

    Raises
    ------
    PermissionError
        If nobody is signed in.
    """
    here = session.sitting()
    if here is None:
        raise PermissionError("nobody is signed in")
    here.note_view(page, patient_id)
