"""MOSAIQ's deliveries, as RT Beams Treatment Records in the RT-PACS.

How
    A part of `snapshot_tables`: the deliveries are in the cache by then, and `build_on_treatment` comes after. What is
    made, and under which UID, is `recovery.objects.treatment_record`; here is decided which sessions are asked about.

Why not all of two years in every run
    As in `sync_records`: the window in every run, whole courses of whoever is met in it, the longest not asked first.
    A record of the window is asked of the RT-PACS in every run, whatever this machine remembers; so is every one of a
    patient of whom a session was not proven, or whose record was found to be lost: it is sent again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydicom import Dataset

from backup_jobs.archive.archiving import ArchiveReport, Wanted, archive
from backup_jobs.transfer.plans_of_deliveries import Plans
from recovery.cache.memory import PATIENTS_PER_RUN
from recovery.course.deliveries import TREATING
from recovery.dicom.beam_kinds import no_beam
from recovery.dicom.model import RT_BEAMS_TREATMENT_RECORD, InstanceRef, Patient
from recovery.objects.treatment_record import (
    DeliveredSession,
    RecordVersion,
    amendments,
    moved,
    treatment_record,
    treatment_sessions,
    without_amended,
)
from recovery.objects.treatment_summary import patient_of
from recovery.on_treatment.untold_deliveries import untold_deliveries
from recovery.pacs.proven_objects import ProvenObjects
from recovery.pacs.record_holdings import forget_lost, lost_records
from recovery.pacs.workspace import Workspace, relational_rows
from recovery.tables.delivered import DELIVERIES, HISTORY_DAYS
from recovery.tables.relational import PATIENTS

TURNS = "delivered sessions"
MAY_DIFFER = frozenset(
    {
        *("PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "SeriesInstanceUID"),
        *("ReferencedSOPClassUID", "NumberOfFractionsPlanned"),
        *("BeamType", "RadiationType", "NumberOfWedges", "BeamLimitingDeviceLeafPairsSequence"),
        *("TreatmentTerminationCode", "TreatmentVerificationStatus", "BeamDescription"),
    }
)
"""What a record took from elsewhere when it was made, and what counts nothing and is shown as the tables tell it: it
does not become another one when that changes."""

NOT_AMENDED = "the RT-PACS never gave it back as it was sent, and the database says something else now; not sent again"


def archive_deliveries(space: Workspace, proven: ProvenObjects) -> tuple[ArchiveReport, list[str]]:
    """Bring the records of the sessions that are due into the RT-PACS; also returns remarks for the job's message.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    told = relational_rows(space, DELIVERIES)
    deliveries = [*told, *_kept(space, told)]
    sessions = treatment_sessions(deliveries)
    chosen = _chosen(space, [*sessions, *moved(deliveries, sessions, space.collection.records)])
    standings, stuck = _standings(space, chosen, proven)
    _owe(space, standings, stuck)
    lost = lost_records(space.holdings)
    new = [session for uid, (session, _) in standings.items() if uid in lost or uid not in space.collection.records]
    plans = Plans(space, new)
    report = archive(space, _wanted(space, standings, plans), proven, "making treatment records", space.collection.add)
    forget_lost(space.holdings, report.sent)
    report.found += len(stuck)
    report.unproven |= dict.fromkeys(stuck, NOT_AMENDED)
    _owe(space, standings, stuck)
    if space.held_records is not None:
        space.note_held({space.collection.records[uid].ref for uid in report.sent})
    _note_proven(space, chosen, {standings[uid][0].patient_id for uid in report.unproven if uid in standings})
    sent = [standings[uid][0] for uid in report.sent]
    incomplete = sum(not all(k.is_known for k in plans.facts(s).kinds(s)) for s in sent)
    return report, _remarks(incomplete, deliveries)


def _note_proven(space: Workspace, chosen: Iterable[DeliveredSession], unproven: set[str]) -> None:
    """A patient had a turn, and the first look is done, once the RT-PACS holds what was looked at."""
    space.memory.note_turns(TURNS, sorted({session.patient_id for session in chosen} - unproven))
    space.memory.first_look_done |= not unproven


def _kept(space: Workspace, deliveries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What held records tell and the database does not any more: they are amended to say other things, never that."""
    records = without_amended(space.collection.records)
    since = (space.local_now - timedelta(days=HISTORY_DAYS)).date()
    return [one.row for one in untold_deliveries(records, deliveries, since)] if deliveries else []


def _owe(
    space: Workspace, standings: Mapping[str, tuple[DeliveredSession, RecordVersion]], stuck: Iterable[str]
) -> None:
    """Note what the database tells and no record that is known here does: also for a run that ends before it asked."""
    lacking = {uid: s.patient_id for uid, (s, _) in standings.items() if uid not in space.collection.records}
    space.memory.owed = lacking | {uid: space.collection.records[uid].ref.patient_id or "" for uid in stuck}


def _remarks(incomplete: int, deliveries: Iterable[Mapping[str, Any]]) -> list[str]:
    what = "BeamType, RadiationType, NumberOfWedges or beam limiting devices"
    said = [f"{incomplete} new treatment records lack {what}: their plan is not held"] if incomplete else []
    of_nobody = sum(row["patient_id"] is None and row["delivery_type"] in TREATING for row in deliveries)
    if of_nobody:
        said.append(f"{of_nobody} deliveries name no patient, have no treatment record and are not counted")
    kept = {row["delivery_id"] for row in deliveries if not no_beam(row)}
    if no_beams := sum(no_beam(row) and row["delivery_id"] not in kept for row in deliveries):
        what = "have no treatment record: counted from the database, by session where no beam is named"
        said.append(f"{no_beams} deliveries of brachytherapy or ions {what}")
    return said


def _standings(
    space: Workspace, sessions: Iterable[DeliveredSession], proven: ProvenObjects
) -> tuple[dict[str, tuple[DeliveredSession, RecordVersion]], list[str]]:
    """The sessions by the UID of their record, and the UIDs of records that are not amended.

    An archive that alters what it stores would get another amendment in every run, for ever: a second one is sent
    only where the first was proven.
    """
    standings, stuck = {}, []
    for session in sessions:
        standing = amendments(session, space.collection.records)
        if standing.number > 2 and standing.replaces is not None and not proven.is_proven(standing.replaces):
            stuck.append(standing.replaces)
        else:
            standings[standing.sop_instance_uid] = session, standing
    return standings, stuck


def _chosen(space: Workspace, sessions: list[DeliveredSession]) -> list[DeliveredSession]:
    """The window's sessions, and all those of patients met in it who are new, or whose turn it is, and of those of
    whom the RT-PACS lost a record."""
    settings = space.config.jobs.sync_records
    days = settings.days_back if space.memory.first_look_done else max(settings.days_back, settings.first_days_back)
    window = space.window(days)
    met = {s.patient_id for s in sessions if s.day is None or s.day >= window.first}
    space.resting.wake(met)
    known = space.collection.records
    lost = {known[uid].ref.patient_id for uid in lost_records(space.holdings) if uid in known}
    whole = {*space.memory.in_turn(TURNS, sorted(met), PATIENTS_PER_RUN), *space.memory.owed.values(), *lost}
    return [s for s in sessions if s.patient_id in whole or s.day is None or s.day >= window.first]


def _wanted(
    space: Workspace, standings: Mapping[str, tuple[DeliveredSession, RecordVersion]], plans: Plans
) -> list[Wanted]:
    """The objects, by the UID under which each stands or has to be stored."""
    patients = {row["patient_id"]: patient_of(row) for row in relational_rows(space, PATIENTS)}
    wanted = []
    for uid, (session, standing) in standings.items():
        patient = patients.get(session.patient_id) or Patient(session.patient_id, None, None, None)
        ref = InstanceRef(uid, RT_BEAMS_TREATMENT_RECORD, "RTRECORD", patient_id=session.patient_id)
        build = partial(_build, session, standing, patient, plans)
        wanted.append(Wanted(ref, build, MAY_DIFFER))
    return wanted


def _build(
    session: DeliveredSession, standing: RecordVersion, patient: Patient, plans: Plans, made_at: datetime
) -> Dataset:
    facts = plans.facts(session)
    return treatment_record(session, standing.sop_instance_uid, standing.number, patient, facts, made_at)
