"""How far the audit file had come, a statement a day among those that people sign, so that it lies where they lie.

Nothing here can tell that the audit file was deleted and another begun, once its head and the cache's note are gone
with it. A cycle stores statements in the RT-PACS, and the copies off site have them: `rebuild` brings them back from
either, and `verify` holds the audit file against each that its own machine noted: others have files of their own.
"""

import platform
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recovery.host.entry_lines import Statement, append_statement, read_statements


@dataclass(frozen=True, slots=True)
class AuditHead(Statement):
    """The audit file's newest line, by number and hash. `entered_at`: aware, in the site's zone. `machine`: whose audit
    file it is; empty of an earlier version."""

    FILE = "audit_heads.jsonl"

    number: int
    line_sha256: str
    entered_at: datetime
    machine: str = ""

    @property
    def is_own(self) -> bool:
        return self.machine in {"", platform.node()}


def note_daily(cache_path: Path, number: int, line_sha256: str, now: datetime) -> None:
    """Note the first head of a day, where it is another than the last. Raises `OSError` if it cannot be written."""
    last = next((one for one in reversed(read_statements(cache_path, AuditHead).all) if one.is_own), None)
    is_new = last is None or last.line_sha256 != line_sha256
    if is_new and (last is None or last.entered_at.date() != now.date()):
        append_statement(cache_path, AuditHead(number, line_sha256, now, platform.node()))
