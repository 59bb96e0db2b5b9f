"""A cache with plausible rows and runs, for tests and for looking at the page.

Goal
    Every test of the dashboard starts from the same clinic, whose time is Tuesday 24 November 2026, 14:38 in Zurich.

How
    Written by `recovery`'s own Cache and Journal. `python -m tests.app.clinic FOLDER [PATIENTS] [STATE]` makes one to
    look at; STATE is good, stale, partial, down, empty, missing or damaged.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from recovery.cache.journal import JobResult, Journal
from recovery.cache.store import Cache
from recovery.tables.schema import ON_TREATMENT
from tests.app import people

NOW = datetime(2026, 11, 24, 13, 38, tzinfo=UTC)
"""14:38 in Zurich."""
LOCAL = datetime(2026, 11, 24, 14, 38)  # noqa: DTZ001 times of the table are local to the site
CYCLE = ("sync_records", "sync_plans", "snapshot_tables", "build_on_treatment")

CONFIG = """
[site]
name = "Demo clinic"
time_zone = "Europe/Zurich"
[local]
ae_title = "RBRDT"
host = "127.0.0.1"
port = 11112
[rv]
ae_title = "RV"
host = "127.0.0.1"
port = 11113
[pacs]
ae_title = "PACS"
host = "127.0.0.1"
port = 11114
[cache]
path = "data/cache"
"""


_OF_COURSE = ("fractions_delivered", "number_of_fractions_planned")
"""What a plan alone has in common with its course."""


def row(
    name: str | None, patient_id: str, plan: str | None, delivered: int | None, **changes: object
) -> dict[str, object]:
    """One row of on_treatment: ready, treated yesterday on TB1, nothing odd; `changes` replace what differs."""
    planned = changes.get("number_of_fractions_planned", 30)
    is_known = isinstance(planned, int) and delivered is not None
    plain: dict[str, object] = {
        **dict.fromkeys(ON_TREATMENT.columns),
        "patient_id": patient_id,
        "patient_name": name,
        "patient_birth_date": date(1958, 7, 4),
        "patient_sex": "F",
        "physicians_of_record": "MEIER, Ursula",
        "referenced_rt_plan_uid": f"1.2.826.0.1.3680043.8.498.{zlib.crc32(f'{patient_id} {plan}'.encode())}",
        "prescription_id": None,
        "rt_plan_label": plan,
        "treatment_machine_name": "TB1",
        "number_of_fractions_planned": planned,
        "fractions_delivered": delivered,
        "fractions_remaining": planned - delivered if is_known else None,
        "course_fractions_delivered": delivered,
        "course_number_of_fractions_planned": planned,
        "course_plan_labels": "",
        "interrupted_fraction": None,
        "interrupted_meterset_remaining": None,
        "interrupted_remaining_in_words": None,
        "next_fraction_number": delivered + 1 if delivered is not None else None,
        "first_treatment_at": LOCAL - timedelta(days=20),
        "last_treatment_at": LOCAL - timedelta(days=1, hours=5),
        "next_appointment_at": LOCAL.replace(hour=8, minute=15) + timedelta(days=1),
        "unknown_since": None,
        "proven_at": None,
        "status": "on_treatment",
        "plan_held": True,
        "structure_set_held": True,
        "images_held": True,
        "records_held": True,
        "ready": True,
        "missing": "",
        "earlier_plans": "",
        "remarks": "",
        "other_patient_ids": None,
    }
    made = plain | changes
    return made | {f"course_{own}": changes.get(f"course_{own}", made[own]) for own in _OF_COURSE}


def notable_rows() -> list[dict[str, object]]:
    """One row of each kind that a reader must be able to tell from the others."""
    nobody: dict[str, object] = {"first_treatment_at": None, "last_treatment_at": None, "treatment_machine_name": None}
    lacks_images = {"images_held": False, "ready": False, "missing": "120 of 142 CT images"}
    return [
        row("ABELSEN, Anna", "100231", "Breast_L", 7, number_of_fractions_planned=15, last_treatment_at=LOCAL),
        row(
            "BERG, Bo",
            "100377",
            "Prostate",
            4,
            interrupted_fraction=5,
            interrupted_meterset_remaining=50.0,
            interrupted_remaining_in_words="50.0 MU left",
            number_of_fractions_planned=20,
            treatment_machine_name="TB2",
        ),
        row("BERG, Bo", "100892", "Lung_R", 11, physicians_of_record="O'NEIL, Sean"),
        row(
            "CASTAÑEDA, Inés", "100410", "Cervix_2", 2, number_of_fractions_planned=17, earlier_plans="Cervix: 8 of 25"
        ),
        row(
            "DUPONT, Rémi",
            "100555",
            "HeadNeck",
            12,
            number_of_fractions_planned=35,
            remarks="two records of fraction 7 on Mon 16 Nov add up to one",
        ),
        row("DUPONT, Rémi", "100555", "HN_Boost", 0, number_of_fractions_planned=5, status="ready_to_start", **nobody),
        row("EßER, Jürgen", "100601", "Rectum", 20, number_of_fractions_planned=25, **lacks_images),
        row(
            "FALK, Åsa",
            "100602",
            None,
            12,
            number_of_fractions_planned=None,
            plan_held=False,
            ready=False,
            structure_set_held=False,
            images_held=False,
            missing="plan (fractions are counted by the records' own metersets); "
            "structure set and images cannot be named without it",
        ),
        row(
            "GIL, Ana",
            "100700",
            "Brain",
            6,
            status="on_break",
            interrupted_fraction=7,
            interrupted_meterset_remaining=112.4,
            interrupted_remaining_in_words="112.4 MU left",
            last_treatment_at=LOCAL - timedelta(days=17),
        ),
        row("HUBER, Max", "100701", "Prostate", 39, number_of_fractions_planned=39, status="completed"),
        row("IVANOV, Ivan", "100702", "Lung", 9, status="superseded"),
        row("JANSEN, Lotte", "100703", "Breast_R", 0, status="ready_to_start", ready=None, records_held=None, **nobody),
        row(None, "QX_9", "Spine", 1, number_of_fractions_planned=1, status="completed"),
    ]


def many_rows(number: int) -> list[dict[str, object]]:
    """`number` rows: the notable ones, then as many plain ones as are missing."""
    names = ("AEBI", "BAUMANN", "COSTA", "DUBOIS", "ERIKSEN", "FERRARI", "GRAF", "HOFER", "IMHOF", "JUNG", "KELLER")
    sites = ("Breast_L", "Prostate", "Lung_R", "HeadNeck", "Rectum", "Brain")
    rows = notable_rows()[:number]
    for i in range(len(rows), number):
        planned = (15, 20, 25, 30, 35)[i % 5]
        changes: dict[str, object] = {
            "number_of_fractions_planned": planned,
            "treatment_machine_name": f"TB{i % 4 + 1}",
            "physicians_of_record": ("MEIER, Ursula", "O'NEIL, Sean", "ROSSI, Carla")[i % 3],
            "patient_birth_date": date(1940 + i % 50, i % 12 + 1, i % 28 + 1),
            "last_treatment_at": LOCAL - timedelta(days=i % 9, minutes=13 * i % 400),
            "status": "completed" if i % 11 == 0 else "on_break" if i % 23 == 0 else "on_treatment",
        }
        rows.append(row(f"{names[i % 11]}, P{i}", f"{200000 + i}", sites[i % 6], i % planned, **changes))
    return rows


def write_runs(cache: Path, ends: Iterable[tuple[timedelta, Mapping[str, str]]], now: datetime = NOW) -> None:
    """Note cycles in the journal: each began so long before `now`; each job `OK` unless the mapping says other.

    A mapping's value is an outcome, or `FAILED rv`, `PARTIAL 3`.
    """
    journal = Journal(cache)
    for before, told in ends:
        for i, job in enumerate(CYCLE):
            outcome, _, rest = told.get(job, "OK").partition(" ")
            counts = {"found": 40, "already_held": 40, "moved": 0, "unproven": int(rest) if rest.isdigit() else 0}
            fault = "" if rest.isdigit() else rest
            at = now - before + timedelta(seconds=10 * i)
            result = JobResult(job, outcome, counts, message="said so", fault=fault)  # type: ignore[arg-type]
            journal.finish(journal.start(job, at), result, at + timedelta(seconds=5))


def make(folder: Path, state: str = "good", patients: int = 60, now: datetime = NOW) -> Path:
    """A folder with config and cache in one of the states of this module's docstring; returns the config's path."""
    folder.mkdir(parents=True, exist_ok=True)
    config, cache = folder / "config.toml", folder / "data" / "cache"
    config.write_text(CONFIG, encoding="utf-8")
    people.enrol(folder / "data" / "accounts.json")
    if state == "missing":
        return config
    minutes = [timedelta(minutes=m) for m in (26, 16, 6)]
    age = timedelta(minutes=150) if state in {"stale", "down"} else timedelta(minutes=6)
    ends: dict[str, list[tuple[timedelta, Mapping[str, str]]]] = {
        "stale": [(timedelta(minutes=160), {}), (timedelta(minutes=150), {})],
        "down": [
            (timedelta(minutes=150), {}),
            *(
                (m, {"sync_records": "FAILED rv", "sync_plans": "FAILED rv", "snapshot_tables": "FAILED database"})
                for m in minutes
            ),
        ],
        "partial": [
            (minutes[0], {}),
            (minutes[1], {"sync_records": "PARTIAL 3"}),
            (minutes[2], {"sync_records": "PARTIAL 3"}),
        ],
    }
    write_runs(cache, ends.get(state, [(m, {}) for m in minutes]), now)
    rows = [] if state == "empty" else many_rows(patients)[::-1]
    built = now - (timedelta(minutes=6) if state == "down" else age) + timedelta(seconds=33)
    written = Cache(cache).write(ON_TREATMENT, rows, taken_at=built, source="RT-PACS")
    if state == "damaged":
        written.path.write_bytes(written.path.read_bytes()[:200] + b"damaged")
    return config


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *("", "60", "good")[len(sys.argv) - 1 :]]
    print(make(Path(arguments[0]), arguments[2], int(arguments[1])))
