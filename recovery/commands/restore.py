"""`python -m recovery restore --to NAME`: from the RT-PACS to another DICOM node, each object proven by asking it.

With `--charted` what people charted in a downtime, as records, where a restored R&V system lacks it.

What the receiver holds already is not sent again: a run that was stopped is simply begun anew. What is said names
objects by UID; the report, which `-o` writes, patients by number. Exit status: 0 the receiver holds all that was asked
for, 1 it does not and it is named, 2 the RT-PACS or the receiver cannot be asked, 75 another restore is under way.
"""

import argparse
import sys
from collections.abc import Callable, Collection, Sequence, Set
from datetime import datetime, timedelta

from recovery.access.audit import AuditError
from recovery.cache.doors import cache_to_show
from recovery.cache.errors import CacheError
from recovery.cache.journal import lock
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.commands.arguments import DONE, PARTLY, note
from recovery.dicom.model import DateRange, InstanceRef
from recovery.dimse import DimseError, Peer, echo
from recovery.entries.charted import read_charted
from recovery.host.clock import read_clock
from recovery.host.durable import replace
from recovery.host.logs import progress
from recovery.pacs.charted_journals import with_denials
from recovery.pacs.peers import pacs_peer, receiver_peers
from recovery.patient.chosen import NobodyError, everybody
from recovery.patient.reconciliation import reconcile
from recovery.restoring.charted import encoded_records, lacking
from recovery.restoring.contents import Belongings, belongings, needed_by_plans, one_patient_each, patients_since
from recovery.restoring.report import HELD, SENT, TO_SEND, Report, summary
from recovery.restoring.sending import Sending, Unproven
from recovery.settings.config import Config
from recovery.settings.nodes import Destination, RemoteNode, is_really
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError
from recovery.words.times import at_time
from recovery.words.values import counted

LOCK = "restore"
UNSENT = "Nothing was sent."
NOT_DE_IDENTIFIED = (
    "Nothing is de-identified: names, numbers and birth dates go as they are. Who receives them must be allowed to."
)
A_CLOCK_AHEAD = timedelta(days=3660)
"""So far ahead may the clock have been of a console that dated a record: it came to be since the day, all the same."""
LEFT = "the run was left before it was proven"

_Plan = list[tuple[Belongings, "list[InstanceRef]"]]
"""Of each patient, what the receiver lacks."""


def run(config: Config, options: argparse.Namespace, sources: Sequence[RemoteNode]) -> int:
    """Restore, or say what would be; returns the exit status. Raises `RefusedError`.

    `sources`: the RT-PACS and, by name and address alone, the R&V system: nothing is said to it.
    """
    to = next((one for one in config.restore_to if one.name.casefold() == options.to.casefold()), None)
    if to is None:
        names = ", ".join(one.name for one in config.restore_to)
        there_are = f"There are: {names}." if names else "The config has no [[restore_to]]."
        raise RefusedError(f"No destination {options.to} in the config. {there_are}")
    if options.megabytes_per_second is not None and not options.megabytes_per_second > 0:
        raise RefusedError("--megabytes-per-second must be more than 0.")
    if is_really(to, sources):
        raise RefusedError(f"{to.name} is the R&V system or the RT-PACS of the config by another name. {UNSENT}")
    try:
        with lock(config.cache_path, LOCK):
            return _restore(config, options, to, read_clock(), {one.ae_title for one in sources})
    except CacheError as error:
        otherwise = UNSENT if options.charted else "Whom to restore can be said with --patient, --since or --everybody."
        raise RefusedError(f"{error} {otherwise}") from error
    except (AuditError, DimseError) as error:
        raise RefusedError(f"{UNSENT} {error}") from error


def _restore(
    config: Config, options: argparse.Namespace, to: Destination, now: datetime, others: Collection[str]
) -> int:
    """`others`: AE titles under which the RT-PACS may know another node than the receiver, and would send to that."""
    memory = Memory.load(config.cache_path)
    pacs, cache, report = pacs_peer(config, memory), cache_to_show(config, now), Report()
    receiver, asked = receiver_peers(config, memory, to)
    rate = options.megabytes_per_second
    sending = Sending(pacs, receiver, asked if to.answers_queries else None, config.pacs.retrieve, rate)
    sending.goes_directly = to.ae_title not in others
    if not to.answers_queries:
        echo(sending.receiver)
    tell(NOT_DE_IDENTIFIED, file=sys.stderr)
    if options.charted:
        plan = _charted(config, cache, to, sending, report, now)
    else:
        patients = one_patient_each(cache, _whom(config, options, pacs, cache, now))
        doubted, said = with_denials(config, cache, pacs)
        report.problems += said
        plan = _lacking(patients, _needed(cache, patients, report), doubted.waiting, sending, options, report)
    problem = ""
    if options.dry_run:
        for of, refs in plan:
            report.note(of, refs, TO_SEND)
    else:
        told = {"to": to.name, "node": str(to.node), **({"what": "charted"} if options.charted else {})}
        for of in (of for of, refs in plan if refs):
            note(config, now, "restore", of.patient_ids[0], told)
        problem = _send(plan, sending, report)
    report.problems += memory.unfinished()
    tell(summary(report, len(plan), to.name), *report.in_words())
    tell(*report.undone_in_words(), *filter(None, [problem]), file=sys.stderr)
    if options.output is not None:
        try:
            replace(options.output, report.as_csv(), private=True)
        except OSError as error:
            tell(f"{options.output} cannot be written: {error.strerror or error}", file=sys.stderr)
            return PARTLY
    return RefusedError.exit_status if problem else DONE if report.is_whole else PARTLY


def _charted(config: Config, cache: Cache, to: Destination, sending: Sending, report: Report, now: datetime) -> _Plan:
    """What was charted and the R&V database was just seen to lack, and the receiver does not hold.

    Raises `RefusedError`; `CacheError`; `DimseError` if one cannot be asked.
    """
    charted = read_charted(config.cache_path)
    if charted.faults:
        raise RefusedError(f"{UNSENT} {' '.join(charted.faults)}")
    if sending.asked is None:
        raise RefusedError(f"{UNSENT} {to.name} answers no queries: what was charted goes where it can be proven.")
    found = reconcile(config, cache, now)
    if now - found.known_at > config.schedule.grace:
        read = at_time(found.known_at.astimezone(config.site.zone))
        raise RefusedError(f"{UNSENT} The R&V database was last read {read}: let a cycle read it first.")
    goes, stays = lacking(cache, charted.entries, found)
    sending.made, unwritable = encoded_records(sending.pacs, goes, config.pacs.retrieve)
    sending.goes_directly = False
    report.problems += [*stays, *unwritable]
    refs: dict[str, list[InstanceRef]] = {}
    for one in goes:
        if one.ref.sop_instance_uid in sending.made:
            refs.setdefault(one.entry.patient_id, []).append(one.ref)
    plan: _Plan = []
    for patient_id, own in refs.items():
        of, held = Belongings((patient_id,), tuple(own)), sending.held(own)
        report.note(of, (ref for ref in own if ref in held), HELD)
        plan.append((of, [ref for ref in own if ref not in held]))
    return plan


def _whom(config: Config, options: argparse.Namespace, pacs: Peer, cache: Cache, now: datetime) -> Sequence[str]:
    """Raises `NobodyError`, `CacheError` where the list is asked for and cannot be read, `DimseError`."""
    excluded = config.dashboard.exclude_patient_ids
    if options.patient:
        return tuple(dict.fromkeys(options.patient))
    if options.since is None and not options.everybody:
        return everybody(cache, excluded).patient_ids
    today = now.astimezone(config.site.zone).date()
    dates = DateRange(options.since, today + A_CLOCK_AHEAD) if options.since is not None else None
    found = patients_since(pacs, dates, now, excluded)
    if not found:
        raise NobodyError("The RT-PACS holds no plan, structure set or record of anybody so asked for.", PARTLY)
    return found


def _needed(cache: Cache, patients: Sequence[tuple[str, ...]], report: Report) -> dict[str, set[str]]:
    try:
        return needed_by_plans(cache, patients)
    except CacheError as error:
        report.problems.append(f"Whether the RT-PACS lacks something that a plan needs is not known: {error}")
        return {}


def _lacking(
    patients: Sequence[tuple[str, ...]],
    needed: dict[str, set[str]],
    aside: Set[str],
    sending: Sending,
    options: argparse.Namespace,
    report: Report,
) -> _Plan:
    """What the RT-PACS has of each patient and the receiver does not. Raises `DimseError` if one cannot be asked."""
    plan: _Plan = []
    unknown = []
    with progress("asking both sides", len(patients), "patient") as on_progress:
        for number, ids in enumerate(patients, start=1):
            of = belongings(sending.pacs, ids, needed.get(ids[0], ()), aside, with_charts=options.with_charts)
            sending.copied |= of.copied
            held = sending.held(of.refs)
            report.note(of, (ref for ref in of.refs if ref in held), HELD)
            report.note_cannot_go(of)
            plan.append((of, [ref for ref in of.refs if ref not in held]))
            unknown += [] if of.refs else [str(number)]
            on_progress(1)
    if unknown:
        who = f"patient in place {', '.join(unknown)} of {counted(len(patients), 'patient')}"
        report.problems.append(f"The RT-PACS holds nothing of the {who} asked for.")
    return plan


def _send(plan: _Plan, sending: Sending, report: Report) -> str:
    """Send it, patient after patient; why it had to be left before its end, else nothing."""
    with progress("restoring", sum(len(refs) for _, refs in plan)) as on_progress:
        for number, (of, refs) in enumerate(plan):
            if not refs:
                continue
            try:
                _send_one(of, refs, sending, report, on_progress)
            except DimseError as error:
                for other, rest in plan[number:]:
                    report.note_unproven(other, rest, {ref.sop_instance_uid: Unproven(LEFT) for ref in rest})
                return f"It was left before its end; begin it anew when this is mended. {error}"
    return ""


def _send_one(
    of: Belongings, refs: list[InstanceRef], sending: Sending, report: Report, on_progress: Callable[[int], None]
) -> None:
    held = sending.send(refs, on_progress)
    report.note(of, (ref for ref in refs if ref in held), SENT)
    report.note_unproven(of, (ref for ref in refs if ref not in held), sending.unproven)
