"""What a patient's courses are told apart by, for programs and for people, also without a plan. Pure, no I/O."""


def course_uid(plan_uid: str | None, prescription_id: str | None) -> str | None:
    """The plan's UID; where none is named, the prescription in its place, which is no UID: `prescription 45`."""
    return plan_uid if plan_uid is not None or prescription_id is None else f"prescription {prescription_id}"


def label_of(rt_plan_label: str | None, plan_uid: str | None, site: str | None) -> str | None:
    """The plan's label; of fields that name no plan, their site: `Nose (no plan)`."""
    return rt_plan_label or (f"{site} (no plan)" if site and plan_uid is None else None)
