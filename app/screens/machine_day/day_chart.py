"""The day of every machine on one axis of time: what is treated, what is to come, where somebody must look.

A bar per appointment, drawn by the Vega that Streamlit brings along: nothing is fetched. What a bar means is told by
its form as well as its colour: outlined is treated, dashed is treated with one of several plans, full is to come,
hatched is unknown since the newest proof; ■ above any of them must be looked at. No patient is in it: Streamlit offers
a chart's data and picture to whoever hovers over it.
"""

from datetime import date, datetime
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.components import marked
from app.wording import palette
from recovery.lists import appointments
from recovery.words.notices import LOOK_MARK, STOP_MARK
from recovery.words.printable import printable

_ROW, _AROUND = 30, 62
"""Pixels: a machine's row; legend and axis together, which Streamlit counts as part of a chart's height."""
_LOOK = f"{STOP_MARK} look first"
_UNKNOWN = f"{LOOK_MARK} {appointments.UNKNOWN}"
_STATES = [appointments.TREATED, appointments.IN_PART, _UNKNOWN, appointments.TO_COME, appointments.NOT_RECORDED, _LOOK]
_DASHES = [[1, 0], [3, 2], [2, 2], [1, 0], [1, 3], [1, 0]]
_STRIPES = 5
"""Lines across a bar of what is unknown."""


def bars(
    expected: pd.DataFrame, table: pd.DataFrame, day: date, known: appointments.DayFacts | None = None
) -> pd.DataFrame:
    """One row per appointment: machine, begins, ends, what it is, and whether one of its lines in the list has ■.

    `expected`: the day's appointments that are not cancelled, of every machine. An end that is not known is the
    beginning.
    """
    state, look = [], []
    for appointment, plans in appointments.with_plans(expected, table, day):
        is_marked = any(row is not None and row["mark"] == STOP_MARK for row in plans)
        its = appointments.state_of(plans, known or appointments.DayFacts.of(day), appointment)
        shown = {appointments.TO_COME: _LOOK if is_marked else its, appointments.UNKNOWN: _UNKNOWN}
        state.append(shown.get(its, its))
        look.append(is_marked)
    return pd.DataFrame(
        {
            "machine": expected["treatment_machine_name"].astype(str),
            "begins": expected["appointment_at"],
            "ends": expected["ends_at"].fillna(expected["appointment_at"]),
            "state": state,
            "look": look,
        }
    )


def counted(data: pd.DataFrame, machine: str) -> str:
    """`**9** booked · **2** treated · …` of one machine's appointments, as markdown."""
    states = data.loc[data["machine"] == machine, "state"]
    said = [f"**{len(states)}** booked"]
    for state, word, is_said in (
        (appointments.TREATED, appointments.TREATED, True),
        (appointments.IN_PART, f"with {appointments.IN_PART}", False),
        (_UNKNOWN, appointments.UNKNOWN, False),
        (appointments.NOT_RECORDED, f"with {appointments.NOT_RECORDED}", False),
    ):
        number = int((states == state).sum())
        counts = f"**{number}** {word}"
        said += [f":orange[{LOOK_MARK} {counts}]" if state == _UNKNOWN else counts] if number or is_said else []
    if appointments.NOT_RECORDED not in set(states):
        said.append(f"**{int(states.isin([appointments.TO_COME, _LOOK]).sum())}** to come")
    return " · ".join(said)


def show(data: pd.DataFrame, machine: str, now: datetime | None) -> None:
    """Draw the chart; `now`, naive and local, is a line where it falls on the day."""
    st.altair_chart(
        chart(data, machine, now, is_dark=st.context.theme.type == "dark"),
        key="day_chart",
        alt="Appointments of the day by machine and time",
    )


def chart(data: pd.DataFrame, machine: str, now: datetime | None, *, is_dark: bool) -> alt.LayerChart | alt.FacetChart:
    """The chart of a day's bars; the chosen machine's stand out."""
    data, machine = marked.printed(data), printable(machine)
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
    base = alt.Chart(data).encode(
        x=x,
        x2="ends:T",
        y=y,
        tooltip=[
            alt.Tooltip("machine:N", title="Machine"),
            alt.Tooltip("begins:T", title="Begins", format="%H:%M"),
            alt.Tooltip("state:N", title="State"),
        ],
        fillOpacity=alt.condition(alt.datum.machine == machine, alt.value(1.0), alt.value(0.45)),
        **_looks(colours, set(data["state"])),
    )
    layers = [base.mark_bar(height=16, cornerRadius=1, strokeWidth=1.4)]
    unknown = data[data["state"] == _UNKNOWN]
    if len(unknown):  # an empty layer is an empty picture to a screen reader
        hatched = alt.Chart(unknown).mark_bar(height=14, color=_hatch(colours))
        layers.append(hatched.encode(x=x, x2="ends:T", y=y))
    alarming = data[data["look"]]
    marks = alt.Chart(alarming).mark_text(dy=-13, fontSize=10, text=STOP_MARK, color=colours.stop, align="left")
    if len(alarming):
        layers.append(marks.encode(x="begins:T", y=y))
    if now is not None and hours[0] <= pd.Timestamp(now) <= hours[1]:  # beyond, it would push the bars aside
        at = pd.DataFrame({"begins": [pd.Timestamp(now)]})
        layers.append(alt.Chart(at).mark_rule(color=colours.accent, strokeDash=[3, 3]).encode(x="begins:T"))
    quiet = colours.quiet
    config = alt.Config(axis=alt.AxisConfig(labelColor=quiet), legend=alt.LegendConfig(labelColor=quiet))
    return alt.layer(*layers, config=config).properties(height=_ROW * max(len(machines), 1) + _AROUND)


def _hatch(colours: palette.Palette) -> alt.LinearGradient:
    """Stripes, which survive black-and-white print."""
    width = 1 / _STRIPES
    stops = [
        alt.GradientStop(color=colour, offset=round(at, 4))
        for place in range(_STRIPES)
        for colour, begins, ends in ((colours.look, 0.0, 0.4), (colours.ground, 0.4, 1.0))
        for at in ((place + begins) * width, (place + ends) * width)
    ]
    return alt.LinearGradient(gradient="linear", stops=stops, x1=0, y1=0, x2=1, y2=1)


def _looks(colours: palette.Palette, drawn: set[str]) -> dict[str, Any]:
    """Ground, outline and its dashes by state; one legend shows them, the rare ones where there are any."""
    fills = [colours.ground, colours.ground, colours.ground, colours.accent, colours.ground, colours.stop]
    strokes = [colours.quiet, colours.accent, colours.look, colours.accent, colours.quiet, colours.stop]
    told = [state for state in _STATES if state in {appointments.TREATED, appointments.TO_COME, _LOOK, *drawn}]
    legend = alt.Legend(
        values=told, title=None, orient="top", direction="horizontal", labelFontSize=12, offset=2, symbolStrokeWidth=1.4
    )
    return {
        "fill": alt.Fill("state:N", scale=alt.Scale(domain=_STATES, range=fills), legend=legend),
        "stroke": alt.Stroke("state:N", scale=alt.Scale(domain=_STATES, range=strokes), legend=legend),
        "strokeDash": alt.StrokeDash("state:N", scale=alt.Scale(domain=_STATES, range=_DASHES), legend=legend),
    }
