"""Cumulative dose against time, with its gaps: what a break has done is seen, not reckoned."""

from datetime import date, datetime, timedelta
from typing import Any

import streamlit as st

from app.wording import palette
from app.wording.words import as_markdown
from recovery.course.ledger import Ledger
from recovery.patient import page_words
from recovery.patient.plan import PlanFile

_HEIGHT = 268
_MOST_GAPS = 2
_FEW_DAYS = timedelta(days=7)


def show(plan: PlanFile, now: datetime) -> None:
    """Draw it. `now` is naive, local to the site."""
    book = plan.ledger
    if book is None:
        return
    total = plan.prescription.total_dose if plan.prescription is not None else None
    points = _points(book)
    unit = "Gy" if book.dose_over_time else "fractions"
    planned = total if book.dose_over_time else book.number_of_fractions_planned
    said = page_words.gaps(book, now.date())[:_MOST_GAPS]
    title = "Dose given" if book.dose_over_time else "Fractions given"
    unknown = "" if book.dose_over_time or not points else " · no dose per fraction is known"
    st.markdown(f"**{title} against time**{unknown}")
    if not points:
        st.markdown("Nothing has been given in full yet.")
        return
    is_dark = st.context.theme.type == "dark"
    spec = specification(points, _bands(book, now), planned, unit, is_dark=is_dark)
    st.vega_lite_chart(spec=spec, height=_HEIGHT, key=f"dose_{plan.course_uid}", alt=_in_words(points, unit))
    if said:
        st.markdown("  \n".join(f":small[{_coloured(gap)}]" for gap in said))


def specification(
    points: list[dict[str, Any]], bands: list[dict[str, Any]], planned: float | None, unit: str, *, is_dark: bool
) -> dict[str, Any]:
    """A Vega-Lite specification: a step at each whole fraction, a band for each gap, a rule at what is planned."""
    colours = palette.of(is_dark=is_dark)
    accent, grey = colours.accent, colours.quiet
    x = {"field": "at", "type": "temporal", "title": None, **_days(points, bands)}
    y = {"field": "value", "type": "quantitative", "title": unit, "scale": {"zero": True}}
    tooltip = [
        {"field": "fraction", "type": "nominal", "title": "fraction"},
        {"field": "at", "type": "temporal", "title": "on", "format": "%a %-d %b %H:%M"},
        {"field": "value", "type": "quantitative", "title": unit},
    ]
    layers: list[dict[str, Any]] = [
        *(_gap_layers(bands, colours) if bands else ()),  # an empty layer is an empty picture to a screen reader
        {
            "data": {"values": points},
            "mark": {"type": "line", "interpolate": "step-after", "color": accent, "strokeWidth": 2},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": points},
            "mark": {"type": "point", "filled": True, "size": 36, "color": accent, "opacity": 1},
            "encoding": {"x": x, "y": y, "tooltip": tooltip},
        },
    ]
    config = {"view": {"stroke": None}, "axis": {"labelColor": grey, "titleColor": grey}}
    if planned is not None:
        rule = {"data": {"values": [{"value": planned, "said": f"planned {planned:g} {unit}"}]}}
        layers.append(
            rule
            | {"mark": {"type": "rule", "color": grey, "strokeDash": [4, 4]}, "encoding": {"y": y | {"title": unit}}}
        )
        text = {"type": "text", "color": grey, "align": "left", "baseline": "bottom", "x": 4, "dy": -3, "fontSize": 12}
        layers.append(rule | {"mark": text, "encoding": {"y": y, "text": {"field": "said"}}})
    return {"layer": layers, "config": config, "autosize": {"type": "fit", "contains": "padding"}}


def _days(points: list[dict[str, Any]], bands: list[dict[str, Any]]) -> dict[str, Any]:
    """The axis of days; of few days each is named once, where Vega would name hours by their day again and again."""
    axis: dict[str, Any] = {"format": "%-d %b", "labelOverlap": True}
    times = [*(point["at"] for point in points), *(band[end] for band in bands for end in ("from", "to"))]
    first, last = (datetime.fromisoformat(at).date() for at in (min(times), max(times)))
    if last - first > _FEW_DAYS:
        return {"axis": axis}
    *ticks, end = (_midnight(first + timedelta(days=n)) for n in range((last - first).days + 2))
    return {"axis": axis | {"values": ticks}, "scale": {"domain": [ticks[0], end], "nice": False}}


def _midnight(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "date": day.day}


def _gap_layers(bands: list[dict[str, Any]], colours: palette.Palette) -> list[dict[str, Any]]:
    """Each gap as a tinted box with a full outline, the longest with their lengths in it."""
    box = {"fill": colours.look, "fillOpacity": palette.GAP_TINT, "stroke": colours.look, "strokeWidth": 1}
    text = {"type": "text", "color": colours.look_text, "baseline": "top", "fontSize": 12, "y": 4}
    return [
        {
            "data": {"values": bands},
            "mark": {"type": "rect", "opacity": 1} | box,
            "encoding": {"x": {"field": "from", "type": "temporal"}, "x2": {"field": "to"}},
        },
        {
            "data": {"values": bands},
            "mark": text,
            "encoding": {"x": {"field": "middle", "type": "temporal"}, "text": {"field": "said"}},
        },
    ]


def _points(book: Ledger) -> list[dict[str, Any]]:
    """One per whole fraction whose time is known; Gy, or how many where no dose per fraction is known."""
    if book.dose_over_time:
        timed = [(p.at, p.fraction_number, p.dose) for p in book.dose_over_time]
    else:
        timed = [(at, number, float(n)) for n, (at, number) in enumerate(book.fractions_over_time, 1)]
    return [{"at": at.isoformat(), "fraction": number, "value": value} for at, number, value in timed if at is not None]


def _bands(book: Ledger, now: datetime) -> list[dict[str, Any]]:
    """Gaps with more than a weekend in them, from the end of the last day to the start of the next."""
    found = []
    # Only the longest are named: names of short ones would lie upon each other.
    longest = max(2, *sorted((gap.days for gap in book.gaps), reverse=True)[:_MOST_GAPS][-1:], 0)
    for gap in book.gaps:
        start = datetime.combine(gap.last_day_before, datetime.min.time()) + timedelta(days=1)
        end = datetime.combine(gap.first_day_after, datetime.min.time()) if gap.first_day_after is not None else now
        middle = start + (end - start) / 2
        times = {"from": start.isoformat(), "to": end.isoformat(), "middle": middle.isoformat()}
        found.append(times | {"said": f"gap {gap.days} d" if gap.days >= longest else ""})
    return found


def _in_words(points: list[dict[str, Any]], unit: str) -> str:
    return f"{points[-1]['value']:g} {unit} after {len(points)} fractions"


def _coloured(said: str) -> str:
    text = as_markdown(said)
    return f":orange[{text}]" if said.startswith("▲") else text
