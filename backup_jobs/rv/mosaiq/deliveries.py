"""What MOSAIQ says of deliveries in several columns of Dose_Hst, in DICOM's words."""

from datetime import timedelta

from backup_jobs.rv import values
from backup_jobs.rv.mosaiq.words import MODALITIES, PORT_TYPE, SETUP_TYPES, TERMINATIONS
from backup_jobs.rv.table_readings import Group, Reader, TableReading, translated
from recovery.tables import delivered as tables

MOST_BEFORE_DELIVERY = timedelta(hours=1)
"""A localisation may precede its session's deliveries by up to about an hour (PyMedPhys)."""


def beam_name(group: Group) -> str | None:
    """A field's name as MOSAIQ shows it; the plan's, or its label, where it has none."""
    columns = ("field_name", "original_beam_name", "field_label")
    return next((said for name in columns if (said := values.line(group[0][name])) is not None), None)


def is_imaging(kind: str | None) -> bool:
    """Whether a field of this Type_Enum images and treats nobody."""
    return kind in SETUP_TYPES or kind == PORT_TYPE


def _type(group: Group) -> str | None:
    """Type_Enum as delivered; the field's where the delivery says none (0 is unspecified)."""
    kinds = (values.text(group[0][name]) for name in ("delivered_type", "field_type"))
    return next((kind for kind in kinds if kind not in {None, "0"}), None)


def delivery_type(group: Group) -> str:
    """DICOM's TreatmentDeliveryType (300A,00CE). Quality assurance first: it may deliver any field."""
    row, kind = group[0], _type(group)
    if values.truth(row["was_qa_mode"]):
        return "VERIFICATION"
    if kind in SETUP_TYPES:
        return "SETUP"
    if values.truth(row["is_open_port"]):
        return "OPEN_PORTFILM"
    if kind == PORT_TYPE:
        return "TRMT_PORTFILM"
    return "CONTINUATION" if values.truth(row["is_make_up"]) else "TREATMENT"


def termination_status(group: Group) -> str | None:
    """DICOM's TreatmentTerminationStatus (3008,002A).

    PartiallyTreated decides whether it ended early; the number can only say by whom.
    """
    code = values.text(group[0]["termination"])
    said = TERMINATIONS.get(code, "UNKNOWN") if code is not None else None
    is_partial = values.truth(group[0]["is_partial"])
    if is_partial is None:
        return said
    if is_partial:
        return said if said in {"OPERATOR", "MACHINE"} else "UNKNOWN"
    return said if said in {"OPERATOR", "MACHINE"} else "NORMAL"


def _correction(column: str) -> Reader:
    """The newest localisation's shift, if it was made for this delivery."""

    def read(group: Group) -> float | None:
        made, treated = values.moment(group[0]["corrected_at"]), values.moment(group[0]["treated_at"])
        if made is None or treated is None or treated - made > MOST_BEFORE_DELIVERY:
            return None
        return values.number(group[0][column])

    return read


_SHIFTS = ("correction_vertical", "correction_longitudinal", "correction_lateral")

DELIVERIES = TableReading(
    tables.DELIVERIES,
    {
        "beam_name": beam_name,
        "radiation_type": translated(MODALITIES, "modality"),
        "delivery_type": delivery_type,
        "termination_status": termination_status,
    },
    one_row_per=("delivery_id",),
)
COUCH_SHIFTS = TableReading(
    tables.COUCH_SHIFTS, {name: _correction(name) for name in _SHIFTS}, one_row_per=("delivery_id",)
)
IN_FLIGHT = TableReading(tables.IN_FLIGHT, {"beam_name": beam_name})
