"""`python -m recovery transfer-out --patient ID -o FOLDER`: a packet of one patient for another hospital; and signed,
that it goes on there, or not after all.

What is missing or not proven is said on standard error, in the summary and in the manifest, by UID. Exit status: 0 the
packet is whole and proven, and signed where that was asked, 1 it is made and lacks what is named, or nothing was to be
signed, 2 no packet was made, 75 another is being made.
"""

import argparse
import getpass
import sys
from datetime import datetime
from pathlib import Path

from recovery.access.accounts import Accounts, AccountsFileError
from recovery.access.audit import AuditError, AuditEvent, AuditFile
from recovery.access.permissions import Permission, User
from recovery.cache.doors import cache_to_show, doubts_of
from recovery.cache.journal import lock
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.charting import FontError
from recovery.commands.user import HERE
from recovery.dimse import DimseError
from recovery.entries.downtimes import told_at
from recovery.entries.transfers import standing_at, statement, transfers_file
from recovery.host.clock import read_clock
from recovery.host.durable import LockedError
from recovery.host.entry_lines import append_statement
from recovery.packing.encryption import WrongKeyError, encrypt, passphrase_of, private_folder, recipients_of
from recovery.pacs.peers import pacs_peer
from recovery.patient.file import PatientNotFoundError
from recovery.patient.listed import read_list
from recovery.restoring.contents import one_patient_each
from recovery.settings.config import Config
from recovery.transferring.making import PacketError, make, placed
from recovery.words.printable import tell

LOCK, BESIDE = "transfer-out", "transferring-"
DONE, PARTLY, NOTHING, BUSY = 0, 1, 2, 75
NOT_DE_IDENTIFIED = "Nothing is de-identified: who receives it must be allowed to."


def run(config: Config, options: argparse.Namespace) -> int:
    """Make a packet, sign, or both; returns the exit status. Raises `CacheError` if the cache cannot be read."""
    now = read_clock()
    try:
        with lock(config.cache_path, LOCK):
            cache = cache_to_show(config, now)
            numbers = one_patient_each(cache, [options.patient])[0]
            signer = _signer(config, options)
            status = _packet(config, options, cache, numbers, now) if options.output is not None else DONE
            if signer is None:
                return status
            if status != DONE:
                return _say("It is not signed: read what it lacks, and sign without -o.", status)
            return _sign(config, options, cache, numbers[0], signer, now)
    except LockedError as error:
        return _say(f"{error}; try again when it has ended", BUSY)
    except (PacketError, PatientNotFoundError, WrongKeyError, AuditError, AccountsFileError, FontError) as error:
        return _say(str(error))
    except (DimseError, OSError) as error:
        return _say(f"No packet was made, and nothing signed. {error}")


def _packet(config: Config, options: argparse.Namespace, cache: Cache, numbers: tuple[str, ...], now: datetime) -> int:
    passphrase = passphrase_of(options.passphrase_env)
    is_encrypted = passphrase is not None or bool(recipients_of(options.recipient))
    tell(
        NOT_DE_IDENTIFIED,
        *doubts_of(cache),
        *filter(None, [told_at(config.cache_path, config.site.zone)]),
        file=sys.stderr,
    )
    output: Path = options.output
    details: dict[str, str | int | bool] = {"encrypted": is_encrypted, "to": options.to}
    event = AuditEvent(now, getpass.getuser(), "command line", "transfer out", HERE, numbers[0], details)
    AuditFile(config.audit_path).append(event)
    pacs = pacs_peer(config, Memory.load(config.cache_path))
    if is_encrypted:
        with private_folder(config.cache_path, BESIDE) as beside:
            lacks = make(config, cache, pacs, numbers, now, beside)
            encrypt(beside, output, options.recipient, passphrase)
    else:
        with placed(output) as beside:
            lacks = make(config, cache, pacs, numbers, now, beside)
    tell(*(f"LACKS  {said}" for said in lacks.missing), *(f"note   {said}" for said in lacks.remarks), file=sys.stderr)
    tell(f"It is in {output}." if lacks.missing else f"It is whole, in {output}.")
    return PARTLY if lacks.missing else DONE


def _signer(config: Config, options: argparse.Namespace) -> User | None:
    """Who signs; None where nothing is to be signed. Raises `PacketError` if it is nobody who may."""
    if not options.to and not options.take_back:
        if options.by or options.output is None:
            raise PacketError("Name the packet's folder with -o; or what --by signs, with --to or --take-back.")
        return None
    if options.take_back and (options.to or options.output is not None):
        raise PacketError("--take-back is signed alone.")
    account = Accounts(config.accounts_path).find(options.by)
    if account is None or account.is_disabled or not account.user.may(Permission.TRANSFERS):
        raise PacketError("--by names no account of a physicist or physician; `python -m recovery user list` has them.")
    return account.user


def _sign(
    config: Config, options: argparse.Namespace, cache: Cache, patient_id: str, signer: User, now: datetime
) -> int:
    """Sign what was asked: the audit file first."""
    rows = [row for row in read_list(cache) if row["patient_id"] == patient_id]
    standing, to, at = standing_at(config.cache_path), options.to or None, now.astimezone(config.site.zone)
    entry = statement(rows, patient_id, standing, to, options.take_back, f"{signer.full_name} ({signer.role})", at)
    if entry is None:
        return _say("No plan of this patient " + ("may still be treated." if to else "was transferred."), PARTLY)
    details: dict[str, str | int | bool] = {"to": options.to, "reason": options.take_back, "run_by": getpass.getuser()}
    event = AuditEvent(now, signer.name, str(signer.role), entry.action, HERE, patient_id, details)
    AuditFile(config.audit_path).append(event)
    append_statement(transfers_file(config.cache_path), entry)
    tell(f"Signed: transferred {entry.in_words()}." if to else f"Signed: taken back by {signer.full_name}.")
    return DONE


def _say(said: str, status: int = NOTHING) -> int:
    tell(said, file=sys.stderr)
    return status
