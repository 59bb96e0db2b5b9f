"""`python -m recovery transfer-out --patient ID -o FOLDER`: a packet of one patient for another hospital; and signed,
that it goes on there, or not after all.

What is missing or not proven is said on standard error, in the summary and in the manifest, by UID. Exit status: 0 the
packet is whole and proven, and signed where that was asked, 1 it is made and lacks what is named, or nothing was to be
signed, 2 no packet was made, 75 another is being made.
"""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from recovery.access.accounts import Account
from recovery.access.permissions import Permission
from recovery.cache.doors import cache_to_show, doubts_of
from recovery.cache.journal import lock
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.commands.arguments import DONE, PARTLY, note, who_answers
from recovery.dimse import DimseError
from recovery.entries.downtimes import told_at
from recovery.entries.transfers import standing_at, statement
from recovery.host.clock import read_clock
from recovery.host.entry_lines import append_statement
from recovery.packing.encryption import encrypt, passphrase_of, private_folder, recipients_of
from recovery.pacs.peers import pacs_peer
from recovery.patient.tables import read_list
from recovery.restoring.contents import one_patient_each
from recovery.settings.config import Config
from recovery.sites.network import opened_in
from recovery.transferring.making import PacketError, make, placed
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError

LOCK, BESIDE, OPENED = "transfer-out", "transferring-", "opened-copy-"
NOT_DE_IDENTIFIED = "Nothing is de-identified: who receives it must be allowed to."


def run(config: Config, options: argparse.Namespace) -> int:
    """Make a packet, sign, or both; returns the exit status. Raises `RefusedError`."""
    now = read_clock()
    with lock(config.cache_path, LOCK):
        if options.from_copy:
            return _of_copy(config, options, now)
        cache = cache_to_show(config, now)
        numbers = one_patient_each(cache, [options.patient])[0]
        signer = _signer(config, options)
        try:
            status = _packet(config, options, cache, numbers, now) if options.output is not None else DONE
        except (DimseError, OSError) as error:
            raise PacketError(f"No packet was made, and nothing signed. {_in_words(error, options)}") from error
        if signer is not None and status == DONE:
            return _sign(config, options, cache, numbers[0], signer, now)
    if signer is not None:
        tell("It is not signed: read what it lacks, and sign without -o.", file=sys.stderr)
    return status


def _in_words(error: Exception, options: argparse.Namespace) -> str:
    """What a disk said without a file's name, and what to do; any other error's own words."""
    if isinstance(error, RefusedError) or not isinstance(error, OSError) or error.errno is None:
        return str(error)
    why = f"{options.output} cannot be written: {error.strerror}"
    return f"{why}. Look whether the disk is there and has room, and try again."


def _of_copy(config: Config, options: argparse.Namespace, now: datetime) -> int:
    """The packet of another clinic's patient, of all that its copy off site tells: the objects lie there."""
    if options.to or options.take_back or options.output is None:
        raise PacketError("Of a copy a packet is made with -o; that a patient goes on elsewhere is signed there.")
    try:
        with private_folder(config.cache_path, OPENED) as room:
            there, cache, said = opened_in(room, config, options.from_copy, now)
            tell(*said, file=sys.stderr)
            numbers = one_patient_each(cache, [options.patient])[0]
            status = _packet(config, options, cache, numbers, now, there)
    except OSError as error:
        raise PacketError(f"No packet was made. {_in_words(error, options)}") from error
    asked = f"In it is no DICOM object: ask {there.site.name} for them, where `transfer-out` makes the whole packet."
    tell(asked, file=sys.stderr)
    return status


def _packet(
    config: Config,
    options: argparse.Namespace,
    cache: Cache,
    numbers: tuple[str, ...],
    now: datetime,
    elsewhere: Config | None = None,
) -> int:
    """`elsewhere`: the clinic of whose copy it is made."""
    of = elsewhere or config
    passphrase = passphrase_of(options.passphrase_env)
    is_encrypted = passphrase is not None or bool(recipients_of(options.recipient))
    tell(
        NOT_DE_IDENTIFIED,
        *doubts_of(cache),
        *filter(None, [told_at(cache.path, of.site.zone)]),
        file=sys.stderr,
    )
    output: Path = options.output
    note(config, now, "transfer out", numbers[0], {"encrypted": is_encrypted, "to": options.to, "of": of.site.name})
    pacs = pacs_peer(config, Memory.load(config.cache_path)) if elsewhere is None else None
    if is_encrypted:
        with private_folder(config.cache_path, BESIDE) as beside:
            lacks = make(of, cache, pacs, numbers, now, beside)
            encrypt(beside, output, options.recipient, passphrase)
    else:
        with placed(output) as beside:
            lacks = make(of, cache, pacs, numbers, now, beside)
    tell(*(f"LACKS  {said}" for said in lacks.missing), *(f"note   {said}" for said in lacks.remarks), file=sys.stderr)
    tell(f"It is in {output}." if lacks.missing else f"It is whole, in {output}.")
    return PARTLY if lacks.missing else DONE


def _signer(config: Config, options: argparse.Namespace) -> Account | None:
    """Who signs; None where nothing is to be signed. Raises `PacketError` or `AccountError` if it is nobody who may."""
    if not options.to and not options.take_back:
        if options.by or options.output is None:
            raise PacketError("Name the packet's folder with -o; or what --by signs, with --to or --take-back.")
        return None
    if options.take_back and (options.to or options.output is not None):
        raise PacketError("--take-back is signed alone.")
    return who_answers(config, options.by, Permission.TRANSFERS)


def _sign(
    config: Config, options: argparse.Namespace, cache: Cache, patient_id: str, signer: Account, now: datetime
) -> int:
    """Sign what was asked: the audit file first."""
    rows = [row for row in read_list(cache) if row["patient_id"] == patient_id]
    standing, to, at = standing_at(config.cache_path), options.to or None, now.astimezone(config.site.zone)
    entry = statement(rows, patient_id, standing, to, options.take_back, f"{signer.full_name} ({signer.role})", at)
    if entry is None:
        tell("No plan of this patient " + ("may still be treated." if to else "was transferred."), file=sys.stderr)
        return PARTLY
    note(config, now, entry.action, patient_id, {"to": options.to, "reason": options.take_back}, signer)
    append_statement(config.cache_path, entry)
    tell(f"Signed: transferred {entry.in_words()}." if to else f"Signed: taken back by {signer.full_name}.")
    return DONE
