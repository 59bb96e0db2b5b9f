"""The button that hands out a machine's day as an Excel file: the day's worklist, with its age inside."""

from datetime import date

from app.components.output import download, list_export
from app.data import cached
from app.desk import Desk
from recovery.access.permissions import Permission
from recovery.lists.machine_day import Day
from recovery.words.times import day as day_in_words
from recovery.words.values import counted


def show(desk: Desk, loaded: cached.Loaded, that_day: Day, machine: str, day: date, remark: str) -> None:
    """Draw the button. The file is made when it is pressed."""
    lines = len(that_day.booked) + len(that_day.unbooked)
    download.show(
        "Excel",
        lambda: make(desk, loaded, that_day, machine, day, remark),
        file_name=file_name(machine, day),
        key="excel_day",
        help_text="This machine's day as a worklist to print, with a column to sign",
        details={"table": "worklist", "machine": machine, "day": day.isoformat(), "lines": lines},
        permission=Permission.CHARTS,
    )


def file_name(machine: str, day: date) -> str:
    """A file's name with machine and day, and no patient: `worklist_TB1_2026-11-24.xlsx`."""
    plain = download.in_file_name(machine)
    return f"worklist_{plain}_{day:%Y-%m-%d}.xlsx"


def make(desk: Desk, loaded: cached.Loaded, that_day: Day, machine: str, day: date, remark: str) -> bytes:
    """The workbook, with the status of this moment."""
    from app.exports import excel

    filters = f"machine {machine}, {day_in_words(day, desk.today())}"
    order = "by appointment; then those without one, by name"
    about = list_export.about_of(desk, loaded, filters=filters, hidden=_not_here(that_day), order=order)
    return excel.worklist(machine, day, that_day, about, remark)


def _not_here(that_day: Day) -> str:
    cancelled = f"{counted(that_day.cancelled, 'cancelled appointment')}; " if that_day.cancelled else ""
    return f"{cancelled}patients of other machines, and plans that nothing is given with any more"
