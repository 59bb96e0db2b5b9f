"""The button that hands out what is shown as an Excel file, with its age and its filters inside.

Why openpyxl is loaded on the press
    The page is there sooner without it, and most visitors only look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from app.components.banner import standing_now
from app.components.counts import hidden_sentence
from app.components.output import download
from app.data import cached, standing
from app.desk import Desk
from app.lists.filters import View

if TYPE_CHECKING:
    from app.exports.excel import About


@dataclass(frozen=True, slots=True)
class Order:
    """How the rows are sorted, in words, and which columns of the file somebody took away."""

    words: str = "by name, then ID"
    hidden_columns: tuple[str, ...] = ()


IN_ORDER_OF_NAME = Order()

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show(
    desk: Desk,
    loaded: cached.Loaded,
    shown: pd.DataFrame,
    view: View,
    reasons: dict[str, int],
    order: Order = IN_ORDER_OF_NAME,
) -> None:
    """Draw the button. The file is made when it is pressed, of the rows on the screen at that time."""
    try:
        as_of = standing_now(desk).as_of or loaded.snapshot.taken_at
    except cached.JournalError:
        as_of = loaded.snapshot.taken_at
    download.show(
        "Excel",
        lambda: make(desk, loaded, shown, view, reasons, order),
        file_name=file_name(desk.local(as_of)),
        mime=MIME,
        key="excel",
        help_text="The rows shown, in this order, with the time up to which they are true",
        details={"table": "on_treatment", "plans": len(shown), "patients": int(shown["patient_id"].nunique())},
    )


def file_name(as_of: datetime) -> str:
    """A file's name with the time that it speaks of, and no patient: `on_treatment_2026-11-24_1432.xlsx`."""
    return f"on_treatment_{as_of:%Y-%m-%d_%H%M}.xlsx"


def make(
    desk: Desk,
    loaded: cached.Loaded,
    shown: pd.DataFrame,
    view: View,
    reasons: dict[str, int],
    order: Order = IN_ORDER_OF_NAME,
) -> bytes:
    """The workbook, with the status of this moment."""
    from app.exports import excel

    about = about_of(desk, loaded, filters=view.in_words, hidden=hidden_sentence(reasons), order=order.words)
    return excel.workbook(shown, about, order.hidden_columns)


def about_of(desk: Desk, loaded: cached.Loaded, *, filters: str, hidden: str, order: str = "as on the page") -> About:
    """What a file says of itself, as of this moment."""
    from app.exports import excel

    try:
        now = standing_now(desk)
        status, as_of = now.in_plain_text, now.as_of
    except cached.JournalError as error:
        status, as_of = f"{standing.Level.STOP.mark} {error}", None
    if desk.clock_is_simulated:
        status += " Simulated clinic: its clock is not the wall's."
    return excel.About(
        site=desk.config.site.name,
        time_zone=desk.config.site.time_zone,
        as_of=desk.local(as_of) if as_of else None,
        built_at=desk.local(loaded.snapshot.taken_at),
        exported_at=desk.local(desk.now()),
        status=status,
        filters=filters,
        hidden=hidden,
        order=order,
    )
