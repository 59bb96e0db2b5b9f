"""How far somebody is who is not on treatment yet, and what that waits for. Pure, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """`waits_for`: what somebody must do next, which an outage makes nobody do."""

    said: str
    waits_for: str


STAGES: Mapping[str, Stage] = {
    "booked": Stage("first appointment booked", "the first fraction"),
    "approved": Stage("approved, not booked", "a first appointment"),
    "waiting_for_approval": Stage("waiting for approval", "the signature to treat"),
    "being_planned": Stage("being planned", "a finished plan"),
    "prescribed": Stage("prescribed, no plan", "a plan"),
    "simulated": Stage("simulated", "a prescription and a plan"),
    "simulation_booked": Stage("simulation booked", "the simulation"),
    "referred": Stage("referred", "simulation or prescription"),
}
"""The furthest first."""
