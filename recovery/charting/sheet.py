"""What stands on the chart of one plan, as texts for PDF and Excel alike; a checksum names it. Pure, no I/O."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from recovery.charting import facts, on_paper, warnings
from recovery.charting.facts import Pairs
from recovery.course.ledger import Ledger, LedgerFraction
from recovery.course.metersets import ToGive
from recovery.patient import notices as plan_notices
from recovery.patient.file import Identity, PatientFile
from recovery.patient.plan import PlanField, PlanFile
from recovery.words.times import day_or_time
from recovery.words.units import MU, amount, common, number, unit_word
from recovery.words.values import ABSENT

LAST_FRACTIONS = 5
FEWEST_BLANK_ROWS = 10
MOST_BLANK_ROWS = 20


@dataclass(frozen=True, slots=True)
class Table:
    """A heading per column, and rows of as many texts."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class BeamToGive:
    """A column of the rows to sign: planned meterset, and what the first row has to give."""

    name: str
    planned: str
    first: str


@dataclass(frozen=True)
class ChartSheet:
    """One plan's chart. `stops` forbid treatment before somebody has looked; `looks` ask to be read."""

    patient_id: str
    patient_name: str
    birth: str
    sex: str
    other_patient_ids: str
    photo_sha256: str
    """Of the photo that is printed with it; empty where there is none."""
    site_name: str
    as_of: str
    plan_label: str
    plan_uid: str | None
    stops: tuple[str, ...]
    looks: tuple[str, ...]
    next_fraction: str
    progress: Pairs
    prescription: Pairs
    plan: Pairs
    people: Pairs
    fields: Table
    setup: Pairs
    last_fractions: Table
    unit: str
    beams: tuple[BeamToGive, ...]
    first_row: str
    """Fraction number of the first row to sign; empty when there is none, or nobody knows it."""
    blank_rows: int

    @property
    def source_in_short(self) -> str:
        """`Plan Breast_L  ·  Demo clinic  ·  as of Tue 24 Nov 2026 14:32`, and that no photo belongs to it."""
        said = f"Plan {self.plan_label}  ·  {self.site_name}  ·  as of {self.as_of}"
        return said if self.photo_sha256 else f"{said}  ·  no photo"

    @property
    def rows_title(self) -> str:
        """What stands above the rows to sign: where the next fraction is not known, that it has to be asked for."""
        asked = "The next fraction is not known: ask before anything is given"
        if self.first_row:
            asked = (
                "The next fraction was decided: read the first page" if ", decided by " in self.next_fraction else ""
            )
        elif self.next_fraction.startswith("fraction group "):
            asked = f"The next fraction is of {self.next_fraction.partition(':')[0]}, not of this one"
        return f"Fractions given from this sheet{'. ' if asked else ''}{asked}"

    @property
    def stops_in_short(self) -> str:
        """The capitals that each stop begins with: `INTERRUPTED · NOT READY`."""
        heads = (re.match(r"[A-Z ]+(?![a-z])", stop) for stop in self.stops)
        return " · ".join(head[0].strip() for head in heads if head is not None)

    @cached_property
    def checksum(self) -> str:
        """The first 16 hexadecimal digits of SHA-256 over everything that the sheet says."""
        said = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def chart_sheets(file: PatientFile) -> tuple[ChartSheet, ...]:
    """A sheet per plan that may still be treated, of several fraction groups per group; per plan at all where none may;
    one without a plan where none is.

    The last two say so in their stops, and have no rows to sign.
    """
    plans: tuple[PlanFile | None, ...] = file.unfinished_plans or file.plans or (None,)
    return tuple(_sheet(file, plan, group) for plan in plans for group in _groups(plan) or (None,))


def _groups(plan: PlanFile | None) -> tuple[int | None, ...]:
    """The fraction groups of a plan that may be treated and has several: who treats with one reads its fields alone.
    One that is given in full has no sheet, where that is sure."""
    book = plan.ledger if plan is not None and plan.is_unfinished else None
    if plan is None or book is None or len(book.next_by_group) < 2 or None in book.next_by_group:
        return ()
    is_sure = plan.is_next_certain
    return tuple(g for g in book.next_by_group if not is_sure or g in book.groups_left or str(g) == plan.next_group)


def _person(file: PatientFile, plan: PlanFile | None) -> Identity:
    """Who the sheet is of: as its plan's own objects say, where those of other plans under the ID tell another birth
    date. Two people may bear one ID, and no sheet bears the other's name."""
    row = plan.row if plan is not None else None
    if row is None or row.patient_birth_date in {None, file.identity.patient_birth_date}:
        return file.identity
    names = ("patient_name", "patient_birth_date", "patient_sex")
    return replace(file.identity, **{name: getattr(row, name) for name in names})


def _sheet(file: PatientFile, plan: PlanFile | None, group: int | None) -> ChartSheet:
    person, of_group = _person(file, plan), f", fraction group {group}" if group is not None else ""
    beams = _beams(plan, group)
    return ChartSheet(
        patient_id=person.patient_id,
        patient_name=on_paper.text(person.patient_name),
        birth=on_paper.birth(person.patient_birth_date, file.now),
        sex=on_paper.text(person.patient_sex),
        other_patient_ids=person.other_patient_ids or "",
        photo_sha256=file.photo.sha256 if file.photo is not None else "",
        site_name=file.site_name,
        as_of=day_or_time(file.as_of) if file.as_of is not None else "nothing proven",
        plan_label=on_paper.text(plan.label if plan is not None else None) + of_group,
        plan_uid=plan.uid if plan is not None else None,
        stops=tuple(warnings.stops(file, plan)),
        looks=tuple(warnings.looks(file, plan)),
        next_fraction=plan_notices.next_fraction(plan) if plan is not None else "no plan",
        progress=facts.progress(file, plan),
        prescription=facts.prescription(plan),
        plan=facts.plan(plan),
        people=facts.people(file),
        fields=_fields(plan, group),
        setup=facts.setup(plan),
        last_fractions=fractions(plan, LAST_FRACTIONS, group),
        unit=unit_word(_unit(plan)),
        beams=beams,
        first_row=_first_row(plan, group),
        blank_rows=_blank_rows(plan),
    )


def _unit(plan: PlanFile | None) -> str | None:
    """Of what was given and is to give; None where the beams differ in it."""
    return plan.ledger.unit if plan is not None and plan.ledger is not None else MU


def _meterset(value: float | None, unit: str, heading: str | None) -> str:
    """With its unit where the heading tells none."""
    return number(value, unit) if heading is not None else amount(value, unit)


def _of_group(fields: Iterable[PlanField], group: int | None) -> list[PlanField]:
    """Those of a fraction group; one of which no plan object tells is of any."""
    return [field for field in fields if group is None or field.fraction_group_number in {None, group}]


def _fields(plan: PlanFile | None, group: int | None) -> Table:
    own = _of_group(plan.fields, group) if plan is not None else []
    unit = common(f.unit for f in own if not f.is_setup_field)
    headings = (
        "No",
        "Field",
        unit_word(unit),
        "Machine",
        "Energy",
        "Technique",
        "MLC",
        "Gantry °",
        "Coll. °",
        "Couch °",
        "SSD cm",
    )
    fields = sorted(own, key=lambda f: bool(f.is_setup_field))
    return Table((*headings, "Tolerance"), tuple(_field(field, unit) for field in fields))


def _field(field: PlanField, unit: str | None) -> tuple[str, ...]:
    return (
        str(field.beam_number),
        on_paper.text(field.beam_name),
        _meterset(field.beam_meterset, field.unit, unit),
        on_paper.text(field.treatment_machine_name),
        on_paper.energy(field),
        "setup" if field.is_setup_field else on_paper.text(field.technique),
        on_paper.text(field.mlc_type),
        on_paper.gantry(field),
        on_paper.fixed(field.collimator_angle, 1),
        on_paper.fixed(field.patient_support_angle, 1),
        on_paper.fixed(field.source_to_surface_distance, 1),
        on_paper.text(field.tolerance_table),
    )


def fractions(plan: PlanFile | None, last: int = 0, group: int | None = None) -> Table:
    """The fractions that were begun; the last so many, 0: all of them; of a fraction group alone where one is named."""
    given = f"{unit_word(_unit(plan))} given of planned, by field"
    headings = ("No", "Date", "Machine", given, "State", "Couch corr. vrt / lng / lat, cm")
    if plan is None or plan.ledger is None:
        return Table(headings, ())
    own = [f for f in plan.ledger.fractions if group is None or f.fraction_group_number == group]
    return Table(headings, tuple(_fraction(f, plan) for f in own[-last:]))


def _fraction(fraction: LedgerFraction, plan: PlanFile) -> tuple[str, ...]:
    unit = _unit(plan)
    given = "   ".join(
        f"{b.beam_number}:\u00a0{number(b.delivered, b.unit)}/{_meterset(b.planned, b.unit, unit)}"
        for b in fraction.beams
    )
    state = "complete" if fraction.state == "complete" else f"■ {fraction.state.upper()}"
    more = [*fraction.terminations, *(["overridden"] if fraction.was_overridden else [])]
    more += ["charted"] if any(session.charted_by for session in fraction.sessions) else []
    shift = next((s for s in plan.couch_shifts if s.fraction_number == fraction.fraction_number), None)
    moved = shift and (shift.correction_vertical, shift.correction_longitudinal, shift.correction_lateral)
    return (
        str(fraction.fraction_number),
        fraction.when(),
        ", ".join(fraction.treatment_machine_names) or ABSENT,
        given,
        ", ".join([state, *more]),
        on_paper.triple(*moved) if moved else ABSENT,
    )


def _is_known(plan: PlanFile, group: int | None) -> bool:
    """Whether the next fraction may be written down, and is of this fraction group."""
    return plan.is_next_certain and plan.next_group == (str(group) if group is not None else None)


def _beams(plan: PlanFile | None, group: int | None) -> tuple[BeamToGive, ...]:
    if plan is None:
        return ()
    own = _of_group(plan.treatment_fields, group)
    treating = [f for f in own if f.beam_meterset is not None] or own
    unfinished = plan.ledger.next.unfinished if plan.ledger is not None else None
    is_known = _is_known(plan, group)
    unit = _unit(plan)
    rest = {b.beam_number: _meterset(b.remaining, b.unit, unit) for b in unfinished.beams} if unfinished else {}
    ahead = plan.ledger.next_by_group.get(group, plan.ledger.next_metersets) if plan.ledger is not None else {}
    found = []
    for field in treating:
        one = ahead.get(field.beam_number) or ToGive(field.beam_meterset, field.unit)
        planned = _meterset(one.meterset, one.unit, unit)
        first = ABSENT if not is_known else planned if unfinished is None else rest.get(field.beam_number, ABSENT)
        found.append(BeamToGive(str(field.beam_number), planned, first))
    return tuple(found)


def _first_row(plan: PlanFile | None, group: int | None) -> str:
    is_told = plan is not None and plan.is_unfinished and _is_known(plan, group)
    ledger: Ledger | None = plan.ledger if plan is not None and is_told else None
    if ledger is None or ledger.next.fraction_number is None:
        return ""
    return f"{ledger.next.fraction_number}{' rest' if ledger.next.unfinished is not None else ''}"


def _blank_rows(plan: PlanFile | None) -> int:
    """Enough for what remains, and at least ten; none for a plan that is not to be treated."""
    if plan is None or not plan.is_unfinished:
        return 0
    remaining = plan.row.fractions_remaining or 0
    return min(MOST_BLANK_ROWS, max(FEWEST_BLANK_ROWS, remaining + 1))
