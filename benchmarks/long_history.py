"""A cycle of a clinic of four linacs that holds the records of many years: what rests, and the courses that are active.

1,250 courses of 20 fractions begin in a year, on weekdays one after the other: some 100 records a day, so that ten
years hold 250,000. Twice the records are twice the years. The courses that rest are written into the cache as runs of
many years would have left them; of them the RT-PACS holds those whose turn comes in the runs that are measured, because
a million objects would take a day to send. Everything of the active courses lies in both servers, and is read by a
first cycle.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter, sleep

from pydicom import Dataset

from recovery.cache.memory import Memory
from recovery.dicom.model import Patient
from recovery.dicom.plans import Plan, ReferencedSeries, StructureSet
from recovery.dicom.records import TreatmentRecord
from recovery.overview.build import overview_rows, whole_rows, write_list
from recovery.overview.evidence import evidence_of
from recovery.overview.wanted_plans import wake_named
from recovery.pacs.holdings import Holding
from recovery.pacs.resting import GROUPS_PER_PART, Resting
from recovery.pacs.workspace import Workspace, open_workspace
from recovery.settings.config import load_config
from tests.clinic import TwoNodes, two_nodes
from tests.objects import beam_item, encode, images, plan, record, structure_set, uid

COURSES_A_YEAR = 1_250
FRACTIONS = 20
ACTIVE = 300
"""Courses treated in the last two months; a third of them have not ended."""
RESTING_FROM = 350
"""The first that rests for sure, whatever weekday it is."""
AT_ONCE = 2_500

_RECORD = TreatmentRecord.from_dataset(record("1.2", [beam_item(n, 1, 200.0, 200.0) for n in (1, 2)]))
_PLAN = Plan.from_dataset(plan({1: 200.0, 2: 200.0}, fractions=FRACTIONS, structure_set_uid="1.2"))
_STRUCTURE_SET = StructureSet.from_dataset(structure_set(images(3)))


def make(clinic: TwoNodes, now: datetime, held: int) -> None:
    """A cache of a clinic that holds `held` records, of which those of the active courses are to be read yet."""
    resting = range(RESTING_FROM, RESTING_FROM + (held // FRACTIONS - ACTIVE) // GROUPS_PER_PART * GROUPS_PER_PART)
    for start in range(resting.start, resting.stop, AT_ONCE):
        config = load_config(clinic.config)
        space = open_workspace(config, Memory.load(config.cache_path), now)
        for number in resting[start - resting.start :][:AT_ONCE]:
            _add_course(space, number)
        space.collection.note_all_records()
        wake_named(space)
        write_list(space, whole_rows(space, overview_rows(space, evidence_of(space))))
        space.memory.save()
    for number in range(ACTIVE):
        for ds in objects(number, now.date()):
            clinic.pacs.put(encode(ds))
            if ds.Modality == "RTRECORD":
                clinic.rv.put(encode(ds))


def give_turns(clinic: TwoNodes, now: datetime, runs: int) -> None:
    """Put into the RT-PACS what it is asked for in the next runs, of courses that rest."""
    config = load_config(clinic.config)
    memory = Memory.load(config.cache_path)
    turns = [open_workspace(config, replace(memory, runs=memory.runs + run), now).resting for run in range(runs)]
    for number in {name for turn in turns for part in turn.loaded for name in _patients(turn, part)}:
        for ds in objects(int(number), now.date()):
            clinic.pacs.put(encode(ds))


def _patients(resting: Resting, number: int) -> list[str]:
    return [name for name, (part, records) in resting.places.items() if part == number and records]


def objects(number: int, today: date) -> Iterator[Dataset]:
    """The records, plan, structure set and images of one course, as the cache has them."""
    who = {"PatientID": f"{number:06d}", "PatientName": f"BENCH^{number:06d}"}
    named = _named(number)
    slices = images(3, SeriesInstanceUID=named["series"], **who)
    for place, one in enumerate(slices):
        one.SOPInstanceUID = _slice(number, place)
    yield from slices
    yield structure_set(slices, SOPInstanceUID=named["set"], **who)
    yield plan(
        {1: 200.0, 2: 200.0}, fractions=FRACTIONS, structure_set_uid=named["set"], SOPInstanceUID=named["plan"], **who
    )
    for fraction, day in enumerate(_days(number, today), start=1):
        yield record_of(number, fraction, datetime.combine(day, time(8)))


def record_of(number: int, fraction: int, at: datetime) -> Dataset:
    """One treatment record of a course, of two beams."""
    named = _named(number)
    return record(
        named["plan"],
        [beam_item(n, fraction, 200.0, 200.0) for n in (1, 2)],
        at=at,
        PatientID=f"{number:06d}",
        PatientName=f"BENCH^{number:06d}",
        SOPInstanceUID=_record(number, fraction),
        SeriesDate=f"{at:%Y%m%d}",
        InstanceCreationDate=f"{at:%Y%m%d}",
        InstanceCreationTime=f"{at:%H%M%S}",
    )


def _named(number: int) -> dict[str, str]:
    return {what: uid("history", what, number) for what in ("plan", "set", "series")}


def _record(number: int, fraction: int) -> str:
    return uid("history", number, fraction)


def _slice(number: int, place: int) -> str:
    return uid("history", "slice", number, place)


def _days(number: int, today: date) -> list[date]:
    """When a course was treated, up to yesterday: number 0 began then, the others before it, one after the other."""
    began = 1 + number * 365 // COURSES_A_YEAR
    days = (today - timedelta(days=ago) for ago in range(began, 0, -1))
    return [day for day in days if day.weekday() < 5][:FRACTIONS]


def _add_course(space: Workspace, number: int) -> None:
    named, patient_id = _named(number), f"{number:06d}"
    patient = Patient(patient_id, f"BENCH, {patient_id}", None, None)
    made = replace(
        _PLAN, ref=replace(_PLAN.ref, sop_instance_uid=named["plan"], patient_id=patient_id), patient=patient,
        structure_set_uids=(named["set"],),
    )  # fmt: skip
    slices = tuple(_slice(number, place) for place in range(3))
    contours = replace(
        _STRUCTURE_SET, ref=replace(_STRUCTURE_SET.ref, sop_instance_uid=named["set"], patient_id=patient_id),
        image_series=(ReferencedSeries(named["series"], None, slices),), patient=patient,
    )  # fmt: skip
    space.collection.plans[named["plan"]], space.collection.structure_sets[named["set"]] = made, contours
    asked_at = space.now.astimezone(UTC)
    for held in (named["plan"], named["set"]):
        space.holdings.answers[held] = Holding(held, "IMAGE", 1, 1, asked_at)
    answer = Holding(named["series"], "SERIES", 3, 3, asked_at, 3, "\\".join(slices))
    space.holdings.answers[named["series"]] = answer
    for fraction, day in enumerate(_days(number, space.local_now.date()), start=1):
        record_uid = _record(number, fraction)
        beams = tuple(replace(beam, current_fraction_number=fraction) for beam in _RECORD.beams)
        ref = replace(_RECORD.ref, sop_instance_uid=record_uid, patient_id=patient_id)
        space.collection.records[record_uid] = replace(
            _RECORD, ref=ref, patient=patient, treatment_date=day,
            beams=beams, referenced_rt_plan_uid=named["plan"], number_of_fractions_planned=FRACTIONS,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """One cycle as cron runs it: seconds by the clock and of the processor, the most memory, and which files of
    courses that rest it wrote."""

    wall: float
    processor: float
    megabytes: float
    written: int


def measured(clinic: TwoNodes) -> Measured:
    """Run a cycle in a process of its own, and see that it did all that was asked."""
    resting = load_config(clinic.config).cache_path / "resting"
    before = {path: path.stat().st_mtime_ns for path in resting.rglob("*.parquet")}
    command = [sys.executable, "-m", "backup_jobs", "cycle", "--json", "--config", str(clinic.config)]
    started = perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL)
        peak = 0.0
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, _high_water_megabytes(process.pid))
            sleep(0.02)
        _, status, used = ended
        wall = perf_counter() - started
        said.seek(0)
        assert os.waitstatus_to_exitcode(status) == 0, said.read().decode()
    written = sum(before.get(path) != path.stat().st_mtime_ns for path in resting.rglob("*.parquet"))
    return Measured(wall, used.ru_utime + used.ru_stime, peak, written)


def _high_water_megabytes(pid: int) -> float:
    """The most memory that a process had so far; what `wait4` says includes that of whoever started it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


def long_history(row: Callable[[str, str, str, float], None], sizes: Sequence[int], runs: int = 5) -> None:
    """Cycles that find nothing new, and one new record, as more and more is held; `row` prints one."""
    first = None
    for held in sizes:
        with tempfile.TemporaryDirectory() as folder, two_nodes(Path(folder)) as clinic:
            now = datetime.now(UTC)
            make(clinic, now, held)
            give_turns(clinic, now, runs + 2)
            measured(clinic)
            found = [measured(clinic) for _ in range(runs)]
            first = first or statistics.median(one.processor for one in found)
            row(
                f"cycle, {ACTIVE} courses active, {held} records held",
                "nothing new",
                _told(found),
                _ratio(first, found),
            )
            clinic.rv.put(encode(record_of(0, FRACTIONS + 1, now.replace(tzinfo=None))))
            found = [measured(clinic)]
            row(f"cycle, {held} records held", "one record new", _told(found), _ratio(first, found))


def _told(found: Sequence[Measured]) -> str:
    wall, processor, megabytes = (
        statistics.median(getattr(one, name) for one in found) for name in ("wall", "processor", "megabytes")
    )
    written = max(one.written for one in found)
    return f"{wall:.2f} s, {processor:.2f} s of the processor, {megabytes:.0f} MB, {written} files of those who rest"


def _ratio(first: float, found: Sequence[Measured]) -> float:
    return first / statistics.median(one.processor for one in found)
