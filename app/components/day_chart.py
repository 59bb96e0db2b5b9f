"""The day of every machine on one axis of time: what is treated, what is to come, where somebody must look.

Goal
    In a downtime somebody moves patients between machines: here are the gaps.

How
    A bar per appointment, drawn by the Vega that Streamlit brings along: nothing is fetched. What a bar means is told
    by its form as well as its colour: outlined is treated, full is to come, ■ must be looked at. No patient is in it:
    Streamlit offers a chart's data and picture to whoever hovers over it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app import palette, worklist

_ROW, _AROUND = 30, 62
"""Pixels: a machine's row; legend and axis together, which Streamlit counts as part of a chart's height."""
_TREATED, _TO_COME, _LOOK = "treated", "to come", "■ look first"


def bars(appointments: pd.DataFrame, table: pd.DataFrame, day: date) -> pd.DataFrame:
    """One row per appointment: machine, begins, ends, what it is. An end that is not known is the beginning."""
    stop = set(table.loc[table["mark"] == "■", "patient_id"])
    last = table["last_treatment_at"]
    on_day = table[(last >= pd.Timestamp(day)) & (last < pd.Timestamp(day + timedelta(days=1)))]
    treated = on_day.groupby("patient_id")["last_treatment_at"].max().to_dict()
    columns = (appointments["patient_id"], appointments["appointment_at"], appointments["patient_id"].duplicated())
    state = [
        _TREATED
        if patient_id in treated and not worklist.is_to_come(begins, treated[patient_id], again=again)
        else _LOOK
        if patient_id in stop
        else _TO_COME
        for patient_id, begins, again in zip(*columns, strict=True)
    ]
    return pd.DataFrame(
        {
            "machine": appointments["treatment_machine_name"].astype(str),
            "begins": appointments["appointment_at"],
            "ends": appointments["ends_at"].fillna(appointments["appointment_at"]),
            "state": state,
        }
    )


def show(data: pd.DataFrame, machine: str, now: datetime | None) -> None:
    """Draw the chart; `now`, naive and local, is a line where it falls on the day."""
    st.altair_chart(
        chart(data, machine, now, is_dark=st.context.theme.type == "dark"),
        key="day_chart",
        alt="Appointments of the day by machine and time",
    )


def chart(data: pd.DataFrame, machine: str, now: datetime | None, *, is_dark: bool) -> alt.LayerChart | alt.FacetChart:
    """The chart of a day's bars; the chosen machine's stand out."""
    colours = palette.of(is_dark=is_dark)
    machines = sorted(set(data["machine"]))
    y = alt.Y(
        "machine:N",
        title=None,
        sort=machines,
        axis=alt.Axis(ticks=False, domain=False, labelFontSize=13, labelOverlap=False),
    )
    hours = [data["begins"].min().floor("h"), (data["ends"].max() + pd.Timedelta(minutes=20)).ceil("30min")]
    x = alt.X(
        "begins:T",
        title=None,
        scale=alt.Scale(domain=[at.isoformat() for at in hours]),
        axis=alt.Axis(format="%H:%M", tickCount=12, grid=True, labelFontSize=12),
    )
    colour = alt.Color(
        "state:N",
        scale=alt.Scale(domain=[_TREATED, _TO_COME, _LOOK], range=[colours.quiet, colours.accent, colours.stop]),
        legend=alt.Legend(title=None, orient="top", direction="horizontal", labelFontSize=12, offset=2),
    )
    base = alt.Chart(data).encode(
        x=x,
        x2="ends:T",
        y=y,
        color=colour,
        fillOpacity=_fill(machine),
        tooltip=[
            alt.Tooltip("machine:N", title="Machine"),
            alt.Tooltip("begins:T", title="Begins", format="%H:%M"),
            alt.Tooltip("state:N", title="State"),
        ],
    )
    layers = [base.mark_bar(height=16, cornerRadius=1, strokeWidth=1.2, filled=True).encode(stroke=colour)]
    alarming = data[data["state"] == _LOOK]
    marks = alt.Chart(alarming).mark_text(dy=-13, fontSize=10, text="■", color=colours.stop, align="left")
    if len(alarming):  # an empty layer is an empty picture to a screen reader
        layers.append(marks.encode(x="begins:T", y=y))
    if now is not None and hours[0] <= pd.Timestamp(now) <= hours[1]:  # beyond, it would push the bars aside
        at = pd.DataFrame({"begins": [pd.Timestamp(now)]})
        layers.append(alt.Chart(at).mark_rule(color=colours.accent, strokeDash=[3, 3]).encode(x="begins:T"))
    quiet = colours.quiet
    config = alt.Config(axis=alt.AxisConfig(labelColor=quiet), legend=alt.LegendConfig(labelColor=quiet))
    return alt.layer(*layers, config=config).properties(height=_ROW * max(len(machines), 1) + _AROUND)


def _fill(machine: str) -> Any:
    """How full a bar is: hardly where the patient is treated; the others' less than the chosen machine's.

    Only fillings differ: every bar has its outline in full colour.
    """
    is_treated, is_chosen = alt.datum.state == _TREATED, alt.datum.machine == machine
    return alt.when(is_treated).then(alt.value(0.12)).when(is_chosen).then(alt.value(0.9)).otherwise(alt.value(0.4))
