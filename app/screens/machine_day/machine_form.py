"""The form in which a physicist signs what a machine is, and how many more patients it could take, for a network."""

from datetime import timedelta

import streamlit as st

from app.access import rights
from app.access.sitting import Details
from app.access.statements import sign
from app.desk import Desk
from app.wording import words
from recovery.access.permissions import Permission
from recovery.entries.machines import FURTHEST, MachineEntry, machines_at
from recovery.host.entry_lines import EntriesError
from recovery.words.times import at_time

USUAL = timedelta(days=6)


def show(desk: Desk, machine: str) -> None:
    """Draw it for whoever may sign, in a clinic whose copies a network reads."""
    signer = rights.signer(Permission.SIGN_OFF)
    if signer is None or not desk.config.own_copies:
        return
    with st.expander(f"{words.as_markdown(machine)} for the network: who could take whose patients"):
        try:
            stands = machines_at(desk.config.cache_path).get(machine)
        except EntriesError as error:
            st.markdown(f":red[■ {words.as_markdown(str(error))}]")
            return
        told = "Nobody has signed it yet: other clinics do not know that their patients could come here."
        if stands is not None:
            at = at_time(desk.local(stands.entered_at), desk.today())
            told = f"As signed by {words.as_markdown(stands.signed_by)}, {at}. What is signed anew takes its place."
        st.markdown(told)
        _form(desk, machine, stands, signer)


def _form(desk: Desk, machine: str, stands: MachineEntry | None, signer: str) -> None:
    today = desk.today()
    with st.form(f"machine_{machine}"):
        model, beam_data, energies, free, until = st.columns([3, 3, 3, 2, 2])
        said_model = model.text_input("Model", stands.manufacturer_model_name if stands else "", key="machine_model")
        said_data = beam_data.text_input(
            "Beam data, by the name that all clinics use", stands.beam_data if stands else "", key="machine_data"
        )
        said_energies = energies.text_input(
            "Energies, as 6X, 6X FFF", ", ".join(stands.energies) if stands else "", key="machine_energies"
        )
        slots = free.number_input(
            "Free slots a day", 0, 200, stands.free_slots if stands else None, key="machine_slots", placeholder="—"
        )
        last = until.date_input(
            "Free until", today + USUAL, today, today + FURTHEST, key="machine_until", format="YYYY-MM-DD"
        )
        pressed = st.form_submit_button(f"Sign as {words.as_markdown(signer)}", key="machine_sign")
    if not pressed:
        return
    if not said_model.strip() or not said_data.strip() or slots is None or last is None:
        st.markdown(
            ":red[■ Nothing was signed. It needs a model, beam data, the free slots, which may be 0, and until when.]"
        )
        return
    named = tuple(dict.fromkeys(one.strip() for one in said_energies.split(",") if one.strip()))
    texts = machine, said_model.strip(), said_data.strip()
    free_slots: Details = {"free_slots": int(slots), "free_until": last.isoformat()}
    details: Details = {"machine": machine, "model": texts[1], "beam_data": texts[2], **free_slots}
    sign(
        desk,
        Permission.SIGN_OFF,
        lambda: MachineEntry(*texts, named, int(slots), signer, desk.now().astimezone(desk.config.site.zone), last),
        "sign machine",
        details,
        thanks="Signed: the next copy off site carries it.",
    )
