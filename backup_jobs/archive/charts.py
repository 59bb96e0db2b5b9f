"""Each patient's paper chart as an Encapsulated PDF in the RT-PACS: readable when this software is gone.

A chart is hashed as it was at the patient's last treatment, for ages and gaps grow by themselves; one whose content is
as before is not drawn. Up to when everything was proven stands in AcquisitionDateTime (0008,002A), so that the same
page can be drawn again and compared.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydicom import Dataset

from backup_jobs.archive.archiving import ArchiveReport, Wanted, archive
from recovery.cache.errors import TableMissingError
from recovery.charting.pdf import DRAWN_BY, charts_pdf
from recovery.charting.sheet import chart_sheets
from recovery.dicom import elements as el
from recovery.dicom.model import ENCAPSULATED_PDF, RT_PLAN, InstanceRef
from recovery.objects.encapsulated_pdf import ChartPage
from recovery.objects.treatment_summary import patient_of, study_of
from recovery.overview.wanted_plans import ACTIVE_DAYS
from recovery.pacs.proven_objects import ProvenObjects
from recovery.pacs.workspace import Workspace
from recovery.patient.file import PatientFile, read_patient_files
from recovery.patient.plan import PlanFile
from recovery.tables.schema import Row
from recovery.words.statuses import is_over

_NEVER = datetime(1900, 1, 1)  # noqa: DTZ001  site-local


def archive_charts(space: Workspace, proven: ProvenObjects, rows: Iterable[Row]) -> ArchiveReport:
    """Store the charts of all who may still be treated, or were lately. `rows` are those of `on_treatment`.

    Raises `DimseError` if the RT-PACS cannot be asked; `CacheError` if the cached list, records or plans are damaged.
    """
    by_patient = _patients(space, rows)
    try:
        files = _read(space, list(by_patient), space.local_now)
    except TableMissingError:  # no list was made yet
        return ArchiveReport()
    wanted = []
    for file in files:
        page = _page(space, file, by_patient[file.identity.patient_id])
        ref = InstanceRef(
            page.sop_instance_uid, ENCAPSULATED_PDF, "DOC", page.series_instance_uid, page.study_instance_uid,
            file.identity.patient_id,
        )  # fmt: skip
        wanted.append(Wanted(ref, partial(_draw, page, file), rebuild=partial(_draw_again, space, page)))
    return archive(space, wanted, proven, "storing charts")


def _patients(space: Workspace, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """By patient, the rows of those whose chart is stored."""
    since = space.local_now - timedelta(days=ACTIVE_DAYS)
    by_patient: dict[str, list[Row]] = {}
    for row in rows:
        if row["patient_id"] is not None:
            by_patient.setdefault(str(row["patient_id"]), []).append(row)
    return {
        patient_id: own
        for patient_id, own in by_patient.items()
        if any(not is_over(row["status"]) or _treated_at(row) >= since for row in own)
    }


def _page(space: Workspace, file: PatientFile, rows: list[Row]) -> ChartPage:
    """The page's identity: whose it is, in which study, and what it says whatever the time is."""
    newest = max(rows, key=lambda row: (not is_over(row["status"]), _treated_at(row)))
    plans = space.collection.plans
    uids = [str(row["referenced_rt_plan_uid"]) for row in rows if row["referenced_rt_plan_uid"] in plans]
    timeless = _at(file, _treated_at(newest), _treated_at(newest) if file.as_of is not None else None)
    timeless = replace(timeless, plans=tuple(map(_without_gaps, file.plans)))
    said = [asdict(sheet) for sheet in chart_sheets(timeless)]
    return ChartPage(
        patient=patient_of(newest),
        study_instance_uid=study_of(
            plans.get(str(newest["referenced_rt_plan_uid"])), str(newest["referenced_rt_plan_uid"])
        ),
        content=_hash([DRAWN_BY, *said]),
        plans={uid: plans[uid].ref.sop_class_uid or RT_PLAN for uid in uids},
    )


def _draw(page: ChartPage, file: PatientFile, made_at: datetime) -> Dataset:
    as_of = file.as_of.replace(microsecond=0) if file.as_of is not None else None
    return page.dataset(made_at, charts_pdf([_at(file, made_at, as_of)]), as_of)


def _draw_again(space: Workspace, page: ChartPage, made_at: datetime, came: Dataset) -> Dataset:
    """The page as it was drawn when the object that came was made."""
    as_of = el.moment(came, "AcquisitionDateTime")
    (file,) = _read(space, [page.patient.patient_id or ""], made_at)
    return page.dataset(made_at, charts_pdf([_at(file, made_at, as_of)]), as_of)


def _at(file: PatientFile, now: datetime, as_of: datetime | None) -> PatientFile:
    return replace(file, now=now, as_of=as_of, built_at=now, known_since={})


def _without_gaps(plan: PlanFile) -> PlanFile:
    if plan.ledger is None:
        return plan
    return replace(plan, ledger=replace(plan.ledger, gaps=()))


def _read(space: Workspace, patient_ids: list[str], local_now: datetime) -> list[PatientFile]:
    site, grace = space.config.site, space.config.schedule.grace
    return read_patient_files(space.cache, site, patient_ids, local_now.replace(tzinfo=site.zone), grace)


def _treated_at(row: Row) -> datetime:
    at = row["last_treatment_at"]
    return at if isinstance(at, datetime) else _NEVER


def _hash(said: list[Any]) -> str:
    text = json.dumps(said, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
