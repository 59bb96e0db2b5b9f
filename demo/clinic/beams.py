"""The beams that each technique of the simulated clinic uses, with plausible monitor units.

Goal
    What a physicist would not frown at: VMAT 200-330 MU per Gy, four-field boxes of 15 MV near 130 MU per Gy, one
    electron field at 1 m.

How
    Each technique is a function of the dose per fraction and a dice that belongs to the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.clinic.courses import SimulatedBeam

if TYPE_CHECKING:
    import random

ARC_CONTROL_POINTS, ARC_CONTROL_POINTS_FAST = 90, 8


def beams_of(
    technique: str, dose: float, dice: random.Random, *, setup_fields: bool, fast: bool
) -> tuple[SimulatedBeam, ...]:
    """All beams of a plan of `dose` Gy per fraction, setup fields last, as an R&V system numbers them."""
    arc_points = ARC_CONTROL_POINTS_FAST if fast else ARC_CONTROL_POINTS
    treatment = {
        "VMAT": _vmat,
        "IMRT": _imrt,
        "FOURFIELD": _four_field,
        "TANGENTS": _tangents,
        "APPA": _appa,
        "ELECTRON": _electron,
        "PROTON": _proton,
    }[technique](dose, dice, arc_points)
    if not setup_fields:
        return tuple(treatment)
    first = len(treatment) + 1
    return (*treatment, _setup(first, "KV_AP", 0.0), _setup(first + 1, "KV_LAT", 270.0), _setup(first + 2, "CBCT", 0.0))


def _photons(
    number: int, name: str, meterset: float, energy: int, gantry: float, stop: float | None = None,
    *, collimator: float = 0.0, segments: int = 2, fluence: str = "STANDARD",
) -> SimulatedBeam:  # fmt: skip
    arc = stop is not None
    return SimulatedBeam(
        number, name, "TREATMENT", round(meterset, 1), "ARC" if arc else "STATIC", "PHOTON", energy, fluence,
        gantry, gantry if stop is None else stop, collimator, segments,
    )  # fmt: skip


def _setup(number: int, name: str, gantry: float) -> SimulatedBeam:
    return SimulatedBeam(number, name, "SETUP", None, "STATIC", "PHOTON", 6, "STANDARD", gantry, gantry, 0.0, 2)


def _vmat(dose: float, dice: random.Random, points: int) -> list[SimulatedBeam]:
    total = dose * dice.uniform(205, 330)
    share = dice.uniform(0.46, 0.54)
    energy, fluence = dice.choice(((6, "STANDARD"), (6, "STANDARD"), (10, "STANDARD"), (6, "NON_STANDARD")))
    return [
        _photons(n, name, meterset, energy, start, stop, collimator=collimator, segments=points, fluence=fluence)
        for n, name, meterset, start, stop, collimator in (
            (1, "A1 CW", total * share, 181.0, 179.0, 30.0),
            (2, "A2 CCW", total * (1 - share), 179.0, 181.0, 330.0),
        )
    ]


def _imrt(dose: float, dice: random.Random, _points: int) -> list[SimulatedBeam]:
    count = dice.choice((7, 9))
    total = dose * dice.uniform(260, 380)
    weights = [dice.uniform(0.7, 1.3) for _ in range(count)]
    return [
        _photons(n + 1, f"F{n + 1} G{round(360 * n / count):03d}", total * w / sum(weights), 6,
                 float(round(360 * n / count)), segments=dice.randint(5, 9))
        for n, w in enumerate(weights)
    ]  # fmt: skip


def _four_field(dose: float, dice: random.Random, _points: int) -> list[SimulatedBeam]:
    names = (("AP", 0.0), ("PA", 180.0), ("LLAT", 90.0), ("RLAT", 270.0))
    return [_photons(n, name, dose * dice.uniform(28, 38), 15, gantry) for n, (name, gantry) in enumerate(names, 1)]


def _tangents(dose: float, dice: random.Random, _points: int) -> list[SimulatedBeam]:
    medial = 305.0 + dice.randint(-4, 4)
    return [
        _photons(1, "MED TANG", dose * dice.uniform(52, 60), 6, medial, collimator=10.0),
        _photons(2, "LAT TANG", dose * dice.uniform(52, 60), 6, medial - 176.0, collimator=350.0),
    ]


def _appa(dose: float, dice: random.Random, _points: int) -> list[SimulatedBeam]:
    return [
        _photons(1, "AP", dose * dice.uniform(50, 58), 15, 0.0),
        _photons(2, "PA", dose * dice.uniform(58, 68), 15, 180.0),
    ]


def _electron(dose: float, dice: random.Random, _points: int) -> list[SimulatedBeam]:
    energy = dice.choice((6, 9, 12))
    meterset = round(dose * dice.uniform(108, 122), 1)
    return [_still(1, f"E{energy} BOOST", meterset, "STATIC", "ELECTRON", energy, 20.0, 2)]


def _proton(dose: float, dice: random.Random, _points: int) -> list[SimulatedBeam]:
    total = dose * dice.uniform(55, 75)
    energy = dice.randint(140, 170)
    return [
        _still(n, name, round(total / 2, 2), "SPOT", "PROTON", energy, gantry, 4)
        for n, (name, gantry) in enumerate((("P1 G065", 65.0), ("P2 G295", 295.0)), 1)
    ]


def _still(
    number: int, name: str, meterset: float, technique: str, radiation: str, energy: int, gantry: float, segments: int
) -> SimulatedBeam:
    return SimulatedBeam(
        number, name, "TREATMENT", meterset, technique, radiation, energy, "STANDARD", gantry, gantry, 0.0, segments
    )
