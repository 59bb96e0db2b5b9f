"""What a job wanted and the RT-PACS does not say that it holds: which object, since when, why."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from app.components import marked
from app.data import health
from app.desk import Desk
from recovery.dicom.model import JobRun
from recovery.entries.known_gaps import KnownGap
from recovery.words.times import day, moment
from recovery.words.values import absent, or_none

_UID = re.compile(r"\b[0-9]+(?:\.[0-9]+){2,}\b")


def show(
    desk: Desk,
    unproven: Sequence[health.Unproven],
    runs: Sequence[JobRun],
    table: pd.DataFrame | None = None,
    known: Mapping[str, KnownGap] | None = None,
) -> None:
    """Draw the list, the longest unproven first. `table`: on_treatment, for whose the objects are; `known`: by SOP
    Instance UID, what a physicist acknowledged."""
    untold = _not_named(runs)
    if not unproven and not untold:
        st.markdown("Nothing: every object that the last runs wanted is held, by the RT-PACS's own word.")
        return
    if untold:
        st.markdown(f":orange[▲ {untold}]")
    if not unproven:
        return
    frame = _frame(desk, unproven, owners_of(table) if table is not None else {}, known or {})
    column = st.column_config
    config = {
        "since": column.TextColumn("Since", width=130, help="“before”: the journal reaches back no further"),
        "job": column.TextColumn("Wanted by", width=100),
        "whose": column.TextColumn("Whose", width=230),
        "why": column.TextColumn("Why", width=400),
        "known": column.TextColumn("Acknowledged", width=260, help="Off every page's banner until that day"),
        "sop_instance_uid": column.TextColumn("SOP Instance UID", width=430),
    }
    marked.table(frame, "unproven", config, most=8, alt="Objects that are not proven, the longest first")


def _frame(
    desk: Desk,
    unproven: Sequence[health.Unproven],
    owners: Mapping[str, tuple[str, str]],
    known: Mapping[str, KnownGap],
) -> pd.DataFrame:
    """A row for each object."""
    now, zone = desk.now(), desk.config.site.zone
    return pd.DataFrame(
        {
            "since": f"{'before ' if one.reaches_further else ''}{moment(one.since, now, zone)}",
            "job": one.job,
            **dict(zip(("whose", "why"), in_words(one, owners), strict=True)),
            "known": _acknowledged(one, known, desk),
            "sop_instance_uid": one.sop_instance_uid,
        }
        for one in unproven
    )


def _acknowledged(one: health.Unproven, known: Mapping[str, KnownGap], desk: Desk) -> str | None:
    gap = known.get(one.sop_instance_uid)
    return None if gap is None else f"until {day(gap.until, desk.today())}, {gap.signed_by}: {gap.reason}"


def owners_of(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """By UID of a plan: whose it is, `KAOLIN, Heron 100346`, and its label."""
    columns = (table[name] for name in ("referenced_rt_plan_uid", "patient_name", "patient_id", "rt_plan_label"))
    return {
        str(uid): (f"{absent(or_none(name))} {absent(or_none(number))}", or_none(label) or "")
        for uid, name, number, label in zip(*columns, strict=True)
        if or_none(uid)
    }


def in_words(one: health.Unproven, owners: Mapping[str, tuple[str, str]]) -> tuple[str | None, str]:
    """Whose an object is, None where no plan says it; and why it is unproven, plans by their labels."""
    why = one.why or "the newest run names it without a reason"
    uids = [uid for uid in (one.sop_instance_uid, *_UID.findall(why)) if uid in owners]
    for uid in uids:
        why = why.replace(uid, owners[uid][1] or uid)
    return owners[uids[0]][0] if uids else None, why


def _not_named(runs: Sequence[JobRun]) -> str:
    """What the newest runs counted as unproven beyond the UIDs that the journal keeps."""
    telling = (run for run in runs if run.outcome in {"OK", "PARTIAL"} and run.job in health.WANT_OBJECTS)
    newest: dict[str, JobRun] = {run.job: run for run in telling}
    said = [
        f"{more} more of {job} are not named in the journal; `python -m backup_jobs {job} --json` names them all."
        for job, run in newest.items()
        if (more := run.counts.get("unproven", 0) - len(run.unproven)) > 0
    ]
    return " ".join(said)
