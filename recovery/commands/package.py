"""`python -m recovery package`: packs of plans for file mode, and the proof that one is what was written.

A line for each plan on standard output: in the pack, or not and why. Those lines and the index name patients; errors
do not. Exit status: 0 everything asked for is in the pack and proven, 1 something is not, 2 no pack was made, 75
another is being made.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from recovery.access.audit import AuditError
from recovery.access.permissions import Permission
from recovery.cache.copy_age import age_in_words, true_up_to
from recovery.cache.doors import cache_to_show, doubts_of
from recovery.cache.journal import lock
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.commands.arguments import DONE, PARTLY, chosen_of, note, tell_faults, who_answers
from recovery.dimse import DimseError
from recovery.entries.downtimes import told_at
from recovery.host.clock import read_clock
from recovery.packing.build import STILL, Override, PackError, Packing
from recovery.packing.contents import MOST_WAITS, Rules, wanted_plans
from recovery.packing.encryption import (
    encrypt,
    faults_of_encrypted,
    identities,
    passphrase_of,
    private_folder,
    recipients_of,
)
from recovery.packing.index import Line, summary
from recovery.packing.proof import faults_of
from recovery.pacs.peers import pacs_peer
from recovery.pacs.verified_objects import VerifiedObjects
from recovery.patient.chosen import MachineDay
from recovery.settings.config import Config
from recovery.settings.trust import key_or_why_not
from recovery.tables.schema import ON_TREATMENT
from recovery.words.printable import printable, tell
from recovery.words.values import absent, counted

LOCK = "package"
BESIDE = "packing-"
"""How folders begin, in the cache's, that an encrypted pack is made of."""
EVERYBODY = "everybody"


def run(config: Config, options: argparse.Namespace) -> int:
    """Make a pack or verify one; returns the exit status. Raises `RefusedError`."""
    if options.verify is not None:
        return _verify(config, options)
    try:
        now = read_clock()
        with lock(config.cache_path, LOCK):
            return _package(config, options, now)
    except DimseError as error:
        raise PackError(f"No pack was made; one that was there still stands. {error}") from error


def _package(config: Config, options: argparse.Namespace, now: datetime) -> int:
    output: Path | None = options.output or (config.package_path if options.everybody else None)
    if output is None:
        raise PackError("Name a folder with -o; only --everybody has one in the config, [package] path.")
    passphrase = passphrase_of(options.passphrase_env)
    is_encrypted = passphrase is not None or bool(recipients_of(options.recipient))
    if is_encrypted and options.output is None:
        raise PackError("Name the encrypted file with -o, such as -o pack.tar.age.")
    cache = cache_to_show(config, now)
    tell(*doubts_of(cache), file=sys.stderr)
    chosen = chosen_of(cache, options, now.astimezone(config.site.zone).date(), config.dashboard.exclude_patient_ids)
    override = _override(config, options, now, chosen)
    tell(f"{counted(len(chosen.patient_ids), 'patient')} to be packed")
    sys.stdout.flush()
    make = partial(make_pack, config, cache, chosen, asked_of(options, chosen), now, override, _tell)
    lines = _encrypted(config, make, output, options.recipient, passphrase) if is_encrypted else make(output)
    tell(*filter(None, (chosen.remark, summary(lines), f"It is in {output}.")))
    unknown = _unknown(chosen.patient_ids, lines)
    old = age_in_words(true_up_to(cache, ON_TREATMENT), now, config, "this pack")
    doubts = (unknown, told_at(config.cache_path, config.site.zone), old, key_or_why_not(config)[1])
    tell(*filter(None, doubts), file=sys.stderr)
    told = {"plans": sum(bool(line.folder) for line in lines), "patients": len(chosen.patient_ids)}
    try:
        note(config, now, "package", None, told)
    except AuditError as error:
        tell(f"{error} The pack is made and is not in the audit file.", file=sys.stderr)
        return PARTLY
    return PARTLY if unknown else status_of(lines)


def _unknown(asked: Sequence[str], lines: Sequence[Line]) -> str:
    """Who was asked for and has no line, by place: an error names no patient."""
    files = [line.case.file for line in lines]
    known = {patient_id for file in files for patient_id in (file.identity.patient_id, *file.older_patient_ids)}
    places = [str(place) for place, patient_id in enumerate(asked, start=1) if patient_id not in known]
    return f"No plan is known of the patient in place {', '.join(places)} of those asked for." if places else ""


def make_pack(
    config: Config,
    cache: Cache,
    chosen: MachineDay,
    asked: str,
    now: datetime,
    override: Override | None,
    on_line: Callable[[Line], None],
    folder: Path,
) -> list[Line]:
    """Make one pack, of whom `recovery.patient.chosen` named. Raises as `Packing.make` and `wanted_plans` do."""
    memory = Memory.load(config.cache_path)
    local = now.astimezone(config.site.zone).replace(tzinfo=None)
    packing = Packing(config, pacs_peer(config, memory), folder, asked, local, override, on_line)
    rules = Rules.of(config)
    return packing.make(wanted_plans(cache, rules, chosen.patient_ids, chosen.machine, now, MOST_WAITS))


def status_of(lines: Sequence[Line]) -> int:
    """0 when each plan is in the pack and nothing of it had to be overridden or could not be made anew."""
    return DONE if lines and not any(line.refused for line in lines) else PARTLY


def asked_of(options: argparse.Namespace, chosen: MachineDay) -> str:
    """Whose pack it is, in words that name nobody."""
    if options.everybody:
        return EVERYBODY
    if chosen.machine is not None:
        return f"machine {chosen.machine}"
    named = "\n".join(sorted(chosen.patient_ids)).encode()
    return f"{counted(len(chosen.patient_ids), 'named patient')} ({hashlib.sha256(named).hexdigest()[:8]})"


def _encrypted(
    config: Config, make: Callable[[Path], list[Line]], file: Path, recipients: Sequence[str], passphrase: str | None
) -> list[Line]:
    """Make the pack on this machine's own disk, where the cache is, and write it to `file` encrypted."""
    try:
        with private_folder(config.cache_path, BESIDE) as beside:
            lines = make(beside)
            encrypt(beside, file, recipients, passphrase)
    except OSError as error:
        why = f"{file} cannot be written: {error.strerror or error}. Look whether the disk is there and has room"
        raise PackError(f"{why}, and try again; {STILL}.") from error
    return lines


def _override(config: Config, options: argparse.Namespace, now: datetime, chosen: MachineDay) -> Override | None:
    """Who answers for what the gate refuses; written down before anything is packed.

    Raises `PackError` or `AccountError` if it is nobody who may; `AuditError` if it cannot be written down.
    """
    if not options.override and not options.by:
        return None
    reason = options.override.strip()
    if not reason or not options.by:
        raise PackError("--override needs a reason, and --by NAME: a physicist's account.")
    if not options.patient:
        raise PackError("--override is for --patient: name whom it is for. What a whole list lacks is no one reason.")
    account = who_answers(config, options.by, Permission.SIGN_OFF)
    for patient_id in chosen.patient_ids:
        note(config, now, "package override", patient_id, {"reason": reason}, account)
    return Override(account.full_name, reason)


def _verify(config: Config, options: argparse.Namespace) -> int:
    """Look at every file of a pack."""
    pack: Path = options.verify
    if not pack.exists():
        raise PackError(f"{pack} is not there.")
    try:
        digests, signers = VerifiedObjects.load(Cache(config.cache_path)).digests, config.signing.public_keys
        if pack.is_dir():
            faults = list(faults_of(pack, digests, signers))
        else:
            keys = identities(pack, options.identity, passphrase_of(options.passphrase_env))
            faults = faults_of_encrypted(pack, keys, digests, signers)
    except OSError as error:
        raise PackError(f"{pack} cannot be read: {error.strerror or error}.") from error
    return tell_faults(pack, faults)


def _tell(line: Line) -> None:
    person = line.case.file.identity
    who = f"{absent(person.patient_name)} ({person.patient_id})  {absent(line.case.plan.label)}"
    if not line.folder:
        tell(f"REFUSED  {absent(line.case.machine)}  {who}: {printable(line.why)}")
    else:
        tell(f"{'▲' if line.refused else ' '} packed {line.folder}" + (f": {line.why}" if line.refused else ""))
    sys.stdout.flush()
