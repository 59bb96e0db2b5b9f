"""The nodes: does the RT-PACS answer now, what does it hold, and what did the jobs last hear of the R&V system.

Why a button, and only for the RT-PACS
    A page that asked by itself would ask every twenty seconds for everyone who left it open. And the dashboard never
    speaks to the R&V system: what it knows of it, the jobs said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

import pandas as pd
import streamlit as st

from app.components import marked
from app.data import holdings
from app.desk import Desk
from app.wording import words
from recovery.cache.errors import CacheError
from recovery.cache.memory import Memory
from recovery.dicom.model import JobRun
from recovery.pacs.peers import pacs_peer, pacs_store_peer
from recovery.settings.certificates import certificate_faults
from recovery.words.times import moment

_LONGEST_SECONDS = 10.0
"""How long somebody before a screen waits for an answer; jobs wait longer."""
_ANSWER = "pacs_answer"
_FAULTS = {"rv": "sync_records", "database": "snapshot_tables"}
_NAMES = {"rv": "The R&V system", "database": "The R&V system's database"}


@dataclass(frozen=True, slots=True)
class EchoAnswer:
    """What the RT-PACS said when it was asked from here."""

    at: datetime
    sentence: str
    is_good: bool


def ask_pacs(desk: Desk) -> EchoAnswer:
    """C-ECHO the RT-PACS, where it stores and where it answers queries. The association's errors become its answer."""
    from recovery.dimse import DimseError, echo

    memory = Memory.load(desk.config.cache_path)
    peers = dict.fromkeys((pacs_store_peer(desk.config, memory), pacs_peer(desk.config, memory)))
    said = []
    for peer in peers:
        started = monotonic()
        try:
            echo(replace(peer, timeout=min(peer.timeout, _LONGEST_SECONDS)))
        except DimseError as error:
            return EchoAnswer(desk.now(), str(error), is_good=False)
        how = f"{peer.remote} answered C-ECHO" if peer.door is None else f"{peer.name} answered"
        said.append(f"{how} in {monotonic() - started:.2f} s")
    lacks = memory.unfinished()
    return EchoAnswer(desk.now(), "; ".join([*said, *lacks]) + ".", is_good=not lacks)


def show(desk: Desk, runs: Sequence[JobRun]) -> None:
    """Draw what is known of both sides, and the button."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Ask the RT-PACS now", key="ask_pacs", icon=":material/network_ping:"):
            with st.spinner("Asking the RT-PACS …"):
                st.session_state[_ANSWER] = ask_pacs(desk)
        answer = st.session_state.get(_ANSWER)
        st.markdown(_pacs_sentence(desk, answer) if isinstance(answer, EchoAnswer) else _not_asked(desk, runs))
    for sentence in (*rv_sentences(desk, runs), *certificate_sentences(desk)):
        st.markdown(sentence)


def _pacs_sentence(desk: Desk, answer: EchoAnswer) -> str:
    when = moment(answer.at, desk.now(), desk.config.site.zone)
    said = words.as_markdown(answer.sentence)
    return f":green[● **{when}**] {said}" if answer.is_good else f":red[■ **{when}: {said}**]"


def _not_asked(desk: Desk, runs: Sequence[JobRun]) -> str:
    told = [run for run in runs if run.job == "build_on_treatment" and run.outcome in {"OK", "PARTIAL"}]
    if not told:
        return "No job has had an answer of the RT-PACS yet."
    return f"The RT-PACS last answered a job {_when(desk, told[-1])}."


def rv_sentences(desk: Desk, runs: Sequence[JobRun]) -> list[str]:
    """What the jobs last heard of the R&V system and of its database."""
    return [said for fault, job in _FAULTS.items() if (said := _rv_sentence(desk, fault, job, runs))]


def certificate_sentences(desk: Desk) -> list[str]:
    """What is wrong, or soon will be, with the files of DICOM TLS on this machine."""
    faults = certificate_faults(desk.config, desk.now()).items()
    return [f":orange[▲ **{words.as_markdown(f'{table}: {said}')}.**]" for table, told in faults for said in told]


def _rv_sentence(desk: Desk, fault: str, job: str, runs: Sequence[JobRun]) -> str:
    ended = [run for run in runs if run.job == job and run.outcome is not None]
    if not ended:
        return f"{_NAMES[fault]}: no run of {job} is known. This dashboard never asks it."
    if ended[-1].outcome == "SKIPPED":
        return f"{_NAMES[fault]}: {words.as_markdown(ended[-1].message)}."
    told = [run for run in ended if run.outcome in {"OK", "PARTIAL"} and run.fault != fault]
    last = f"last answered {_when(desk, told[-1])}" if told else "has never answered a job"
    if ended[-1].fault == fault:
        why = words.as_markdown(ended[-1].message.rstrip("."))
        return f":red[■ **{_NAMES[fault]} does not answer**], and {last}. {job} said: {why}."
    return f"{_NAMES[fault]} {last}, so {job} says. This dashboard never asks it."


def _when(desk: Desk, run: JobRun) -> str:
    now = desk.now()
    return moment(run.started_at, now, desk.config.site.zone)


def show_held(desk: Desk, runs: Sequence[JobRun]) -> None:
    """Draw what the RT-PACS said it holds, kind by kind."""
    try:
        kinds = holdings.kinds_held(desk.config.cache_path)
    except CacheError as error:
        st.markdown(f":red[■ {words.as_markdown(str(error))}]")
        return
    records = next((run.counts.get("found") for run in reversed(runs) if _counted_records(run)), None)
    rows: list[dict[str, object]] = [
        {"mark": "", "kind": "Treatment records, listed", "held": records, "wanted": None, "asked": None}
    ]
    for kind in kinds:
        asked = moment(kind.asked_last, desk.now(), desk.config.site.zone)
        mark = "■" if kind.held < kind.wanted else ""
        rows.append({"mark": mark, "kind": kind.name, "held": kind.held, "wanted": kind.wanted, "asked": asked})
    frame = pd.DataFrame(rows).astype({"held": "Int64", "wanted": "Int64"})
    column = st.column_config
    config = {
        "mark": column.TextColumn("", width=28, help="■ something that a plan names is not held"),
        "kind": column.TextColumn("Objects", width=170),
        "held": column.NumberColumn("Held", width=90, format="localized"),
        "wanted": column.NumberColumn("Named by plans", width=120, format="localized"),
        "asked": column.TextColumn("Newest answer", width=120),
    }
    alt = "What the RT-PACS holds by kind of object"
    marked.table(frame, "held", config, most=8, alt=alt, strong=("mark", "kind"))


def _counted_records(run: JobRun) -> bool:
    return run.job == "build_on_treatment" and run.outcome in {"OK", "PARTIAL"} and "found" in run.counts
