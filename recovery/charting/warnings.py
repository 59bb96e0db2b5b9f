"""What a chart says in capitals: why not to treat, what to look at, and which fraction is next. Pure, no I/O.

Which is which, and in what words, `recovery.words.notices` says for screen and paper alike; here is what only paper
needs: the age of the copy, the sheets beside this one.
"""

from collections.abc import Iterator

from recovery.charting import on_paper
from recovery.patient import notices as plan_notices
from recovery.patient.file import PatientFile
from recovery.patient.plan import PlanFile
from recovery.settings.config import STOP_AFTER
from recovery.words.notices import Notice
from recovery.words.times import age as age_in_words
from recovery.words.times import day, day_or_time
from recovery.words.values import counted


def stops(file: PatientFile, plan: PlanFile | None) -> list[str]:
    """Sentences: do not treat before somebody has looked."""
    return [f"{notice.unmarked}." for notice in _all(file, plan) if notice.is_stop]


def looks(file: PatientFile, plan: PlanFile | None) -> list[str]:
    """Sentences: read before treating."""
    return [f"{notice.unmarked}." for notice in _all(file, plan) if not notice.is_stop]


def _all(file: PatientFile, plan: PlanFile | None) -> Iterator[Notice]:
    if plan is None:
        yield Notice("NO PLAN", "the safety copy has no plan of this patient", is_stop=True)
    else:
        yield from (notice for notice in plan_notices.of_plan(plan) if notice.is_stop)
    if file.downtime:
        yield Notice("DOWNTIME", file.downtime.removeprefix("DOWNTIME ").rstrip("."), is_stop=False)
    yield from _age(file)
    yield from plan_notices.of_patient(file)
    if plan is not None:
        yield from (notice for notice in plan_notices.of_plan(plan) if not notice.is_stop)
        yield from _of_paper(file, plan)


def _age(file: PatientFile) -> Iterator[Notice]:
    if file.as_of is None:
        told = "no run is known that asked both sides for records; count fractions anew"
        yield Notice("NOTHING PROVEN", told, is_stop=True)
        return
    age = file.now - file.as_of
    if age > file.grace:
        since = day_or_time(file.as_of)
        told = f"{age_in_words(age)} old when printed; what was treated after {since} is not on it"
        yield Notice("OLD COPY", told, is_stop=age > STOP_AFTER)


def _of_paper(file: PatientFile, plan: PlanFile) -> Iterator[Notice]:
    def look(word: str, said: str) -> Notice:
        return Notice(word, said, is_stop=False)

    if plan.prescription is None:
        yield look("NO PRESCRIPTION", "get site, laterality and dose from the physician, the safety copy has none")
    if plan.row.status == "on_break":
        yield look("ON BREAK", f"last treated {day_or_time(plan.row.last_treatment_at)}")
    gap = next((g for g in (plan.ledger.gaps if plan.ledger is not None else ()) if g.first_day_after is None), None)
    if gap is not None:
        yield look("GAP", f"{counted(gap.weekdays, 'weekday')} without treatment since {day(gap.last_day_before)}")
    if plan.row.earlier_plans:
        yield look("EARLIER PLANS", f"delivered: {plan.row.earlier_plans}")
    others = [p.label or on_paper.short_uid(p.uid) for p in file.unfinished_plans if p is not plan]
    if others:
        yield look("ALSO UNDER TREATMENT", f"with {', '.join(others)}; each plan has its own sheet")
    if file.tables_missing:
        yield look("UNKNOWN HERE", f"the safety copy lacks {', '.join(sorted(file.tables_missing))}")
