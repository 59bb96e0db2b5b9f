"""What was charted is in the list, the ledger and on paper at once, before and after the list is built anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_frame_equal
from pydicom import Dataset

import recovery.patient.tables
from recovery.cache.store import Cache
from recovery.charting.sheet import chart_sheets
from recovery.course.charted import settle_all
from recovery.course.charted_entries import ChartedBeam, ChartedFraction, freed_by, standing
from recovery.entries.charted import answers, enter
from recovery.lists import day_tables, rows
from recovery.on_treatment.charting_checks import findings
from recovery.on_treatment.evidence import Evidence
from recovery.on_treatment.rows import build_rows
from recovery.on_treatment.unknown_since import Doubt, unknown_of
from recovery.pacs.collection import Collection
from recovery.patient import notices
from recovery.patient.file import PatientFile, read_patient_file
from recovery.patient.recounted import recounted
from recovery.patient.tables import read_tables
from recovery.patient.to_chart import facts_of
from recovery.tables.schema import ON_TREATMENT
from tests.recovery.charting import entry
from tests.recovery.patient_clinic import LOCAL, NOW, SITE, Clinic, anna, bo

TODAY = LOCAL.replace(hour=9, minute=30)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clinic, Cache, Dataset, Dataset]:
    clinic, folder = Clinic(), tmp_path_factory.mktemp("charted") / "cache"
    plans = anna(clinic), bo(clinic)
    return clinic, clinic.write(folder), *plans


@pytest.fixture
def cache(made: tuple[Clinic, Cache, Dataset, Dataset], tmp_path: Path) -> Cache:
    """The same tables, with a folder of entries of its own."""
    (tmp_path / "cache").symlink_to(made[1].path)
    return Cache(tmp_path / "cache")


def of(plan: Dataset, number: int | None, given: Mapping[int, float], **more: Any) -> ChartedFraction:
    said: dict[str, Any] = {"patient_id": str(plan.PatientID), "referenced_rt_plan_uid": str(plan.SOPInstanceUID)}
    beams = tuple(ChartedBeam(beam, f"Field {beam}", mu, mu) for beam, mu in given.items())
    return entry(more.pop("entry_id", "a"), number, {}, TODAY, **(said | {"beams": beams} | more))


def charted(cache: Cache, *entries: ChartedFraction) -> None:
    for place, one in enumerate(entries):
        enter(cache.path, cache.path.parent / "key", replace(one, entry_id=f"{one.entry_id}{place}"))


def read(cache: Cache, plan: Dataset) -> PatientFile:
    return read_patient_file(cache, SITE, str(plan.PatientID), NOW)


WHOLE = {1: 112.4, 2: 98.6}


def test_list_ledger_gap_clock_and_chart_have_it_at_once_marked_and_by_whom(made: Any, cache: Cache) -> None:
    plan = made[2]
    assert read(cache, plan).plans[0].row.next_fraction_number == 8
    charted(cache, of(plan, 8, WHOLE))
    file = read(cache, plan)
    (one,) = file.plans
    assert (one.row.fractions_delivered, one.row.next_fraction_number, one.row.fractions_remaining) == (8, 9, 7)
    assert one.row.last_treatment_at == TODAY and one.ledger is not None
    assert one.ledger.dose_delivered == pytest.approx(8 * 2.67) and one.ledger.next.fraction_number == 9
    assert one.ledger.fractions[-1].sessions[0].charted_by == "A and B"
    assert [str(n) for n in notices.of_plan(one) if n.word == "CHARTED"] == [
        "▲ CHARTED: fraction 8 by hand, the newest Tue 24 Nov 2026 09:30 by A and B"
    ]
    (sheet,) = chart_sheets(file)
    assert sheet.next_fraction.startswith("9 next") and sheet.first_row == "9"
    assert sheet.last_fractions.rows[-1][0] == "8" and "charted" in " ".join(sheet.last_fractions.rows[-1])


def test_a_rest_that_was_charted_finishes_what_a_machine_began(made: Any, cache: Cache) -> None:
    plan = made[3]
    assert read(cache, plan).plans[0].row.interrupted_fraction == 5
    rest = (ChartedBeam(1, "Field 1", 12.0, 12.0, True), ChartedBeam(2, "Field 2", 38.0, 38.0))
    records = read_tables(cache, ["100377"]).records["100377"]
    from recovery.course.charted import deliveries_of

    charted(cache, of(plan, 5, {}, beams=rest, known=tuple(deliveries_of(records))))
    row = read(cache, plan).plans[0].row
    assert (row.interrupted_fraction, row.fractions_delivered, row.next_fraction_number) == (None, 5, 6)


def test_entries_of_two_workstations_for_one_fraction_leave_the_next_one_unknown(made: Any, cache: Cache) -> None:
    plan = made[2]
    charted(cache, of(plan, 8, WHOLE), of(plan, 8, {1: 112.4, 2: 90.0}, signed_by="C"))
    (one,) = read(cache, plan).plans
    assert one.row.fractions_delivered == 8
    assert notices.next_fraction(one) == "unknown: what was charted is in conflict (8 of 15 given)"
    (stop,) = [notice for notice in notices.of_plan(one) if notice.word == "CONFLICT"]
    assert stop.is_stop and "charted twice" in stop.said and "settle it on the page" in stop.said
    (sheet,) = chart_sheets(read(cache, plan))
    assert sheet.first_row == "" and {beam.first for beam in sheet.beams} == {"—"}, "no number to sign under a stop"
    assert "not known: ask before anything is given" in sheet.rows_title and sheet.blank_rows


def test_a_build_says_the_same_as_what_was_counted_before_it(made: Any, cache: Cache) -> None:
    clinic, _, plan, other = made
    entries = [of(plan, 8, WHOLE), of(other, 6, {1: 100.0, 2: 38.0}, entry_id="b")]
    for one in entries:
        enter(cache.path, cache.path.parent / "key", one)
    collection = Collection(SITE.zone)
    for ds in clinic.objects:
        collection.add(ds)
    records = list(collection.records.values())
    known = settle_all(standing(entries), records)
    evidence = Evidence(
        [*records, *(r for s in known.values() for r in s.records)],
        collection.plans,
        collection.structure_sets,
        {},
        charted=known,
    )
    built = {row["patient_id"]: row for row in build_rows(evidence, LOCAL, on_treatment_days=14).rows}
    overlaid = {row["patient_id"]: row for row in recounted(read_tables(cache, ["100231", "100377"]))}
    held = {"plan_held", "structure_set_held", "images_held", "ready", "missing"}
    not_counted = held | {"next_appointment_at", "remarks"}
    for patient_id, row in built.items():
        same = row.keys() - not_counted
        assert {name: overlaid[patient_id][name] for name in same} == {name: row[name] for name in same}
    assert built["100231"]["charted"]


def test_who_has_nothing_new_is_not_counted_again_and_the_list_is_the_same(
    made: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each entry the list is that of a fresh count, also where another patient was charted with one's plan."""
    _, _, plan, other = made
    counted: list[list[str]] = []
    monkeypatch.setattr(
        recovery.patient.tables, "read_tables", lambda of, ids: counted.append(list(ids)) or read_tables(of, ids)
    )
    table, known = rows.describe(rows.in_order(cache.read_frame(ON_TREATMENT))), rows.Recounts()
    assert_frame_equal(rows.with_charted(table, cache, known), table)
    whose = str(plan.PatientID), str(other.PatientID)
    entries = (
        (of(plan, 8, WHOLE, entry_id="a"), [whose[0]]),
        (of(other, 6, {1: 100.0, 2: 38.0}, entry_id="b"), [whose[1]]),
        (of(plan, None, {}, entry_id="c", corrects="a", is_withdrawn=True, known_entries=("a",)), [whose[0]]),
        (of(plan, 8, WHOLE, entry_id="d", patient_id=whose[1]), [*whose]),
    )
    for one, again in entries:
        enter(cache.path, cache.path.parent / "key", one)
        counted.clear()
        told = rows.with_charted(table, cache, known)
        assert counted == [again], one.entry_id
        assert_frame_equal(told, rows.with_charted(table, cache))


def test_who_was_charted_or_was_not_treated_is_not_unknown_any_more(made: Any, cache: Cache) -> None:
    rows = [row for row in cache.read(ON_TREATMENT) if row["patient_id"] == "100231"]
    uid = str(made[2].SOPInstanceUID)
    doubt = Doubt(TODAY - timedelta(days=1, hours=1), LOCAL)
    yesterday, today = TODAY - timedelta(days=1), TODAY
    schedule = [
        {"patient_id": "100231", "appointment_at": at, "treatment_machine_name": "TB1", "status": "booked"}
        for at in (yesterday + timedelta(hours=1), today)
    ]
    answered_both = {uid: (yesterday + timedelta(hours=1), today)}
    assert unknown_of(rows, schedule, doubt) == [doubt.since]
    assert unknown_of(rows, schedule, doubt, {uid: (today,)}) == [doubt.since], "yesterday's is still open"
    assert unknown_of(rows, schedule, doubt, answered_both) == [None]
    assert unknown_of(rows, None, doubt, {uid: (today,)}) == [None], "without a schedule, today's answer"
    assert unknown_of(rows, None, doubt, {uid: (yesterday,)}) == [doubt.since]


def test_who_was_recorded_on_the_day_of_the_proof_stays_known_once_a_later_day_is_charted(
    made: Any, cache: Cache
) -> None:
    """The row tells the newest treatment alone, which is then the charted one."""
    plan, before = made[2], TODAY - timedelta(days=1)
    doubt = Doubt(before + timedelta(hours=1), LOCAL)
    booked = {"treatment_machine_name": "TB1", "status": "booked"}
    schedule = [{"patient_id": "100231", "appointment_at": at, **booked} for at in (before, TODAY)]
    charted(cache, of(plan, 8, WHOLE))
    (row,) = recounted(read_tables(cache, ["100231"]))
    told = answers(cache.path)
    table = cache.read_frame(ON_TREATMENT)
    recorded = day_tables.recorded_since(cache, table, doubt.since.date())
    assert row["last_treatment_at"] == TODAY and list(recorded) == [
        row["referenced_rt_plan_uid"],
        str(made[3].SOPInstanceUID),
    ]
    assert unknown_of([row], schedule, doubt, told, recorded) == [None]
    assert unknown_of([row], schedule, doubt, told, {}) == [doubt.since], "where no record tells of it"


def test_a_correction_is_held_against_what_counts_beside_it_once_it_is_signed(made: Any, cache: Cache) -> None:
    """Of two in conflict one counts now; a correction of either, which knows both, frees the other."""
    plan, less = made[2], {1: 112.4, 2: 40.0}
    one, other = of(plan, 8, WHOLE, entry_id="a"), of(plan, 8, less, entry_id="b", signed_by="C")
    for entered in (one, other):
        enter(cache.path, cache.path.parent / "key", entered)
    file = read(cache, plan)
    for corrected, beside in ((one, less), (other, WHOLE)):
        right = of(plan, 8, WHOLE, entry_id="c", corrects=corrected.entry_id, known_entries=("a", "b"))
        freed = freed_by(right, [one, other])
        facts = facts_of(file, file.plans[0], right, corrected, freed)
        assert facts.given == pytest.approx(beside)
        assert "meterset_absurd" in {found.check for found in findings(right, facts) if found.is_refused}
