"""The runbook as a page for paper: a line per step, who ticked it, and a box for who does so by hand."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from recovery.entries.downtimes import Downtime
from recovery.lists.day_sheet import cells_of, framed, said, table
from recovery.words.times import at_time

_HEADINGS = ("", "Step", "Done by", "At")


def sheet(site: str, steps: Sequence[str], lasts: Downtime | None, zone: ZoneInfo) -> str:
    """The sheet's markup; every text in it is escaped."""
    told = lasts.in_words(zone) if lasts is not None else "No downtime is declared."
    rows = (_row(place, step, lasts, zone) for place, step in enumerate(steps, start=1))
    return framed(f"Runbook of a downtime · {site}", told, [table(_HEADINGS, rows)])


def _row(place: int, step: str, lasts: Downtime | None, zone: ZoneInfo) -> str:
    done = lasts.steps.get(step) if lasts is not None else None
    cells = (
        ("time", str(place)),
        ("", said(step)),
        ("box", said(done.signed_by) if done is not None else ""),
        ("box", said(at_time(done.entered_at.astimezone(zone))) if done is not None else ""),
    )
    return f"<tr>{cells_of(cells)}</tr>"
