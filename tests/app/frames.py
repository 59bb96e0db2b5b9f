"""Rows as a DataFrame, with the types that the cache gives them."""

from __future__ import annotations

import pandas as pd

from recovery.tables.schema import ON_TREATMENT

_KINDS = {"str": "string", "int": "Int64", "float": "Float64", "bool": "boolean"}


def frame_of(table: list[dict[str, object]]) -> pd.DataFrame:
    """As `Cache.read_frame` would read them after `Cache.write`."""
    frame = pd.DataFrame(
        {n: pd.Series([r[n] for r in table], dtype=_KINDS.get(k, "object")) for n, k in ON_TREATMENT.columns.items()}
    )
    for name, kind in ON_TREATMENT.columns.items():
        if kind == "datetime":
            frame[name] = pd.to_datetime(frame[name])
    return frame
