"""Views, order and columns of the list: how somebody wants to see it, beside what he wants to see."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.access import rights
from app.data import views
from app.desk import Desk
from app.screens.on_treatment import filter_bar
from app.wording import words
from recovery.access.audit import AuditError
from recovery.access.permissions import Permission
from recovery.lists import gaps
from recovery.lists.columns import ALWAYS, ON_TREATMENT, described
from recovery.words.printable import printable

SORT, HIDE = "sort", "hide"
ORDERS = {
    "name": "by name, then ID",
    "gap": "by gap, the longest first",
    "next appointment": "by next appointment, the earliest first",
}
_PICKED, _NAME, _TOLD = "view_picked", "view_name", "view_told"
_COLUMNS = {column.heading: column.name for column in described(ON_TREATMENT.page) if column.name not in ALWAYS}
"""What may be hidden, by heading: the heading stands in the address."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The order of the rows and the columns that somebody took away."""

    order: str
    hidden: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [name for name in ON_TREATMENT.page if name not in self.hidden]

    @property
    def hidden_in_file(self) -> list[str]:
        return ["gap_days" if name == "gap" else name for name in self.hidden]

    def sort(self, shown: pd.DataFrame) -> pd.DataFrame:
        """The rows in order; equal ones stay in order of name."""
        if self.order == "gap":
            return gaps.by_gap(shown)
        if self.order == "next appointment":
            return shown.sort_values("next_appointment_at", kind="stable", na_position="last")
        return shown


def show(desk: Desk, table: pd.DataFrame) -> Looks:
    """Draw the three menus, and return what they ask for."""
    with st.popover("Views", icon=":material/bookmark:"):
        _show_views(desk, table)
    with st.popover("Sort, columns", icon=":material/view_column:"):
        order = st.radio("Sort by", list(ORDERS), key=SORT, bind="query-params")
        hidden = st.multiselect("Hide columns", list(_COLUMNS), key=HIDE, bind="query-params", placeholder="none")
    return Looks(order or "name", tuple(_COLUMNS[heading] for heading in hidden))


def _show_views(desk: Desk, table: pd.DataFrame) -> None:
    file = views.views_file(desk.config.cache_path)
    known = views.standing_views(table)
    try:
        saved = views.read_views(file)
    except views.ViewsError as error:
        st.markdown(f":red[■ {words.as_markdown(str(error))}]")
        return
    by_name = {view.name: view for view in (*saved, *known)}
    st.selectbox(
        "Open a view",
        list(by_name),
        index=None,
        format_func=printable,
        placeholder="machine, physician or saved",
        key=_PICKED,
        on_change=rights.callback(_open),
        args=(by_name,),
    )
    if told := st.session_state.pop(_TOLD, ""):
        st.markdown(told)
    if not rights.may(Permission.VIEWS):  # one that hides a patient hides it from everybody who opens it
        return
    st.text_input("Save what is shown as", key=_NAME, max_chars=views.LONGEST_NAME, help="Without the search")
    st.button("Save", key="view_save", on_click=rights.callback(_save), args=(file,))
    for view in saved:
        label, remove = f"Remove {words.as_markdown(view.name)}", rights.callback(_remove)
        st.button(label, key=f"view_remove_{view.name}", on_click=remove, args=(file, view.name))


def _open(by_name: dict[str, views.SavedView]) -> None:
    view = by_name.get(st.session_state.get(_PICKED) or "")
    if view is None:
        return
    filter_bar.choose(view.choices)
    st.session_state[SORT] = _one_of(ORDERS, view.choices.get(SORT), "name")
    st.session_state[HIDE] = [name for name in view.choices.get(HIDE, []) if name in _COLUMNS]


def _one_of(known: dict[str, str], value: Any, otherwise: str) -> str:
    return value if value in known else otherwise


def _save(file: Path) -> None:
    choices = filter_bar.chosen() | {SORT: st.session_state.get(SORT), HIDE: st.session_state.get(HIDE)}
    try:
        _note("save view")
        views.keep_view(file, views.SavedView(st.session_state.get(_NAME) or "", choices))
    except (views.ViewsError, AuditError) as error:
        st.session_state[_TOLD] = f":red[■ {words.as_markdown(str(error))}]"
        return
    st.session_state[_TOLD] = "Saved, for everybody who uses this dashboard."
    st.session_state[_NAME] = ""


def _note(action: str) -> None:
    """Its line in the audit file, before anything changes; without a name, which may be a patient's.

    Raises `ViewsError` if who sits here may not, `AuditError` if the line cannot be written.
    """
    here = rights.sitting()
    if here is None or not here.may(Permission.VIEWS):
        raise views.ViewsError(rights.refusal(Permission.VIEWS))
    here.note(action, must=True)


def _remove(file: Path, name: str) -> None:
    try:
        _note("remove view")
        views.remove_view(file, name)
    except (views.ViewsError, AuditError) as error:
        st.session_state[_TOLD] = f":red[■ {words.as_markdown(str(error))}]"
