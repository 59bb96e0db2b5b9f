"""What a message says: what, since when, what to do next. It names no patient. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from recovery.dicom.model import JobRun
from recovery.watch.events import GUARD, LOSS, PROOF, SILENCE, STOPPED, Event
from recovery.watch.shifts import SHIFT_CHECK
from recovery.words.printable import printable
from recovery.words.times import age

_WHAT: Mapping[str, str] = {
    "rv": "The R&V system does not answer.",
    "database": "The R&V system's database does not answer.",
    "pacs": "The RT-PACS does not answer.",
    "cache": "The cache cannot be written or read.",
    "config": "The config cannot be used.",
    PROOF: "Objects of the RT-PACS are lost, altered or unreadable, and no source could heal them.",
    GUARD: "The R&V system's database changed in a way that care does not produce: its new state is quarantined.",
    LOSS: "The RT-PACS lacks records, plans or images of many patients at once, which it held: it is attacked, or "
    "loses its disk.",
}
_NEXT: Mapping[str, str] = {
    "rv": "If it is an outage, treat from the dashboard: it works without the R&V system.",
    "database": "If it is an outage, treat from the dashboard: it works without the R&V system.",
    "pacs": "Nothing new is backed up until it answers. Call whoever keeps it.",
    "cache": "Check free space and rights of the cache's folder on the jobs' machine.",
    STOPPED: "Look whether it is still started (cron, Task Scheduler, `schedule`), whether something kills it, or it "
    "hangs: the log file in the cache's folder tells how far it came.",
    "shift check": "Open the page Shift check, compare with the R&V system, and say there what you find. What differs "
    "is settled before anybody is treated from the copy.",
    PROOF: "Patients who need them are not ready, and say why on their page. Compare with paper before treating.",
    LOSS: "Call whoever keeps the RT-PACS. The list goes on from what was read before, and each row names what lacks: "
    "do not rebuild it from what is left. What the R&V system has is brought again.",
    GUARD: "Look at the R&V system: is it attacked, or was it tidied? The list goes on from the last good state. "
    "If the new one is right, a physicist accepts it by `python -m recovery accept-snapshot`; Backup health names it.",
}
_LOOK = "Run `python -m backup_jobs check` on the jobs' machine; the page Backup health shows the runs."
_MOST_SAID = 500


@dataclass(frozen=True, slots=True)
class Message:
    """A subject of one line, and a text."""

    subject: str
    text: str


def message(event: Event, site: str, now: datetime, zone: ZoneInfo) -> Message:
    """An event in words; times aware, said in the site's zone."""
    since = f"{event.since.astimezone(zone):%Y-%m-%d %H:%M} ({age(now - event.since)})"
    if event.trouble is None:
        if event.name == SHIFT_CHECK:
            return Message(f"RBRDT {site}: {event.name} is made", f"{event.name} is made. It was open since {since}.\n")
        ended = f"{event.name} works again. It had failed since {since}."
        return Message(f"RBRDT {site}: {event.name} works again", ended + "\n")
    if event.name == SILENCE:
        first = f"{event.trouble.said[0].upper()}{event.trouble.said[1:]}. Newest proof: {since}."
        subject = f"RBRDT {site}: no backup since {since}"
    else:
        fault = _WHAT.get(event.trouble.fault, "")
        fails = {SHIFT_CHECK: "is open"}.get(event.name, "is missing" if event.trouble.fault == STOPPED else "fails")
        first = f"{event.name} {fails} since {since}. {fault}".strip()
        subject = f"RBRDT {site}: {event.name} {fails}"
    lines = [first]
    if event.name != SILENCE and event.trouble.said:
        lines.append(f"It said: {printable(event.trouble.said)[:_MOST_SAID]}")
    lines += [f"What to do: {_NEXT[event.trouble.fault]}"] if event.trouble.fault in _NEXT else []
    lines.append(_LOOK)
    if event.times > 1:
        lines.append(f"This is message {event.times} about it.")
    return Message(subject, "\n".join(lines) + "\n")


def daily_summary(
    runs: Sequence[JobRun], proven_at: datetime | None, site: str, now: datetime, zone: ZoneInfo
) -> Message:
    """A day of runs, and how old the copy is; `runs` are those of the day, oldest first."""
    jobs: dict[str, list[JobRun]] = {}
    for run in runs:
        jobs.setdefault(run.job, []).append(run)
    lines = [
        "Nothing is proven: no run is known that asked both sides."
        if proven_at is None
        else f"Everything up to {proven_at.astimezone(zone):%Y-%m-%d %H:%M} is proven ({age(now - proven_at)} ago)."
    ]
    for job, of_job in jobs.items():
        outcomes = [run.outcome or "not ended" for run in of_job]
        counted = ", ".join(f"{outcomes.count(o)} {o}" for o in dict.fromkeys(sorted(outcomes)))
        last = next((run for run in reversed(of_job) if run.outcome is not None), of_job[-1])
        unproven = last.counts.get("unproven", 0)
        rest = f"; {unproven} unproven at the end" if unproven else ""
        moved = sum(run.counts.get("moved", 0) for run in of_job)
        lines.append(f"{job}: {counted}; {moved} objects moved{rest}")
    if not jobs:
        lines.append("No job has run in the last 24 hours. " + _LOOK)
    state = "all jobs well" if jobs and all(o[-1].outcome in {"OK", "SKIPPED"} for o in jobs.values()) else "look"
    return Message(f"RBRDT {site}: {state}", "\n".join(lines) + "\n")
