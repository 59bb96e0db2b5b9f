"""Make the dashboard's tables from the RT-PACS: the job around `recovery.overview.build`."""

from collections.abc import Callable
from contextlib import suppress

from backup_jobs.archive.charted import archive_charted
from backup_jobs.transfer.transfer import in_words
from recovery.access.audit import AuditFile
from recovery.cache.doors import why_no_signature
from recovery.cache.journal import JobResult, lock
from recovery.commands.rebuild import is_damaged, restore_tables
from recovery.dimse import Peer
from recovery.entries.audit_heads import note_daily
from recovery.entries.charted import read_charted
from recovery.entries.noted import note
from recovery.host.durable import LockedError
from recovery.host.table_signatures import are_signed
from recovery.on_treatment.evidence import Listed
from recovery.on_treatment.missing import HELD_ONCE
from recovery.overview.build import build_overview
from recovery.pacs.charted_journals import denials_stated
from recovery.pacs.peers import pacs_peer
from recovery.pacs.record_holdings import many_lost
from recovery.pacs.workspace import Workspace
from recovery.tables.schema import DENIED, FIRST, SET_ASIDE
from recovery.watch.events import LOSS
from recovery.words.values import counted

JOB = "build_on_treatment"

LOST = "the RT-PACS does not hold it any more, and it is counted from what was read then"
NOT_COUNTED = (
    "the R&V system does not have it: it is not counted, and no next fraction is told. If it was given, sign it as a "
    "known gap on Backup health, and it counts; if not, have it deleted from the RT-PACS"
)
FIRST_ONE = (
    "the R&V system has nothing of its patient: it is counted, and no next fraction is told. If it was given, sign it "
    "as a known gap on Backup health; if not, have it deleted from the RT-PACS"
)
COUNTED = (
    "the R&V system does not have it, and it is counted: compare with the machine or paper, and sign it as a known gap"
)
PURGED = "the R&V system lacks {} of earlier fractions than those that it has of the same plans: it purges; they count"
NOT_AS_IT_WAS = "it is {}, and it is counted from what was read before"


def build_on_treatment(space: Workspace, take: Callable[[Listed], None] = lambda _: None) -> JobResult:
    """Bring the tables up to date; objects that cannot be read, and records that the RT-PACS lost, are named, and
    make it PARTIAL.

    What is damaged in the cache is made again from the RT-PACS, and said. `take` gets the list that was made.

    Raises `DimseError` if the RT-PACS cannot be asked; `CacheError` if the cache cannot be written; the tables before
    still stand.
    """
    pacs = pacs_peer(space.config, space.memory)
    mended = [*_mend_snapshot(space, pacs), *_take_denials(space, pacs)]
    report = build_overview(space, pacs)
    take(report.listed)
    lost = {u: LOST if what == HELD_ONCE else NOT_AS_IT_WAS.format(what) for u, what in sorted(report.lost.items())}
    charted, charted_faults = _charted(space)
    doubted = dict.fromkeys(sorted(space.doubted.of_state(SET_ASIDE)), NOT_COUNTED)
    doubted |= dict.fromkeys(sorted(space.doubted.of_state(FIRST)), FIRST_ONE)
    aside = list(doubted)
    doubted |= dict.fromkeys(sorted({*space.doubted.of_state(DENIED), *report.untold} - report.purged), COUNTED)
    unproven = report.unreadable | lost | charted | doubted
    counts = {
        "found": report.records,
        "already_held": report.records - report.records_read,
        "moved": report.records_read,
        "unproven": len(unproven),
        "rows": report.rows,
        "excluded": len(report.listed.excluded),
    }
    unreadable = sorted(space.tables.unreadable)
    damaged = [*space.damaged, *(f"part {number} of the courses that rest" for number in sorted(space.resting.mended))]
    loss, unsigned = many_lost(space, report.listed.rows), _why_unsigned(space)
    said = [
        loss,
        unsigned,
        f"cannot be read: {in_words(report.unreadable)}" if report.unreadable else "",
        f"damaged in the cache, and made again from the RT-PACS: {', '.join(damaged)}" if damaged else "",
        in_words(lost),
        in_words(doubted),
        PURGED.format(counted(len(report.purged), "treatment record")) if report.purged else "",
        f"charted by hand, and not proven in the RT-PACS: {in_words(charted)}" if charted else "",
        *charted_faults,
        *mended,
        f"tables of the R&V database that cannot be read, and are left out: {', '.join(unreadable)}"
        if unreadable
        else "",
    ]
    outcome = "PARTIAL" if unproven or unreadable or charted_faults or unsigned or loss else "OK"
    message = "; ".join(part for part in said if part)
    fault = LOSS if loss else ""
    rest, signed = unproven.keys() - set(aside), space.doubted.signed
    named = (*aside, *sorted(rest - signed), *sorted(rest & signed))  # the journal keeps the first ones, to be signed
    return JobResult(JOB, outcome, counts, named, message, fault=fault)  # type: ignore[arg-type]


def _take_denials(space: Workspace, pacs: Peer) -> list[str]:
    """What jobs stated of records that nobody gave, where that is lost here, or never was; what to say of it."""
    if not space.doubted.is_blank:
        return []
    lines, problems = denials_stated(space.config, pacs)
    space.doubted.take(space.config.cache_path, lines)
    return problems


def _why_unsigned(space: Workspace) -> str:
    """Of tables that the jobs signed before: why they do not any more."""
    config = space.config
    is_missed = are_signed(config.cache_path, tuple(config.signing.public_keys))
    return why_no_signature(config) if is_missed else ""


def _charted(space: Workspace) -> tuple[dict[str, str], tuple[str, ...]]:
    """What was charted and is not proven in the RT-PACS, by UID, and what is to be said of what people signed here.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    head, path = None, space.config.cache_path
    with suppress(OSError, ValueError):  # of another account, or damaged: `verify` says so
        head = AuditFile(space.config.audit_path).read_head()
    try:
        if head is not None:
            note_daily(path, head.number, head.sha256, space.now.astimezone(space.config.site.zone))
        lost = note(path, str(head or ""))
        report = archive_charted(space)
    except OSError as error:
        return {}, (f"what was charted by hand cannot be read, and is not in the RT-PACS: {error.strerror}",)
    return report.unproven, (*read_charted(path).faults, *lost)


def _mend_snapshot(space: Workspace, pacs: Peer) -> list[str]:
    """Bring the relational tables back from the RT-PACS where their newest snapshot is damaged; what to say of it."""
    if not is_damaged(space.config):
        return []
    try:
        with lock(space.config.cache_path, "snapshot_tables"):
            report = restore_tables(space.config, pacs, space.now, are_expected=True)
    except LockedError:
        return ["the newest snapshot of the R&V database's tables is damaged; it is being made again"]
    space.tables.forget()
    return ["the newest snapshot of the R&V database's tables is damaged", *report.said, *report.problems]
