"""A simulated quarter: four linacs, 120 fractions a day, nightly proofs, an outage of each side every week.

Right has to be each day's list; from the first fortnight to the last one no job may take more time, memory or files.
The quarter begins in the midst of a clinic's life: both archives hold all days after which a course of them rests.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from pydicom import Dataset

from benchmarks.reliability.ward import QUICK, forked
from recovery.cache.store import Cache
from recovery.overview.wanted_plans import ACTIVE_DAYS
from tests.clinic import TwoNodes, two_nodes
from tests.forked import import_all
from tests.objects import beam_item, encode, images, plan, record, structure_set, uid
from tests.orthanc import Orthanc

FRACTIONS, A_DAY, NEW_A_DAY, NOON = 20, 120, 6, 12
BEFORE = ACTIVE_DAYS + 4
"""Days before the quarter that both archives hold: so many courses are loaded by each cycle, from the first one on."""
FIRST = datetime(2026, 6, 1) - timedelta(days=BEFORE)  # noqa: DTZ001  site-local
METERSETS = {1: 100.0, 2: 120.0}
QUICK_ON_DISK: dict[str, object] = {"SyncStorageArea": False, "StorageAccessOnFind": "Answers"}
"""The archives leave their files to the system: they are killed here, and the machine is not. And they do not open each
record that they hold for a date that they have no index of, as an Orthanc does at every question: no R&V system does.
"""
LESS = 15
"""Days over which the beginning and the end are compared."""
MOST = {"effort": 1.3, "megabytes": 1.1, "files": 1.1}
"""How many times as much is no growth, while what the RT-PACS holds doubles."""
BYTES_PER_OBJECT = 300
"""Of the cache at most, once all were re-read: with 11,000 objects it had 244."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a job took. `effort`: its processor time, by what the same work as ever takes just then: others load the
    machine. `files`: of the cache, but of courses that rest, fifty a part. `bytes_per_object`: of all of the cache, by
    what the RT-PACS holds, for it keeps what it read."""

    job: str
    day: int
    effort: float
    megabytes: float
    files: int
    bytes_per_object: float


@dataclass
class Quarter:
    nodes: TwoNodes
    measured: list[Measured] = field(default_factory=list)

    @property
    def cache(self) -> Cache:
        return Cache(self.nodes.folder / "cache")

    def first_day(self, patient: int) -> int:
        """The first 120 are in mid-course when the first day is told of: they end in groups of six."""
        return patient // NEW_A_DAY - FRACTIONS + 1

    def treated_on(self, day: int) -> list[int]:
        return [n for n in range(A_DAY + NEW_A_DAY * day) if 0 <= day - self.first_day(n) < FRACTIONS]

    def fraction(self, patient: int, day: int) -> int:
        return min(FRACTIONS, day - self.first_day(patient) + 1)

    def objects_of(self, day: int) -> tuple[list[bytes], list[bytes]]:
        """What the R&V system is given in the morning, with the plans of who is new, and in the afternoon."""
        new = range(A_DAY + NEW_A_DAY * day if day else 0, A_DAY + NEW_A_DAY * (day + 1))
        treated = self.treated_on(day)
        first, second = ([ds for n in treated[half::2] for ds in self.given(n, day)] for half in (0, 1))
        return [encode(ds) for ds in (*(ds for n in new for ds in self.planned(n)), *first)], [*map(encode, second)]

    def planned(self, patient: int) -> Iterator[Dataset]:
        whose = self.whose(patient)
        slices = images(2, **whose)
        contours = structure_set(slices, **whose)
        made = plan(METERSETS, structure_set_uid=contours.SOPInstanceUID, SOPInstanceUID=uid("soak", patient), **whose)
        yield from (*slices, contours, made)

    def given(self, patient: int, day: int) -> Iterator[Dataset]:
        """One fraction; of one in fifty the second beam is cut off, and given in full a little later."""
        fraction, at = self.fraction(patient, day), FIRST + timedelta(days=day, hours=8, minutes=5 * (patient % 30))
        given = [(1, 100.0, 100.0, at), (2, 120.0, 120.0, at)]
        if (patient * 7 + day) % 50 == 0:
            given[1:] = [(2, 70.0, 120.0, at), (2, 50.0, 50.0, at + timedelta(minutes=20))]
        for moment in dict.fromkeys(when for *_, when in given):
            kind = "TREATMENT" if moment == at else "CONTINUATION"
            beams = [beam_item(b, fraction, d, s, kind) for b, d, s, when in given if when == moment]
            day_of = f"{moment:%Y%m%d}"
            made = {"InstanceCreationDate": day_of, "InstanceCreationTime": f"{moment:%H%M%S}", "SeriesDate": day_of}
            machine, whose = f"TB{1 + patient % 4}", self.whose(patient)
            yield record(uid("soak", patient), beams, at=moment, machine=machine, **made, **whose)

    def whose(self, patient: int) -> dict[str, str]:
        return {
            "PatientID": f"{patient:05d}",
            "PatientName": f"SOAK^N{patient:05d}",
            "StudyInstanceUID": uid("s", patient),
        }

    def job(self, name: str, day: int, hour: int, meanwhile: Callable[[], None] = lambda: None) -> int:
        """Run it at that hour; note what it took."""
        set_to = {"real": time.time(), "speed": 1, "simulated": (FIRST + timedelta(days=day, hours=hour)).isoformat()}
        set_to["simulated"] += "+02:00"  # type: ignore[operator]
        Path(str(self.nodes.clock)).write_text(json.dumps(set_to))
        arguments = ["backup_jobs", name, "--config", str(self.nodes.config)]
        clock = partial(os.environ.__setitem__, "RBRDT_CLOCK", str(self.nodes.clock))
        status, used = forked(arguments, self.nodes.folder / "output", clock, meanwhile)
        effort, megabytes = (used.ru_utime + used.ru_stime) / yardstick(), used.ru_maxrss / 1024
        files = {path: path.stat().st_size for path in self.cache.path.rglob("*") if path.is_file()}
        if hour > NOON:
            active = [path for path in files if self.cache.part().path not in path.parents]
            bytes_per_object = sum(files.values()) / self.nodes.pacs.count()
            self.measured.append(Measured(name, day, effort, megabytes, len(active), bytes_per_object))
        return status

    def wrong(self, day: int) -> list[str]:
        """Every fraction of everybody whom the list shows, and that it shows everybody treated today."""
        rows = {row["patient_id"]: row for row in self.nodes.table()}
        said = [f"{n} is not on the list" for n in self.treated_on(day) if f"{n:05d}" not in rows]
        for patient_id, row in rows.items():
            given = self.fraction(int(patient_id), day) - max(0, 1 - self.first_day(int(patient_id)) - 1)
            told = (row["fractions_delivered"], row["next_fraction_number"])
            last = self.fraction(int(patient_id), day)
            if told[0] != given or told[1] not in {last + 1, None if last == FRACTIONS else last + 1}:
                said.append(f"{patient_id}: {told}, and {given} were given, the last of number {last}")
        return said[:5]

    def compared(self, days: int) -> Iterator[tuple[str, float, float, float]]:
        """Medians of the first fortnight and of the last one, and how much the second may be."""
        for job in dict.fromkeys(one.job for one in self.measured):
            early = [one for one in self.measured if one.job == job and 0 < one.day - BEFORE <= LESS]
            late = [one for one in self.measured if one.job == job and one.day - BEFORE >= days - LESS]
            for what, times in MOST.items():
                first, last = (statistics.median(getattr(one, what) for one in group) for group in (early, late))
                yield f"{job}, {what}", first, last, first * times
            last = late[-1].bytes_per_object
            yield f"{job}, bytes_per_object", early[0].bytes_per_object, last, BYTES_PER_OBJECT

    def grown(self, days: int) -> list[str]:
        """What is more than it may be after so many days; tells all of it. Nothing before the fortnights are two."""
        if days < 1 + 2 * LESS:
            return []
        found = list(self.compared(days))
        print(f"after {days} days", *(f"{what}: {one:.2f} then {two:.2f}" for what, one, two, _ in found), sep="\n")
        return [f"{what} grew from {one:.2f} to {two:.2f}" for what, one, two, most in found if two > most]


def put_all(files: list[bytes], *archives: Orthanc) -> None:
    """By two at once, as linacs send."""
    with ThreadPoolExecutor(2) as pool:
        for archive in archives:
            list(pool.map(archive.put, files))


def yardstick() -> float:
    """How long a fixed piece of work takes this machine just now, in seconds of the processor; the best of three."""

    def once() -> float:
        began = time.process_time()
        sum(len(repr({n: str(n)})) for n in range(5_000))
        return time.process_time() - began

    return min(once() for _ in range(3))


def soak(_seed: int, tries: int) -> Iterator[list[str]]:
    """`tries` days: a cycle in the evening, in an outage one at noon, the proof at night; whether anything grows."""
    import_all(("backup_jobs", "recovery"))
    with (
        tempfile.TemporaryDirectory() as folder,
        two_nodes(Path(folder), environment=QUICK, options=QUICK_ON_DISK) as nodes,
    ):
        nodes.clock = str(Path(folder) / "clock.json")
        nodes.extra = f"[jobs.sync_records]\nfirst_days_back = {BEFORE + 1}\n"
        quarter = Quarter(nodes)
        for day in range(BEFORE):
            for files in quarter.objects_of(day):
                put_all(files, nodes.rv, nodes.pacs)
        days = [quarter.objects_of(BEFORE)]

        def prepare(day: int) -> None:
            days.append(quarter.objects_of(day))

        for day in range(BEFORE, BEFORE + tries):
            said, (morning, afternoon) = list[str](), days.pop()
            put_all(morning, nodes.rv)
            if (away := {3: nodes.rv, 5: nodes.pacs}.get((day - BEFORE) % 7)) is not None:
                away.kill()
                said += [] if quarter.job("cycle", day, NOON) in {1, 2} else ["an outage was not told"]
                away.start()
            put_all(afternoon, nodes.rv)
            status = quarter.job("cycle", day, 19)
            said += [] if status == 0 else [f"the evening's cycle: {status}"]
            status = quarter.job("verify_backup", day, 23, partial(prepare, day + 1))
            said += [] if status == 0 else [f"the proof: {status}"]
            done = day - BEFORE + 1
            yield said + quarter.wrong(day) + (quarter.grown(done) if done % 10 == 0 or done == tries else [])
