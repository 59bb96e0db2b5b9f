"""Every column of patients and plans, for page, paper and Excel: words, kind and widths, and which list shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "number", "share", "date", "time", "day", "moment"]
"""`day` and `moment` are both moments; of `day` a page shows the day alone, and Excel where it has no room for more.
`share`: 0 to 1."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `pixels`: its width on a page; `letters`: the least and the most in Excel."""

    name: str
    heading: str
    kind: Kind
    pixels: int
    letters: tuple[int, int] = (0, 0)
    hint: str | None = None
    in_full: str | None = None
    """The heading where there is room for a longer one: in Excel."""
    may_be_empty: bool = False
    """Nothing means that there is nothing to say; elsewhere it is a dash."""
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """Names of the columns of a list, in their order, by where it is shown; the rest is of its sheet in Excel.

    `letters`: by column, other widths than elsewhere; `least_lines`: the height of every row, more than one where
    somebody writes by hand; `printed_up_to`: the last column that is printed, for those after it would make paper
    illegible.
    """

    page: Sequence[str] = ()
    paper: Sequence[str] = ()
    excel: Sequence[str] = ()
    letters: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    title: str = ""
    frozen_at: str = "C2"
    least_lines: float = 1.0
    printed_up_to: str | None = None

    @property
    def columns(self) -> list[Column]:
        """Those of the sheet, described."""
        return described(self.excel)


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("mark", "", "text", 28, (3, 3), "■ do not treat before someone has looked, ▲ look", may_be_empty=True),
        Column("patient_name", "Name", "text", 158, (14, 22)),
        Column("patient_id", "ID", "text", 72, (8, 12)),
        Column("patient_birth_date", "Born", "date", 90, (11, 11)),
        Column("plan", "Plan", "text", 98, (9, 13)),
        Column("plans", "Plans", "text", 320),
        Column("site", "Site", "text", 108, (8, 13), "As the prescription in the R&V database names it"),
        Column("laterality", "Side", "text", 80, (8, 14), "Of the prescription; else of the diagnosis, which it says"),
        Column("prescription", "Prescription", "text", 190, (14, 26)),
        Column("intent", "Intent", "text", 84, (9, 10)),
        Column("prescribed", "Intent prescribed", "text", 120, (10, 12), "A hint from the R&V system"),
        Column("treatment_machine_name", "Machine", "text", 66, (8, 12)),
        Column("physicians_of_record", "Physician", "text", 140, (12, 22)),
        Column("physician", "In charge", "text", 130, (12, 22), "The primary oncologist by the R&V database"),
        Column("status_words", "Status", "text", 94, (12, 15)),
        Column(
            "fraction", "Next fraction", "text", 170, (13, 23),
            "— where no plan says how many, or nobody can tell. Given: in full",
        ),
        Column("progress", "Progress", "share", 56),
        Column("check", "Check before treating", "text", 280, (24, 36), "Double-click to read all of it",
               may_be_empty=True),
        Column("last_treatment_at", "Last", "day", 84, (16, 16), in_full="Last treated"),
        Column("next_appointment_at", "Next", "moment", 116, (16, 16), in_full="Next appointment"),
        Column("gap", "Gap", "text", 60, hint="Days since the last treatment; ▲ a working day passed without",
               is_right=True),
        Column("gap_days", "Gap, days", "number", 60, (9, 9)),
        Column("course_fractions_delivered", "Delivered", "number", 70, (11, 11)),
        Column("course_number_of_fractions_planned", "Planned", "number", 70, (10, 10)),
        Column("fractions_remaining", "Remaining", "number", 70, (11, 11)),
        Column("earlier_plans", "Earlier plans", "text", 124, (14, 26), may_be_empty=True),
        Column("phone", "Phone", "text", 190, (12, 16)),
        Column("alerts", "Alerts", "text", 130, (8, 18)),
        Column("why_not_ready", "What the RT-PACS does not hold", "text", 480),
        # of a network
        Column("clinic", "Clinic", "text", 130, (12, 22)),
        Column("copied", "Copy of", "text", 110, (12, 18), "Everything in this line is as old as that"),
        Column("patients", "Patients", "number", 74, (9, 9), "On treatment or ready to start"),
        Column("free_elsewhere", "Free elsewhere", "number", 108, (10, 10),
               "Patients a day that matching machines of other clinics could take"),
        Column("could_take", "Who could take them", "text", 370, (24, 50), "Same model and beam data, by name"),
        Column("model", "Model", "text", 110, (10, 18)),
        Column("beam_data", "Beam data", "text", 110, (10, 18)),
        Column("energies", "Energies", "text", 130, (8, 18)),
        Column("free_slots", "Free a day", "number", 80, (8, 8), "Patients a day that it could take beside its own"),
        Column("job", "Job", "text", 142, (12, 20)),
        Column("last_good", "Last good run", "text", 110, (14, 18)),
        Column("remark", "Newest run", "text", 260, (14, 40)),
        Column("unproven", "Unproven", "number", 78, (9, 9)),
        Column("counts", "It counted", "text", 390, (20, 50), may_be_empty=True),
        # of a machine's day
        Column("appointment_at", "Time", "time", 58, (6, 6)),
        Column("next_fraction", "Fraction", "text", 150, (9, 14),
               "Given that day, or due as of the time above; what was begun comes first", "Fraction due or given"),
        Column("treated_that_day", "Treated", "text", 66, (9, 16), "The last time on that day", "Treated that day",
               may_be_empty=True),
        Column("charted_by", "Charted by", "text", 170, may_be_empty=True),
        Column("energy", "Energy", "text", 66, (7, 8)),
        Column("technique", "Technique", "text", 82, (10, 10)),
        Column("setup_note", "Setup note", "text", 150, (12, 24)),
        Column("initials", "Initials", "text", 90, (9, 14), in_full="Done, initials", may_be_empty=True),
        # of Priorities
        Column("clock", "Clock", "text", 100, (12, 14)),
        Column("missed_days", "Missed", "number", 66, (8, 8), "Treatment days without treatment"),
        Column("allowed_days", "Allowed", "number", 68, (8, 8)),
        Column("overall", "Overall time", "text", 240, (16, 26), "Against one fraction each weekday; information only"),
        Column("category", "Category", "number", 74, (9, 9)),
        Column("chemotherapy", "Chemo", "text", 66, (7, 7), "Concurrent chemotherapy"),
        Column("decided_by", "Decided by", "text", 130, (10, 16)),
        Column("signed_by", "Signed by, at", "text", 170, (12, 18)),
        Column("comment", "Comment", "text", 200, (10, 20), may_be_empty=True),
        # of a day's plan
        Column("time", "Time", "text", 70, (7, 7)),
        # since the last proof
        Column("booked", "Booked", "text", 90, (9, 10), may_be_empty=True),
        Column("why", "Why here", "text", 120, (8, 18)),
        # not started yet
        Column("stage", "Stage", "text", 150, (14, 22)),
        Column("waits_for", "Waits for", "text", 130, (14, 24)),
        Column("told", "Told by the R&V system", "text", 170, (18, 34)),
        Column("since", "Since", "day", 90, (11, 11)),
        Column("first_appointment_at", "Booked", "moment", 116, (16, 16)),
        Column("by_the_log", "By the machine's log: given? number, time", "text", 200, (26, 26), may_be_empty=True),
    )
}  # fmt: skip

_WHO = ("mark", "patient_name", "patient_id")
_WITH_BIRTH = (*_WHO, "patient_birth_date", "plan")
_HOW_FAR = ("fraction", "check", "last_treatment_at")

ALWAYS = (*_WHO, "plan", "fraction", "check")
"""Columns of On treatment that nobody can take away: who, what, how far, and what to look at."""
ON_TREATMENT = Shown(
    page=(
        *(*_WHO, "plan", "treatment_machine_name", "fraction", "progress", "check", "last_treatment_at"),
        *("next_appointment_at", "gap", "site", "earlier_plans", "status_words", "physicians_of_record"),
        "patient_birth_date",
    ),
    paper=(*_WITH_BIRTH, "treatment_machine_name", *_HOW_FAR, "next_appointment_at", "phone"),
    excel=(
        *(*_WHO, "patient_birth_date", "site", "plan", *_HOW_FAR, "next_appointment_at", "treatment_machine_name"),
        *("phone", "course_fractions_delivered", "course_number_of_fractions_planned", "fractions_remaining"),
        *("status_words", "gap_days", "physicians_of_record", "earlier_plans"),
        *("prescription", "laterality", "intent", "physician", "alerts"),
    ),
    title="On treatment",
    printed_up_to="phone",
)
"""At 1440 pixels what is needed to treat stands in sight on the page, up to the next appointment."""
NETWORK = Shown(
    page=("mark", "clinic", *(name for name in ON_TREATMENT.page if name not in {"mark", "gap"})),
    paper=ON_TREATMENT.paper,
    excel=tuple(name for name in ON_TREATMENT.excel if name != "gap_days"),
)
_CAPACITY = (
    *("mark", "clinic", "treatment_machine_name", "patients", "free_slots", "free_elsewhere", "could_take", "model"),
    *("beam_data", "energies", "signed_by"),
)
CAPACITY = Shown(_CAPACITY, _CAPACITY, _CAPACITY)
OF_A_COPY = Shown(excel=("mark", "clinic", "copied"))
"""What every file of a network begins with."""
_HEALTH = ("mark", "clinic", "job", "last_good", "remark", "unproven", "counts")
NETWORK_HEALTH = Shown(_HEALTH, _HEALTH, _HEALTH)
NOT_READY = Shown(page=(*_WHO, "plan", "why_not_ready", "treatment_machine_name", "next_appointment_at"))
PEOPLE = Shown(page=(*_WHO, "patient_birth_date", "plans", "treatment_machine_name"))
MACHINE_DAY = Shown(
    page=(
        *("appointment_at", *_WHO, "plan", "next_fraction", "treated_that_day", "check", "charted_by", "alerts"),
        *("setup_note", "energy", "technique", "phone", "patient_birth_date", "physicians_of_record"),
    ),
    excel=(
        *("appointment_at", *_WITH_BIRTH, "next_fraction", "treated_that_day", "energy", "technique", "setup_note"),
        *("alerts", "check", "phone", "initials"),
    ),
    letters={
        "treated_that_day": (9, 9),
        "patient_name": (14, 20),
        "setup_note": (12, 21),
        "alerts": (8, 16),
        "check": (18, 25),
        "phone": (12, 14),
        "initials": (12, 12),
    },
    title="Worklist",
    frozen_at="D2",
    least_lines=1.6,
)
CLOCKS = Shown(
    page=(
        *(*_WHO, "plan", "clock", "missed_days", "allowed_days", "category", "check", "chemotherapy", "intent"),
        *("last_treatment_at", "fraction", "overall", "treatment_machine_name", "decided_by", "signed_by", "comment"),
    ),
    paper=(
        *(*_WITH_BIRTH, "clock", "category", "chemotherapy", "intent", *_HOW_FAR, "treatment_machine_name"),
        *("decided_by", "comment"),
    ),
    excel=(
        *(*_WITH_BIRTH, "clock", "category", "chemotherapy", "intent", *_HOW_FAR, "treatment_machine_name", "comment"),
        *("missed_days", "allowed_days", "overall", "decided_by", "signed_by"),
    ),
    letters={
        "fraction": (13, 22),
        "check": (24, 30),
        "chemotherapy": (8, 8),
        "treatment_machine_name": (9, 9),
        "comment": (10, 16),
    },
    title="Clocks",
    printed_up_to="comment",
)
NOT_ENTERED = Shown(
    page=(
        *(*_WHO, "plan", "missed_days", "prescribed", *_HOW_FAR, "overall", "treatment_machine_name"),
        "physicians_of_record",
    ),
    paper=(*_WITH_BIRTH, "missed_days", "prescribed", *_HOW_FAR, "treatment_machine_name", "physicians_of_record"),
    excel=(
        *(*_WITH_BIRTH, "missed_days", "prescribed", *_HOW_FAR, "overall", "treatment_machine_name"),
        "physicians_of_record",
    ),
    letters={"fraction": (13, 22), "check": (24, 28), "overall": (12, 13)},
    title="Not entered yet",
)
DAY_PLAN = Shown(
    page=(*_WHO, "plan", "fraction", "gap", "clock", "check"),
    paper=("time", *_WITH_BIRTH, "fraction", "gap", "clock", "check", "initials"),
)
NOT_STARTED = Shown(
    page=(
        *("stage", "patient_name", "patient_id", "waits_for", "since", "told", "first_appointment_at"),
        *("treatment_machine_name", "phone", "site", "prescription", "physician", "patient_birth_date"),
    ),
    excel=(
        *("stage", "patient_name", "patient_id", "patient_birth_date", "waits_for", "since", "told"),
        *("first_appointment_at", "treatment_machine_name", "site", "intent", "prescription", "physician", "phone"),
        "initials",
    ),
    letters={
        "stage": (12, 14),
        "patient_name": (14, 18),
        "waits_for": (12, 13),
        "told": (14, 14),
        "treatment_machine_name": (9, 9),
        "site": (8, 12),
        "prescription": (14, 15),
        "physician": (12, 14),
        "phone": (12, 14),
        "initials": (11, 11),
    },
    title="Not started yet",
    frozen_at="D2",
    least_lines=1.6,
)
SINCE_PROOF = Shown(
    excel=("treatment_machine_name", "booked", *_WITH_BIRTH, "fraction", "why", "by_the_log", "initials"),
    letters={"fraction": (14, 30), "initials": (9, 9)},
    title="Since the last proof",
    frozen_at="E2",
    least_lines=1.6,
)


def described(names: Sequence[str]) -> list[Column]:
    """The descriptions of columns, in their order."""
    return [COLUMNS[name] for name in names]
