"""The packet's summary as PDF: for the physician and the physicist who go on with a patient, in another hospital."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from recovery.charting import facts, on_paper
from recovery.charting.canvas import MARGIN, FootedPages, Paper, shortened
from recovery.charting.facts import Pairs
from recovery.charting.letters import letters_for, unprintable_in_words
from recovery.charting.pdf import FRACTION_WIDTHS
from recovery.charting.sheet import Table, fractions
from recovery.patient import notices as plan_notices
from recovery.patient.file import PatientFile
from recovery.patient.plan import PlanFile
from recovery.words import next_unknown
from recovery.words.statuses import in_words
from recovery.words.times import at_time, day_or_time
from recovery.words.values import ABSENT, absent


def is_counted(plan: PlanFile) -> bool:
    """Whether the fractions of a plan are known to be all that was given with it, as far as the copy goes."""
    is_clear = plan.is_next_proven and plan.row.charted_conflict is None and not next_unknown.reasons(plan.row.remarks)
    return is_clear and plan.ledger is not None and plan.row.fractions_delivered is not None


def dose_given(plan: PlanFile) -> float | None:
    """Gy of the whole fractions of this plan alone; None where no dose per fraction is known."""
    dose, given = plan.ledger.dose_per_fraction if plan.ledger is not None else None, plan.row.fractions_delivered
    return None if dose is None or given is None else round(dose * given, 6)


COUNTED_HOW = (
    "Fractions are counted by the metersets of each beam, from treatment records. Dose given is whole fractions times "
    "the dose per fraction as prescribed; of a fraction begun and not complete no dose is told. — means not known."
)


def as_pdf(
    file: PatientFile,
    lacks: Sequence[str],
    kinds: Mapping[str, int],
    made_at: datetime,
    paper: Paper,
    own_font: Path | None,
) -> bytes:
    """The summary. `lacks`: what is missing or not proven; `kinds`: of the objects beside it; `made_at`: site time.

    Raises `FontError` if `own_font` is no font.
    """
    said = list(_parts(file, lacks, kinds, made_at))
    texts = [file.site_name, COUNTED_HOW, _foot(file), *_texts(file), *(text for part in said for text in _all(part))]
    letters = letters_for(texts, own_font)
    pdf = FootedPages(paper, letters, _foot(file))
    pdf.set_title("Transfer of a patient")
    pdf.set_producer("RBRDT")
    pdf.set_creation_date(made_at.replace(tzinfo=UTC))
    pdf.add_page()
    pdf.write_text("Transfer of a patient under radiotherapy", pdf.epw, size=13, bold=True)
    pdf.write_text(absent(file.identity.patient_name), pdf.epw, size=17, bold=True)
    for stop in _stops(file):
        pdf.black_bar(stop)
    for heading, content in said:
        pdf.heading(heading)
        if isinstance(content, Table):
            pdf.draw_table(content, FRACTION_WIDTHS, (0,), size=7.5)
        elif content and isinstance(content[0], tuple):
            pdf.pairs(tuple(pair for pair in content if isinstance(pair, tuple)), MARGIN, pdf.epw, 45)
        else:
            for line in content:
                pdf.write_text(f"· {line}", pdf.epw, size=8.5)
    if unprintable := unprintable_in_words(letters, texts):
        pdf.write_text(unprintable, pdf.epw, size=8)
    pdf.write_text(COUNTED_HOW, pdf.epw, size=8)
    return bytes(pdf.output())


_Part = tuple[str, "Table | Pairs | tuple[str, ...]"]


def _parts(file: PatientFile, lacks: Sequence[str], kinds: Mapping[str, int], made_at: datetime) -> Iterator[_Part]:
    who = file.identity
    numbers = ", ".join(filter(None, (who.patient_id, who.other_patient_ids)))
    as_of = day_or_time(file.as_of) if file.as_of is not None else "nothing is proven"
    yield (
        "Patient",
        (
            ("Numbers", numbers),
            ("Born", on_paper.birth(who.patient_birth_date, file.now)),
            ("Sex", on_paper.text(who.patient_sex)),
            ("From", file.site_name),
            ("Made", at_time(made_at)),
            ("Fractions proven up to", as_of),
        ),
    )
    yield "Missing or not proven", tuple(lacks) or ("Nothing that this copy knows of.",)
    yield "To look at", tuple(map(str, plan_notices.of_patient(file))) or ("Nothing.",)
    for plan in file.plans:
        label = on_paper.text(plan.label)
        yield f"Plan {label}", _plan(plan)
        yield f"Plan {label}: to look at", tuple(map(str, plan_notices.of_plan(plan))) or ("Nothing.",)
        if (given := fractions(plan)).rows:
            yield f"Plan {label}: every fraction that was begun", given
    yield "Contacts", facts.people(file)
    held = tuple((kind, str(number)) for kind, number in kinds.items() if number)
    yield "Objects beside this summary, in the DICOMDIR", held or (("None", ABSENT),)


def _plan(plan: PlanFile) -> Pairs:
    row = plan.row
    dose, rx = dose_given(plan), plan.prescription
    total = on_paper.fixed(rx.total_dose if rx is not None else None, 2)
    counted = is_counted(plan)
    proven = "" if counted else " (proven; more may have been given)"
    course = plan.course
    by_hand = (("Charted by hand", row.charted),) if row.charted else ()
    codes = course.diagnosis_codes if course is not None else None
    return (
        ("Diagnosis", " ".join(filter(None, (codes, course.diagnoses if course is not None else None))) or ABSENT),
        ("Course", on_paper.text(course.course_id if course is not None else None)),
        *((label, value) for label, value in facts.prescription(plan) if label != "Diagnosis"),
        ("Status", in_words(row.status) if row.status else ABSENT),
        (
            "Fractions given with this plan",
            f"{absent(row.fractions_delivered)} of {absent(row.number_of_fractions_planned)}{proven}",
        ),
        (
            "Fractions given in the course",
            f"{absent(row.course_fractions_delivered)} of {absent(row.course_number_of_fractions_planned)}{proven}",
        ),
        (
            "Dose given with this plan",
            f"{on_paper.fixed(dose, 2)} of {total} Gy{proven}" if dose is not None else ABSENT,
        ),
        *by_hand,
        ("Next fraction", plan_notices.next_fraction(plan)),
        ("Interrupted fraction", _interrupted(plan)),
        ("First and last treated", f"{day_or_time(row.first_treatment_at)}, {day_or_time(row.last_treatment_at)}"),
        *(pair for pair in facts.plan(plan) if pair[0] != "Plan UID"),
        ("Plan UID", absent(plan.uid)),
    )


def _interrupted(plan: PlanFile) -> str:
    number, left = plan.row.interrupted_fraction, plan.row.interrupted_remaining_in_words
    if number is None:
        return ABSENT if plan.ledger is None else "none"
    return f"fraction {number}, {left or f'{ABSENT} left'}"


def _stops(file: PatientFile) -> list[str]:
    said = [n.unmarked for plan in file.plans for n in plan_notices.of_plan(plan) if n.is_stop and plan.is_unfinished]
    return list(dict.fromkeys([*([file.downtime] if file.downtime else []), *said]))


def _foot(file: PatientFile) -> str:
    who = file.identity
    named = f"{shortened(absent(who.patient_name))}   ID {shortened(who.patient_id)}"
    return f"{named}   from the safety copy (RBRDT) of {shortened(file.site_name)}"


def _texts(file: PatientFile) -> list[str]:
    return [absent(file.identity.patient_name), ABSENT, "·", *_stops(file)]


def _all(part: _Part) -> Iterator[str]:
    heading, content = part
    yield heading
    for one in (*content.headings, *content.rows) if isinstance(content, Table) else content:
        yield from one if isinstance(one, tuple) else (one,)
