"""How a patient of a network goes on in another hospital: where the packet is made, and whom to ask for it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.desk import Desk
from app.wording import words
from recovery.lists.rows import as_python
from recovery.sites.network import SiteSeen
from recovery.words.printable import printable
from recovery.words.times import moment


def show(desk: Desk, here: Sequence[SiteSeen], rows: pd.DataFrame) -> None:
    """Draw it over the patients that are listed."""
    listed = {f"{row['copy']} {row['patient_id']}": row for row in as_python(rows) if row["patient_id"] is not None}
    with st.expander("Transfer-out packet of a patient"):
        chosen = st.selectbox(
            "Patient",
            list(listed),
            index=None,
            format_func=lambda one: printable(
                f"{listed[one]['patient_name']} · {listed[one]['patient_id']} · {listed[one]['clinic']}"
            ),
            placeholder="name or ID",
        )
        if chosen is None:
            return
        row = listed[chosen]
        seen = next(seen for seen in here if seen.copy == row["copy"])
        physician = words.as_markdown(row["physicians_of_record"] or "")
        of_record = f", physician of record {physician}" if physician else ""
        st.markdown(
            f"**Ask {words.as_markdown(seen.clinic)}**{of_record}: plan, images and records lie in "
            "its RT-PACS, which is not reached from here. Whole and signed, the packet is made there alone:"
        )
        patient = shlex.quote(printable(str(row["patient_id"])))
        st.code(f"python -m recovery transfer-out --patient {patient} -o FOLDER", language=None)
        at = moment(seen.taken_at, desk.now(), desk.config.site.zone) if seen.taken_at else "an unknown time"
        st.markdown(
            f"**If nobody answers there**, here, from its copy of {at}: summary and FHIR of all that the copy tells, "
            "without a DICOM object, each of which it names as missing:"
        )
        copy = shlex.quote(seen.copy)
        st.code(f"python -m recovery transfer-out --patient {patient} --from-copy {copy} -o FOLDER", language=None)
