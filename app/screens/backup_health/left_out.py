"""Who and what is not on the list, and by which rule: a false green begins with an exclusion that nobody saw."""

import pandas as pd
import streamlit as st

from app.data import cached
from app.desk import Desk
from app.wording import words
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.memory import Memory
from recovery.tables.schema import EXCLUDED_PATIENTS
from recovery.words.statuses import NOW_TREATED, STATUSES
from recovery.words.values import counted


def show(desk: Desk, table: pd.DataFrame | None) -> None:
    """Draw a line for each rule and what it keeps off."""
    for sentence in [*_by_pattern(desk), *(_by_status(table) if table is not None else []), *_by_kind(desk)]:
        st.markdown(f"- {sentence}")


def _by_pattern(desk: Desk) -> list[str]:
    patterns = desk.config.dashboard.exclude_patient_ids
    said = ", ".join(f"“{words.as_markdown(pattern)}”" for pattern in patterns)
    if not patterns:
        return ["No pattern of `[dashboard] exclude_patient_ids` keeps anybody off."]
    try:
        excluded = cached.load_table(desk.cache, EXCLUDED_PATIENTS)["patient_id"].tolist()
    except TableMissingError:
        return [f"The patterns {said} are set; no table says yet whom they keep off."]
    except CacheError as error:
        return [f":red[■ {words.as_markdown(str(error))}]"]
    if not excluded:
        return [f"By the patterns {said}: nobody."]
    ids = ", ".join(words.as_markdown(str(patient_id)) for patient_id in sorted(excluded))
    kept = f"**{counted(len(excluded), 'patient')}** with records, by the patterns {said}: {ids}."
    return [f"{kept} They are backed up all the same."]


def _by_status(table: pd.DataFrame) -> list[str]:
    counts = table["status"].value_counts()
    return [
        f"**{counted(int(counts[name]), 'plan')}** {status.said}: {status.means}. "
        "**Status** on the page On treatment shows them."
        for name, status in STATUSES.items()
        if name not in NOW_TREATED and counts.get(name, 0)
    ]


def _by_kind(desk: Desk) -> list[str]:
    passed_over = len(Memory.load(desk.config.cache_path).passed_over)
    said = ["Setup fields and port films count as no fraction; a beam counts at 99 % of its metersets."]
    if passed_over:
        summaries = counted(passed_over, "object")
        said.append(f"**{summaries}** of Modality RTRECORD that are no deliveries, such as treatment summaries.")
    return said
