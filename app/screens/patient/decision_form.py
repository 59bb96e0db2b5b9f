"""The form in which a physicist signs which fraction is next, where the records contradict themselves.

Nothing is filled in: a number that stands there already is signed unread.
"""

from collections.abc import Mapping

import streamlit as st

from app.access import rights
from app.access.statements import sign
from app.desk import Desk
from app.wording import words
from recovery.access.permissions import Permission
from recovery.entries.next_decisions import LONGEST_REASON, Kind, NextDecision
from recovery.patient.file import PatientFile
from recovery.patient.next_decided import Doubted
from recovery.patient.plan import PlanFile
from recovery.words.printable import printable
from recovery.words.units import MU
from recovery.words.values import counted

_KINDS: Mapping[Kind, str] = {
    "whole": "A whole fraction",
    "rest": "The rest of one",
    "none": "None: all are given",
    "open": "Take it back",
}
_HOLDS = (
    "The decision holds for what the copy tells now ({}). A further record, one that changes or a new doubt ends it; "
    "what is charted with this plan from now on goes on from it."
)


def show(desk: Desk, file: PatientFile, plan: PlanFile) -> None:
    """Draw it for whoever may sign; nothing where nothing is in doubt."""
    doubted = plan.doubted
    if doubted is None or plan.course_uid is None or not plan.is_unfinished:
        return
    if not doubted.evidence.doubts and doubted.decision is None:
        return
    signer = rights.signer(Permission.SIGN_OFF)
    if signer is None:
        why = rights.refusal(Permission.SIGN_OFF)
        st.markdown(f":small[Which fraction is next can be decided, with a reason. {why}]")
        return
    if plan.row.charted_conflict:  # which its notice says, and where it is settled
        return
    with st.expander("Decide which fraction is next" if doubted.decision is None else "Decide anew, or take it back"):
        _ask(desk, file, plan, doubted, signer)


def _ask(desk: Desk, file: PatientFile, plan: PlanFile, doubted: Doubted, signer: str) -> None:
    key = f"{plan.course_uid} {doubted.evidence.digest}"  # what changes meanwhile is read and signed anew
    st.markdown(_HOLDS.format(counted(doubted.evidence.records, "treatment record")))
    kinds = [kind for kind in _KINDS if kind != "open" or doubted.decision is not None]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control("Next is", kinds, format_func=_KINDS.__getitem__, key=f"decide_kind {key}")
        number = group = None
        if kind in {"whole", "rest"}:
            group = _group(doubted, key)
            number = st.number_input("Fraction", min_value=1, value=None, step=1, key=f"decide_number {key}", width=110)
        left = _left(plan, doubted, group, key) if kind == "rest" else {}
    reason = st.text_input("Because", max_chars=LONGEST_REASON, key=f"decide_reason {key}")
    if not st.button(f"Sign as {words.as_markdown(signer)}", key="decide_sign"):
        return
    if kind is None or None in left.values():
        st.markdown(":red[■ Nothing was signed. Say what is next, and what remains of each field, 0 for nothing.]")
        return

    def decided() -> NextDecision:
        made = NextDecision(
            patient_id=file.identity.patient_id,
            plan=str(plan.course_uid),
            kind=kind,
            fraction_number=number,
            fraction_group_number=group,
            remaining={beam: round(mu, 2) for beam, mu in left.items() if mu},
            reason=printable(reason or "").strip(),
            evidence=doubted.evidence,
            signed_by=signer,
            entered_at=desk.now().astimezone(desk.config.site.zone),
        )
        if made.kind != "open" and (why := doubted.refusal(made)):
            raise ValueError(f"Nothing was signed: {why}.")
        return made

    action = "take back next fraction" if kind == "open" else "decide next fraction"
    details = {"next": f"{kind} {number or ''}".strip(), "reason": printable(reason or "")}
    sign(desk, Permission.SIGN_OFF, decided, action, details, patient_id=file.identity.patient_id, thanks="Signed.")


def _group(doubted: Doubted, key: str) -> int | None:
    groups = list(doubted.groups)
    if len(groups) < 2:
        return groups[0] if groups else None
    return st.selectbox("Fraction group", groups, index=None, key=f"decide_group {key}", width=140)


def _left(plan: PlanFile, doubted: Doubted, group: int | None, key: str) -> dict[int, float | None]:
    """By beam, how many MU remain; None where nobody said it."""
    names = {field.beam_number: field.beam_name for field in plan.treatment_fields}
    found: dict[int, float | None] = {}
    for beam, whole in doubted.to_give(group).items():
        if whole.meterset is None or whole.unit != MU:
            continue
        found[beam] = st.number_input(
            f"{words.as_markdown(names.get(beam) or f'Beam {beam}')}, MU left of {whole.meterset:.1f}",
            min_value=0.0,
            max_value=float(whole.meterset),
            value=None,
            step=0.1,
            format="%.1f",
            key=f"decide_mu {beam} {group} {key}",
            width=190,
        )
    return found
