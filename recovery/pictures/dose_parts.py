"""The dose of a whole plan, of the doses that are held: one for all, or one per beam or fraction group, added up.

DoseSummationType (3004,000A) says what a dose is of, its references say of which beams or fraction groups (PS3.3
C.8.8.3). Parts are added where no beam stands in two of them and all lie on one grid; else a dose says that it is one
of five.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from recovery.course.metersets import planned_metersets
from recovery.dicom.plans import Plan
from recovery.pictures.dose import DoseGrid
from recovery.pictures.refusals import PictureError
from recovery.words.values import counted

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
