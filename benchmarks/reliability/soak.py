"""A simulated quarter: four linacs, 120 fractions a day, nightly proofs, an outage of each side every week."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.reliability.ward import QUICK, forked
from tests.clinic import TwoNodes, two_nodes
from tests.forked import import_all
from tests.objects import beam_item, encode, images, plan, record, structure_set, uid

FRACTIONS, A_DAY, NEW_A_DAY = 20, 120, 6
FIRST = datetime(2026, 6, 1)  # noqa: DTZ001  site-local
METERSETS = {1: 100.0, 2: 120.0}
LESS = 15
"""Days over which the beginning and the end are compared."""


@dataclass(frozen=True, slots=True)
class Measured:
    job: str
    day: int
    processor: float
    megabytes: float
    files: int
    megabytes_on_disk: float


@dataclass
class Quarter:
    nodes: TwoNodes
    measured: list[Measured] = field(default_factory=list)

    def first_day(self, patient: int) -> int:
        """The first 120 are in mid-course: they end in groups of six."""
        return patient // NEW_A_DAY - FRACTIONS + 1

    def treated_on(self, day: int) -> list[int]:
        return [n for n in range(A_DAY + NEW_A_DAY * day) if 0 <= day - self.first_day(n) < FRACTIONS]

    def fraction(self, patient: int, day: int) -> int:
        return min(FRACTIONS, day - self.first_day(patient) + 1)

    def plan(self, patient: int) -> None:
        whose = self.whose(patient)
        slices = images(2, **whose)
        contours = structure_set(slices, **whose)
        made = plan(METERSETS, structure_set_uid=contours.SOPInstanceUID, SOPInstanceUID=uid("soak", patient), **whose)
        for ds in (*slices, contours, made):
            self.nodes.rv.put(encode(ds))

    def treat(self, patient: int, day: int) -> None:
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
            ds = record(uid("soak", patient), beams, at=moment, machine=machine, **made, **whose)
            self.nodes.rv.put(encode(ds))

    def whose(self, patient: int) -> dict[str, str]:
        return {
            "PatientID": f"{patient:05d}",
            "PatientName": f"SOAK^N{patient:05d}",
            "StudyInstanceUID": uid("s", patient),
        }

    def job(self, name: str, day: int, hour: int) -> int:
        """Run it at that hour; note what it took."""
        set_to = {"real": time.time(), "speed": 1, "simulated": (FIRST + timedelta(days=day, hours=hour)).isoformat()}
        set_to["simulated"] += "+02:00"  # type: ignore[operator]
        Path(str(self.nodes.clock)).write_text(json.dumps(set_to))
        arguments = ["backup_jobs", name, "--config", str(self.nodes.config)]
        clock = partial(os.environ.__setitem__, "RBRDT_CLOCK", str(self.nodes.clock))
        status, used = forked(arguments, self.nodes.folder / "output", clock)
        processor, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        files = [path.stat().st_size for path in (self.nodes.folder / "cache").rglob("*") if path.is_file()]
        self.measured.append(Measured(name, day, processor, megabytes, len(files), sum(files) / 1e6))
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

    def told(self, days: int) -> Iterator[str]:
        """Medians of an early fortnight and of the last one; the courses begun in mid-course are over by day 20."""
        for job in dict.fromkeys(one.job for one in self.measured):
            early = [one for one in self.measured if one.job == job and FRACTIONS < one.day <= FRACTIONS + LESS]
            late = [one for one in self.measured if one.job == job and one.day > days - LESS]
            for what in ("processor", "megabytes", "files", "megabytes_on_disk"):
                if early and late:
                    two = [statistics.median(getattr(one, what) for one in group) for group in (early, late)]
                    yield f"{job}: {what} {two[0]:.2f} then {two[1]:.2f}"


def soak(_seed: int, tries: int) -> Iterator[list[str]]:
    """`tries` days: a cycle in the evening, in an outage one at noon, the proof at night; whether anything grows."""
    import_all(("backup_jobs", "recovery"))
    with tempfile.TemporaryDirectory() as folder, two_nodes(Path(folder), environment=QUICK) as nodes:
        nodes.clock = str(Path(folder) / "clock.json")
        nodes.extra = "[jobs.sync_records]\nfirst_days_back = 30\n"
        quarter = Quarter(nodes)
        for patient in range(A_DAY):
            quarter.plan(patient)
        for day in range(tries):
            for patient in range(A_DAY + NEW_A_DAY * day, A_DAY + NEW_A_DAY * (day + 1)):
                quarter.plan(patient)
            away, said = {3: nodes.rv, 5: nodes.pacs}.get(day % 7), list[str]()
            treated = quarter.treated_on(day)
            for patient in treated[::2]:
                quarter.treat(patient, day)
            if away is not None:
                away.kill()
                said += [] if quarter.job("cycle", day, 12) in {1, 2} else ["an outage was not told"]
                away.start()
            for patient in treated[1::2]:
                quarter.treat(patient, day)
            status = quarter.job("cycle", day, 19)
            said += [] if status == 0 else [f"the evening's cycle: {status}"]
            status = quarter.job("verify_backup", day, 23)
            said += [] if status == 0 else [f"the proof: {status}"]
            if day % 10 == 9 and day > FRACTIONS + LESS:
                print(f"after {day + 1} days", *quarter.told(day + 1), sep="\n", flush=True)
            yield said + quarter.wrong(day)
