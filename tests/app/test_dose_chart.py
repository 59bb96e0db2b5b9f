"""The chart of dose against time: what its axis names."""

from __future__ import annotations

from typing import Any

from app.screens.patient import dose_chart


def axis_of(*times: str, until: str | None = None) -> dict[str, Any]:
    points = [{"at": at, "fraction": n, "value": 2.0 * n} for n, at in enumerate(times, start=1)]
    bands = [{"from": times[-1], "to": until, "middle": until, "said": ""}] if until is not None else []
    spec = dose_chart.specification(points, bands, 60.0, "Gy", is_dark=False)
    x: dict[str, Any] = spec["layer"][-4]["encoding"]["x"]
    return x


def days(*numbers: int) -> list[dict[str, int]]:
    return [{"year": 2026, "month": 11, "date": number} for number in numbers]


def test_of_two_days_each_is_named_once() -> None:
    x = axis_of("2026-11-23T09:30:00", "2026-11-24T09:31:00")
    assert x["axis"]["values"] == days(23, 24)
    assert x["scale"]["domain"] == days(23, 25)
    assert axis_of("2026-11-24T09:31:00")["axis"]["values"] == days(24), "one fraction stands within its day"


def test_a_gap_that_goes_on_is_within_the_axis_and_weeks_are_left_to_vega() -> None:
    assert axis_of("2026-11-23T09:30:00", until="2026-11-28T00:00:00")["axis"]["values"][-1] == days(28)[0]
    assert "values" not in axis_of("2026-11-02T09:30:00", "2026-11-24T09:31:00")["axis"]
