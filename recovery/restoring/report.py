"""What came of a restore, in words and as a table with a line for each object."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydicom.uid import UID

from recovery.dicom.model import InstanceRef
from recovery.restoring.contents import KINDS, Belongings, kind_of
from recovery.restoring.sending import Unproven
from recovery.words.printable import as_csv
from recovery.words.values import absent, counted

COLUMNS = ("outcome", "kind", "sop_class", "sop_instance_uid", "patient_id", "why")
HELD, SENT, TO_SEND, REFUSED, UNPROVEN = "held before", "sent and proven", "to send", "refused", "not proven"
NAMED = 5
"""UIDs that a sentence names of each group; the table has them all."""


@dataclass(frozen=True, slots=True)
class Line:
    """One object and what became of it."""

    outcome: str
    sop_instance_uid: str
    patient_id: str
    kind: str = ""
    sop_class_uid: str = ""
    why: str = ""


@dataclass(slots=True)
class Report:
    """A line for each object; `problems`: what else leaves it undone, in sentences that name no patient."""

    lines: list[Line] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def note(self, of: Belongings, refs: Iterable[InstanceRef], outcome: str) -> None:
        """These objects of a patient all ended so."""
        for ref in refs:
            whose = ref.patient_id or of.patient_ids[0]
            kind = KINDS[kind_of(ref)]
            self.lines.append(Line(outcome, ref.sop_instance_uid, whose, kind, ref.sop_class_uid or ""))

    def note_unproven(self, of: Belongings, refs: Iterable[InstanceRef], said: dict[str, Unproven]) -> None:
        for ref in refs:
            why = said[ref.sop_instance_uid]
            outcome = REFUSED if why.is_refused else UNPROVEN
            kind, whose = KINDS[kind_of(ref)], ref.patient_id or of.patient_ids[0]
            self.lines.append(Line(outcome, ref.sop_instance_uid, whose, kind, why.sop_class_uid, why.why))

    def note_cannot_go(self, of: Belongings) -> None:
        lines = (Line(UNPROVEN, uid, of.patient_ids[0], why=why) for uid, why in sorted(of.cannot_go.items()))
        self.lines.extend(lines)

    @property
    def is_whole(self) -> bool:
        return not self.problems and not any(line.outcome in {REFUSED, UNPROVEN} for line in self.lines)

    def in_words(self) -> Iterator[str]:
        """How many of each kind ended how; then what did not get there, by SOP class and reason, the first UIDs."""
        for outcome in (HELD, SENT, TO_SEND):
            kinds = Counter(line.kind for line in self.lines if line.outcome == outcome)
            if kinds:
                said = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
                yield f"{outcome}: {counted(kinds.total(), 'object')} ({said})"
        yield from self.problems

    def undone_in_words(self) -> Iterator[str]:
        """What was refused or is not proven, by SOP class and reason, with the first UIDs; no patient is named."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for line in self.lines:
            if line.outcome in {REFUSED, UNPROVEN}:
                groups.setdefault((line.outcome, line.sop_class_uid, line.why), []).append(line.sop_instance_uid)
        for (outcome, sop_class_uid, why), uids in sorted(groups.items()):
            what = f"{UID(sop_class_uid).name}, " if sop_class_uid else ""
            more = f" and {len(uids) - NAMED} more" if len(uids) > NAMED else ""
            yield f"{outcome}: {what}{counted(len(uids), 'object')}: {why}: {', '.join(uids[:NAMED])}{more}"

    def as_csv(self) -> bytes:
        """The table; it names patients by number."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        for line in self.lines:
            name = str(UID(line.sop_class_uid).name) if line.sop_class_uid else ""
            texts = (line.outcome, line.kind, name, line.sop_instance_uid, line.patient_id, line.why)
            writer.writerow([as_csv(one) for one in texts])
        return text.getvalue().encode()


def summary(report: Report, patients: int, to: str) -> str:
    """`60 patients, 3120 objects to new R&V: 40 were held, 3000 went and are proven, 80 are not`"""
    count = Counter(line.outcome for line in report.lines)
    undone = count[REFUSED] + count[UNPROVEN]
    total = counted(len(report.lines), "object")
    said = f"{counted(patients, 'patient')}, {total}, to {absent(to)}: {count[HELD]} were held before"
    if count[TO_SEND]:
        return f"{said}, {count[TO_SEND]} would be sent"
    return f"{said}, {count[SENT]} went and are proven, {undone} did not get there or are not proven"
