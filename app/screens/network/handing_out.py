"""What of the page Network leaves it: Excel, CSV and paper, each with every site's age."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from app.access.sitting import Details
from app.components.output import download, paper
from app.desk import Desk
from app.screens.network.parts import Part
from recovery.cache.formats import encoded_rows
from recovery.lists import list_sheet
from recovery.lists.columns import OF_A_COPY, Shown
from recovery.lists.rows import as_python
from recovery.sites.network import SiteSeen
from recovery.tables.schema import TableSchema
from recovery.words.times import moment


def show(desk: Desk, found: Sequence[SiteSeen], part: Part) -> None:
    """Draw the buttons, and hand out the sheet that Ctrl+P prints. `found`: all sites, for what is said of each."""
    rows = with_ages(desk, found, part.rows)
    name = f"network_{part.name}_{desk.local(desk.now()):%Y-%m-%d_%H%M}"
    details: Details = {"table": part.name, "lines": len(rows)}
    download.show(
        "Excel",
        lambda: _workbook(desk, found, part, rows),
        file_name=f"{name}.xlsx",
        key="excel_network",
        help_text="The rows shown, and of each clinic how old its copy is",
        details=details,
    )
    download.show(
        "CSV",
        lambda: _csv(part, rows),
        file_name=f"{name}.csv",
        mime="text/csv",
        key="csv_network",
        help_text="The same rows; the column copied says how old each is",
        details=details,
    )
    told = "Copies off site, not the R&V systems. " + " ".join(sentences(desk, found))
    paper_names = [
        name for name in _names(part.shown.paper or part.shown.excel) if name != "copied"
    ]  # its head says it
    block = list_sheet.Block(part.title, rows, paper_names)
    paper.show(f"Network · {part.name.replace('_', ' ')}", told, [block])


def sentences(desk: Desk, found: Sequence[SiteSeen]) -> list[str]:
    """Of each site, how old it is and what is wrong, on which paper and in which file ever."""
    return [
        f"{seen.mark} {seen.clinic}: copy of {_age_of(desk, seen)}, proven {_proven(desk, seen)}."
        f"{f' {seen.said}.' if seen.said else ''}".strip()
        for seen in found
    ]


def with_ages(desk: Desk, found: Sequence[SiteSeen], rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with `copied`: of which moment each is, as the page tells it."""
    ages = {seen.copy: _age_of(desk, seen) for seen in found}
    return rows.assign(copied=rows["copy"].map(ages)) if len(rows) else rows


def _age_of(desk: Desk, seen: SiteSeen) -> str:
    here = ZoneInfo(desk.config.site.time_zone)
    return f"{seen.taken_at.astimezone(here):%Y-%m-%d %H:%M}" if seen.taken_at else "nothing"


def _proven(desk: Desk, seen: SiteSeen) -> str:
    here = ZoneInfo(desk.config.site.time_zone)
    return f"up to {moment(seen.proven_at, desk.now(), here)}" if seen.proven_at else "never"


def _names(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((*OF_A_COPY.excel, *names)))


def _workbook(desk: Desk, found: Sequence[SiteSeen], part: Part, rows: pd.DataFrame) -> bytes:
    from app.exports import excel

    proven = [seen.proven_at for seen in found]
    oldest = min(at for at in proven if at is not None) if all(proven) and proven else None
    now = desk.local(desk.now())
    about = excel.About(
        site=f"Network, seen from {desk.config.site.name}",
        time_zone=f"{desk.config.site.time_zone}; of treatments, that of each clinic",
        as_of=desk.local(oldest) if oldest else None,
        built_at=now,
        exported_at=now,
        status=" ".join(sentences(desk, found)),
        filters=part.filters,
        hidden="what the page does not show",
        order="as on the page",
    )
    sheet = Shown(excel=_names(part.shown.excel), title=part.name.replace("_", " ").capitalize())
    return excel.lists(about, sheet.title, [(sheet, rows)])


def _csv(part: Part, rows: pd.DataFrame) -> bytes:
    names = _names(part.shown.excel)
    return encoded_rows(as_python(rows[names]), TableSchema("network", dict.fromkeys(names, "str")), "csv")
