"""What the tables' `radiation_type` means, and a field's energy and gantry angles in words. Pure."""

from collections.abc import Mapping

RADIATION_TYPES = frozenset({"PHOTON", "ELECTRON", "NEUTRON", "PROTON"})
"""RadiationType (300A,00C6) of a beam that an RT Beams Treatment Record can tell."""

_KILOVOLT = ("orthovoltage X-rays", "kV X-rays")
_COBALT = "Co-60"
RADIATION_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("X", _COBALT, *_KILOVOLT), "PHOTON"),
    "E": "ELECTRON",
    "E, high dose": "ELECTRON",
    "P": "PROTON",
    **{term: term for term in RADIATION_TYPES},
}
"""The words of the tables' `radiation_type`, in DICOM's."""

_UNITS: Mapping[str, str] = {"PHOTON": "MV", "ELECTRON": "MeV", "PROTON": "MeV"}


def energy_in_words(value: float | None, radiation_type: str | None) -> str | None:
    """`6 MV`, `9 MeV`, `120 kV`, `Co-60`, of a field's nominal energy in MV or MeV; null where none is told.

    The number alone where the kind of radiation is not told, or does not tell the unit: of ions some say the whole
    energy, some that of a nucleon. Cobalt has one energy, known by its name, and no unit that clinics agree on.
    """
    if value is None:
        return None
    if radiation_type == _COBALT:
        return _COBALT
    if radiation_type in _KILOVOLT:
        return f"{value * 1000:g} kV"
    return f"{value:g} {_UNITS.get(RADIATION_WORDS.get(radiation_type or '', ''), '')}".rstrip()


_DIRECTIONS: Mapping[str, str] = {"CW": "CW", "CC": "CCW", "CCW": "CCW"}
"""GantryRotationDirection (300A,011F) says CC for what everybody calls counter-clockwise."""


def gantry_in_words(start: float | None, stop: float | None, direction: str | None) -> str | None:
    """`305.0`, or for an arc `181.0 to 179.0 CW`, in degrees; null where no angle is told."""
    if start is None:
        return None
    way = _DIRECTIONS.get(direction or "", "")
    if stop is None or (start == stop and not way):
        return f"{start:.1f}"
    return f"{start:.1f} to {stop:.1f} {way}".rstrip()
