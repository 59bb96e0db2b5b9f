"""Every case of the shared folder that R&V system and RT-PACS alone can show, in one clinic: what the list says of it.

Case c10 needs a node of its own (`test_asking_in_full`, `dimse/test_limits`), the pictures of c17 are in
`pictures/test_dose_parts`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.clinic import two_nodes
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.testdata import PROJECT

CASES = Path(os.environ.get("RBRDT_CASES", PROJECT.parent / "shared" / "cases"))

pytestmark = [
    pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL),
    pytest.mark.skipif(not CASES.is_dir(), reason="no shared cases: set RBRDT_CASES to the folder of c01_….py"),
]

Rows = list[dict[str, Any]]
WHOLE = {"ready": True, "images_held": True, "missing": ""}


def treated(delivered: int, planned: int | None, **more: Any) -> dict[str, Any]:
    return {
        "fractions_delivered": delivered,
        "number_of_fractions_planned": planned,
        "next_fraction_number": delivered + 1,
        "status": "on_treatment",
        **more,
    }


def interrupted(delivered: int, planned: int) -> dict[str, Any]:
    """Stopped in the next fraction, in another unit than MU."""
    return treated(delivered, planned, interrupted_fraction=delivered + 1, interrupted_meterset_remaining=None, **WHOLE)


def adapted(label: str) -> dict[str, Any]:
    return {
        "status": "on_treatment" if label == "Pros_ad3" else "superseded",
        "course_fractions_delivered": 3,
        "course_number_of_fractions_planned": 5,
        "fractions_remaining": 2,
        "next_fraction_number": 4,
        "course_plan_labels": "Pros_ad3, Pros_ad2, Pros_ad1",
        **WHOLE,
    }


UNNAMED = {"ready": False, "images_held": False, "structure_set_held": False}
RIGHT: dict[tuple[str, str], dict[str, Any]] = {
    ("B01", "Lung"): treated(5, 20, **WHOLE),
    ("B02", "Lung"): treated(5, 20, **WHOLE),
    ("B03", "HN"): treated(3, 20, **WHOLE),
    ("B04", "HN"): treated(3, 20, **WHOLE),
    ("B05", "HelicalPelvis"): interrupted(3, 20),
    ("B06", "CarbonBase"): interrupted(2, 16),
    ("B07", "Boost"): treated(3, 5, **WHOLE),
    ("B08", "Boost"): treated(3, 5, **WHOLE),
    ("B09-MRN", "Brain"): treated(12, 30, fractions_remaining=18, **WHOLE),
    **{(who, f"Pros_ad{n}"): adapted(f"Pros_ad{n}") for who in ("B10", "B11") for n in (1, 2, 3)},
    ("B23", "PDR Cervix"): interrupted(0, 1),
    ("B24", "PDR Cervix"): {"fractions_delivered": 1, "fractions_remaining": 0, "status": "completed", **WHOLE},
    ("B33", "Five"): treated(1, 35, **WHOLE),
    ("X1", "Zero"): treated(3, None, fractions_remaining=None, **UNNAMED),
    ("X2", "TwoGroups"): {"fractions_delivered": 25, "fractions_remaining": 0, "status": "completed", **UNNAMED},
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rows, Rows, list[str]]]:
    """The list after two cycles and after a rebuild, and what the second cycle's jobs said."""
    folder = tmp_path_factory.mktemp("cases")
    for case in sorted(CASES.glob("c[0-9]*.py")):
        if not case.name.startswith("c10"):
            subprocess.run(
                [sys.executable, str(case), str(folder / "in" / case.stem)], check=True, capture_output=True, timeout=60
            )
    with two_nodes(folder) as nodes:
        for path in sorted((folder / "in").rglob("*.dcm")):
            nodes.rv.put(path.read_bytes())
        nodes.job("cycle")
        status, jobs = nodes.job("cycle")
        assert nodes.pacs.instances() == nodes.rv.instances()
        assert status == 1, "two plans of c20 name no structure set, and there is no image of theirs anywhere"
        rows = nodes.table()
        nodes.rv.kill()
        (folder / "cache").rename(folder / "lost")
        assert nodes.run("recovery", "rebuild").returncode == 0
        yield rows, nodes.table(), [job["message"] for job in jobs.values()]


@pytest.mark.parametrize("of", sorted(RIGHT), ids=" ".join)
def test_the_list_says_of_each_case_what_is_right(of: tuple[str, str], told: tuple[Rows, Rows, list[str]]) -> None:
    [row] = [r for r in told[0] if (r["patient_id"], r["rt_plan_label"]) == of]
    assert {name: row[name] for name in RIGHT[of]} == RIGHT[of]


def test_nobody_else_is_on_the_list_and_a_rebuild_says_the_same(told: tuple[Rows, Rows, list[str]]) -> None:
    rows, again, said = told
    assert {(r["patient_id"], r["rt_plan_label"]) for r in rows} == RIGHT.keys()
    assert again == rows
    assert not any("was not found by UID" in message for message in said), "a plan that is held looks like itself"


def test_what_is_remarked_on(told: tuple[Rows, Rows, list[str]]) -> None:
    remarks = {(r["patient_id"], r["rt_plan_label"]): r["remarks"] or "" for r in told[0]}
    assert "found on the plan's frame of reference" in remarks["B02", "Lung"]
    assert "B09-TMP" in remarks["B09-MRN", "Brain"]
    assert "Pros_ref" in remarks["B11", "Pros_ad3"]


def test_times_in_another_zone_are_the_sites(told: tuple[Rows, Rows, list[str]]) -> None:
    last = {r["patient_id"]: datetime.fromisoformat(r["last_treatment_at"]) for r in told[0]}
    day = datetime.combine(date.today() - timedelta(days=2), datetime.min.time())  # noqa: DTZ011  as the case writes it
    assert last["B08"] == day.replace(hour=23, minute=30)
    assert last["B07"] - last["B08"] in {timedelta(hours=1), timedelta(hours=2)}
