"""A record that somebody stored in the RT-PACS of a clinic whose MOSAIQ serves none: held against its database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from backup_jobs.jobs.build_on_treatment import build_on_treatment
from recovery.cache.journal import JobResult
from recovery.cache.store import Cache
from recovery.entries.known_gaps import KnownGap
from recovery.host.entry_lines import append_statement
from recovery.tables.schema import ON_TREATMENT
from recovery.words.notices import Next, next_fraction
from tests.archive_clinic import NOW, OneSite, delivery, local
from tests.backup_jobs.mosaiq import fraction, mosaiq_site, the_plan
from tests.objects import beam_item, encode, record
from tests.orthanc import HOW_TO_INSTALL, Orthanc, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

WORD = "word of the R&V system of 1 treatment record in the RT-PACS (counted, and a fraction hinges on it)"


@pytest.fixture
def site(tmp_path: Path, pacs: Orthanc) -> OneSite:
    """Seven fractions, and of the eighth 60 of 100 MU of the first field."""
    made = mosaiq_site(tmp_path, pacs)
    pacs.put(encode(the_plan()))
    begun = delivery(81, fraction_number=8, treated_at=local(2), delivered_meterset=60.0, termination_status="MACHINE")
    made.write("deliveries", [*(row for n in range(1, 8) for row in fraction(n)), begun])
    made.run()
    return made


def stored(pacs: Orthanc, number: int, days: float, *given: tuple[int, float]) -> str:
    """A record of somebody else, of so many MU by field."""
    beams = [beam_item(beam, number, mu, mu, delivery_type="TREATMENT") for beam, mu in given]
    person = {"PatientID": "00017R", "PatientName": "BASALT^Osprey", "PatientBirthDate": "19580704"}
    ds: Dataset = record("1.2.3.4", beams, at=local(days), InstanceCreationDate=f"{NOW:%Y%m%d}", **person)
    pacs.put(encode(ds))
    return str(ds.SOPInstanceUID)


def built(site: OneSite) -> tuple[JobResult, dict[str, Any], bool]:
    space = site.space()
    result = build_on_treatment(space)
    space.keep()
    (row,) = Cache(site.config.cache_path).read(ON_TREATMENT)
    return result, row, next_fraction({**row, "unknown_since": None})[1] is Next.DUE


def test_what_the_database_tells_nothing_of_counts_and_no_next_fraction_is_told_until_a_physicist_signs(
    pacs: Orthanc, site: OneSite
) -> None:
    _, row, is_due = built(site)
    assert (row["interrupted_fraction"], WORD in row["missing"], is_due) == (8, False, True)
    rest = stored(pacs, 8, 1.9, (1, 40.0), (2, 50.0))
    result, row, is_due = built(site)
    assert (row["interrupted_fraction"], WORD in row["missing"], is_due) == (None, True, False)
    assert rest in result.unproven and "sign it as a known gap" in result.message
    assert "1 treatment record counted that the R&V system does not have" in row["disagreement"]
    gap = KnownGap((rest,), "given, MOSAIQ crashed", NOW.date() + timedelta(9), "Green", NOW)
    append_statement(site.config.cache_path, gap)
    _, row, _ = built(site)
    assert (WORD in row["missing"], row["records_held"]) == (False, True)
    assert "1 treatment record counted that a physicist signed" in row["remarks"]


@pytest.mark.parametrize(
    "number, days, given",
    [(7, 3.0, [(1, 100.0), (2, 50.0)]), (7, 3.0, [(1, 100.3)]), (3, 30.0, [(1, 100.0), (2, 50.0)])],
    ids=["a machine's own record", "rounded", "of the system before"],
)
def test_what_it_tells_and_what_an_earlier_system_gave_is_no_doubt(
    pacs: Orthanc, site: OneSite, number: int, days: float, given: list[tuple[int, float]]
) -> None:
    uid = stored(pacs, number, days, *given)
    result, row, _ = built(site)
    assert uid in site.space().collection.records
    assert (
        "word of" not in row["missing"]
        and result.unproven == ()
        and "R&V system does not have" not in str(row["disagreement"])
    )


def test_what_was_given_since_it_was_read_is_not_judged_yet_and_what_has_not_come_is(
    pacs: Orthanc, site: OneSite
) -> None:
    later = site.later(minutes=10)
    stored(pacs, 9, -3 / 24 - 5 / 1440, (1, 100.0), (2, 50.0))
    assert local(-3 / 24 - 5 / 1440) > NOW.astimezone(site.config.site.zone).replace(tzinfo=None), (
        "noon, when it was read"
    )
    assert "word of" not in built(later)[1]["missing"]
    stored(pacs, 10, -3.0, (1, 100.0), (2, 50.0))
    assert WORD in built(later)[1]["missing"]


@pytest.mark.parametrize(
    ("days", "minutes", "given", "is_doubted"),
    [
        (0.0, 20, [(1, 100.0), (2, 50.0)], False),
        (0.0, 20, [(1, 99.0), (2, 49.0)], False),
        (0.0, 20, [(1, 40.0)], False),
        (0.0, 20, [(1, 110.0)], True),
        (1.0, 20, [(1, 100.0)], True),
    ],
    ids=["told over midnight", "whole MU", "a part of what was given", "more than it tells", "of another day"],
)
def test_a_machines_own_record_of_a_session_that_the_database_tells_in_full_is_no_doubt(
    pacs: Orthanc, tmp_path: Path, days: float, minutes: int, given: list[tuple[int, float]], *, is_doubted: bool
) -> None:
    """MOSAIQ tells it at ten to midnight, the first field in two parts; the machine ten past, and as one."""
    made = mosaiq_site(tmp_path, pacs)
    pacs.put(encode(the_plan()))
    at = local(3).replace(hour=23, minute=50)
    first, second = (dict(row, treated_at=at) for row in fraction(7))
    parts = [dict(first, delivered_meterset=60.0, termination_status="MACHINE")]
    parts += [dict(first, delivery_id="70", delivered_meterset=40.0, delivery_type="CONTINUATION")]
    made.write("deliveries", [*fraction(6), *parts, second])
    made.run()
    late = (local() - at).total_seconds() / 86400
    stored(pacs, 7, late - minutes / 1440 - days, *given)
    assert ("word of" in built(made)[1]["missing"]) is is_doubted
