"""When recovery was last tried without the R&V system, what that found, and when it is due again."""

from collections.abc import Sequence

import streamlit as st

from app.desk import Desk
from app.wording import words
from recovery.dicom.model import JobRun
from recovery.drilling.report import next_due
from recovery.words.times import day

JOB = "drill"


def show(desk: Desk, runs: Sequence[JobRun]) -> None:
    """Draw two sentences."""
    st.markdown(in_words(desk, [run for run in runs if run.job == JOB and run.outcome != "SKIPPED"]))


def in_words(desk: Desk, drills: Sequence[JobRun]) -> str:
    """What the journal knows of drills, oldest first. One that failed was held by nobody: it tells nothing."""
    every, zone = desk.config.drill.every_days, desk.config.site.zone
    held = [run for run in drills if run.outcome in {"OK", "PARTIAL"}]
    failed = ""
    if drills and drills[-1].outcome == "FAILED":
        why = words.as_markdown(drills[-1].message)
        on = day(drills[-1].started_at.astimezone(zone).date(), desk.today())
        failed = f":red[■ **The last could not be held**, {on}]: {why}  \n"
    if not held:
        return f"{failed}:orange[▲ **No drill is known.**] `python -m recovery drill` holds one: it harms nothing."
    last = held[-1]
    mark = "●" if last.outcome == "OK" else ":orange[▲]"
    said = f"{mark} {day(last.started_at.astimezone(zone).date(), desk.today())}: {words.as_markdown(last.message)}"
    due = next_due(last.started_at, every)
    if due is None:
        return f"{failed}{said}  \nNo other is scheduled: `[drill] every_days` is 0."
    when = day(due.astimezone(zone).date(), desk.today())
    if due < desk.now():
        return f"{failed}{said}  \n:orange[▲ **The next was due on {when}.**]"
    return f"{failed}{said}  \nThe next is due on {when}."
