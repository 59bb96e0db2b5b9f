"""That another department goes on with a patient's plans, or does not after all: signed, each statement kept for good.

How
    One JSON line per statement in `transfers.jsonl` (`entry_lines`). A statement names the plans that were not over
    when it was signed, for the patient may come back with another. Of a plan the latest one counts, under whichever of
    the patient's numbers it was signed.

Why the list is told it anew at each reading
    It is built every ten minutes, and what somebody signs counts at once. `status_without_transfer` is what the status
    goes back to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from recovery.dicom.course_uids import course_uid
from recovery.host.entry_lines import EntriesError, Statement, read_statements
from recovery.identity.one_patient import ids_of
from recovery.words.statuses import is_over
from recovery.words.times import at_time
from recovery.words.values import counted

TRANSFERRED = "transferred"


@dataclass(frozen=True, slots=True)
class TransferEntry(Statement):
    """One statement. `plans`: by `course_uid`; `to`: who goes on, None takes back; `reason`: why, of a take-back.

    `entered_at`: aware, in the site's zone.
    """

    FILE = "transfers.jsonl"

    patient_id: str
    plans: tuple[str, ...]
    to: str | None
    reason: str
    signed_by: str
    entered_at: datetime

    def __post_init__(self) -> None:
        """Refuse what nobody could have meant. Raises `ValueError` if a patient, plans, a name or words lack."""
        if not self.patient_id or not self.plans or not self.signed_by.strip() or self.entered_at.tzinfo is None:
            raise ValueError("a transfer names a patient, plans and who signed, at an aware time")
        if not (self.reason if self.to is None else self.to).strip():
            raise ValueError("a transfer says to whom, and one that is taken back why")

    @property
    def action(self) -> str:
        """What the audit file calls it."""
        return "transfer" if self.to is not None else "transfer taken back"

    def in_words(self) -> str:
        """`to St. Elsewhere, signed by Green, Gloria on Sun 29 Nov 2026 17:02`"""
        return f"to {self.to}, signed by {self.signed_by} on {at_time(self.entered_at.replace(tzinfo=None))}"


Standing = Mapping[tuple[str, str], TransferEntry]
"""The statement that counts, by patient number and plan."""


def standing_at(cache_path: Path) -> Standing:
    """By what can be read; `faults_at` tells what cannot."""
    try:
        entries = read_statements(cache_path, TransferEntry).all
    except EntriesError:
        entries = ()
    found: dict[tuple[str, str], TransferEntry] = {}
    for entry in entries:
        for plan in entry.plans:
            found.pop((entry.patient_id, plan), None)  # so that the latest comes last
            found[entry.patient_id, plan] = entry
    return found


def faults_at(cache_path: Path) -> str:
    """What every page, chart and file says of statements that cannot be read; empty where all can."""
    try:
        damaged = read_statements(cache_path, TransferEntry).damaged_lines
    except EntriesError as error:
        return f"Nobody can tell who was transferred. {error}"
    return f"{damaged} of what was signed about transfers cannot be read: ask who was transferred." if damaged else ""


def told_since(cache_path: Path, built_at: datetime) -> str:
    """What a list that was built then, aware, does not tell; empty where it tells all that was signed."""
    later = {e.patient_id for e in standing_at(cache_path).values() if e.entered_at > built_at}
    if not later:
        return ""
    said = f"A transfer of {counted(len(later), 'patient')} was signed or taken back since"
    return f"{said}, which pages and charts tell, and this does not."


def transfer_of(row: Mapping[str, Any], standing: Standing) -> TransferEntry | None:
    """What was last signed about a row of on_treatment, a take-back too."""
    plan, ids = course_uid(row["referenced_rt_plan_uid"], row["prescription_id"]), ids_of(row)
    return next((e for (i, uid), e in reversed(list(standing.items())) if uid == plan and i in ids), None)


def statement(
    rows: Iterable[Mapping[str, Any]],
    patient_id: str,
    standing: Standing,
    to: str | None,
    reason: str,
    signed_by: str,
    at: datetime,
) -> TransferEntry | None:
    """What is to be signed of a patient, whose `rows` of on_treatment these are: of each plan that is not over, or was
    transferred before. None where there is none such. `at`: aware, in the site's zone."""
    plans = []
    for row in rows:
        told, uid = transfer_of(row, standing), course_uid(row["referenced_rt_plan_uid"], row["prescription_id"])
        is_away = told is not None and told.to is not None
        if uid is not None and (is_away or (to is not None and not is_over(row["status"]))):
            plans.append(uid)
    return TransferEntry(patient_id, tuple(plans), to, reason, signed_by, at) if plans else None


def with_transfers(rows: Iterable[Mapping[str, Any]], standing: Standing) -> list[dict[str, Any]]:
    """Rows of on_treatment with what was signed by now, whatever was when they were written. What the R&V system has
    closed stays closed."""
    return [_told(row, transfer_of(row, standing) if standing else None) for row in rows]


def _told(row: Mapping[str, Any], entry: TransferEntry | None) -> dict[str, Any]:
    own = row.get("status_without_transfer") or row["status"]
    if entry is None or entry.to is None or own == "closed":
        return {**row, "status": own, "status_without_transfer": None, "transferred": None}
    return {**row, "status": TRANSFERRED, "status_without_transfer": own, "transferred": entry.in_words()}
