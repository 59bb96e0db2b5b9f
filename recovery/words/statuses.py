"""The words of `on_treatment.status` and of `pipeline.stage`: how each reads and what it means. Pure, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """`over`: why nothing is given with the plan any more; None while it may be treated."""

    said: str
    means: str
    over: str | None = None


STATUSES: Mapping[str, Status] = {
    "on_treatment": Status("on treatment", "treated or booked within the days of `[dashboard] on_treatment_days`"),
    "ready_to_start": Status("ready to start", "approved, booked and never treated"),
    "on_break": Status("on break", "not treated and not booked within the days of `[dashboard] on_treatment_days`"),
    "completed": Status(
        "completed", "every planned fraction is delivered in full", "nothing of this plan remains to be given"
    ),
    "superseded": Status(
        "superseded",
        "an adapted plan on the same anatomy was treated after it",
        "another plan replaced this one: do not treat with it",
    ),
    "closed": Status(
        "closed in the R&V system",
        "retired, rejected, hidden or completed early in the R&V system",
        "the R&V system has closed this plan: do not treat with it",
    ),
    "transferred": Status(
        "transferred",
        "a person signed that another department goes on with it",
        "another department treats this patient: do not treat here",
    ),
}
OVER = frozenset(status for status, meaning in STATUSES.items() if meaning.over is not None)
"""Of plans that nothing is given with any more."""
NOW_TREATED = ("on_treatment", "ready_to_start")
"""Of plans that somebody comes for these days."""


def why_over(status: str | None) -> str | None:
    """Why nothing is given with a plan any more; None while it may be treated."""
    meaning = STATUSES.get(status or "")
    return meaning.over if meaning is not None else None


def is_over(status: object) -> bool:
    """Whether nothing is given with a plan any more. A status that nobody knows ends nothing."""
    return status in OVER


def in_words(status: str) -> str:
    """`on treatment`; a status that nobody knows as it is."""
    return STATUSES[status].said if status in STATUSES else status


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
