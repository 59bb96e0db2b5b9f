"""A physicist decides which fraction is next where the records contradict themselves: on what is known, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from recovery.cache.store import Cache
from recovery.charting.sheet import chart_sheets
from recovery.course.charted_entries import ChartedBeam
from recovery.dicom.records import TreatmentRecord
from recovery.entries.charted import enter
from recovery.entries.next_decisions import NextDecision, decision_of, standing_at, told_since
from recovery.entries.statement_lines import take_entries
from recovery.host.entry_lines import append_statement, file_of
from recovery.lists import rows
from recovery.on_treatment.charting_checks import findings
from recovery.packing.gate import Case, has_fractions_left
from recovery.patient import notices
from recovery.patient.file import read_patient_file
from recovery.patient.plan import PlanFile
from recovery.patient.recounted import recounted
from recovery.patient.tables import PatientTables, read_tables
from recovery.patient.to_chart import beams_due, facts_of, known_of
from recovery.tables.schema import ON_TREATMENT
from tests import objects as o
from tests.recovery.charting import entry
from tests.recovery.patient_clinic import LOCAL, NOW, SITE, Clinic, treated, weekday, whose

CARL = "100512"
WHOLE = {1: 100.0, 2: 50.0}
SIGNED_AT = NOW.astimezone(SITE.zone)
BY = "decided by Green, Gloria (gloria) on Tue 24 Nov 2026 14:38"


def carl(clinic: Clinic) -> Dataset:
    """3 of 20 given; then beam 1 as fraction 4, and beam 2 as fraction 5: one fraction or two?"""
    person = whose(CARL, "CARLSEN^Carl", sex="M")
    slices = o.images(4, **person)
    contours = o.structure_set(slices, **person)
    plan = o.plan(WHOLE, fractions=20, structure_set_uid=contours.SOPInstanceUID, RTPlanLabel="Lung", **person)  # type: ignore[arg-type]
    clinic.add(slices, contours, plan, treated(plan, range(1, 4), WHOLE, last=2))
    clinic.add(treated(plan, [4], {1: 100.0}, last=1), treated(plan, [5], {2: 50.0}))
    return plan


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cache, Dataset]:
    clinic = Clinic()
    plan = carl(clinic)
    return clinic.write(tmp_path_factory.mktemp("decided") / "cache"), plan


@pytest.fixture
def cache(made: tuple[Cache, Dataset], tmp_path: Path) -> Cache:
    """The same tables, with a folder of entries of its own."""
    (tmp_path / "cache").symlink_to(made[0].path)
    return Cache(tmp_path / "cache")


def plan_of(cache: Cache) -> PlanFile:
    return read_patient_file(cache, SITE, CARL, NOW).plans[0]


def decision(
    plan: PlanFile, kind: Any, number: int | None, remaining: Mapping[int, float] = {}, **more: Any
) -> NextDecision:
    assert plan.doubted is not None
    said: dict[str, Any] = {"reason": "the console's log shows it", "evidence": plan.doubted.evidence} | more
    return NextDecision(
        CARL, str(plan.uid), kind, number, None, dict(remaining), signed_by="Green, Gloria (gloria)",
        entered_at=SIGNED_AT, **said,
    )  # fmt: skip


def decide(cache: Cache, kind: Any, number: int | None, remaining: Mapping[int, float] = {}, **more: Any) -> PlanFile:
    append_statement(cache.path, decision(plan_of(cache), kind, number, remaining, **more))
    return plan_of(cache)


def chart(
    cache: Cache, entry_id: str, number: int, mu: Mapping[int, float], minutes: int = 10, **more: Any
) -> PlanFile:
    beams = tuple(ChartedBeam(beam, f"Field {beam}", WHOLE.get(beam), one) for beam, one in mu.items())
    at = LOCAL + timedelta(minutes=minutes)
    file = read_patient_file(cache, SITE, CARL, NOW)
    known, plan = known_of(file, file.plans[0], number, at), file.plans[0]
    said = {"patient_id": CARL, "referenced_rt_plan_uid": str(plan.uid), "beams": beams, "known": known} | more
    enter(cache.path, cache.path.parent / "key", entry(entry_id, number, {}, at, **said))
    return plan_of(cache)


def test_list_page_chart_gate_and_charting_tell_what_was_decided_and_still_the_doubt(cache: Cache) -> None:
    before = plan_of(cache)
    assert (
        notices.next_fraction(before).startswith("unknown: fractions 4 and 5 have parts") and not before.is_next_certain
    )
    plan = decide(cache, "whole", 5)
    said = f"5 next of 20, {BY} (3 given by the records)"
    assert notices.next_fraction(plan) == said and plan.is_next_certain
    assert (plan.row.next_fraction_number, plan.row.interrupted_fraction) == (5, None)
    assert plan.ledger is not None and plan.ledger.fractions[-1].state == "in part"
    told = [str(one) for one in notices.of_plan(plan)]
    assert not any(one.startswith(("■ NEXT", "■ INTERRUPTED")) for one in told)
    assert f"▲ DECIDED: {BY[8:]}: the console's log shows it; in doubt by the records: " in "".join(told)
    assert any(one.startswith("▲ DECIDED: by Green") and "each lacks the other: they may be one" in one for one in told)
    sheet = chart_sheets(read_patient_file(cache, SITE, CARL, NOW))[0]
    assert (sheet.next_fraction, sheet.first_row, [b.first for b in sheet.beams]) == (said, "5", ["100.0", "50.0"])
    assert any(one.startswith("DECIDED: by Green") for one in sheet.looks)
    assert sheet.rows_title == "Fractions given from this sheet. The next fraction was decided: read the first page"
    listed = rows.with_charted(rows.describe(cache.read_frame(ON_TREATMENT)), cache)
    assert listed["fraction"].tolist() == [said] and listed["next_is"].tolist() == ["due"]
    file = read_patient_file(cache, SITE, CARL, NOW)
    assert has_fractions_left(Case(file, plan, None, "TB1", None, 24)) is None
    assert "Its next fraction is not known" in str(has_fractions_left(Case(file, before, None, "TB1", None, 24)))
    due = entry("x", 5, {}, LOCAL, patient_id=CARL, referenced_rt_plan_uid=str(plan.uid), beams=beams_due(plan, 5))
    assert due.meterset == 150.0
    assert {one.check for one in findings(due, facts_of(file, plan, due, None))} & {"not_the_next_fraction"} == set()


def test_the_rest_of_a_fraction_is_what_was_signed_whatever_the_records_add_up_to(cache: Cache) -> None:
    plan = decide(cache, "rest", 4, {2: 30.0})
    assert notices.next_fraction(plan) == f"finish 4 of 20 first, {BY} (3 given)"
    assert "■ INTERRUPTED: finish fraction 4 first, 30.0 MU left (Field 2 30.0)" in map(str, notices.of_plan(plan))
    sheet = chart_sheets(read_patient_file(cache, SITE, CARL, NOW))[0]
    assert (sheet.first_row, [b.first for b in sheet.beams]) == ("4 rest", ["0.0", "30.0"])
    assert [(b.beam_number, b.delivered_meterset, b.is_continuation) for b in beams_due(plan, 4)] == [(2, 30.0, True)]
    after = chart(cache, "a", 4, {2: 30.0})
    assert (
        notices.next_fraction(after) == f"5 next of 20, {BY} (3 given by the records, charted)"
        and after.is_next_certain
    )


def test_what_is_charted_after_a_decision_goes_on_from_it_fraction_by_fraction(cache: Cache) -> None:
    decide(cache, "whole", 5)
    begun = chart(cache, "a", 5, {1: 100.0, 2: 20.0})
    assert (begun.row.next_fraction_number, begun.row.interrupted_fraction) == (5, 5)
    assert [(b.beam_number, b.delivered_meterset) for b in beams_due(begun, 5)] == [(2, 30.0)]
    known = {"known_entries": ("a",)}
    ended = chart(cache, "b", 5, {2: 30.0}, 20, **known)
    assert (ended.row.next_fraction_number, ended.row.interrupted_fraction) == (6, None)
    later = chart(cache, "c", 6, WHOLE, 60 * 24, **known)
    assert later.row.next_fraction_number == 7 and BY in notices.next_fraction(later)


@pytest.mark.parametrize(
    ("number", "minutes", "mu"),
    [(6, 10, WHOLE), (4, 10, WHOLE), (5, -10, WHOLE), (5, 10, {1: 160.0, 2: 50.0}), (5, 10, {1: 100.0, 3: 50.0})],
)
def test_what_is_charted_otherwise_ends_it(cache: Cache, number: int, minutes: int, mu: Mapping[int, float]) -> None:
    decide(cache, "whole", 5)
    plan = chart(cache, "a", number, mu, minutes)
    assert plan.row.next_decided is None and not plan.is_next_certain
    assert "(fraction 5 is next) holds no more: what was charted since does not go on from it" in str(plan.row.remarks)
    assert notices.next_fraction(plan).startswith("unknown: ")


def test_what_ended_by_charting_against_it_is_decided_anew_also_where_the_doubt_is_gone(cache: Cache) -> None:
    decide(cache, "whole", 5)
    plan = chart(cache, "a", 5, {1: 100.0, 3: 50.0})
    assert plan.doubted is not None and plan.doubted.evidence.doubts == () and plan.row.next_decided is None
    assert plan.doubted.refusal(decision(plan, "whole", 6)) == ""
    anew = decide(cache, "whole", 6)
    assert notices.next_fraction(anew).startswith("6 next of 20, decided by") and anew.is_next_certain
    assert [str(one) for one in notices.of_plan(anew) if one.word == "DECIDED"] == [
        f"▲ DECIDED: {BY[8:]}: the console's log shows it"
    ]


def test_it_holds_for_the_same_objects_read_into_another_cache(tmp_path: Path) -> None:
    clinic = Clinic()
    carl(clinic)
    before = decide(clinic.write(tmp_path / "one"), "whole", 5)
    clinic.objects.reverse()
    other = clinic.write(tmp_path / "two")
    take_entries(tmp_path / "one", tmp_path / "two")
    after = plan_of(other)
    assert after.row.next_decided == before.row.next_decided is not None


def test_after_the_last_planned_fraction_nobody_is_told_another(cache: Cache) -> None:
    decide(cache, "whole", 20)
    plan = chart(cache, "a", 20, WHOLE)
    assert "fraction 20, the last that is planned, was charted since" in str(plan.row.remarks)
    assert notices.next_fraction(plan).startswith("unknown: ")


def test_that_nothing_remains_has_no_row_to_sign_and_charting_warns(cache: Cache) -> None:
    plan = decide(cache, "none", None)
    assert notices.next_fraction(plan) == f"none, {BY} (3 of 20 given by the records)"
    file = read_patient_file(cache, SITE, CARL, NOW)
    assert chart_sheets(file)[0].first_row == ""
    assert has_fractions_left(Case(file, plan, None, "TB1", None, 24)) == "No fraction remains to be given."
    due = entry("x", 5, {}, LOCAL, patient_id=CARL, referenced_rt_plan_uid=str(plan.uid), beams=beams_due(plan, 5))
    assert "that nothing remains was decided" in str(findings(due, facts_of(file, plan, due, None)))


def test_the_latest_counts_until_it_is_taken_back_and_nothing_before_a_damaged_line_does(cache: Cache) -> None:
    decide(cache, "whole", 5)
    assert decide(cache, "whole", 6, reason="the log was another's").row.next_fraction_number == 6
    assert told_since(cache.path, NOW)
    assert notices.next_fraction(decide(cache, "open", None)).startswith("unknown: ")
    assert not told_since(cache.path, NOW)
    assert decide(cache, "whole", 5).row.next_decided is not None
    file = file_of(cache.path, NextDecision)
    file.write_bytes(file.read_bytes() + b'{"half\n')
    assert plan_of(cache).row.next_decided is None, "the damaged line may have taken it back"


def test_a_decision_under_an_older_number_of_the_patient_is_his(cache: Cache) -> None:
    plan = plan_of(cache)
    one = decision(plan, "whole", 5)
    row = {**plan.told, "other_patient_ids": "100999"}
    standing = {("100999", str(plan.uid)): one}
    assert decision_of(row, standing) is one
    back = replace(one, kind="open", fraction_number=None, entered_at=SIGNED_AT + timedelta(hours=1))
    assert decision_of(row, {**standing, (CARL, str(plan.uid)): back}) is None
    assert standing_at(cache.path) == {}


@pytest.mark.parametrize(
    ("kind", "number", "remaining", "why"),
    [
        ("whole", 22, {}, "fraction 22 is none: 20 are planned"),
        ("whole", 0, {}, "fraction 0 is none"),
        ("whole", 21, {}, ""),
        ("rest", 5, {1: 100.1}, "beam 1 gives 100.0 MU in a fraction: 100.1 cannot remain"),
        ("rest", 5, {3: 1.0}, "how many MU beam 3 was to give is not known"),
        ("rest", 5, {1: 100.0, 2: 50.0}, ""),
        ("none", None, {}, ""),
    ],
)
def test_a_number_beyond_the_plan_and_more_than_a_beam_gives_are_refused(
    cache: Cache, kind: str, number: int | None, remaining: Mapping[int, float], why: str
) -> None:
    plan = plan_of(cache)
    assert plan.doubted is not None
    said = plan.doubted.refusal(decision(plan, kind, number, remaining))
    assert said.startswith(why) if why else said == ""


def test_nothing_is_decided_where_nothing_is_in_doubt(cache: Cache) -> None:
    plan = plan_of(cache)
    assert plan.doubted is not None
    clear = replace(plan.doubted, evidence=replace(plan.doubted.evidence, doubts=()))
    assert clear.refusal(decision(plan, "whole", 5)) == "the records tell the next fraction by themselves"


@pytest.mark.parametrize(
    "wrong",
    [{"reason": " "}, {"reason": "x" * 201}, {"fraction_number": None}, {"remaining": {1: 5.0}}, {"signed_by": ""}],
)
def test_what_nobody_can_mean_is_no_statement(cache: Cache, wrong: dict[str, Any]) -> None:
    one = decision(plan_of(cache), "whole", 5)
    with pytest.raises(ValueError, match=r"say|names"):
        replace(one, **wrong)


def ended(tables: PatientTables, records: list[TreatmentRecord]) -> bool:
    (row,) = recounted(replace(tables, records={CARL: tuple(records)}))
    return "next_decided" not in row


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_decision_never_survives_other_evidence(made: tuple[Cache, Dataset], data: st.DataObject) -> None:
    tables = read_tables(made[0], [CARL])
    (row,) = recounted(tables)
    assert row["doubted"] is not None
    one = NextDecision(
        CARL, str(made[1].SOPInstanceUID), "whole", 5, None, {}, "seen", row["doubted"].evidence, "G", SIGNED_AT
    )
    decided = replace(tables, decisions={(CARL, one.plan): one})
    records = data.draw(st.permutations(tables.records[CARL]))
    assert not ended(decided, records), "the same records in another order are the same evidence"
    place = data.draw(st.integers(0, len(records) - 1))
    record = records[place]
    beam = record.beams[0]
    mu = data.draw(st.floats(0, 200).filter(lambda value: value != beam.delivered_meterset))
    number = data.draw(st.integers(1, 30).filter(lambda value: value != beam.current_fraction_number))
    anew = replace(record.ref, sop_instance_uid="1.2.3")
    days = data.draw(st.integers(1, 9))
    assert record.treatment_date is not None
    others: dict[str, list[TreatmentRecord]] = {
        "lost": [],
        "come": [record, replace(record, ref=anew)],
        "other MU": [replace(record, beams=(replace(beam, delivered_meterset=mu),))],
        "other number": [replace(record, beams=(replace(beam, current_fraction_number=number),))],
        "other day": [replace(record, treatment_date=record.treatment_date + timedelta(days=days))],
        "of no plan": [replace(record, referenced_rt_plan_uid=None)],
        "no beams": [replace(record, beams=())],
    }
    kind = data.draw(st.sampled_from(sorted(others)))
    assert ended(decided, [*records[:place], *others[kind], *records[place + 1 :]]), kind


def test_it_ends_with_another_doubt_alone(made: tuple[Cache, Dataset]) -> None:
    tables = read_tables(made[0], [CARL])
    (row,) = recounted(tables)
    evidence = row["doubted"].evidence
    another = replace(evidence, doubts=("another",), digest="0")
    one = NextDecision(CARL, str(made[1].SOPInstanceUID), "whole", 5, None, {}, "seen", another, "G", SIGNED_AT)
    (row,) = recounted(replace(tables, decisions={(CARL, one.plan): one}))
    assert "next_decided" not in row and "holds no more: it was made on other doubts" in str(row["remarks"])


def test_once_the_records_are_clear_a_decision_that_ended_is_a_remark_and_the_number_theirs(tmp_path: Path) -> None:
    clinic = Clinic()
    plan = carl(clinic)
    doubted = plan_of(clinic.write(tmp_path / "cache"))
    append_statement(tmp_path / "cache", decision(doubted, "whole", 6))
    clinic.add(o.record(str(plan.SOPInstanceUID), [o.beam_item(2, 4, 50.0, 50.0)], at=weekday(1), PatientID=CARL))
    clinic.add(o.record(str(plan.SOPInstanceUID), [o.beam_item(1, 5, 100.0, 100.0)], at=weekday(0), PatientID=CARL))
    after = plan_of(clinic.write(tmp_path / "cache"))
    assert notices.next_fraction(after) == "6 next of 20 (5 given)"
    assert any(
        "▲ REMARK: what Green, Gloria" in str(one) and "holds no more" in str(one) for one in notices.of_plan(after)
    )
