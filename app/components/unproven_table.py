"""What a job wanted and the RT-PACS does not say that it holds: which object, since when, why."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import health, words
from app.components import marked
from app.desk import Desk
from recovery.model import JobRun


def show(desk: Desk, unproven: Sequence[health.Unproven], runs: Sequence[JobRun]) -> None:
    """Draw the list, the longest unproven first."""
    untold = _not_named(runs)
    if not unproven and not untold:
        st.markdown("Nothing: every object that the last runs wanted is held, by the RT-PACS's own word.")
        return
    if untold:
        st.markdown(f":orange[▲ {untold}]")
    if not unproven:
        return
    now, zone = desk.now(), desk.config.site.zone
    frame = pd.DataFrame(
        {
            "since": [
                f"{'before ' if one.reaches_further else ''}{words.moment(one.since, now, zone)}" for one in unproven
            ],
            "age": [words.age(words.between(one.since, now)) for one in unproven],
            "job": [one.job for one in unproven],
            "why": [one.why or "the newest run names it without a reason" for one in unproven],
            "sop_instance_uid": [one.sop_instance_uid for one in unproven],
        }
    )
    column = st.column_config
    st.dataframe(
        frame,
        key="unproven",
        hide_index=True,
        height=marked.height(len(frame), 8),
        row_height=marked.ROW_HEIGHT,
        column_config={
            "since": column.TextColumn("Since", width=160, help="“before”: the journal reaches back no further"),
            "age": column.TextColumn("For", width=90, alignment="right"),
            "job": column.TextColumn("Wanted by", width=130),
            "why": column.TextColumn("Why", width=480),
            "sop_instance_uid": column.TextColumn("SOP Instance UID", width=430),
        },
        alt="Objects that are not proven, the longest first",
    )


def _not_named(runs: Sequence[JobRun]) -> str:
    """What the newest runs counted as unproven beyond the UIDs that the journal keeps."""
    newest: dict[str, JobRun] = {run.job: run for run in runs if run.outcome in {"OK", "PARTIAL"}}
    said = [
        f"{more} more of {job} are not named in the journal; `python -m backup_jobs {job} --json` names them all."
        for job, run in newest.items()
        if (more := run.counts.get("unproven", 0) - len(run.unproven)) > 0
    ]
    return " ".join(said)
