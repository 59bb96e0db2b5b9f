"""The form in which a physicist or a physician signs that another hospital goes on with a patient, or not after all."""

import pandas as pd
import streamlit as st

from app.access import rights
from app.access.statements import sign
from app.desk import Desk
from app.wording import words
from recovery.access.permissions import Permission
from recovery.entries.transfers import standing_at, statement
from recovery.lists.rows import as_python

_COLUMNS = ["patient_id", "other_patient_ids", "referenced_rt_plan_uid", "prescription_id", "status"]


def show(desk: Desk, table: pd.DataFrame, patient_id: str) -> None:
    """Draw it for whoever may sign. `table`: the list as it is now."""
    signer = rights.signer(Permission.TRANSFERS)
    own = table[table["patient_id"] == patient_id]
    if signer is None:
        return
    is_back = bool((own["status"] == "transferred").any())
    with st.expander("Take the transfer back" if is_back else "Transferred to another hospital"):
        with st.form("transfer"):
            st.markdown(
                "The plans that were transferred may be treated here again."
                if is_back
                else "It signs that they go on with every plan that is not over: none of them is treated here. The "
                "packet for them is made by `python -m recovery transfer-out`."
            )
            said = st.text_input("Why" if is_back else "To which hospital", key="transfer_said", max_chars=100).strip()
            if not st.form_submit_button(f"Sign as {words.as_markdown(signer)}", key="transfer_sign"):
                return
        if not said:
            st.markdown(
                ":red[■ Nothing was signed. Say why.]" if is_back else ":red[■ Nothing was signed. Say to whom.]"
            )
            return
        _sign(desk, own, patient_id, to=None if is_back else said, reason=said if is_back else "", signer=signer)


def _sign(desk: Desk, own: pd.DataFrame, patient_id: str, *, to: str | None, reason: str, signer: str) -> None:
    """Keep the statement, with its line of audit before it."""
    at, path = desk.now().astimezone(desk.config.site.zone), desk.config.cache_path
    entry = statement(as_python(own[_COLUMNS]), patient_id, standing_at(path), to, reason, signer, at)
    if entry is None:
        st.markdown(":red[■ Nothing was signed: no plan of this patient may still be treated.]")
        return
    details = {"to": to or "", "reason": reason}
    sign(desk, Permission.TRANSFERS, lambda: entry, entry.action, details, patient_id=patient_id)
