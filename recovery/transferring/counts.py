"""What was given with one plan, as far as records prove it. Pure, no I/O."""

from recovery.patient.plan import PlanFile


def is_counted(plan: PlanFile) -> bool:
    """Whether the fractions of a plan are known to be all that was given with it, as far as the copy goes."""
    is_clear = plan.is_next_proven and plan.row.charted_conflict is None
    return is_clear and plan.ledger is not None and plan.row.fractions_delivered is not None


def dose_given(plan: PlanFile) -> float | None:
    """Gy of the whole fractions of this plan alone; None where no dose per fraction is known."""
    dose, given = plan.ledger.dose_per_fraction if plan.ledger is not None else None, plan.row.fractions_delivered
    return None if dose is None or given is None else round(dose * given, 6)
