"""What kind of beam a plan's beam is: the standing facts that a record repeats (PS3.3 C.8.8.21), or that are not there.

The plan itself says it. Where no plan is held, the field's technique in the database tells some of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.words.radiation import RADIATION_TYPES, RADIATION_WORDS
from recovery.words.units import unit_of

BEAM_TYPES = frozenset({"STATIC", "DYNAMIC"})

NO_BEAMS = frozenset({"Ir-192", "ION"})
"""Words of `radiation_type` whose deliveries an RT Beams Treatment Record cannot tell."""

_MOVING = ("arc", "vmat", "imrt", "dmlc", "step", "dynamic", "helical")
_STANDING = ("static", "fixed")


@dataclass(frozen=True, slots=True)
class BeamKind:
    """None: not known. `leaf_pairs`: RTBeamLimitingDeviceType and NumberOfLeafJawPairs."""

    beam_type: str | None = None
    radiation_type: str | None = None
    number_of_wedges: int | None = None
    leaf_pairs: tuple[tuple[str, int], ...] = ()
    meterset_unit: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether a record can say all that the standard demands of it."""
        return None not in (self.beam_type, self.radiation_type, self.number_of_wedges) and bool(self.leaf_pairs)


def kinds_of_plan(ds: Dataset) -> dict[int, BeamKind]:
    """The kinds of an RT Plan's beams, by beam number."""
    kinds = {}
    for beam in el.items(ds, "BeamSequence"):
        number = el.integer(beam, "BeamNumber")
        if number is not None:
            kinds[number] = BeamKind(
                _one_of(BEAM_TYPES, el.text(beam, "BeamType")),
                _one_of(RADIATION_TYPES, el.text(beam, "RadiationType")),
                el.integer(beam, "NumberOfWedges"),
                tuple(_leaf_pairs(beam)),
                unit_of(el.text(beam, "PrimaryDosimeterUnit")),
            )
    return kinds


def kind_of_field(row: Mapping[str, Any]) -> BeamKind:
    """As far as a row of `plan_fields` tells it."""
    technique = str(row.get("technique") or "").lower()
    beam_type = "STATIC" if any(word in technique for word in _STANDING) else None
    if row.get("gantry_direction") in {"CW", "CC"} or any(word in technique for word in _MOVING):
        beam_type = "DYNAMIC"
    return BeamKind(beam_type, radiation_of(row))


def radiation_of(row: Mapping[str, Any]) -> str | None:
    """RadiationType (300A,00C6), as a row of `plan_fields` or `deliveries` tells it."""
    return RADIATION_WORDS.get(str(row.get("radiation_type") or ""))


def no_beam(row: Mapping[str, Any]) -> bool:
    """Whether a delivery is one that an RT Beams Treatment Record cannot tell: of a source, or of ions."""
    return row.get("radiation_type") in NO_BEAMS


def _leaf_pairs(beam: Dataset) -> list[tuple[str, int]]:
    pairs = []
    for device in el.items(beam, "BeamLimitingDeviceSequence"):
        kind, count = el.text(device, "RTBeamLimitingDeviceType"), el.integer(device, "NumberOfLeafJawPairs")
        if kind is not None and count is not None:
            pairs.append((kind, count))
    return pairs


def _one_of(terms: frozenset[str], said: str | None) -> str | None:
    return said if said in terms else None
