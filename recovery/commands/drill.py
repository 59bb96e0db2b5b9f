"""`python -m recovery drill`: recovery tried in earnest, in an empty place, without the R&V system.

How
    The config without `[rv]`, a folder in the cache's, and the RT-PACS: the tables are brought, the list is made, a
    chart is drawn, plans of patients drawn by lot are packed, machine by machine. Then every table is compared with the
    live one. The live cache is read, and nothing of it is changed; the folder goes at the end.

Exit status: 0 all was there and is the same, 1 something was not and is named, 2 it could not be held, 75 another is
under way.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from recovery.cache.copy_age import newest_proof
from recovery.cache.doors import cache_of, cache_to_show
from recovery.cache.errors import CacheError
from recovery.cache.journal import JobResult, Journal, lock
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.charting import charts_pdf
from recovery.commands.package import make_pack
from recovery.commands.rebuild import restore_tables
from recovery.dimse import DimseError, Peer
from recovery.drilling.comparison import charted_not_back, compare_caches, frames_of, newest_given, snapshots_not_sent
from recovery.drilling.report import Drill, PackedPlan, as_pdf
from recovery.entries.charted import read_charted
from recovery.host.clock import read_clock
from recovery.host.durable import replace as replace_file
from recovery.host.entry_lines import entries_folder
from recovery.host.logs import set_up_logging
from recovery.overview.build import build_overview
from recovery.packing.build import PackError
from recovery.packing.encryption import tidy_left
from recovery.packing.gate import IN_SHORT, OF_PROOF
from recovery.packing.index import Line
from recovery.pacs.charted_journals import bring_charted
from recovery.pacs.peers import pacs_peer
from recovery.pacs.verified_objects import VerifiedObjects
from recovery.pacs.workspace import bare_workspace
from recovery.patient.chosen import MachineDay, NobodyError, everybody
from recovery.patient.file import read_patient_files
from recovery.settings.config import Config
from recovery.tables.schema import ON_TREATMENT
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError
from recovery.words.values import ABSENT, counted

JOB = "drill"
BESIDE = "drill-"
"""How folders begin, in the cache's, in which a drill is held."""
SAMPLE = "a drill's sample"


def run(config: Config, options: argparse.Namespace, *, has_database: bool) -> int:
    """Hold a drill, note it in the journal and tell what it found; returns the exit status."""
    set_up_logging(config.cache_path, on_terminal=False)
    now = read_clock()
    config = replace(config, drill=replace(config.drill, patients=options.patients or config.drill.patients))
    try:
        with lock(config.cache_path, JOB):
            journal = Journal(config.cache_path)
            run_id = journal.start(JOB, now)
            try:
                drill = hold_drill(config, now, has_database=has_database)
                result = kept(config, drill)
            except (DimseError, CacheError, OSError) as error:
                result = JobResult(JOB, "FAILED", {}, message=str(error))
            journal.finish(run_id, result, read_clock())
    except OSError as error:
        raise RefusedError(f"the journal of runs cannot be written: {error}") from error
    tell(result.message, file=sys.stderr if result.outcome == "FAILED" else sys.stdout)
    if result.outcome == "PARTIAL":
        tell(*drill.findings(), file=sys.stderr)
    return {"OK": 0, "PARTIAL": 1}.get(result.outcome, 2)


def kept(config: Config, drill: Drill) -> JobResult:
    """Write the report, and say what the journal keeps of it. Raises `OSError` if it cannot be written."""
    folder = config.drill_path
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"recovery_drill_{drill.held_at:%Y-%m-%d_%H%M%S}.pdf"
    replace_file(path, as_pdf(drill, config.charts.paper, config.chart_font))
    counts = {
        "found": len(drill.plans),
        "rows": sum(table.rebuilt for table in drill.tables),
        "tables": sum(not table.why_not for table in drill.tables),
        "findings": len(list(drill.findings())),
    }
    said = f"{drill.in_words()}; report {path.name}"
    return JobResult(JOB, "PARTIAL" if any(drill.findings()) else "OK", counts, message=said)


def hold_drill(config: Config, now: datetime, *, has_database: bool) -> Drill:
    """Hold the lock `drill`. `has_database`: the clinic has one, so that tables of it are expected in the RT-PACS.

    Raises `DimseError` if the RT-PACS cannot be asked; `CacheError` if the live list cannot be read, or nothing can be
    written; `OSError` if there can be no folder.
    """
    with _empty_place(config) as folder:
        alone = replace(config.without_rv(), cache=replace(config.cache, path=str(folder)))
        return _Holding(alone, cache_to_show(config, now), now, has_database).hold()


@contextmanager
def _empty_place(config: Config) -> Iterator[Path]:
    tidy_left(config.cache_path, BESIDE)
    folder = Path(tempfile.mkdtemp(prefix=BESIDE, dir=config.cache_path)).absolute()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(entries_folder(folder), ignore_errors=True)


@dataclass(slots=True)
class _Holding:
    """One drill while it is held. `config`: of an empty cache, without the R&V system."""

    config: Config
    live: Cache
    now: datetime
    has_database: bool
    began: float = field(default_factory=time.monotonic)
    steps: list[tuple[str, float]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    plans: list[PackedPlan] = field(default_factory=list)

    def hold(self) -> Drill:
        zone = self.config.site.zone
        self.live.snapshot(ON_TREATMENT)
        before, charted = frames_of(self.live), read_charted(self.live.path).entries
        self.began = time.monotonic()
        cache = self._rebuild()
        patients = self._sample(cache)
        if patients:
            self._print_chart(cache, next(iter(patients.values()))[0])
            self._pack(cache, patients)
        rows: list[dict[str, Any]] = cache.read(ON_TREATMENT)
        newest, problems = newest_given(rows, self.now.astimezone(zone).replace(tzinfo=None))
        back = read_charted(cache.path).entries
        self.problems += [*problems, *charted_not_back(charted, back, self.now - self.config.schedule.grace)]
        self._note_snapshots_not_sent(cache)
        proof = newest_proof(self.live)
        return Drill(
            site=self.config.site.name,
            held_at=self.now.astimezone(zone),
            steps=self.steps,
            newest_fraction_at=newest.replace(tzinfo=zone) if newest is not None else None,
            newest_proof_at=proof.astimezone(zone) if proof is not None else None,
            patients=sum(map(len, patients.values())),
            plans=self.plans,
            tables=compare_caches(before, self.live, self._same_snapshot(cache), cache),
            remarks=self.remarks,
            problems=self.problems,
        )

    def _rebuild(self) -> Cache:
        """The cache from the RT-PACS alone; what was proven by re-reading is taken over from the live one."""
        memory, cache = Memory.load(self.config.cache_path), cache_of(self.config)
        pacs: Peer = pacs_peer(self.config, memory)
        with lock(self.config.cache_path, "snapshot_tables"):
            told = restore_tables(self.config, pacs, self.now, are_expected=self.has_database)
        self.problems += told.problems
        self.remarks += told.said
        self._note("the database's tables are back")
        said, problems = bring_charted(self.config, pacs)
        self.remarks += said
        self.problems += problems
        VerifiedObjects.load(self.live).save(cache, self.now)
        space = bare_workspace(self.config, memory, self.now)
        report = build_overview(space, pacs)
        self.problems += [f"{uid}: {why}" for uid, why in report.unreadable.items()]
        self.problems += memory.unfinished()
        self._note("the list of patients is back")
        return cache

    def _sample(self, cache: Cache) -> dict[str, list[str]]:
        """Patients drawn by lot, by machine; each day has its own lot."""
        try:
            known = everybody(cache, self.config.dashboard.exclude_patient_ids).patient_ids
        except NobodyError as error:
            self.problems.append(str(error))
            return {}
        lot = random.Random(f"{self.now:%Y-%m-%d}")  # noqa: S311  no secret
        drawn = set(lot.sample(known, min(self.config.drill.patients, len(known))))
        by_machine: dict[str, list[str]] = {}
        rows: list[dict[str, Any]] = cache.read(ON_TREATMENT)
        for row in rows:
            if row["patient_id"] in drawn:
                drawn.discard(row["patient_id"])
                by_machine.setdefault(row["treatment_machine_name"] or ABSENT, []).append(row["patient_id"])
        return dict(sorted(by_machine.items(), key=lambda pair: -len(pair[1])))

    def _print_chart(self, cache: Cache, patient_id: str) -> None:
        files = read_patient_files(cache, self.config.site, [patient_id], self.now, self.config.schedule.grace)
        charts_pdf(files, paper=self.config.charts.paper, own_font=self.config.chart_font)
        self._note("the first chart is drawn")

    def _pack(self, cache: Cache, patients: dict[str, list[str]]) -> None:
        """A pack for each machine; after the first and after the last the time is taken."""
        failed = 0
        for number, (machine, ids) in enumerate(patients.items(), start=1):
            folder = self.config.cache_path / f"pack-{number}"
            try:
                chosen = MachineDay(tuple(ids))
                lines = make_pack(self.config, cache, chosen, SAMPLE, self.now, None, lambda _: None, folder)
            except PackError as error:
                self.problems.append(f"No pack for {machine}: {error}")
                failed += 1
                continue
            self.plans += map(_packed, lines)
            shutil.rmtree(folder, ignore_errors=True)
            if number == 1 and any(line.folder for line in lines):
                self._note(f"the first machine's pack is proven ({machine}, {counted(len(ids), 'patient')})")
        if not any(plan.is_packed for plan in self.plans):
            self.problems.append("No plan of the sample was packed: nobody knows whether one can be.")
        elif not failed:
            self._note(f"all packs of the sample are proven ({counted(sum(map(len, patients.values())), 'patient')})")

    def _same_snapshot(self, cache: Cache) -> Cache:
        """The live cache at the snapshot that came from the RT-PACS, where it has that one; else at its newest."""
        restored, newest = cache.open_snapshot(), self.live.open_snapshot()
        if restored is None or newest is None:
            return self.live
        held = replace(self.live, snapshot_id=restored.snapshot_id, falls_back=False)
        try:
            held.open_snapshot()
        except CacheError:
            self.remarks.append("The live cache has not kept the snapshot that came: its newest was compared.")
            return self.live
        if restored.snapshot_id != newest.snapshot_id:
            when = newest.manifest.taken_at.astimezone(self.config.site.zone)
            self.remarks.append(f"The live cache has a newer snapshot of the database, of {when:%Y-%m-%d %H:%M}.")
        return held

    def _note_snapshots_not_sent(self, cache: Cache) -> None:
        restored, pause = cache.open_snapshot(), self.config.jobs.snapshot_tables.raw_data_minutes
        if restored is not None:
            due = self.now - timedelta(minutes=pause) - self.config.schedule.grace
            came, zone = restored.manifest.taken_at, self.config.site.zone
            self.problems += snapshots_not_sent(self.live.path, came, due, zone)

    def _note(self, step: str) -> None:
        self.steps.append((step, time.monotonic() - self.began))


def _packed(line: Line) -> PackedPlan:
    """What became of a plan. Of what the gate refuses, only what is not proven speaks against the RT-PACS."""
    uid, machine = line.case.plan.uid or ABSENT, line.case.machine or ABSENT
    if line.folder:
        said = f"packed and proven, {counted(len(line.case.objects), 'object')}"
        return PackedPlan(uid, machine, said, is_packed=True)
    rules = ", ".join(dict.fromkeys(IN_SHORT.get(one.rule, one.rule) for one in line.refused))
    is_failure = any(one.rule in OF_PROOF for one in line.refused)
    return PackedPlan(uid, machine, f"refused by the gate: {rules}", is_failure)
