"""What a drill found, in words, and as a PDF for the file of contingency plans (45 CFR 164.308(a)(7)(ii)(D)).

It names no patient: plans by UID, machines, times and counts. Whoever reviews it signs on paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.charting.canvas import MARGIN, FootedPages, Paper
from recovery.charting.letters import letters_for
from recovery.charting.sheet import Table
from recovery.words.times import age
from recovery.words.values import ABSENT, counted

if TYPE_CHECKING:
    from recovery.drilling.comparison import ComparedTable

RULE = (
    "Testing of the contingency plan, 45 CFR 164.308(a)(7)(ii)(D). The record-and-verify system was taken away from "
    "the program: it had no address of it. All that follows was made in an empty place, from the RT-PACS alone."
)
LIMITS = (
    "What this does not show: whether the RT-PACS survives, whether printers and consoles work, and whether people "
    "know what to do. Proofs by re-reading were taken over from the live copy: with that lost, too, they are made anew "
    "by python -m backup_jobs verify_backup, which takes hours, or a physicist overrides the gate by name."
)
TO_SIGN = ("Held by", "Reviewed by", "What is to be mended, by whom, until when")


@dataclass(frozen=True, slots=True)
class PackedPlan:
    """A plan of the sample, and what became of it. `is_failure`: the RT-PACS could not give it as it was."""

    plan_uid: str
    machine: str
    said: str
    is_failure: bool = False
    is_packed: bool = False


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill. Moments are aware, in the site's zone; `steps`: after how many seconds each was done."""

    site: str
    held_at: datetime
    steps: Sequence[tuple[str, float]]
    newest_fraction_at: datetime | None
    newest_proof_at: datetime | None
    patients: int
    plans: Sequence[PackedPlan]
    tables: Sequence[ComparedTable]
    remarks: Sequence[str] = ()
    problems: Sequence[str] = ()

    @property
    def differing(self) -> int:
        """How many columns, or sets of rows, differ."""
        return sum(len(table.differences) for table in self.tables)

    @property
    def verdict(self) -> str:
        """`passed`, or `2 findings to settle`"""
        found = len(list(self.findings()))
        return f"{counted(found, 'finding')} to settle" if found else "passed"

    @property
    def recovery_point(self) -> str:
        """RPO: how old the newest fraction is that the archive proved to hold."""
        return self._age(self.newest_fraction_at)

    def _age(self, at: datetime | None) -> str:
        if at is None:
            return ABSENT
        return f"{age(self.held_at.astimezone(UTC) - at.astimezone(UTC))} ({at:%Y-%m-%d %H:%M})"

    def in_words(self) -> str:
        """One line for the journal, the terminal and Backup health."""
        times = ", ".join(f"{name} after {seconds:.0f} s" for name, seconds in self.steps)
        found = f"{counted(self.differing, 'difference')} from the live tables" if self.differing else "no difference"
        return f"{self.verdict}: newest fraction {self.recovery_point}; {times}; {found}"

    def findings(self) -> Iterator[str]:
        """What has to be looked at, a sentence each."""
        yield from self.problems
        for table in self.tables:
            for one in table.differences:
                named = f", such as {', '.join(one.uids)}" if one.uids else ""
                why = f" ({table.why_not})" if table.why_not else ""
                yield f"{table.name}: {one.what}: {counted(one.rows, 'row')}{why}{named}"
        yield from (f"plan {plan.plan_uid}: {plan.said}" for plan in self.plans if plan.is_failure)


def as_pdf(drill: Drill, paper: Paper, own_font: Path | None) -> bytes:
    """The report. Raises `FontError` if `own_font` is no font."""
    findings, plans = list(drill.findings()), [(p.plan_uid, p.machine, p.said) for p in drill.plans]
    texts = [drill.site, RULE, LIMITS, ABSENT, *findings, *drill.remarks, *(text for row in plans for text in row)]
    title = f"Recovery drill, {drill.site}"
    pdf = FootedPages(paper, letters_for(texts, own_font), f"{title}, {drill.held_at:%Y-%m-%d %H:%M}")
    pdf.set_title(f"Recovery drill {drill.held_at:%Y-%m-%d}")
    pdf.set_creation_date(drill.held_at)
    pdf.add_page()
    pdf.write_text(title, pdf.epw, size=17, bold=True)
    pdf.write_text(f"{drill.held_at:%Y-%m-%d %H:%M}   {drill.verdict.upper()}", pdf.epw, size=12, bold=True)
    pdf.write_text(RULE, pdf.epw)
    pdf.heading("Measured")
    measured = [("Recovery point: newest fraction", drill.recovery_point)]
    measured += [("Newest run that asked both sides", drill._age(drill.newest_proof_at))]
    measured += [(f"Recovery time: {name}", f"{seconds:.1f} s") for name, seconds in drill.steps]
    pdf.pairs(tuple(measured), MARGIN, pdf.epw, 70)
    pdf.heading(f"Findings ({len(findings)})")
    for said in findings or ["None: every compared column is the same, and every plan of the sample came as it was."]:
        pdf.write_text(f"· {said}", pdf.epw, size=8)
    pdf.heading(f"Sample: {counted(drill.patients, 'patient')}, drawn by lot")
    pdf.draw_table(Table(("Plan UID", "Machine", "Outcome"), tuple(plans)), (80, 25, 85), ())
    pdf.heading("Compared with the live tables, column by column")
    pdf.draw_table(Table(_TABLE_HEADINGS, tuple(map(_table_row, drill.tables))), (50, 22, 22, 20, 76), (1, 2, 3))
    for said in (*drill.remarks, LIMITS):
        pdf.write_text(said, pdf.epw, size=8)
    pdf.heading("To sign", room=50)
    for label in TO_SIGN:
        pdf.set_y(pdf.get_y() + 10)
        pdf.rule(0.2)
        pdf.write_text(f"{label}; date and signature", pdf.epw, size=8)
    return bytes(pdf.output())


_TABLE_HEADINGS = ("Table", "Live rows", "Rebuilt", "Columns", "Result")


def _table_row(table: ComparedTable) -> tuple[str, ...]:
    if table.why_not:
        return table.name, ABSENT, ABSENT, ABSENT, table.why_not
    said = f"{counted(len(table.differences), 'difference')}" if table.differences else "the same"
    meanwhile = f"; {counted(table.changed_meanwhile, 'row')} changed meanwhile" if table.changed_meanwhile else ""
    return table.name, f"{table.live:,}", f"{table.rebuilt:,}", str(table.columns), f"{said}{meanwhile}"


def next_due(last: datetime | None, every_days: int) -> datetime | None:
    """When the next drill is due; None where none is scheduled, or none was ever held."""
    return last + timedelta(days=every_days) if last is not None and every_days else None
