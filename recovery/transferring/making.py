"""Make the whole packet in a folder, and put it in place only when it is whole."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from recovery.cache.store import Cache
from recovery.charting import on_paper
from recovery.dimse import Peer
from recovery.entries.downtimes import told_at
from recovery.folder.sums import SUMS, UNFINISHED
from recovery.host import system
from recovery.host.durable import staying
from recovery.identity.one_patient import without_others_ids
from recovery.pacs.charted_journals import with_denials
from recovery.pacs.verified_objects import VerifiedObjects, chain_of
from recovery.patient.file import PatientFile, PatientNotFoundError, files_of
from recovery.patient.recounted import as_of_now
from recovery.patient.tables import read_tables
from recovery.restoring.contents import Belongings, belongings, known_records
from recovery.settings.config import Config
from recovery.settings.trust import key_or_why_not
from recovery.transferring.fhir import as_json
from recovery.transferring.packet import BUNDLE, SUMMARY, Contents, bring, seal
from recovery.transferring.summary import as_pdf, is_counted
from recovery.words.refusals import RefusedError
from recovery.words.times import at_time


class PacketError(RefusedError):
    """A packet cannot be made. The text says why and what to do, and names no patient."""


@dataclass(frozen=True, slots=True)
class Lacks:
    """What a packet lacks or does not prove, and what else its receiver should know, a sentence each."""

    missing: tuple[str, ...]
    remarks: tuple[str, ...]


@contextmanager
def placed(folder: Path) -> Iterator[Path]:
    """A folder to make the packet in, whose contents are moved to `folder`, checksums last, when the block ends well.

    Raises `PacketError` if something else lies there; `OSError` if it cannot be written.
    """
    folder.mkdir(exist_ok=True)
    staging = folder / UNFINISHED
    if any(path != staging for path in folder.iterdir()):
        raise PacketError(f"{folder} holds other files. Name a folder that is empty.")
    try:
        with staying(folder):
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
            yield staging
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    for path in sorted(staging.iterdir(), key=lambda path: path.name == SUMS):
        system.move(path, folder / path.name)
    system.sync_folder(folder)
    staging.rmdir()


OUT_OF_REACH = "it lies in the clinic's own RT-PACS, which is not reached from here"


def make(
    config: Config, cache: Cache, pacs: Peer | None, numbers: tuple[str, ...], now: datetime, folder: Path
) -> Lacks:
    """Make it in an empty folder, of the patient of these numbers, the newest first. `now`: aware. Where no RT-PACS is
    in reach, it has no object, and names each that it lacks.

    Raises `PatientNotFoundError`, `CacheError` if list, records or plans cannot be read, `DimseError` if the RT-PACS
    cannot be asked, `OSError` if the disk does not take it, `FontError`.
    """
    site, grace = config.site, config.schedule.grace
    tables = as_of_now(read_tables(cache, numbers), cache, site, now, grace)
    files = files_of(tables, site, numbers[:1], now, grace)
    if not files:
        raise PatientNotFoundError("No table of the cache knows this patient ID.")
    file = _without_others(replace(files[0], downtime=told_at(cache.path, site.zone)))
    own = [plan for one in file.plans if (plan := tables.plans.get(one.uid or "")) is not None]
    needed = known_records(tables, numbers[0]).union(*(chain_of(plan, tables) for plan in own))
    digests = VerifiedObjects.load(cache).digests
    lacking = Belongings(numbers, (), dict.fromkeys(needed, OUT_OF_REACH))
    of, unknown = lacking, list[str]()
    if pacs is not None:
        doubted, unknown = with_denials(config, cache, pacs)
        of = belongings(pacs, numbers, needed, doubted.waiting, with_charts=False)
    contents = bring(of, file, digests, pacs, config, folder)
    lacks, local = lacks_of(file, contents, unknown), file.now
    said, paper = [*lacks.missing, *lacks.remarks], config.charts.paper
    seal(
        folder,
        contents,
        {"transfer_out": list(numbers), "missing": list(lacks.missing), "remarks": list(lacks.remarks)},
        {
            SUMMARY: as_pdf(file, said, contents.kinds, local, paper, config.chart_font),
            BUNDLE: as_json(file, contents.volumes, now, site.zone),
        },
        local,
        key_or_why_not(config)[0],
    )
    return lacks


def _without_others(file: PatientFile) -> PatientFile:
    """The file without other patients' names and numbers: they are nobody's in another hospital."""
    plans = (
        replace(plan, row=replace(plan.row, remarks=without_others_ids(plan.row.remarks))) if plan.row.remarks else plan
        for plan in file.plans
    )
    return replace(file, namesakes=(), plans=tuple(plans))


def lacks_of(file: PatientFile, contents: Contents, unknown: Iterable[str] = ()) -> Lacks:
    """Of objects, of the copy, and of each plan that may go on elsewhere; after what is `unknown`, in sentences."""
    missing, remarks = [*unknown, *contents.in_words()], []
    if not contents.files:
        missing.append("no DICOM object is in it")
    if file.as_of is None:
        missing.append("no run is known that asked both sides for records: count fractions anew")
    for plan in file.plans:
        name = f"plan {on_paper.text(plan.label)}"
        if plan.is_unfinished or plan.row.transferred:
            missing += [f"{name}: {plan.row.missing}"] if plan.row.missing else []
            missing += [] if is_counted(plan) else [f"{name}: its fractions are not known to be counted whole"]
            if (since := plan.row.unknown_since) is not None:
                missing.append(f"{name}: may have been treated since {at_time(since)}, ask the machine")
        if plan.prescription is None:
            remarks.append(f"{name}: no prescription is in the safety copy")
        if len(contents.volumes.get(plan.uid or "", ())) != 1:
            remarks.append(f"{name}: the plan does not name one target by UID, and its FHIR volume has none")
    if file.tables_missing:
        remarks.append(f"of the R&V system's tables the safety copy lacks {', '.join(sorted(file.tables_missing))}")
    return Lacks(tuple(missing), tuple(remarks))
