"""The button that hands out what is shown as an Excel file, with its age and its filters inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from app.components.banner import standing_now
from app.components.counts import hidden_sentence
from app.components.output import download
from app.data import cached, standing
from app.desk import Desk
from recovery.access.permissions import Permission
from recovery.lists.columns import Shown
from recovery.lists.filters import View

if TYPE_CHECKING:
    from app.exports.excel import About


def show(
    desk: Desk,
    loaded: cached.Loaded,
    shown: pd.DataFrame,
    view: View,
    reasons: dict[str, int],
    order: str,
    hidden_columns: Sequence[str],
) -> None:
    """Draw the button. The file is made when it is pressed, of the rows on the screen at that time.

    `order`: how the rows are sorted, in words; `hidden_columns`: those of the file that somebody took away.
    """

    def make() -> bytes:
        from app.exports import excel

        about = about_of(desk, loaded, filters=view.in_words, hidden=hidden_sentence(reasons), order=order)
        return excel.workbook(shown, about, hidden_columns)

    download.show(
        "Excel",
        make,
        file_name=file_name(as_of(desk) or desk.local(loaded.snapshot.taken_at)),
        key="excel",
        help_text="The rows shown, in this order, with the time up to which they are true",
        details={"table": "on_treatment", "plans": len(shown), "patients": int(shown["patient_id"].nunique())},
    )


def show_lists(
    desk: Desk,
    loaded: cached.Loaded,
    name: str,
    lists: Sequence[tuple[Shown, pd.DataFrame]],
    *,
    what: str,
    filters: str,
    hidden: str,
    order: str = "as on the page",
    help_text: str,
    permission: Permission = Permission.EXPORT,
) -> None:
    """Draw the button for lists that are worked off, a sheet each. `what`: what the printed head says of them."""

    def make() -> bytes:
        from app.exports import excel

        return excel.lists(about_of(desk, loaded, filters=filters, hidden=hidden, order=order), what, lists)

    lines = sum(len(rows) for _, rows in lists)
    download.show(
        "Excel",
        make,
        file_name=f"{name}_{desk.local(desk.now()):%Y-%m-%d_%H%M}.xlsx",
        key=f"excel_{name}",
        help_text=help_text,
        details={"table": name, "lines": lines},
        permission=permission,
    )


def file_name(as_of: datetime) -> str:
    """A file's name with the time that it speaks of, and no patient: `on_treatment_2026-11-24_1432.xlsx`."""
    return f"on_treatment_{as_of:%Y-%m-%d_%H%M}.xlsx"


def status_of(desk: Desk) -> str:
    """How the safety copy stands, as plain text with its mark."""
    try:
        said = standing_now(desk).in_plain_text
    except cached.JournalError as error:
        said = f"{standing.Level.STOP.mark} {error}"
    return f"{said} Simulated clinic: its clock is not the wall's." if desk.clock_is_simulated else said


def as_of(desk: Desk) -> datetime | None:
    """Up to when the safety copy is true, local to the site; None where nothing is proven."""
    try:
        at = standing_now(desk).as_of
    except cached.JournalError:
        return None
    return desk.local(at) if at else None


def about_of(desk: Desk, loaded: cached.Loaded, *, filters: str, hidden: str, order: str) -> About:
    """What a file says of itself, as of this moment."""
    from app.exports import excel

    return excel.About(
        site=desk.config.site.name,
        time_zone=desk.config.site.time_zone,
        as_of=as_of(desk),
        built_at=desk.local(loaded.snapshot.taken_at),
        exported_at=desk.local(desk.now()),
        status=status_of(desk),
        filters=filters,
        hidden=hidden,
        order=order,
    )
