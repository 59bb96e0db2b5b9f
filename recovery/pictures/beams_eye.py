"""What the beam sees: jaws, leaves or spots of a beam's first control point, and how the gantry goes on from there.

`beams_eye_views` reads a plan's beams: positions in mm in the plane of the isocentre, in the beam limiting device's own
axes (IEC 61217, PS3.3 C.8.8.14).
"""

from dataclasses import dataclass
from itertools import pairwise

from pydicom import Dataset

from recovery.dicom import elements as el

_HALF_TURNS = {"CW": 1.0, "CC": -1.0}


@dataclass(frozen=True, slots=True)
class LeafBank:
    """One multileaf collimator: `pairs[i]` are both ends of the leaf pair between `boundaries[i]` and `[i + 1]`."""

    kind: str
    """MLCX or MLCY; MLCX1 and MLCX2 where there are two layers."""
    boundaries: tuple[float, ...]
    pairs: tuple[tuple[float, float], ...]

    @property
    def moves_in_x(self) -> bool:
        return self.kind.startswith("MLCX")


@dataclass(frozen=True, slots=True)
class BeamsEyeView:
    """A beam's first control point. Lengths mm, angles degrees; None is "the plan does not say"."""

    beam_number: int | None
    beam_name: str | None
    radiation_type: str | None
    treatment_delivery_type: str | None
    x_jaws: tuple[float, float] | None
    y_jaws: tuple[float, float] | None
    leaf_banks: tuple[LeafBank, ...]
    spots: tuple[tuple[float, float], ...]
    gantry_angle: float | None
    gantry_stop_angle: float | None
    gantry_direction: str | None
    """CW, CC or NONE."""
    gantry_travel: float
    """Degrees from the first control point to the last."""
    beam_limiting_device_angle: float | None
    patient_support_angle: float | None
    isocenter_position: tuple[float, ...]
    remarks: tuple[str, ...]

    @property
    def is_arc(self) -> bool:
        return self.gantry_travel > 0


def beams_eye_views(plan: Dataset) -> list[BeamsEyeView]:
    """One per beam of an RT Plan or RT Ion Plan, in the plan's order."""
    photons = [_view(beam, "ControlPointSequence") for beam in el.items(plan, "BeamSequence")]
    return [*photons, *(_view(beam, "IonControlPointSequence") for beam in el.items(plan, "IonBeamSequence"))]


def _view(beam: Dataset, points_keyword: str) -> BeamsEyeView:
    points = el.items(beam, points_keyword)
    first = points[0] if points else None
    is_ion = points_keyword.startswith("Ion")
    devices = _device_positions(first)
    banks, odd = _leaf_banks(beam, devices, "IonBeamLimitingDeviceSequence" if is_ion else "BeamLimitingDeviceSequence")
    spots = _spots(first) if is_ion else ()
    angles = [angle for p in points if (angle := el.number(p, "GantryAngle")) is not None]
    return BeamsEyeView(
        beam_number=el.integer(beam, "BeamNumber"),
        beam_name=el.text(beam, "BeamName"),
        radiation_type=el.text(beam, "RadiationType"),
        treatment_delivery_type=el.text(beam, "TreatmentDeliveryType"),
        x_jaws=_jaws(devices, "X"),
        y_jaws=_jaws(devices, "Y"),
        leaf_banks=banks,
        spots=spots,
        gantry_angle=angles[0] if angles else None,
        gantry_stop_angle=angles[-1] if angles else None,
        gantry_direction=el.text(first, "GantryRotationDirection"),
        gantry_travel=_travel(points),
        beam_limiting_device_angle=el.number(first, "BeamLimitingDeviceAngle"),
        patient_support_angle=el.number(first, "PatientSupportAngle"),
        isocenter_position=el.numbers(first, "IsocenterPosition"),
        remarks=(*odd, *_remarks(beam, points, devices, banks, spots, is_ion=is_ion)),
    )


def _device_positions(point: Dataset | None) -> dict[str, tuple[float, ...]]:
    positions = {}
    for item in el.items(point, "BeamLimitingDevicePositionSequence"):
        kind, values = el.text(item, "RTBeamLimitingDeviceType"), el.numbers(item, "LeafJawPositions")
        if kind is not None and values:
            positions[kind] = values
    return positions


def _jaws(devices: dict[str, tuple[float, ...]], axis: str) -> tuple[float, float] | None:
    for kind in (f"ASYM{axis}", axis):
        values = devices.get(kind, ())
        if len(values) == 2:
            return values[0], values[1]
    return None


def _leaf_banks(
    beam: Dataset, devices: dict[str, tuple[float, ...]], keyword: str
) -> tuple[tuple[LeafBank, ...], tuple[str, ...]]:
    """The multileaf collimators, and a sentence for each that cannot be drawn."""
    boundaries = {
        el.text(item, "RTBeamLimitingDeviceType"): el.numbers(item, "LeafPositionBoundaries")
        for item in el.items(beam, keyword)
    }
    banks, odd = [], []
    for kind, values in devices.items():
        if not kind.startswith("MLC"):
            continue
        edges = boundaries.get(kind, ())
        pairs = len(edges) - 1
        if pairs < 1 or len(values) != 2 * pairs:
            odd.append(
                f"{kind} has {len(values)} positions for {max(pairs, 0)} leaf pairs, and is not drawn: the plan's "
                "leaf positions and LeafPositionBoundaries do not fit."
            )
            continue
        banks.append(LeafBank(kind, edges, tuple(zip(values[:pairs], values[pairs:], strict=True))))
    return tuple(banks), tuple(odd)


def _spots(point: Dataset | None) -> tuple[tuple[float, float], ...]:
    values = el.numbers(point, "ScanSpotPositionMap")
    return tuple(zip(values[::2], values[1::2], strict=False))


def _travel(points: list[Dataset]) -> float:
    """Degrees that the gantry turns, followed from point to point in the direction that each point says."""
    total, direction, angle = 0.0, "NONE", None
    for before, point in pairwise([None, *points]):
        if before is not None:
            direction = el.text(before, "GantryRotationDirection") or direction
        following = el.number(point, "GantryAngle")
        if following is None:
            continue
        if angle is not None and direction in _HALF_TURNS:
            total += ((following - angle) * _HALF_TURNS[direction]) % 360
        angle = following
    return total


def _remarks(
    beam: Dataset,
    points: list[Dataset],
    devices: dict[str, tuple[float, ...]],
    banks: tuple[LeafBank, ...],
    spots: tuple[tuple[float, float], ...],
    *,
    is_ion: bool,
) -> list[str]:
    if not points:
        return ["The plan holds no control points for this beam."]
    said = []
    if is_ion and not devices:
        drawn = f"{len(spots)} spot positions of the first control point are drawn" if spots else "nothing to draw"
        said.append(f"Ion beam: no jaws and no MLC; {drawn}.")
    elif not banks and not any(kind.startswith("MLC") for kind in devices):
        said.append("No MLC in this beam." if devices else "The plan says no jaw and no leaf positions.")
    for applicator in el.items(beam, "ApplicatorSequence"):
        names = (el.text(applicator, "ApplicatorID"), el.text(applicator, "ApplicatorDescription"))
        said.append(f"Applicator {', '.join(filter(None, names)) or 'without a name'}.")
    for keyword, what in (("NumberOfBlocks", "block"), ("NumberOfWedges", "wedge"), ("NumberOfBoli", "bolus")):
        number = el.integer(beam, keyword)
        if number:
            said.append(f"{number} {what}{'s' if number > 1 and what != 'bolus' else ''}, not drawn.")
    return said
