"""Five days without an R&V system: sixty patients, three workstations, and what is counted is what was given.

One workstation is offline for a day, two fractions are charted twice, three entries are corrected, one fraction is
interrupted and finished next day; then the machines' own records come, some of them or all.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.course.charted import settle_all
from recovery.course.charted_entries import ChartedBeam, ChartedFraction, standing
from recovery.course.fractions import count_fractions
from recovery.dicom.records import TreatmentRecord
from recovery.entries.charted import charted_folder, enter, merge, read_charted
from tests.recovery.charting import FULL, entry, knowing
from tests.recovery.courses import day, delivery, plain_plan, plain_record

PATIENTS, BEFORE, DAYS = 60, 4, 5
INTERRUPTED, OFFLINE_ON = 7, 3
TWICE = {(11, OFFLINE_ON): (2, 0), (20, OFFLINE_ON): (2, 1)}
"""Patient and day, and which two workstations charted it: the second did not see the first, which was offline."""
TYPED_WRONG = {(3, 1), (4, 2), (5, 5)}


def plan_of(patient: int) -> str:
    return f"plan {patient}"


@dataclass
class Department:
    """What was given, and who told of it. Workstation 2 merges with the others on every day but one."""

    folder: Path
    given: dict[tuple[int, int], list[tuple[int, dict[int, float]]]] = field(default_factory=dict)
    """By patient and fraction: each part, with the day that it was given on."""
    signed: int = 0

    def cache(self, workstation: int) -> Path:
        return self.folder / f"workstation {workstation}" / "cache"

    def merge(self, workstations: Sequence[int]) -> None:
        for source in workstations:
            for target in workstations:
                if source != target and charted_folder(self.cache(source)).exists():
                    assert merge(self.cache(target), charted_folder(self.cache(source))) == []

    def sign(self, workstation: int, patient: int, one: ChartedFraction) -> ChartedFraction:
        """As the page does: in the knowledge of all that this workstation sees of the plan."""
        path = self.cache(workstation)
        seen = tuple(e.entry_id for e in read_charted(path).entries if e.of_plan(plan_of(patient)))
        self.signed += 1
        made = replace(
            one,
            entry_id=f"{self.signed:04}",
            patient_id=str(patient),
            referenced_rt_plan_uid=plan_of(patient),
            known_entries=seen,
            treated_at=one.treated_at + timedelta(minutes=patient),
        )
        enter(path, path.parent / "key", made)
        return made


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    made = Department(tmp_path_factory.mktemp("five days"))
    for number in range(1, DAYS + 1):
        made.merge((0, 1) if number == OFFLINE_ON else (0, 1, 2))
        for patient in range(PATIENTS):
            treat(made, patient, number)
    made.merge((0, 1, 2))
    return made


def treat(made: Department, patient: int, number: int) -> None:
    """One fraction of one patient on one day of the downtime, and what workstations tell of it."""
    workstation, fraction, at = patient % 3, BEFORE + number, day(BEFORE + number)
    if patient == INTERRUPTED and number == 2:
        made.given[patient, fraction] = [(number, {1: 100.0, 2: 10.0})]
        made.sign(workstation, patient, entry("x", fraction, {1: 100.0, 2: 10.0}, at))
        return
    if patient == INTERRUPTED and number == 3:
        fraction -= 1
        made.given[patient, fraction].append((number, {2: 40.0}))
        rest = (ChartedBeam(2, None, 40.0, 40.0, True),)
        made.sign(workstation, patient, entry("x", fraction, {}, at, beams=rest))
        return
    fraction -= patient == INTERRUPTED and number > 3
    made.given[patient, fraction] = [(number, FULL)]
    if (patient, number) in TYPED_WRONG:
        wrong = made.sign(workstation, patient, entry("x", fraction, {1: 100.0, 2: 5.0}, at))
        made.sign(workstation, patient, entry("x", fraction, FULL, at, corrects=wrong.entry_id))
        return
    for own in TWICE.get((patient, number), (workstation,)):
        made.sign(own, patient, entry("x", fraction, FULL, at))


def machine_records(made: Department, patient: int, *, with_downtime: bool = True) -> list[TreatmentRecord]:
    """The machines' own records: of the fractions before the fall, and, once they come, of those after it."""
    told = [(number, number, FULL) for number in range(1, BEFORE + 1)]
    for (who, fraction), parts in made.given.items():
        if who == patient and with_downtime:
            told += [(fraction, BEFORE + on, given) for on, given in parts]
    found = []
    for fraction, on, given in told:
        at = day(on) + timedelta(minutes=patient, seconds=40)
        beams = [delivery(beam, fraction, mu, at=at) for beam, mu in given.items()]
        found.append(plain_record(f"{patient} {fraction} {on}", beams, at=at, plan_uid=plan_of(patient)))
    return found


def counted(made: Department, entries: Sequence[ChartedFraction], patient: int, records: list[TreatmentRecord]):  # type: ignore[no-untyped-def]
    plans = {uid: plan for uid, plan in standing(entries).items() if uid == plan_of(patient)}
    settled = settle_all(plans, records)
    every = [*records, *(r for one in settled.values() for r in one.records)]
    course = count_fractions(every, plain_plan({1: 100.0, 2: 50.0}, 30, uid=plan_of(patient)))
    mu = {(f.fraction_number, b.beam_number): b.delivered for f in course.fractions for b in f.beams}
    return course, mu, settled.get(plan_of(patient))


def test_every_fraction_and_mu_is_what_was_given_whatever_records_have_come(department: Department) -> None:
    entries = read_charted(department.cache(1)).entries
    assert len(entries) == department.signed == 305 and read_charted(department.cache(1)).faults == ()
    seed = random.Random(14)
    for patient in range(PATIENTS):
        every = machine_records(department, patient)
        truth = counted(department, (), patient, every)
        before = machine_records(department, patient, with_downtime=False)
        some = before + [record for record in every[BEFORE:] if seed.random() < 0.5]
        for records in (before, some, every):
            course, mu, settled = counted(department, entries, patient, records)
            assert mu == truth[1] and course.fractions_delivered == truth[0].fractions_delivered, patient
            assert bool(settled.conflicts) is ((patient, OFFLINE_ON) in TWICE), settled.conflicts
        assert truth[0].fractions_delivered == BEFORE + DAYS - (patient == INTERRUPTED)


def test_conflicts_are_settled_by_people_and_every_workstation_then_says_the_same(department: Department) -> None:
    for patient, number in TWICE:
        plan = standing(read_charted(department.cache(0)).entries)[plan_of(patient)]
        assert len(plan.conflicts) == 1 and plan.conflicts[0].count(f"fraction {BEFORE + number} on") == 2
        own = [e for e in read_charted(department.cache(0)).entries if e.of_plan(plan_of(patient))]
        second = max((e for e in own if e.fraction_number == BEFORE + number), key=lambda e: e.entry_id)
        gone = replace(second, beams=(), fraction_number=None, corrects=second.entry_id, is_withdrawn=True)
        department.sign(0, patient, replace(gone, treated_at=day(BEFORE + number), comment="the same delivery"))
    department.merge((0, 1, 2))
    told = [standing(read_charted(department.cache(workstation)).entries) for workstation in range(3)]
    assert told[0] == told[1] == told[2] and not any(plan.conflicts for plan in told[0].values())
    for patient, _ in TWICE:
        records = machine_records(department, patient, with_downtime=False)
        course, _, _ = counted(department, read_charted(department.cache(2)).entries, patient, records)
        assert course.fractions_delivered == BEFORE + DAYS and knowing(records)
