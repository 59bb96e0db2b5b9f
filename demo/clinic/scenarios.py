"""Who is treated how, and where in the course each one stands when the clinic opens.

Goal
    Every case that has misled a backup tool, once each, among ordinary patients.

How
    The first fourteen cases are written out; `fast` has only these. The others are dealt from common regimens. Days
    are business days from the day the clinic opens: -1 is the last one before it.

Why days and not dates
    The clinic opens whenever somebody starts it, and always in mid-course.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from demo.clinic.identifiers import chance

PATIENTS, PATIENTS_FAST = 60, 14
OLDEST_DAY = -40
"""Eight weeks of history."""


@dataclass(frozen=True, slots=True)
class PlanCase:
    """One plan of a case. `dose` in Gy per fraction; `first_day` in business days from the opening."""

    label: str
    technique: str
    site: str
    dose: float
    fractions: int
    first_day: int
    every: int = 1
    """Every so many business days: 2 for two plans treated in turn."""
    per_day: int = 1
    stop_after: int | None = None
    """No session is booked after this fraction: on a break, or replaced by an adapted plan."""
    interrupted: dict[int, tuple[float, int]] = field(default_factory=dict)
    """Fraction number → the share of all MU delivered, and the business days until it is made up (0: that day)."""
    setup_fields: bool = True
    reference_images: bool = False
    portfilm: bool = False
    private_class: bool = False
    without_date: tuple[int, ...] = ()
    only_as_objects: tuple[int, ...] = ()
    """Fractions that ARIA's database lacks."""
    prescribed_more: int = 0
    """How many fractions MOSAIQ's prescription has more than the plan."""
    one_record_per_session: bool = False
    verification: bool = False
    intent: str = "CURATIVE"


@dataclass(frozen=True, slots=True)
class Case:
    """A patient's plans on one planning CT, and what is missing from the R&V system."""

    number: int
    machine: str
    plans: tuple[PlanCase, ...]
    plan_missing: bool = False
    slice_missing: bool = False


def cases(seed: int, *, fast: bool) -> list[Case]:
    """All cases of the clinic, by patient number."""
    dealt = [] if fast else [_dealt(seed, number) for number in range(PATIENTS_FAST, PATIENTS)]
    return [*_WRITTEN, *dealt]


_WRITTEN = (
    Case(  # the R&V system disagrees with the objects by one fraction
        0, "TB1",
        (
            PlanCase(
                "Prostate", "VMAT", "prostate", 3.0, 20, -12,
                reference_images=True, only_as_objects=(2,), prescribed_more=-1,
            ),
        ),
    ),
    Case(  # adapted plan: the second is first treated after the first was last treated
        1, "TB1",
        (
            PlanCase("HN_1", "VMAT", "head_neck", 2.12, 33, -20, stop_after=15),
            PlanCase("HN_1A", "VMAT", "head_neck", 2.12, 18, -5),
        ),
    ),
    Case(  # boost after primary
        2, "TB2",
        (
            PlanCase("Breast_L", "TANGENTS", "breast", 2.0, 25, -33),
            PlanCase("Boost_L", "ELECTRON", "breast", 2.0, 8, -5, setup_fields=False),
        ),
    ),
    Case(  # two plans treated in turn, on one frame of reference
        3, "TB2",
        (
            PlanCase("Lung_R", "VMAT", "lung", 2.5, 22, -13, every=2),
            PlanCase("T10", "APPA", "spine", 3.0, 10, -12, every=2, intent="PALLIATIVE"),
        ),
    ),
    Case(4, "TB2", (PlanCase("Lung_BID", "IMRT", "lung", 1.5, 30, -8, per_day=2),)),
    Case(  # one interrupted fraction made up, one not yet; setup fields and portfilms
        5, "TB3",
        (
            PlanCase(
                "Cervix", "VMAT", "pelvis", 1.8, 25, -12,
                interrupted={4: (0.62, 0), 12: (0.37, 2)}, portfilm=True, reference_images=True,
            ),
        ),
    ),
    Case(6, "TB3", (PlanCase("Rectum", "FOURFIELD", "rectum", 1.8, 28, -38, stop_after=12),)),  # on a break
    Case(7, "TB1", (PlanCase("T10_SF", "APPA", "spine", 8.0, 1, -10, setup_fields=False, intent="PALLIATIVE"),)),
    Case(8, "TB2", (PlanCase("Brain", "IMRT", "brain", 2.0, 30, 1, reference_images=True),)),  # starts tomorrow
    Case(9, "TB3", (PlanCase("ProstHAL", "VMAT", "prostate", 2.5, 28, -9, private_class=True),)),
    Case(10, "GTR1", (PlanCase("BrainPT", "PROTON", "brain", 1.8, 30, -15, one_record_per_session=True),)),
    Case(11, "TB1", (PlanCase("Pelvis", "FOURFIELD", "pelvis", 1.8, 25, -10),), plan_missing=True),
    Case(12, "TB3", (PlanCase("RectumSC", "VMAT", "rectum", 5.0, 5, -3, without_date=(2,)),), slice_missing=True),
    Case(13, "TB1", (PlanCase("QA_VMAT", "VMAT", "prostate", 2.0, 1, -3, setup_fields=False, verification=True),)),
)  # fmt: skip

_REGIMENS = (
    ("Prostate", "VMAT", "prostate", 3.0, 20, "CURATIVE"),
    ("Prostate", "VMAT", "prostate", 2.0, 39, "CURATIVE"),
    ("HN_1", "VMAT", "head_neck", 2.0, 35, "CURATIVE"),
    ("Lung_R", "VMAT", "lung", 2.0, 33, "CURATIVE"),
    ("Lung_R", "IMRT", "lung", 2.75, 20, "CURATIVE"),
    ("Breast_L", "TANGENTS", "breast", 2.67, 15, "CURATIVE"),
    ("Breast_L", "TANGENTS", "breast", 2.0, 25, "CURATIVE"),
    ("Rectum", "VMAT", "rectum", 1.8, 28, "CURATIVE"),
    ("Pelvis", "FOURFIELD", "pelvis", 1.8, 25, "CURATIVE"),
    ("Cervix", "IMRT", "pelvis", 1.8, 25, "CURATIVE"),
    ("Brain", "VMAT", "brain", 2.0, 30, "CURATIVE"),
    ("T10", "APPA", "spine", 8.0, 1, "PALLIATIVE"),
    ("T10", "APPA", "spine", 4.0, 5, "PALLIATIVE"),
    ("T10", "APPA", "spine", 3.0, 10, "PALLIATIVE"),
)
_ION_REGIMENS = (
    ("BrainPT", "PROTON", "brain", 1.8, 30, "CURATIVE"),
    ("HN_PT", "PROTON", "head_neck", 2.0, 35, "CURATIVE"),
    ("ProstPT", "PROTON", "prostate", 2.0, 39, "CURATIVE"),
)


def _dealt(seed: int, number: int) -> Case:
    """An ordinary patient: a common regimen, somewhere in its course, now and then completed or about to start."""
    dice = chance(seed, "case", number)
    machine = ("TB1", "TB2", "TB3", "TB1", "TB2", "TB3", "GTR1")[number % 7]
    regimen = dice.choice(_ION_REGIMENS if machine == "GTR1" else _REGIMENS)
    label, technique, site, dose, fractions, intent = regimen
    state = dice.random()
    if state < 0.12:
        first_day = dice.randint(1, 4)
    elif state < 0.26 and fractions < 35:
        first_day = max(OLDEST_DAY, -fractions - dice.randint(1, 6))
    else:
        first_day = -dice.randint(0, min(fractions - 1, -OLDEST_DAY))
    plan = PlanCase(
        label, technique, site, dose, fractions, first_day,
        reference_images=number % 6 == 0, one_record_per_session=machine == "GTR1" or number % 11 == 0, intent=intent,
    )  # fmt: skip
    return Case(number, machine, (plan,))
