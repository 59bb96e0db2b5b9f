"""The jobs and their week: how old the last good run of each is, and when it did not go well.

A row per job, then a strip with a cell per job and hour of the last seven days. An hour in which no run began is empty:
silence shows as a hole. Height tells what colour tells: low is done, half is partly, full is failed; hollow has not
ended, and a thin line is a job that is not used.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd
import streamlit as st

from app.components import marked
from app.data import health
from app.desk import Desk
from app.wording import palette, words
from recovery.words.printable import printable
from recovery.words.times import age, ago, moment

_WORDS = {
    "OK": "done",
    "PARTIAL": "partly, something is unproven",
    "FAILED": "failed",
    "running": "not ended",
    "SKIPPED": "not used",
}
_HEIGHT = {"OK": 0.35, "SKIPPED": 0.1, "running": 0.35, "PARTIAL": 0.6, "FAILED": 1.0}
_ROW, _AROUND = 28, 96
"""Pixels: a job's row; legend and axis together, which Streamlit counts as part of a chart's height."""


def show(desk: Desk, jobs: Sequence[health.JobHealth]) -> None:
    """Draw a row per job."""
    now, zone = desk.now(), desk.config.site.zone
    frame = pd.DataFrame([_row(job, now, zone) for job in jobs]).astype({"unproven": "Int64"})
    column = st.column_config
    config: dict[str, Any] = {
        "mark": column.TextColumn("", width=28, help="■ overdue and failing, ▲ look, ● as it should be"),
        "job": column.TextColumn("Job", width=142),
        "last_good": column.TextColumn("Last good run", width=104),
        "age": column.TextColumn("Age", width=80, alignment="right"),
        "due": column.TextColumn("Due every", width=78, alignment="right"),
        "remark": column.TextColumn("Newest run", width=190),
        "duration": column.TextColumn("Took", width=62, alignment="right"),
        "unproven": column.NumberColumn("Unproven", width=78),
        "counts": column.TextColumn("It counted", width=390),
    }
    strong = ("mark", "job", "age", "remark")
    marked.table(frame, "jobs", config, most=12, alt="Backup jobs, one row each", strong=strong)
    for job in jobs:
        if job.newest.outcome == "SKIPPED" and job.newest.message:
            st.markdown(f"**{words.as_markdown(job.job)}** is not used: {words.as_markdown(job.newest.message)}")


def _row(job: health.JobHealth, now: datetime, zone: ZoneInfo) -> dict[str, object]:
    seconds, is_unused = job.newest.seconds, job.newest.outcome == "SKIPPED"
    never = None if is_unused else "never"
    return {
        "mark": job.level.mark,
        "job": job.job,
        "last_good": moment(job.last_good.started_at, now, zone) if job.last_good else never,
        "age": age(job.age) if job.age is not None else None,
        "due": age(job.due) if job.due is not None else None,
        "remark": "not used" if is_unused else job.remark or f"done {ago(job.newest.started_at, now)}",
        "duration": None if seconds is None else f"{seconds:.1f} s",
        "unproven": job.newest.counts.get("unproven"),
        "counts": job.newest.message if is_unused else health.counts_in_words(job.newest) or None,
    }


def show_week(desk: Desk, hours: Sequence[health.Hour], jobs: Sequence[str]) -> None:
    """Draw the strip of the last seven days."""
    if hours:
        st.altair_chart(
            week(hours, jobs, desk.now(), desk.config.site.zone, is_dark=st.context.theme.type == "dark"),
            key="week",
            alt="Runs of the last seven days by job and hour",
        )


def week(
    hours: Sequence[health.Hour], jobs: Sequence[str], now: datetime, zone: ZoneInfo, *, is_dark: bool
) -> alt.LayerChart | alt.FacetChart:
    """The strip; hours in site time."""
    last = pd.Timestamp(now.astimezone(zone).replace(tzinfo=None))
    days = alt.Axis(format="%a %-d %b", tickCount={"interval": "day", "step": 1}, labelFontSize=12)
    reach = alt.Scale(domain=[(last - health.STRIP).isoformat(), last.isoformat()])
    bars = (
        alt.Chart(_cells(hours, jobs, zone))
        .mark_rect(strokeWidth=1)
        .encode(
            x=alt.X("begins:T", title=None, scale=reach, axis=days),
            x2="ends:T",
            y=alt.Y(
                "bottom:Q",
                title=None,
                scale=alt.Scale(domain=[-0.05, len(jobs)], nice=False),
                axis=_names(jobs),
            ),
            y2="top:Q",
            **_looks(is_dark=is_dark),
            tooltip=[
                alt.Tooltip("job:N", title="Job"),
                alt.Tooltip("begins:T", title="Hour from", format="%a %-d %b %H:%M"),
                alt.Tooltip("said:N", title="Worst run"),
                alt.Tooltip("runs:Q", title="Runs"),
            ],
        )
    )
    quiet = palette.of(is_dark=is_dark).quiet
    config = alt.Config(axis=alt.AxisConfig(labelColor=quiet), legend=alt.LegendConfig(labelColor=quiet))
    return alt.layer(bars, config=config).properties(height=_ROW * len(jobs) + _AROUND)


def _cells(hours: Sequence[health.Hour], jobs: Sequence[str], zone: ZoneInfo) -> pd.DataFrame:
    """A rectangle per hour; the first job on top."""
    order = {job: len(jobs) - 1 - place for place, job in enumerate(jobs)}
    begins = [pd.Timestamp(hour.begins.astimezone(zone).replace(tzinfo=None)) for hour in hours]
    return pd.DataFrame(
        {
            "job": [printable(hour.job) for hour in hours],
            "begins": begins,
            "ends": [at + pd.Timedelta(minutes=55) for at in begins],
            "bottom": [order[hour.job] for hour in hours],
            "top": [order[hour.job] + 0.8 * _HEIGHT.get(hour.outcome, 1.0) for hour in hours],
            "said": [_WORDS.get(hour.outcome, hour.outcome) for hour in hours],
            "runs": [hour.runs for hour in hours],
        }
    )


def _names(jobs: Sequence[str]) -> alt.Axis:
    names = ",".join(f"{len(jobs) - 1 - place}:{json.dumps(printable(job))}" for place, job in enumerate(jobs))
    return alt.Axis(
        values=list(range(len(jobs))),
        labelExpr=f"({{{names}}})[datum.value]",
        labelOffset=-_ROW // 3,
        grid=True,
        ticks=False,
        domain=False,
        labelFontSize=12,
        labelLimit=160,
        labelOverlap=False,
    )


def _looks(*, is_dark: bool) -> dict[str, Any]:
    """Ground and outline of done, partly, failed, not ended, not used; a run that has not ended is hollow."""
    colours = palette.of(is_dark=is_dark)
    told = [colours.done, colours.look, colours.stop]
    fills, strokes = [*told, colours.ground, colours.quiet], [*told, colours.quiet, colours.quiet]
    names = list(_WORDS.values())
    legend = alt.Legend(
        title=None, orient="top", direction="horizontal", labelFontSize=12, labelLimit=240, symbolStrokeWidth=1
    )
    return {
        "fill": alt.Fill("said:N", scale=alt.Scale(domain=names, range=fills), legend=legend),
        "stroke": alt.Stroke("said:N", scale=alt.Scale(domain=names, range=strokes), legend=legend),
    }
