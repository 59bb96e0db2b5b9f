"""What somebody signs on a page: the audit file has it first, then it is kept, then the page is drawn anew."""

from collections.abc import Callable

import streamlit as st

from app.access import rights
from app.access.sitting import Details
from app.desk import Desk
from app.wording import words
from recovery.access.audit import AuditError
from recovery.access.permissions import Permission
from recovery.host.entry_lines import EntriesError, Statement, append_statement


def sign(
    desk: Desk,
    permission: Permission,
    make: Callable[[], Statement],
    action: str,
    details: Details,
    *,
    patient_id: str | None = None,
    thanks: str = "",
) -> None:
    """Keep a statement. What refuses it, a `ValueError` of `make` too, is said in red."""
    here = rights.sitting()
    if here is None or not here.holds or not here.user.may(permission):
        return
    try:
        statement = make()
        here.note(action, patient_id, details, must=True)
        append_statement(desk.config.cache_path, statement)
    except (ValueError, AuditError, EntriesError) as error:
        st.markdown(f":red[■ {words.as_markdown(str(error))}]")
        return
    if thanks:
        st.toast(thanks)
    st.rerun()
