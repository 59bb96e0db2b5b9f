"""A plan of MOSAIQ, which treats fields: what its fields, their prescription and their setup say together.

The query gives a row for each field and setup of a plan. Where they name different prescriptions, structure sets or
frames of reference, the plan has none of its own: null. Hidden fields, and older versions, have a say only where a plan
has no other: then the plan is closed. What the words mean stands in `recovery.words.plan_states`.
"""

from collections.abc import Mapping
from datetime import datetime

from backup_jobs.rv import values
from backup_jobs.rv.mosaiq.deliveries import beam_name, is_imaging
from backup_jobs.rv.mosaiq.words import ARCS, FIELD_TYPES, KILOVOLT_MODALITIES, MODALITIES, ORIENTATIONS
from backup_jobs.rv.table_readings import (
    Group,
    RawRow,
    Reader,
    TableReading,
    first_known,
    name_of,
    nothing,
    the_only,
    translated,
)
from recovery.tables import relational as tables
from recovery.words.plan_states import is_closed

_APPROVED = "5"
_SAYS_NOTHING = frozenset({None, "0"})
_HIDDEN = "hidden"
_REPLACED = "replaced"
_WORDS = {
    "1": "void",
    "2": "closed",
    "3": "completed",
    "4": "on hold",
    "6": "locked by a process",
    "7": "unapproved",
}
"""The plan's word for its prescription's Status_Enum; 5 and none depend on the signatures."""
_WERE_APPROVED = frozenset({"treatment approved", "completed", "closed"})


def course_id(group: Group) -> str | None:
    """A course's number as MOSAIQ counts a patient's courses; PCP_ID where it does not."""
    number, serial = values.text(group[0]["course_number"]), values.text(group[0]["course_serial"])
    return number or (f"PCP_ID {serial}" if serial else None)


def gray(column: str, group: Group) -> float | None:
    """A dose in cGy as Gy, to the hundredth of a cGy that MOSAIQ keeps."""
    dose = values.number(group[0][column])
    return None if dose is None else round(dose / 100, 6)


def _treatment_fields(group: Group) -> list[RawRow]:
    return [row for row in group if not is_imaging(values.text(row["field_type"]))]


def _is_signed(group: Group) -> bool:
    """Whether every treatment field is signed, and there is one."""
    fields = _treatment_fields(group)
    return bool(fields) and all(values.moment(row["field_approved_at"]) is not None for row in fields)


def _newest(group: Group) -> list[RawRow]:
    """The fields that are the newest version of themselves."""
    return [row for row in group if values.integer(row["field_version"]) in {None, 0}]


def _standing(group: Group) -> Group:
    """The fields that a plan is treated with: newest and shown. Where there is none, those that it was treated with."""
    newest = _newest(group)
    return [row for row in newest if not values.truth(row["is_hidden"])] or newest or group


def _of_standing(read: Reader) -> Reader:
    return lambda group: read(_standing(group))


def approval_status(group: Group) -> str:
    """In the words of `plans.approval_status`: whether its fields are there, else what its prescriptions allow."""
    newest = _newest(group)
    if not newest:
        return _REPLACED
    if all(values.truth(row["is_hidden"]) for row in _treatment_fields(newest) or newest):
        return _HIDDEN
    return _allowed(_standing(group))


def _allowed(group: Group) -> str:
    """The least that any of its prescriptions allows; closed where every one of them is, each in its own way."""
    fields = _treatment_fields(group) or list(group)
    said = {_allows(row) for row in fields}
    if said == {"approved"}:
        return "treatment approved" if _is_signed(group) else "unapproved"
    if len(said) == 1:
        return next(iter(said))
    return "closed" if all(map(is_closed, said)) else "unapproved"


def _allows(row: RawRow) -> str:
    code = values.text(row["prescription_status"])
    if code == _APPROVED or (code in _SAYS_NOTHING and values.moment(row["prescription_approved_at"]) is not None):
        return "approved"
    return "unapproved" if code is None or code == "0" else _WORDS.get(code, code)


def _last_signature(group: Group) -> RawRow | None:
    """The signature with which a plan's approval was complete; none while it is not."""
    if not _is_signed(group) or _allowed(group) not in _WERE_APPROVED:
        return None
    return max(_treatment_fields(group), key=lambda row: values.moment(row["field_approved_at"]) or datetime.min)  # noqa: DTZ901  local to the site


def _approved_by(group: Group) -> str | None:
    last = _last_signature(group)
    return name_of(last, "field_approved_by_family_name", "field_approved_by_given_name") if last is not None else None


def _approved_at(group: Group) -> datetime | None:
    last = _last_signature(group)
    return values.moment(last["field_approved_at"]) if last is not None else None


def _of_one_prescription(group: Group) -> bool:
    return len({values.text(row["prescription_id"]) for row in group}) == 1


def _fractions(group: Group) -> int | None:
    return values.integer(group[0]["number_of_fractions_planned"]) if _of_one_prescription(group) else None


def _dose(group: Group) -> float | None:
    return gray("dose_per_fraction", group) if _of_one_prescription(group) else None


def _nominal_energy(group: Group) -> float | None:
    """MV or MeV; what MOSAIQ gives in kV too."""
    energy = values.number(group[0]["energy"])
    is_kilovolt = values.text(group[0]["modality"]) in KILOVOLT_MODALITIES
    return energy / 1000 if energy is not None and is_kilovolt else energy


def _stop_angle(group: Group) -> float | None:
    """Where an arc ends; another field has no end."""
    is_arc = values.text(group[0]["field_type"]) in ARCS
    return values.number(group[0]["gantry_stop_angle"]) if is_arc else None


def _dose_rate(group: Group) -> int | None:
    rate = values.number(group[0]["dose_rate"])
    return None if rate is None else values.integer(round(rate))


def _is_setup_field(group: Group) -> bool | None:
    kind = values.text(group[0]["field_type"])
    return None if kind is None else is_imaging(kind)


_OF_STANDING: Mapping[str, Reader] = {
    "course_id": course_id,
    "rt_plan_label": first_known("rt_plan_label"),
    "approved_by": _approved_by,
    "approved_at": _approved_at,
    "number_of_fractions_planned": _fractions,
    "dose_per_fraction": _dose,
    "structure_set_uid": the_only("structure_set_uid"),
    "frame_of_reference_uid": the_only("frame_of_reference_uid"),
    "prescription_id": the_only("prescription_id"),
    "treatment_orientation": translated(ORIENTATIONS, "treatment_orientation"),
    "fraction_pattern": the_only("fraction_pattern"),
}
PLANS = TableReading(
    tables.PLANS,
    {
        **{name: _of_standing(read) for name, read in _OF_STANDING.items()},
        "approval_status": approval_status,
        "status_changed_by": nothing,
        "status_changed_at": nothing,
        "plan_intent": nothing,
        "treatment_type": nothing,
        "treatment_order": nothing,
    },
    one_row_per=("sop_instance_uid", "patient_id"),
    may_be_of_several_patients=True,
)
PLAN_FIELDS = TableReading(
    tables.PLAN_FIELDS,
    {
        "beam_name": beam_name,
        "radiation_type": translated(MODALITIES, "modality"),
        "nominal_beam_energy": _nominal_energy,
        "technique": translated(FIELD_TYPES, "field_type"),
        "mlc_type": nothing,
        "dose_rate": _dose_rate,
        "gantry_stop_angle": _stop_angle,
        "gantry_direction": nothing,
        "tolerance_table": nothing,
        "reference_image_uid": nothing,
        "is_setup_field": _is_setup_field,
    },
    one_row_per=("sop_instance_uid", "patient_id", "beam_number", "entered_by_hand"),
    is_of_plans=True,
    leaves_out={
        "fields entered by hand, which no plan names": lambda group: group[0]["entered_by_hand"] is not None,
        "hidden fields, which treat nobody": lambda group: bool(values.truth(group[0]["is_hidden"])),
    },
)
SETUP_NOTES = TableReading(
    tables.SETUP_NOTES,
    {
        "treatment_orientation": translated(ORIENTATIONS, "treatment_orientation"),
        "setup_technique": first_known("setup_technique"),
        "devices": nothing,
    },
    one_row_per=("sop_instance_uid", "patient_id", "beam_number"),
    is_of_plans=True,
)
