"""What of the page Priorities goes to paper and to Excel: both lists whole, with the rules they were computed by."""

import pandas as pd

from app.components.output import list_export, paper
from app.data import cached
from app.desk import Desk
from recovery.lists import list_sheet
from recovery.lists.columns import CLOCKS, NOT_ENTERED
from recovery.on_treatment.priorities import Rules
from recovery.words.values import counted


def show(desk: Desk, loaded: cached.Loaded, clocks: pd.DataFrame, without: pd.DataFrame, rules: Rules) -> None:
    """Draw the button, and the sheet that Ctrl+P prints."""
    list_export.show_lists(
        desk,
        loaded,
        "priorities",
        [(CLOCKS, clocks), (NOT_ENTERED, without)],
        what="Priorities: days are counted, physicians decide",
        filters=in_words(rules),
        hidden="plans that are not in treatment",
        help_text="Both lists, in this order, with the signed rules",
    )
    with_clock = f"{counted(len(clocks), 'plan')} with a clock, the least days left first"
    not_entered = f"Not entered yet: {len(without)}, the longest without treatment first"
    blocks = (
        list_sheet.Block(with_clock, clocks, CLOCKS.paper),
        list_sheet.Block(not_entered, without, NOT_ENTERED.paper),
    )
    told = f"{list_export.status_of(desk)} {in_words(rules)} This list decides nothing: physicians decide."
    paper.show(f"Priorities · {desk.config.site.name}", told, blocks)


def in_words(rules: Rules) -> str:
    """`Missed days allowed: category 1: 2, …; signed by …`"""
    limits = ", ".join(f"category {number}: {days}" for number, days in sorted(rules.allowed_missed_days.items()))
    return f"Missed days allowed: {limits}; signed by {rules.signed_by} on {rules.signed_on:%Y-%m-%d}."
