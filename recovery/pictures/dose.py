"""A dose distribution in Gy, its bands on a slice, and the dose of a whole plan made of the doses that are held.

`DoseGrid.from_dataset` is the door: DoseGridScaling, frames by GridFrameOffsetVector (PS3.3 C.8.8.3.2). Between its
voxels it is interpolated linearly, as planning systems do. DoseSummationType (3004,000A) says what a dose is of, its
references say of which beams or fraction groups (PS3.3 C.8.8.3): parts are added where no beam stands in two of them
and all lie on one grid; else a dose says that it is one of five.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from recovery.course.metersets import planned_metersets
from recovery.dicom import elements as el
from recovery.dicom.plans import Plan
from recovery.pictures.grids import Grid, Placement, Section, placed, refined, sampled
from recovery.pictures.image_series import decoded
from recovery.pictures.refusals import PictureError
from recovery.words.values import counted

SHARES = (1.07, 1.0, 0.95, 0.8, 0.5, 0.2)
"""The bands' lower edges as shares of the prescribed dose, as prescribing reports name them."""
COLOURS = ("#DC2626", "#F97316", "#FACC15", "#22C55E", "#06B6D4", "#2563EB")

_WHAT = "The dose"
_PIXELS = 200


@dataclass(frozen=True, slots=True)
class DoseGrid:
    """`grid` in Gy. `summation_type`: PLAN, FRACTION, BEAM … as DoseSummationType (3004,000A) says."""

    sop_instance_uid: str | None
    grid: Grid
    summation_type: str | None
    dose_type: str | None
    references: tuple[tuple[int | None, tuple[int, ...]], ...] = ()
    """The fraction groups that it is of, each with its beams or application setups; none where it names only a plan."""
    is_of: str = ""
    """What of the plan it is, in words; empty until `dose_parts` looked at all doses of the plan."""
    is_whole: bool = False
    """Whether it is the dose of the whole plan."""

    @property
    def maximum(self) -> float:
        """Gy."""
        return float(self.grid.values.max())

    @classmethod
    def from_dataset(cls, ds: Dataset) -> DoseGrid:
        """Read an RT Dose.

        Raises `PictureError` if it is relative, lacks its scaling or its frames' places, is tilted, or cannot be
        decompressed.
        """
        units = el.text(ds, "DoseUnits")
        if units != "GY":
            raise PictureError(f"{_WHAT} is not in Gy (DoseUnits {units or 'absent'}); it is not drawn.")
        scaling = el.number(ds, "DoseGridScaling")
        if scaling is None or scaling <= 0:
            raise PictureError(f"{_WHAT} has no DoseGridScaling: its numbers cannot be turned into Gy.")
        stored = decoded(ds, _WHAT)
        frames = stored[None] if stored.ndim == 2 else stored
        placement = Placement.from_dataset(ds, _WHAT)
        grid = placed(
            (frames * np.float32(scaling)).astype(np.float32), placement, _offsets(ds, placement, len(frames)), _WHAT
        )
        kind = el.text(ds, "DoseSummationType"), el.text(ds, "DoseType")
        return cls(el.text(ds, "SOPInstanceUID"), grid, *kind, tuple(_references(ds)))


@dataclass(frozen=True, slots=True)
class Band:
    """A step of the wash: from `lower` Gy up to the next."""

    lower: float
    share: float | None
    """Of the prescribed dose; None where bands are parts of the maximum."""
    colour: str


def bands(prescribed: float | None, maximum: float) -> list[Band]:
    """The steps of the wash, highest first: shares of the prescribed dose (Gy), of the maximum where it is unknown."""
    if prescribed:
        return [Band(s * prescribed, s, c) for s, c in zip(SHARES, COLOURS, strict=True) if s * prescribed <= maximum]
    return [Band(s * maximum, None, c) for s, c in zip((0.95, 0.8, 0.5, 0.2), COLOURS[1:], strict=False)]


def band_numbers(dose: DoseGrid, like: Section, steps: list[Band]) -> NDArray[np.int8]:
    """The number of the band in `steps` at each place of a section, -1 below all of them and outside of the grid.

    Of a coarse image each pixel is divided: the dose is smoother than its pixels.
    """
    gray = sampled(dose.grid, refined(like, _PIXELS))
    numbers = np.full(gray.shape, -1, dtype=np.int8)
    for index in range(len(steps) - 1, -1, -1):
        numbers[gray >= steps[index].lower] = index  # NaN is no number: outside stays -1
    return numbers


def _references(ds: Dataset) -> Iterator[tuple[int | None, tuple[int, ...]]]:
    for plan in el.items(ds, "ReferencedRTPlanSequence"):
        for group in el.items(plan, "ReferencedFractionGroupSequence"):
            numbers = [el.integer(b, "ReferencedBeamNumber") for b in el.items(group, "ReferencedBeamSequence")]
            setups = el.items(group, "ReferencedBrachyApplicationSetupSequence")
            numbers += [el.integer(setup, "ReferencedBrachyApplicationSetupNumber") for setup in setups]
            yield el.integer(group, "ReferencedFractionGroupNumber"), tuple(n for n in numbers if n is not None)


def _offsets(ds: Dataset, placement: Placement, frames: int) -> list[float]:
    """Frame offsets in mm along the normal. A vector that starts with the position's own z is absolute."""
    offsets = el.numbers(ds, "GridFrameOffsetVector")
    if frames == 1:
        return [0.0]
    if len(offsets) != frames:
        raise PictureError(f"{_WHAT} does not say where its {frames} frames lie (GridFrameOffsetVector).")
    if offsets[0] == 0:
        return list(offsets)
    if abs(offsets[0] - placement.position[2]) < 0.01 and abs(placement.normal[2]) > 0.99:
        return [(offset - offsets[0]) * placement.normal[2] for offset in offsets]
    raise PictureError(f"{_WHAT} has frame offsets that are neither relative nor absolute (PS3.3 C.8.8.3.2).")


Part = tuple[frozenset[object], "DoseGrid"]


def dose_of_plan(doses: Sequence[DoseGrid], plan: Plan) -> DoseGrid:
    """The whole plan's dose, or the most that can be put together; `is_of` and `is_whole` say which it is.

    Raises `PictureError` if there is none.
    """
    if not doses:
        raise PictureError("The RT-PACS holds no dose of this plan.")
    ordered = sorted(doses, key=lambda d: (d.dose_type != "PHYSICAL", d.sop_instance_uid or ""))
    for dose in ordered:
        if dose.summation_type == "PLAN":
            return replace(dose, is_of="the whole plan", is_whole=True)
    beams = {(group, beam) for group, members in planned_metersets(plan).items() for beam in members}
    groups = {group.fraction_group_number for group in plan.fraction_groups}
    found = [
        _added(
            [(_groups_of(d, groups), d) for d in ordered if d.summation_type == "FRACTION"], groups, "fraction group"
        ),
        _added([(_beams_of(d, beams), d) for d in ordered if d.summation_type == "BEAM"], beams, "beam"),
    ]
    known = sorted((dose for dose in found if dose is not None), key=lambda dose: not dose.is_whole)
    first = ordered[0]
    return (
        known[0] if known else replace(first, is_of=f"a part of the plan ({first.summation_type or 'not said which'})")
    )


def _groups_of(dose: DoseGrid, groups: Iterable[int | None]) -> frozenset[object]:
    """The fraction groups of a dose; one that names none is of the plan's only one."""
    only = frozenset(groups)
    return frozenset(group for group, _ in dose.references) or (only if len(only) == 1 else frozenset())


def _beams_of(dose: DoseGrid, beams: Iterable[tuple[int | None, int]]) -> frozenset[object]:
    """The beams of a dose, as the plan knows them: a reference without a group is to the group that has the beam."""
    found: set[object] = set()
    for group, numbers in dose.references:
        for number in numbers:
            fitting = [beam for beam in beams if beam[1] == number and group in {beam[0], None}]
            found.update(fitting or [(group, number)])
    return frozenset(found)


def _added(
    parts: list[Part], needed: set[object] | set[tuple[int | None, int]] | set[int | None], noun: str
) -> DoseGrid | None:
    """The sum of those parts that fit to the first; None without any."""
    if not parts:
        return None
    kept: list[Part] = []
    covered: set[object] = set()
    for what, dose in parts:
        if not kept or (what and kept[0][0] and not what & covered and _is_on_grid_of(dose, kept[0][1])):
            kept.append((what, dose))
            covered |= what
    first = kept[0][1]
    values = np.asarray(np.sum([dose.grid.values for _, dose in kept], axis=0, dtype=np.float32))
    uids = {dose.sop_instance_uid for _, dose in kept}
    is_whole = bool(needed) and covered >= needed and _agree(parts, uids)
    total = counted(len(needed), noun) if needed else f"the plan's {noun}s"
    said = f"{len(covered & needed) or len(kept)} of {total}"
    return replace(
        first,
        grid=replace(first.grid, values=values),
        is_of=(f"the whole plan, {total} added up" if is_whole else f"{said} only"),
        is_whole=is_whole,
    )


def _agree(parts: Iterable[Part], used: set[str | None]) -> bool:
    """Whether what was left out repeats what was added up: another dose of a beam would leave the sum in doubt."""
    listed = list(parts)
    for what, dose in listed:
        if dose.sop_instance_uid not in used:
            same = [d for w, d in listed if w == what and d.sop_instance_uid in used]
            if not same or not _is_on_grid_of(dose, same[0]) or not np.allclose(dose.grid.values, same[0].grid.values):
                return False
    return True


def _is_on_grid_of(one: DoseGrid, other: DoseGrid) -> bool:
    if one.dose_type != other.dose_type or one.grid.values.shape != other.grid.values.shape:
        return False
    return all(np.allclose(one.grid.axis(name), other.grid.axis(name), atol=0.01) for name in "xyz")
