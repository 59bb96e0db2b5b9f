"""`python -m recovery audit verify` and `audit show`: the audit file without a browser."""

from __future__ import annotations

import argparse
import json
import re
import sys

from recovery.access.audit import AuditFile, Head, parsed
from recovery.access.audit_proof import verify
from recovery.commands.arguments import Commands, add_command
from recovery.settings.config import Config
from recovery.words.printable import as_json, tell
from recovery.words.refusals import RefusedError

_HEAD = re.compile(r"(\d+):([0-9a-fA-F]{64})")


def add_parser(commands: Commands) -> None:
    """Declare `audit` and its verbs."""
    audit = commands.add_parser("audit", help="the audit file: verify, show")
    verbs = audit.add_subparsers(dest="verb", required=True, metavar="VERB")
    proof = add_command(verbs, "verify", "whether the file is what was written; says which line breaks the chain")
    proof.add_argument("--head", type=_noted, metavar="NUMBER:HASH", help="a head that was noted elsewhere earlier")
    show = add_command(verbs, "show", "who did what, a line of JSON each; it names patients by ID")
    show.add_argument("--who", help="of this account only")
    show.add_argument("--patient-id", help="about this patient only")
    show.add_argument("--action", help="of this action only, such as `export`")


def run(config: Config, options: argparse.Namespace) -> int:
    """Do what `options.verb` says; returns the exit status: of `verify` 0 whole, 1 broken, 2 cannot be read."""
    audit = AuditFile(config.audit_path)
    try:
        return _verify(audit, options.head) if options.verb == "verify" else _show(audit, options)
    except OSError as error:
        raise RefusedError(f"{audit.path} cannot be read: {error.strerror}") from error


def _verify(audit: AuditFile, noted: Head | None) -> int:
    verdict = verify(audit, *([noted] if noted is not None else []))
    tell(verdict.in_words, file=sys.stdout if verdict.is_whole else sys.stderr)
    for said in (*verdict.breaks[1:20], *verdict.notes[:20]):
        tell(said, file=sys.stderr)
    if verdict.is_whole and verdict.head.number:
        tell(f"Head, to be noted elsewhere: {verdict.head}")
    return 0 if verdict.is_whole else 1


def _show(audit: AuditFile, options: argparse.Namespace) -> int:
    wanted = {"who": options.who, "patient_id": options.patient_id, "action": options.action}
    for line in audit.lines():
        event = parsed(line)
        if event is not None and all(event.get(key) == value for key, value in wanted.items() if value is not None):
            tell(as_json(json.dumps(event, ensure_ascii=False)))
    return 0


def _noted(text: str) -> Head:
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError("write it as `audit verify` printed it: NUMBER:HASH")
    return Head(int(found[1]), found[2].lower(), 0)
