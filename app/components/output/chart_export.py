"""The buttons that hand out paper charts: a machine's day in order of appointment, a whole list, or one patient.

How
    The same charts as `python -m recovery chart` makes, from the cache as it is when the button is pressed. The
    libraries that draw them are loaded on the press.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from app.components.output import download, list_export
from app.desk import Desk
from recovery.access.permissions import Permission
from recovery.cache.store import Cache

PDF = "application/pdf"
_Form = tuple[str, str, str, Callable[[Desk, list[str]], bytes]]
"""Label, the file's ending, its type, and what makes it."""


def show_day(desk: Desk, patient_ids: Sequence[str], machine: str, day: date) -> None:
    """Draw the buttons for the patients of a machine's day, in this order."""
    plain = download.in_file_name(machine)
    about: dict[str, str | int] = {
        "table": "charts",
        "machine": machine,
        "day": day.isoformat(),
        "patients": len(patient_ids),
    }
    _buttons(desk, list(patient_ids), f"charts_{plain}_{day:%Y-%m-%d}", about, "charts of everybody on this list", None)


def show_everybody(desk: Desk, patient_ids: Sequence[str]) -> None:
    """Draw the button for everybody on a list of several machines, in the list's order: the whole department."""
    about: dict[str, str | int] = {"table": "charts", "patients": len(patient_ids)}
    name = f"charts_{desk.today():%Y-%m-%d}"
    _buttons(desk, list(patient_ids), name, about, f"charts of all {len(patient_ids)} on this list", None, _FORMS[:1])


def show_patient(desk: Desk, patient_id: str) -> None:
    """Draw the buttons for one patient; the file's name tells none."""
    name = f"chart_{desk.today():%Y-%m-%d}"
    _buttons(desk, [patient_id], name, {"table": "charts", "patients": 1}, "a sheet per plan, to sign", patient_id)


def _buttons(
    desk: Desk,
    patient_ids: list[str],
    name: str,
    about: dict[str, str | int],
    what: str,
    patient_id: str | None,
    forms: Sequence[_Form] | None = None,
) -> None:
    for label, ending, mime, make in _FORMS if forms is None else forms:
        download.show(
            label,
            lambda make=make: make(desk, patient_ids),  # type: ignore[misc]
            file_name=f"{name}.{ending}",
            mime=mime,
            key=f"charts_{ending}",
            help_text=f"Paper charts: {what}. {desk.config.charts.paper.upper()}",
            details=about,
            permission=Permission.CHARTS,
            action="chart",
            patient_id=patient_id,
        )


def _pdf(desk: Desk, patient_ids: list[str]) -> bytes:
    from recovery.charting import charts_pdf
    from recovery.patient.file import read_patient_files

    files = read_patient_files(
        Cache(desk.config.cache_path), desk.config.site, patient_ids, desk.now(), desk.config.schedule.grace
    )
    return charts_pdf(files, paper=desk.config.charts.paper, own_font=desk.config.chart_font)


def _workbook(desk: Desk, patient_ids: list[str]) -> bytes:
    from recovery.charting import charts_workbook
    from recovery.patient.file import read_patient_files

    files = read_patient_files(
        Cache(desk.config.cache_path), desk.config.site, patient_ids, desk.now(), desk.config.schedule.grace
    )
    return charts_workbook(files, paper=desk.config.charts.paper)


_FORMS: Sequence[_Form] = (
    ("Charts, PDF", "pdf", PDF, _pdf),
    ("Charts, Excel", "xlsx", list_export.MIME, _workbook),
)
