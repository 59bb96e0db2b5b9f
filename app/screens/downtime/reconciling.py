"""Coming back: the work list of what differs between this copy and the R&V system, signed item by item.

`recovery.patient.reconciliation` compares. It is asked for, not shown with the page: it reads everybody's records.
"""

from functools import partial
from typing import Literal

import pandas as pd
import streamlit as st

from app.access import rights
from app.access.statements import sign
from app.components import marked
from app.components.output import download
from app.desk import Desk
from app.wording import words
from recovery.access.permissions import Permission
from recovery.bundling.reconcile_sheet import COLUMNS, rows, sheets
from recovery.cache.errors import CacheError
from recovery.cache.formats import encoded_rows
from recovery.host.entry_lines import EntriesError
from recovery.patient.reconciliation import Item, NothingToSayError, Reconciliation, reconcile
from recovery.words.printable import printable
from recovery.words.values import absent

_Kind = Literal["entered", "agrees"]
_SAID: dict[_Kind, str] = {"entered": "was entered by hand in the R&V system", "agrees": "agrees as it is"}


def show(desk: Desk) -> str:
    """Draw the list once it is asked for; returns the sheets for the printer, empty without it."""
    st.markdown("### Coming back", anchors=False)
    if not st.toggle("Compare this copy with what the R&V database said when it was last read", key="reconcile"):
        return ""
    try:
        found = reconcile(desk.config, desk.cache, desk.now())
    except (NothingToSayError, CacheError, EntriesError) as error:
        st.markdown(f":orange[▲ {words.as_markdown(str(error))}]")
        return ""
    first, *others = map(words.as_markdown, found.in_words(desk.config))
    st.markdown(f":green[✓ **{first}**]" if found.is_equal else f":red[■ **{first}**]")
    st.markdown("\n\n".join(f":small[{said}]" for said in others))
    if found.items:
        lines = pd.DataFrame([_line(item) for item in found.items])
        st.dataframe(marked.printed(lines), hide_index=True, key="reconcile_table", placeholder="—")
        _ask(desk, found)
    download.show(
        "Excel",
        lambda: encoded_rows(rows(found), COLUMNS, "xlsx", " ".join(found.in_words(desk.config))),
        file_name=f"reconciliation_{desk.local(desk.now()):%Y-%m-%d_%H%M}.xlsx",
        key="excel_reconcile",
        help_text="Every beam on both sides, equal ones too",
        details={"table": "reconciliation", "lines": len(found.items)},
        permission=Permission.CHARTS,
    )
    printed = list(sheets(found, desk.config.site.name, found.in_words(desk.config)[0]))
    if printed:
        st.markdown(":small[**Ctrl + P** prints a sheet per patient to enter by hand from, and not the runbook.]")
    return '<div style="break-after: page"></div>'.join(printed)


def _line(item: Item) -> dict[str, object]:
    one = item.compared
    return {
        "Item": one.item,
        "Name": absent(item.patient_name),
        "ID": one.patient_id,
        "Plan": absent(item.plan_label),
        "Fraction": str(absent(one.fraction_number)),
        "Here and there": one.sides,
        "State": item.state,
    }


def _ask(desk: Desk, found: Reconciliation) -> None:
    """What a person says of an item."""
    signer = rights.signer(Permission.CHARTING)
    to_sign = {item.compared.item: item for item in found.open if not item.compared.is_conflict}
    if signer is None or not to_sign:
        return

    def named(item: str) -> str:
        one = to_sign[item]
        return printable(f"{absent(one.patient_name)}, {absent(one.plan_label)} {absent(one.compared.fraction_number)}")

    with st.form("reconcile_sign"):
        item = st.selectbox("Of the list", list(to_sign), index=None, format_func=named, key="reconcile_item")
        kind = st.radio("It", list(_SAID), format_func=_SAID.__getitem__, key="reconcile_kind", horizontal=True)
        why = st.text_input("Why it agrees", key="reconcile_why", max_chars=200, help="Never a patient's name")
        pressed = st.form_submit_button(f"Sign, as {words.as_markdown(signer)}", key="reconcile_sign_it")
    if pressed and item is not None and kind is not None:
        made = partial(found.statement, item, kind, signer, desk.now(), why)
        sign(desk, Permission.CHARTING, made, f"reconcile {kind}", {"item": item})
