"""A prescription of ARIA, whose doses are text in rows of their own, as one row with doses in Gy."""

from collections.abc import Mapping

from backup_jobs.rv import values
from backup_jobs.rv.machines import side_in
from backup_jobs.rv.table_readings import Group, RawRow, TableReading, each_value, said_together, translated
from recovery.tables import relational as tables

_UNITS = {"gy": 1, "cgy": 100}
PRESCRIPTION_STATUSES = {
    "Draft": "draft",
    "Approved": "approved",
    "Reviewed": "reviewed",
    "Retired": "retired",
    "ErrorOut": "made in error",
    "Completed": "completed",
}


def _doses(group: Group) -> Mapping[str, Mapping[str, float]]:
    """Target → dose's type → Gy."""
    doses: dict[str, dict[str, float]] = {}
    for row in group:
        dose, kind = values.number(row["dose"]), values.text(row["dose_type"])
        if dose is not None and kind is not None:
            gray = in_gray(dose, values.text(row["dose_unit"]))
            doses.setdefault(values.line(row["target"]) or "", {})[kind.upper()] = gray
    return doses


def _highest(group: Group) -> Mapping[str, float]:
    """The doses of the target that gets most."""
    known = _doses(group).values()
    return max(known, key=lambda dose: (dose.get("TOTAL DOSE", 0), dose.get("DOSE PER FRACTION", 0)), default={})


def _dose_levels(group: Group) -> str | None:
    """Every target with its doses: `PTV70: 70 Gy, 2 Gy per fraction; PTV56: 56 Gy, 1.6 Gy per fraction`."""
    levels = []
    for target, dose in _doses(group).items():
        total, each = dose.get("TOTAL DOSE"), dose.get("DOSE PER FRACTION")
        said = [f"{total:g} Gy"] if total is not None else []
        said += [f"{each:g} Gy per fraction"] if each is not None else []
        levels.append(f"{target}: {', '.join(said)}" if target else ", ".join(said))
    return "; ".join(levels) or None


def fraction_pattern(group: Group) -> str | None:
    """DICOM's FractionPattern in words: ones and zeros, a week from Monday on, PS3.3 C.8.8.13.

    A pattern whose days or weeks differ is shown as it is; where plans say different ones, all of them stand.
    """
    return "; ".join(dict.fromkeys(said for row in group if (said := _pattern(row)))) or None


def _pattern(row: RawRow) -> str | None:
    pattern, a_day = values.text(row["fraction_pattern"]), values.integer(row["fractions_per_day"]) or 1
    if pattern is None or set(pattern) - {"0", "1"} or len(pattern) % (7 * a_day):
        return pattern
    days = [pattern[at : at + a_day] for at in range(0, len(pattern), a_day)]
    weeks = {tuple(days[at : at + 7]) for at in range(0, len(days), 7)}
    treated = [day for day in days[:7] if "1" in day]
    if len(weeks) != 1 or len(set(treated)) != 1:
        return pattern
    times = treated[0].count("1")
    return f"{len(treated)} days a week" if times == 1 else f"{times} a day, {len(treated)} days a week"


def in_gray(dose: float, unit: str | None) -> float:
    """A dose in Gy.

    Raises `AmbiguousError` if the unit is neither Gy nor cGy: a guess may be wrong by a factor of 100.
    """
    factor = _UNITS.get((unit or "").casefold())
    if factor is None:
        raise values.AmbiguousError("whose unit is neither Gy nor cGy")
    return dose / factor


PRESCRIPTION_READING = TableReading(
    tables.PRESCRIPTIONS,
    {
        "laterality": side_in("site", "prescription_name"),
        "intent": each_value("intent"),
        "dose_per_fraction": lambda group: _highest(group).get("DOSE PER FRACTION"),
        "total_dose": lambda group: _highest(group).get("TOTAL DOSE"),
        "dose_levels": _dose_levels,
        "fraction_pattern": fraction_pattern,
        "bolus": lambda group: said_together(group[0], ", ", "bolus_thickness", "bolus_frequency"),
        "status": translated(PRESCRIPTION_STATUSES, "status"),
    },
    one_row_per=("prescription_id",),
)
