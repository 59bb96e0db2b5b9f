"""The buttons that hand out paper charts, as `python -m recovery chart` makes them: of a day, a list, or one
patient."""

from collections.abc import Sequence
from datetime import date
from functools import partial

from app.components.output import download
from app.desk import Desk
from recovery.access.permissions import Permission

_FORMS = (("Charts, PDF", "pdf", "application/pdf"), ("Charts, Excel", "xlsx", download.XLSX))
"""Label, the file's ending, and its type."""


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
    forms: Sequence[tuple[str, str, str]] = _FORMS,
) -> None:
    for label, ending, mime in forms:
        download.show(
            label,
            partial(_made, desk, patient_ids, ending),
            file_name=f"{name}.{ending}",
            mime=mime,
            key=f"charts_{ending}",
            help_text=f"Paper charts: {what}. {desk.config.charts.paper.upper()}",
            details=about,
            permission=Permission.CHARTS,
            action="chart",
            patient_id=patient_id,
        )


def _made(desk: Desk, patient_ids: list[str], ending: str) -> bytes:
    from recovery.charting import charts_pdf, charts_workbook
    from recovery.patient.file import read_patient_files

    config = desk.config
    files = read_patient_files(desk.cache, config.site, patient_ids, desk.now(), config.schedule.grace)
    if ending == "pdf":
        return charts_pdf(files, paper=config.charts.paper, own_font=config.chart_font)
    return charts_workbook(files, paper=config.charts.paper)
