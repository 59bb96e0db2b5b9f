"""Whether the audit file is what was written: every line follows from the one before, and none is missing at the end.

Read every line under the file's lock, compare `before` and number with the line before, then compare the end with the
head file. `recovery/access/audit.py` says what a chain can show and what it cannot.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from recovery.access.audit import EMPTY, HEAD_MISSING, TORN, AuditFile, Head, parsed
from recovery.host.durable import unchanging

MOST_BEHIND = 2
"""Lines of one write, which a crash may leave without their head: one that closes a torn line, and the event."""
_UNKNOWN = "whether lines are missing at the end is unknown."


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


def verify(audit: AuditFile, *noted: Head) -> Verdict:
    """Read the whole file and judge it; `noted`: heads that somebody wrote down earlier (their size is not used).

    Raises `OSError` if the file is there and cannot be read.
    """
    with unchanging(audit.path):
        head, fault = _head(audit)
        breaks, notes, hashes, end = _follow(audit, {one.number for one in (head, *noted) if one is not None})
    if fault and (end.number or audit.head_path.exists()):
        breaks.append(fault)
    elif head is not None:
        breaks += _compare(head, end, hashes)
        if head.number < end.number <= head.number + MOST_BEHIND:
            notes.append("The newest line was written and its head was not: a crash between the two explains it.")
    for one in dict.fromkeys(noted):
        if hashes.get(one.number, "").lower() != one.sha256.lower():
            breaks.append(f"Line {one.number} is not the line that was noted: the chain up to it was made anew.")
    return Verdict(tuple(breaks), tuple(notes), end)


def _head(audit: AuditFile) -> tuple[Head | None, str]:
    """The head, or why there is none to compare with."""
    try:
        head = audit.read_head()
    except ValueError:
        return None, f"The head file {audit.head_path.name} is damaged: {_UNKNOWN}"
    return head, "" if head is not None else f"The head file {audit.head_path.name} is missing: {_UNKNOWN}"


def _follow(audit: AuditFile, wanted: set[int]) -> tuple[list[str], list[str], dict[int, str], Head]:
    """Breaks, notes, the hashes of the wanted lines by number, and the end of the chain."""
    breaks: list[str] = []
    notes: list[str] = []
    hashes: dict[int, str] = {}
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
        if counted in wanted:
            hashes[counted] = before.sha256
    if torn:
        notes.append(f"Line {torn} is torn, and nothing was written since.")
    return breaks, notes, hashes, before


def _compare(head: Head, end: Head, hashes: Mapping[int, str]) -> list[str]:
    if end.number < head.number:
        return [f"{head.number - end.number} lines are missing at the end, from line {end.number + 1} on."]
    if hashes.get(head.number) != head.sha256:
        return [f"Line {head.number} is not the line that the head file knows."]
    if end.number > head.number + MOST_BEHIND:
        return [f"{end.number - head.number} lines at the end are not known to the head file."]
    return []
