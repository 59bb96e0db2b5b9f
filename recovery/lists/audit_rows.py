"""The audit file as a table: its newest lines in words, filtered; and the verdict on all of it, once per change."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from recovery.access.audit import AuditFile
from recovery.access.audit_proof import Verdict, verify

MOST = 5_000
"""Lines on the page; the command line has all."""
_TAIL_BYTES = 4_000_000
WITHIN = {"any day": None, "today": 0, "7 days": 7, "30 days": 30}
_COLUMNS = ["mark", "at", "who", "role", "action", "patient_id", "details", "from"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters; empty is all. `within` is a key of WITHIN."""

    who: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    patient_id: str = ""
    within: str = "any day"


def load(path: Path, zone: ZoneInfo) -> pd.DataFrame:
    """The newest lines, the newest first; `at` is naive, in site time.

    Raises `OSError` if the file is there and cannot be read.
    """
    rows = [_row(event, zone) for event in AuditFile(path).newest(_TAIL_BYTES)[:MOST]]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    table["at"] = pd.to_datetime(table["at"])
    return table


def verdict(path: Path) -> Verdict:
    """Whether the whole file is what was written. Raises `OSError` if the file is there and cannot be read."""
    audit = AuditFile(path)
    return _verdict(path, _stamp(audit.path), _stamp(audit.head_path))


def select(table: pd.DataFrame, asked: Asked, local_now: datetime) -> pd.DataFrame:
    """The rows that the filters leave; `local_now` in site time."""
    kept = pd.Series(True, index=table.index)
    if asked.who:
        kept &= table["who"].isin(asked.who)
    if asked.actions:
        kept &= table["action"].isin(asked.actions)
    if asked.patient_id:
        kept &= table["patient_id"].fillna("") == asked.patient_id
    days = WITHIN[asked.within]
    if days is not None:
        midnight = local_now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        kept &= table["at"] >= midnight - timedelta(days=days)
    return table[kept]


def choices(table: pd.DataFrame, column: str) -> list[str]:
    """Every value of a column, in order."""
    return sorted({str(value) for value in table[column].dropna() if value})


def _row(event: dict[str, object], zone: ZoneInfo) -> dict[str, object]:
    told = event.get("details")
    details = told if isinstance(told, dict) else {}
    return {
        "mark": "■" if details.get("break_glass") or event["action"] == "break glass" else _refused(event),
        "at": _local(str(event["at"]), zone),
        "who": event["who"],
        "role": event.get("role") or None,
        "action": event["action"],
        "patient_id": event.get("patient_id"),
        "details": " · ".join(f"{key.replace('_', ' ')}: {_said(value)}" for key, value in details.items()) or None,
        "from": event.get("from") or None,
    }


def _refused(event: dict[str, object]) -> str:
    return "▲" if "refused" in str(event["action"]) else ""


def _said(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _local(at: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.fromisoformat(at).astimezone(zone).replace(tzinfo=None)
    except ValueError:
        return None


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=2)
def _verdict(path: Path, lines: tuple[int, int], head: tuple[int, int]) -> Verdict:  # noqa: ARG001 they are the key
    return verify(AuditFile(path))
