"""Whether the audit file is what was written: every line follows from the one before, and none is missing at the end.

Goal
    A verdict in words, with the line that breaks the chain.

How
    Read every line under the file's lock, compare `before` and number with the line before, then compare the end with
    the head file. `recovery/access/audit.py` says what a chain can show and what it cannot.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from recovery.access.audit import EMPTY, HEAD_MISSING, TORN, AuditFile, Head, parsed


@dataclass(frozen=True, slots=True)
class Verdict:
    """`breaks`: what disproves the chain, the first first. `notes`: what a crash explains. `head`: the chain's end."""

    breaks: tuple[str, ...]
    notes: tuple[str, ...]
    head: Head

    @property
    def is_whole(self) -> bool:
        return not self.breaks

    @property
    def in_words(self) -> str:
        """One sentence."""
        if self.breaks:
            return f"The audit file is NOT whole. {self.breaks[0]}"
        if not self.head.number:
            return "The audit file is empty: nothing was written yet, and no head file says otherwise."
        number = self.head.number
        return f"The audit file is whole: {number} line{'s' if number > 1 else ''}, each follows from the one before."


def verify(audit: AuditFile, noted: Head | None = None) -> Verdict:
    """Read the whole file and judge it; `noted` is a head that somebody wrote down earlier (its size is not used).

    Raises
    ------
    OSError
        If the file is there and cannot be read.
    """
    with audit.reading():
        breaks, notes, heads, end = _follow(audit, noted.number if noted else 0)
        breaks += _compare_with_head(audit, end, heads)
        notes += _crash_notes(audit, end)
    if noted is not None and (heads.get(noted.number) or "").lower() != noted.sha256.lower():
        breaks.append(f"Line {noted.number} is not the line that was noted: the chain up to it was made anew.")
    return Verdict(tuple(breaks), tuple(notes), end)


def _follow(audit: AuditFile, wanted: int) -> tuple[list[str], list[str], dict[int, str], Head]:
    """Breaks, notes, hashes by number (of the last lines and of the wanted one), and the end of the chain."""
    breaks: list[str] = []
    notes: list[str] = []
    heads: dict[int, str] = {}
    before, torn = EMPTY, 0
    for number, line in enumerate(audit.lines(), start=1):
        said = parsed(line)
        if torn and said is not None and said["action"] == TORN:
            notes.append(f"Line {torn} was torn by a crash or a full disk, and closed by line {number}.")
        elif torn:
            breaks.append(f"Line {torn} is not a line of this file.")
        torn = 0 if said else number
        if said and (said["before"] != before.sha256 or said["n"] != before.number + 1):
            breaks.append(f"Line {number} does not follow from line {number - 1}.")
        if said and said["action"] == HEAD_MISSING:
            breaks.append(f"Line {number}: the head file was missing; lines before it may have been cut off.")
        counted = said["n"] if said and isinstance(said["n"], int) else before.number + 1
        before = Head(counted, hashlib.sha256(line).hexdigest(), before.size + len(line) + 1)
        heads[counted] = before.sha256
        if counted - 3 != wanted:
            heads.pop(counted - 3, None)
    if torn:
        notes.append(f"Line {torn} is torn, and nothing was written since.")
    return breaks, notes, heads, before


def _compare_with_head(audit: AuditFile, end: Head, heads: dict[int, str]) -> list[str]:
    try:
        head = audit.read_head()
    except ValueError:
        return [f"The head file {audit.head_path.name} is damaged: whether lines are missing at the end is unknown."]
    if head is None:
        missing = f"The head file {audit.head_path.name} is missing: whether lines are missing at the end is unknown."
        return [missing] if end.number else []
    if end.number < head.number:
        return [f"{head.number - end.number} lines are missing at the end, from line {end.number + 1} on."]
    if heads.get(head.number) != head.sha256:
        return [f"Line {head.number} is not the line that the head file knows."]
    if end.number > head.number + 2:
        return [f"{end.number - head.number} lines at the end are not known to the head file."]
    return []


def _crash_notes(audit: AuditFile, end: Head) -> list[str]:
    try:
        head = audit.read_head()
    except ValueError:
        return []
    if head is not None and head.number < end.number <= head.number + 2:
        return ["The newest line was written and its head was not: a crash between the two explains it."]
    return []
