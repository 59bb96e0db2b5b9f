"""Five days without the simulated clinic's R&V system, which comes back as it was six hours before it fell.

Goal
    What was given, the R&V system, the RT-PACS and the charts agree on every fraction and MU, and the report proves it.

How
    The clinic's own sessions are the truth. Until the fall they go into its R&V system and by cycles into the RT-PACS;
    from then on people chart them, as the page fills them in, on three workstations: one is offline for a day, two
    fractions are charted twice, three wrongly first, one is interrupted and finished the next day. Then an older copy
    of archive and database comes back, all that the work list names is typed in, once with a wrong number, and cycles
    read it. `RBRDT_FIVE_DAYS=whole` has all sixty patients instead of fourteen, and seven working days: 291 fractions.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from demo.clinic import delivery
from demo.clinic.courses import SimulatedSession
from demo.pacs.store import ArchiveStore
from demo.run.processes import Processes
from demo.run.simulated_clock import SimulatedClock
from demo.run.simulation import Simulation
from demo.run.workplace import TIME_ZONE, Workplace
from recovery.access.accounts import Accounts
from recovery.access.permissions import Role, User
from recovery.cache.snapshots import quarantined
from recovery.cache.store import Cache
from recovery.charting.sheet import chart_sheets
from recovery.course.charted_entries import ChartedFraction, standing
from recovery.entries.charted import charted_folder, enter, merge, new_entry_id, read_charted
from recovery.on_treatment.charting_checks import uncountable
from recovery.patient.file import PatientFile, read_patient_file
from recovery.patient.plan import PlanFile
from recovery.patient.reconciliation import NothingToSayError, Reconciliation, reconcile
from recovery.patient.tables import read_tables
from recovery.patient.to_chart import beams_due, facts_of, known_of
from recovery.settings.config import Config, load_config
from recovery.tables.delivered import DELIVERIES
from tests.forked import run_module

IS_WHOLE = os.environ.get("RBRDT_FIVE_DAYS") == "whole"
ZONE = ZoneInfo(TIME_ZONE)
OPENED = datetime(2026, 11, 20, 11)  # noqa: DTZ001  a Friday, site time
FALL = OPENED.replace(hour=17)
DAYS = [FALL.date() + timedelta(days=n) for n in (3, 4, 5, 6, 7, *(10, 11) * IS_WHOLE)]
BACK = datetime.combine(DAYS[-1], FALL.time())
OFFLINE = DAYS[2]
MOST_APART = 0.1
"""MU: what is rounded away where a number is typed."""

Beam = tuple[str, int, int]
"""Plan, fraction number and beam number."""


@dataclass
class Department:
    """The simulated clinic, three workstations with the same tables, and what was signed on them."""

    run: Simulation
    folder: Path
    charted: set[tuple[str, int]] = field(default_factory=set)
    twice: set[tuple[str, int]] = field(default_factory=set)
    corrected: set[tuple[str, int]] = field(default_factory=set)
    on_paper: set[str] = field(default_factory=set)
    """Plans that cannot be charted here."""

    @property
    def week(self) -> list[SimulatedSession]:
        return [s for s in self.run.clinic.sessions if FALL < s.ends_at <= BACK]

    @property
    def config(self) -> Config:
        return load_config(self.run.workplace.config_file)

    def command(self, module: str, *arguments: str, at: datetime) -> tuple[int, str]:
        self.run.clock.set(at)
        environment = {**os.environ, "RBRDT_CLOCK": str(self.run.clock.path)}
        config = str(self.run.workplace.config_file)
        done = run_module(module, *arguments, "--config", config, environment=environment, timeout=900)
        return done.returncode, done.stdout + done.stderr

    def cycle(self, at: datetime) -> str:
        status, said = self.command("backup_jobs", "cycle", "--json", at=at)
        assert status in {0, 1} and '"outcome": "FAILED"' not in said, said
        return said

    def reconciled(self, at: datetime) -> Reconciliation:
        return reconcile(self.config, self.cache(0), at.replace(tzinfo=ZONE))

    # three workstations

    def cache(self, workstation: int) -> Cache:
        """The first one is that of the jobs."""
        own = self.config.cache_path
        if workstation == 0:
            return Cache(own)
        path = self.folder / f"workstation {workstation}" / own.name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.symlink_to(own)
        return Cache(path)

    def merge(self, workstations: Iterable[int]) -> None:
        for source in workstations:
            for target in workstations:
                if source != target and charted_folder(self.cache(source).path).exists():
                    assert merge(self.cache(target).path, charted_folder(self.cache(source).path)) == []

    def read(self, workstation: int, session: SimulatedSession, at: datetime) -> tuple[PatientFile, PlanFile | None]:
        patient_id = session.plan.patient.patient_id
        file = read_patient_file(self.cache(workstation), self.config.site, patient_id, at.replace(tzinfo=ZONE))
        return file, next((p for p in file.plans if p.uid == session.plan.sop_instance_uid), None)

    def chart(
        self, workstation: int, session: SimulatedSession, given: Mapping[int, float],
        corrects: ChartedFraction | None = None,
    ) -> ChartedFraction | None:  # fmt: skip
        """As the page does: with the beams that are due, and in the knowledge of all that is seen there. Of what is
        corrected and was not given, that it is withdrawn; None where it has to stay on paper."""
        at = session.ends_at
        file, plan = self.read(workstation, session, at)
        if plan is None:
            return None
        number = session.fraction_number
        due = {beam.beam_number: beam for beam in (corrects.beams if corrects is not None else beams_due(plan, number))}
        if given and not due.keys() >= given.keys():
            return None
        path = self.cache(workstation).path
        entry = ChartedFraction(
            entry_id=new_entry_id(),
            patient_id=file.identity.patient_id,
            patient_name=file.identity.patient_name,
            patient_birth_date=file.identity.patient_birth_date,
            referenced_rt_plan_uid=session.plan.sop_instance_uid,
            fraction_number=number if given else None,
            treated_at=session.starts_at.replace(second=0),
            treatment_machine_name=session.plan.machine.name,
            beams=tuple(replace(due[beam], delivered_meterset=mu) for beam, mu in given.items()),
            signed_by="A. Therapist (a)",
            second_by="B. Therapist (b)",
            entered_at=at.replace(tzinfo=ZONE),
            known=known_of(file, plan, number, session.starts_at),
            known_entries=tuple(e.entry_id for e in read_charted(path).entries if e.of_plan(plan.uid)),
            corrects=corrects.entry_id if corrects is not None else None,
            is_withdrawn=not given and corrects is not None,
            comment="typed a wrong number" if corrects is not None else "",
        )
        if entry.beams and uncountable(facts_of(file, plan, entry, corrects)):
            return None
        enter(path, path.parent / f"key {workstation}", entry)
        return entry


def given_in(session: SimulatedSession) -> dict[int, float]:
    """MU by beam, without portfilms."""
    found: dict[int, float] = {}
    for record in delivery.records_of(session):
        for one in record.beams:
            if one.treatment_delivery_type != "TRMT_PORTFILM":
                number = one.beam.beam_number
                found[number] = round(found.get(number, 0.0) + one.delivered_meterset, 2)
    return found


def in_parts(sessions: list[SimulatedSession]) -> Iterator[SimulatedSession]:
    """A plan's sessions of the five days, the second one stopped in the middle, and finished the next day."""
    first, second, third, fourth, *_ = sessions
    yield first
    yield replace(second, stops_at=0.4)
    yield replace(second, starts_at=third.starts_at, continues_from=0.4, portfilm=False)
    yield replace(third, starts_at=fourth.starts_at)
    yield replace(fourth, starts_at=sessions[4].starts_at)


def plan_days(department: Department) -> None:
    """One fraction of the five days is interrupted: the clinic itself gives it so."""
    clinic = department.run.clinic
    of_plan: dict[str, list[SimulatedSession]] = {}
    for session in clinic.sessions:
        if FALL < session.starts_at <= BACK:
            of_plan.setdefault(session.plan.sop_instance_uid, []).append(session)
    plain = (s for s in of_plan.values() if len({one.starts_at.date() for one in s}) == len(s) >= 5)
    chosen = next(s for s in plain if not any(one.plan.is_ion or one.stops_at or one.continues_from for one in s))
    kept = [s for s in clinic.sessions if s not in chosen]
    clinic.sessions = sorted([*kept, *in_parts(chosen)], key=lambda s: (s.starts_at, s.session_id))


def truth(department: Department) -> dict[Beam, float]:
    """Of every fraction of which a part was given after the state that comes back: all its MU."""
    total: dict[Beam, float] = {}
    lately = set()
    for session in department.run.clinic.sessions:
        of = session.plan.sop_instance_uid, session.fraction_number
        if session.ends_at <= BACK:
            lately |= {of} if session.ends_at > OPENED else set()
            for beam, mu in given_in(session).items():
                total[*of, beam] = round(total.get((*of, beam), 0.0) + mu, 2)
    return {key: mu for key, mu in total.items() if key[:2] in lately}


def charted_here(department: Department, uids: Iterable[str]) -> dict[Beam, float]:
    """What the patients' pages tell of these plans, MU by fraction and beam."""
    whose = {plan.sop_instance_uid: plan for plan in department.run.clinic.plans}
    total: dict[Beam, float] = {}
    for uid in uids:
        session = next(s for s in department.run.clinic.sessions if s.plan is whose[uid])
        file, plan = department.read(0, session, BACK)
        assert plan is not None and plan.ledger is not None
        for fraction in plan.ledger.fractions:
            for beam in fraction.beams:
                if beam.delivered:
                    total[uid, fraction.fraction_number, beam.beam_number] = beam.delivered
        sheets = [one for one in chart_sheets(file) if one.plan_uid == uid]
        assert len(sheets) == 1 or not plan.is_unfinished, "what is over has none beside a plan that goes on"
        following = plan.row.next_fraction_number if plan.is_next_certain else None
        assert following is None or [one.first_row for one in sheets] == [str(following)]
    return total


def held_in_pacs(department: Department) -> dict[Beam, float]:
    """By the records that the RT-PACS holds, as the cache read them."""
    config, total = department.config, dict[Beam, float]()
    ids = [patient.patient_id for patient in department.run.clinic.patients]
    charted_of = read_tables(Cache(config.cache_path), ids).records
    for record in (one for own in charted_of.values() for one in own):
        for beam in record.beams:
            is_treatment = beam.treatment_delivery_type in {"TREATMENT", "CONTINUATION"}
            if is_treatment and not beam.charted_by and not record.is_of_database and beam.delivered_meterset:
                key = (
                    str(record.referenced_rt_plan_uid),
                    int(beam.current_fraction_number or 0),
                    int(beam.beam_number or 0),
                )
                total[key] = round(total.get(key, 0.0) + beam.delivered_meterset, 2)
    return total


def held_in_database(department: Department) -> dict[Beam, float]:
    total: dict[Beam, float] = {}
    for row in Cache(department.config.cache_path).read(DELIVERIES):
        if row["delivery_type"] in {"TREATMENT", "CONTINUATION"} and row["delivered_meterset"]:
            key = row["referenced_rt_plan_uid"], row["fraction_number"], row["beam_number"]
            total[key] = round(total.get(key, 0.0) + row["delivered_meterset"], 2)
    return total


def lacking(found: Reconciliation) -> set[tuple[str, int | None]]:
    return {
        (i.compared.referenced_rt_plan_uid, i.compared.fraction_number) for i in found.open if i.compared.is_lacking
    }


def only(told: Mapping[Beam, float], of: Iterable[Beam]) -> dict[Beam, float]:
    return {key: told[key] for key in of if key in told}


def assert_alike(told: Mapping[Beam, float], real: Mapping[Beam, float]) -> None:
    assert told.keys() == real.keys()
    assert [(key, told[key], mu) for key, mu in real.items() if abs(told[key] - mu) > MOST_APART] == []


def treat(department: Department, day: date) -> None:
    """What is given on a day is charted; so much of it wrongly, or twice, as the downtime is to have."""
    workstations = (0, 1) if day == OFFLINE else (0, 1, 2)
    department.merge(workstations)
    own = [s for s in department.run.clinic.sessions if s.ends_at.date() == day and s.ends_at > FALL]
    for place, session in enumerate(own):
        given, workstation = given_in(session), session.plan.patient.number % 3
        key = session.plan.sop_instance_uid, session.fraction_number
        is_plain = not (session.stops_at or session.continues_from) and len(given) > 1
        if is_plain and place and len(department.corrected) < 3:
            first = min(given)
            wrong = department.chart(workstation, session, {**given, first: round(given[first] / 2, 1)})
            if wrong is not None:
                department.corrected.add(key)
                assert department.chart(workstation, session, given, corrects=wrong) is not None
                department.charted.add(key)
            continue
        if department.chart(workstation, session, given) is None:
            department.on_paper.add(session.plan.sop_instance_uid)
            continue
        department.charted.add(key)
        if day == OFFLINE and workstation == 2 and len(department.twice) < 2:
            assert department.chart(0, session, given) is not None
            department.twice.add(key)
    for session in own:  # an appointment is the patient's: of the other plan, which has its turn tomorrow, it is said
        others = {s.plan.sop_instance_uid: s for s in department.week if s.plan.patient is session.plan.patient}
        for uid in others.keys() - {s.plan.sop_instance_uid for s in own}:
            workstation = session.plan.patient.number % 3
            department.chart(workstation, replace(others[uid], starts_at=session.starts_at), {})
    department.run.clinic.now = max(department.run.clinic.now, datetime.combine(day, BACK.time()))


def settle(department: Department) -> None:
    """Two people withdraw one of two entries for one fraction."""
    for session in department.run.clinic.sessions:
        uid, number = session.plan.sop_instance_uid, session.fraction_number
        if (uid, number) in department.twice:
            entries = read_charted(department.cache(0).path).entries
            one = next(e for e in entries if e.of_plan(uid) and e.fraction_number == number)
            assert department.chart(0, session, {}, corrects=one) is not None


def believe(department: Department, at: datetime) -> None:
    """Fractions of many are gone from the state that came back: it is kept apart until a physicist accepts it."""
    with pytest.raises(NothingToSayError, match=r"is quarantined.* restored to an older state"):
        department.reconciled(at)
    (held,) = quarantined(department.config.cache_path)
    who = User("physicist", "P. Physicist", Role.PHYSICIST)
    Accounts(department.config.accounts_path).add(who, "four words for tests", at.replace(tzinfo=ZONE))
    accept = ["accept-snapshot", held.snapshot_id, "--by", who.name, "--reason", "restored to Friday 11:00"]
    assert department.command("recovery", *accept, at=at)[0] == 0


def type_in(department: Department, since: datetime) -> None:
    """Everything since the state that came back is entered into the R&V system, which exports it as records."""
    clinic, database = department.run.clinic, department.run.database
    database.written_until, clinic.now = since, BACK
    assert database.catch_up(clinic) > 0
    archive = ArchiveStore(department.run.workplace.rv_folder)
    archive.ingest(delivery.dataset(record) for record in clinic.delivered(since, BACK))
    archive.close()


def typed_wrong(department: Department, mu: float | None = None) -> float:
    """Change, or put right, the MU of the last delivery in the R&V database."""
    with sqlite3.connect(department.run.workplace.database_file) as connection:
        key, old = connection.execute(
            "SELECT RadiationHstrySer, ActualMeterset FROM ExternalFieldCommonHstry ORDER BY 1 DESC LIMIT 1"
        ).fetchone()
        new = mu if mu is not None else round(old / 2, 1)
        connection.execute(
            "UPDATE ExternalFieldCommonHstry SET ActualMeterset = ? WHERE RadiationHstrySer = ?", (new, key)
        )
        connection.execute(
            "UPDATE RadiationHstry SET HstryDateTime = ? WHERE RadiationHstrySer = ?",
            (f"{department.run.clock.now():%Y-%m-%d %H:%M:%S}", key),
        )
    connection.close()
    return float(old)


@pytest.mark.timeout(1800)
def test_truth_rv_system_rt_pacs_and_charts_agree_on_every_fraction_and_mu(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs", tmp_path / "clock.json") as processes:
        workplace = Workplace(tmp_path)
        clinic, database, nodes = workplace.open(1, OPENED, fast=not IS_WHOLE)
        backup = tmp_path / "backup of the R&V system"
        shutil.copytree(workplace.rv_folder, backup / "rv")
        shutil.copy(workplace.database_file, backup)
        with workplace.config_file.open("a", encoding="utf-8") as config:
            config.write("[guard]\npast_patients = 1\n")  # as a clinic of many patients would come to its ten
        clock = SimulatedClock(workplace.clock_file, OPENED, 0.0, ZONE)
        run = Simulation(workplace, clinic, database, nodes, clock, processes, cycle_seconds=1e9)
        run.start_archives()
        department = Department(run, tmp_path)
        department.cycle(OPENED)

        run.clock.set(FALL)
        assert run._treat() > 0
        department.cycle(FALL)
        run.kill_rv()
        begin = ["downtime", "begin", "--reason", "encrypted", "--signed-by", "P. Physicist"]
        assert department.command("recovery", *begin, at=FALL + timedelta(minutes=10))[0] == 0
        plan_days(department)
        for day in (FALL.date(), *DAYS):
            treat(department, day)
        department.merge((0, 1, 2))
        assert len(department.twice) == 2 and len(department.corrected) == 3
        plans = standing(read_charted(department.cache(2).path).entries)
        assert {uid for uid, plan in plans.items() if plan.conflicts} == {uid for uid, _ in department.twice}
        settle(department)
        department.merge((0, 1, 2))
        entries = [standing(read_charted(department.cache(n).path).entries) for n in range(3)]
        assert entries[0] == entries[1] == entries[2] and not any(plan.conflicts for plan in entries[0].values())
        given = truth(department)
        here = charted_here(department, {uid for uid, _ in department.charted})
        charted_keys = {key for key in given if key[:2] in department.charted}
        assert_alike(only(here, charted_keys), only(given, charted_keys))
        assert len(department.charted) >= (290 if IS_WHOLE else 50)

        workplace.bring_database_back()
        shutil.rmtree(workplace.rv_folder)
        shutil.copytree(backup / "rv", workplace.rv_folder)
        for file in tmp_path.glob(f"{workplace.database_file.name}*"):
            file.unlink()
        shutil.copy(backup / workplace.database_file.name, workplace.database_file)
        run._start_rv()
        department.cycle(BACK + timedelta(hours=1))
        believe(department, BACK + timedelta(hours=1))
        found = department.reconciled(BACK + timedelta(hours=1))
        assert lacking(found) >= {key[:2] for key in given if key[:2] in department.charted}
        status, said = department.command("recovery", "reconcile", at=BACK + timedelta(hours=1))
        assert status == 1 and "NOT EQUAL" in said

        type_in(department, OPENED)
        right = typed_wrong(department)
        department.cycle(BACK + timedelta(hours=2))
        found = department.reconciled(BACK + timedelta(hours=2))
        lost = {(s.plan.sop_instance_uid, s.fraction_number) for s in clinic.sessions if s.only_as_object}
        of_old, of_typing = (
            [
                i
                for i in found.open
                if ((i.compared.referenced_rt_plan_uid, i.compared.fraction_number) in lost) is is_old
            ]
            for is_old in (True, False)
        )
        assert len(of_typing) == 1, "the number that was typed wrong, and nothing else"
        agrees = ["--agrees", *(i.compared.item for i in of_old), "--signed-by", "P", "--reason", "never was in it"]
        assert of_old and department.command("recovery", "reconcile", *agrees, at=BACK + timedelta(hours=2))[0] == 1
        typed_wrong(department, right)
        department.cycle(BACK + timedelta(hours=3))
        status, said = department.command("recovery", "reconcile", at=BACK + timedelta(hours=3))
        assert status == 0 and "EQUAL since" in said and "SHA-256" in said, said
        assert_alike(only(held_in_database(department), given), given)
        assert_alike(only(held_in_pacs(department), given), given)
        assert_alike(only(charted_here(department, {uid for uid, _, _ in given}), given), given)
        end = ["downtime", "end", "--reason", "all compared", "--signed-by", "P. Physicist"]
        assert department.command("recovery", *end, at=BACK + timedelta(hours=4)) == (0, "The downtime is ended.\n")
