"""What was charted and signed, in the RT-PACS and proven: every line that this machine knows, then heads.

Why heads last
    A head says how many lines there are: whoever brings them back hears what is missing. So none is stored before the
    lines that it tells of are proven.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from backup_jobs.archive.archiving import ArchiveReport, Wanted, archive
from recovery.entries.journal_parts import taken_apart, vouch
from recovery.entries.statement_lines import known_as, lines_of
from recovery.objects.raw_journal import (
    heads_object,
    heads_ref,
    line_object,
    line_ref,
    statement_object,
    statement_ref,
)
from recovery.pacs.proven_objects import ProvenObjects
from recovery.settings.trust import key_or_why_not

if TYPE_CHECKING:
    from recovery.pacs.workspace import Workspace


def archive_charted(space: Workspace) -> ArchiveReport:
    """Store and prove what is new.

    Raises `DimseError` if the RT-PACS cannot be asked; `OSError` if a journal cannot be read.
    """
    parts, site = taken_apart(space.config.cache_path), space.config.site.name
    statements = lines_of(space.config.cache_path)
    if not parts and not statements:
        return ArchiveReport()
    lines, heads = [p for p in parts if not p.is_head], [p for p in parts if p.is_head]
    proven = ProvenObjects.load(space.cache)
    try:
        wanted = [Wanted(line_ref(site, line), partial(line_object, site, line)) for line in lines]
        wanted += [Wanted(statement_ref(site, *one), partial(statement_object, site, *one)) for one in statements]
        report = archive(space, wanted, proven, "storing what was charted")
        key, _ = key_or_why_not(space.config)
        if (heads or key is not None) and not report.unproven:
            names = {*(head.journal for head in heads), *(known_as(*one) for one in statements)}
            vouched = vouch(site, names, key) if key is not None else b""
            draw = partial(heads_object, site, heads, vouched=vouched)
            newest = Wanted(heads_ref(site, heads, vouched), draw)
            report.join(archive(space, [newest], proven, "storing what was charted"))
    finally:
        proven.save(space.cache, space.now)
    return report
