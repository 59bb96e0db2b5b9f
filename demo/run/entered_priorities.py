"""What the simulated clinic's physicians said of their patients' priorities, so that the page Priorities is at work.

How
    Some patients in treatment, with the real file's own door; the rest is left for a visitor to enter. A category
    follows from the site: fast growing squamous carcinomas 1, other curative courses 2, palliative ones 3.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from recovery.entries.priority_entries import PriorityEntry
from recovery.host.entry_lines import append_statement

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from demo.clinic.clinic import Clinic
    from demo.clinic.courses import TreatmentPlan

MOST = 12
_FIRST_CATEGORY = frozenset({"head_neck", "pelvis", "lung"})


def enter(cache_path: Path, clinic: Clinic, zone: ZoneInfo) -> None:
    """Enter the priorities of some who are in treatment when the clinic opens, the day before.

    Raises
    ------
    EntriesError
        If the file cannot be written.
    """
    at = (clinic.opened_at - timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)
    begun = {s.plan.sop_instance_uid for s in clinic.sessions if s.ends_at <= clinic.opened_at}
    to_come = {s.plan.sop_instance_uid for s in clinic.sessions if s.ends_at > clinic.opened_at}
    treated = (p for p in clinic.plans if p.sop_instance_uid in begun & to_come and p.geometry == "PATIENT")
    plans = {plan.patient.patient_id: plan for plan in treated}
    for plan in list(plans.values())[:MOST]:
        append_statement(cache_path, _entry(plan, at))


def _entry(plan: TreatmentPlan, at: datetime) -> PriorityEntry:
    category = 3 if plan.intent == "PALLIATIVE" else 1 if plan.site.key in _FIRST_CATEGORY else 2
    physician = plan.patient.physician
    return PriorityEntry(
        patient_id=plan.patient.patient_id,
        category=category,
        concurrent_chemotherapy=category == 1 and plan.patient.number % 2 == 0,
        intent=plan.intent.lower(),
        comment="",
        decided_by=f"{physician.family}, {physician.given}",
        signed_by="demo",
        entered_at=at,
    )
