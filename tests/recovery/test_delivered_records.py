"""Deliveries of a database as sessions, records and chains of amendments: what is counted is what the newest says."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.course.deliveries import TREATING
from recovery.course.fractions import count_fractions
from recovery.dicom.beam_kinds import BeamKind, kind_of_field, kinds_of_plan
from recovery.dicom.model import Patient
from recovery.dicom.records import TreatmentRecord
from recovery.objects.modules import amended_uid
from recovery.objects.treatment_record import (
    PlanFacts,
    amendments,
    moved,
    recorded_facts,
    treatment_record,
    treatment_sessions,
    without_amended,
)
from recovery.on_treatment.untold_deliveries import untold_deliveries
from tests.archive_clinic import delivery, local
from tests.objects import plan as plan_object
from tests.recovery.courses import as_plan, reread

PLAN = as_plan(plan_object({1: 100.0, 2: 50.0}, SOPInstanceUID="1.2.3.4"))
Held = dict[str, TreatmentRecord]


def store(held: Held, rows: list[dict[str, Any]]) -> int:
    """What a run does: store the records that stand nowhere yet; returns how many."""
    stored = 0
    rows = [*rows, *(one.row for one in untold_deliveries(without_amended(held), rows, date.min))]
    sessions = treatment_sessions(rows)
    for session in [*sessions, *moved(rows, sessions, held)]:
        standing = amendments(session, held)
        if standing.sop_instance_uid not in held:
            patient = Patient(session.patient_id, None, None, None)
            ds = treatment_record(
                session, standing.sop_instance_uid, standing.number, patient, PlanFacts("1.9"), local()
            )
            held[standing.sop_instance_uid] = TreatmentRecord.from_dataset(ds)
            stored += 1
    return stored


def counted(held: Held) -> tuple[int, float | None]:
    """Fractions delivered, and what the interrupted one lacks (MU)."""
    course = count_fractions(without_amended(held), PLAN)
    return course.fractions_delivered, course.interrupted.meterset_remaining if course.interrupted else None


metersets = st.one_of(st.none(), st.floats(0, 1000, allow_nan=False))
rows_of_a_session = st.lists(
    st.fixed_dictionaries(
        {
            "beam_number": st.one_of(st.none(), st.integers(1, 5)),
            "delivered_meterset": metersets,
            "planned_meterset": metersets,
            "termination_status": st.sampled_from([None, "NORMAL", "OPERATOR", "MACHINE", "9"]),
            "delivery_type": st.sampled_from([None, "TREATMENT", "CONTINUATION"]),
            "treated_at": st.one_of(st.none(), st.just(local(1)), st.just(local(1) + timedelta(microseconds=7))),
            "fraction_number": st.one_of(st.none(), st.just(3)),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=50)
@given(rows_of_a_session)
def test_a_record_that_is_read_back_says_what_the_rows_say_so_that_twice_is_once(rows: list[dict[str, Any]]) -> None:
    made = [delivery(number, **row) for number, row in enumerate(rows, start=1)]
    held: Held = {}
    sessions = treatment_sessions(made)
    assert store(held, made) == len(sessions)
    assert sorted(map(repr, (s.facts() for s in sessions))) == sorted(map(repr, map(recorded_facts, held.values())))
    assert store(held, made) == 0


@settings(max_examples=25)
@given(st.lists(st.sampled_from([0.0, 25.0, 60.0, 100.0]), min_size=1, max_size=6))
def test_however_often_a_meterset_is_corrected_only_the_newest_counts(corrections: list[float]) -> None:
    held: Held = {}
    for meterset in corrections:
        store(held, [delivery(1, delivered_meterset=meterset), delivery(2, beam_number=2, delivered_meterset=50.0)])
        whole = meterset == 100.0
        assert counted(held) == (int(whole), None if whole else 100.0 - meterset)
    assert len(held) == 1 + sum(a != b for a, b in pairwise(corrections))


def test_a_session_is_named_by_its_smallest_key_so_that_late_rows_do_not_rename_it() -> None:
    nine, ten = delivery(9), delivery(10, beam_number=2, treated_at=local(1, hours=1))
    (alone,), (both,) = treatment_sessions([nine]), treatment_sessions([ten, nine])
    assert alone.first_uid == both.first_uid
    assert [d["delivery_id"] for d in both.deliveries] == ["10", "9"], "in the order of delivery"


def test_a_delivery_that_moves_to_another_fraction_is_counted_there_alone() -> None:
    held: Held = {}
    wrong, right = delivery(2, beam_number=2, delivered_meterset=50.0, fraction_number=2), delivery(1)
    store(held, [right, wrong])
    assert counted(held)[0] == 0
    store(held, [right, wrong | {"fraction_number": 1}])
    assert counted(held)[0] == 1


def test_records_of_others_are_never_taken_for_amended() -> None:
    held: Held = {}
    store(held, [delivery(1)])
    (own,) = held.values()
    foreign = {"1.2.840.1": own, amended_uid("1.2.840.1"): own}
    assert len(list(without_amended(foreign))) == 2


def test_the_kind_of_a_beam_comes_from_words_of_the_database_or_is_not_known() -> None:
    words = {"VMAT": "DYNAMIC", "STEP AND SHOOT": "DYNAMIC", "STATIC": "STATIC", "FIXED ANGLE": "STATIC", "PATH": None}
    assert {w: kind_of_field({"technique": w}).beam_type for w in words} == words
    assert kind_of_field({"technique": "STATIC", "gantry_direction": "CW"}).beam_type == "DYNAMIC"
    radiations = {"X": "PHOTON", "E": "ELECTRON", "P": "PROTON", "PHOTON": "PHOTON", "Ir-192": None, None: None}
    assert {w: kind_of_field({"radiation_type": w}).radiation_type for w in radiations} == radiations
    assert not BeamKind("STATIC", "PHOTON", None, (("MLCX", 80),)).is_known
    assert BeamKind("STATIC", "PHOTON", 0, (("MLCX", 80),)).is_known


def test_sources_and_ions_have_no_beams_record() -> None:
    rows = [delivery(1, radiation_type="Ir-192"), delivery(2, radiation_type="ION"), delivery(3, radiation_type="X")]
    (session,) = treatment_sessions(rows)
    assert [d["delivery_id"] for d in session.deliveries] == ["3"]


def test_a_record_depends_on_no_clock_but_the_moment_that_it_is_made_for() -> None:
    (session,) = treatment_sessions([delivery(1)])
    made = [
        treatment_record(session, session.first_uid, 1, Patient("00017R", None, None, None), PlanFacts(), local())
        for _ in range(2)
    ]
    assert made[0] == made[1]


def test_a_delivery_that_moves_to_another_session_leaves_nothing_behind_that_counts() -> None:
    held: Held = {}
    first, second = delivery(1), delivery(2, beam_number=2, planned_meterset=50.0, delivered_meterset=50.0)
    store(held, [first, second | {"fraction_number": 2}])
    assert counted(held) == (0, 100.0), "fraction 2 seems begun"
    store(held, [first, second])
    assert counted(held) == (1, None), "and is not, once its only field is of fraction 1"
    assert store(held, [first, second]) == 0


def test_two_sessions_that_merge_while_a_meterset_changes_count_each_delivery_once() -> None:
    held: Held = {}
    first = delivery(1, delivered_meterset=40.0, termination_status="MACHINE")
    rest = delivery(2, delivered_meterset=60.0, delivery_type="CONTINUATION", fraction_number=2)
    other = delivery(3, beam_number=2, planned_meterset=50.0, delivered_meterset=50.0)
    store(held, [first, rest, other])
    store(held, [first, rest | {"fraction_number": 1, "delivered_meterset": 30.0}, other])
    assert counted(held) == (0, 30.0), "70 of 100 MU, not 130"


def test_a_treatment_that_turns_out_to_be_quality_assurance_no_longer_counts() -> None:
    held: Held = {}
    rows = [delivery(1), delivery(2, beam_number=2, planned_meterset=50.0, delivered_meterset=50.0)]
    store(held, rows)
    assert counted(held)[0] == 1
    store(held, [row | {"delivery_type": "VERIFICATION"} for row in rows])
    assert counted(held) == (0, None)
    store(held, rows)
    assert counted(held)[0] == 1, "and counts again when that was a mistake"


two_fields = st.lists(
    st.fixed_dictionaries(
        {
            "fraction_number": st.integers(1, 3),
            "delivered_meterset": st.sampled_from([30.0, 60.0, 100.0]),
            "delivery_type": st.sampled_from(["TREATMENT", "VERIFICATION"]),
            "treated_at": st.sampled_from([local(1), local(1, hours=6), local(1, hours=10)]),
        }
    ),
    min_size=4,
    max_size=4,
)


@settings(max_examples=100)
@given(st.lists(two_fields, min_size=1, max_size=4))
def test_after_whatever_corrections_the_records_say_what_a_first_look_would(
    states: list[list[dict[str, Any]]],
) -> None:
    held: Held = {}
    for state in states:
        rows = [delivery(n, beam_number=1 + n % 2, **row) for n, row in enumerate(state, start=1)]
        store(held, rows)
        fresh: Held = {}
        store(fresh, rows)
        now, anew = (count_fractions(without_amended(records), PLAN) for records in (held, fresh))
        assert now.fractions == anew.fractions
        assert (now.is_treated, now.held_fraction_numbers) == (anew.is_treated, anew.held_fraction_numbers)
        assert store(held, rows) == 0, "twice is once"


states_with_holes = st.lists(
    st.lists(
        st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {
                    "fraction_number": st.integers(1, 2),
                    "delivered_meterset": st.sampled_from([60.0, 100.0]),
                    "delivery_type": st.sampled_from(["TREATMENT", "VERIFICATION"]),
                    "treated_at": st.sampled_from([local(1), local(1, hours=6), local(2)]),
                    "radiation_type": st.sampled_from(["X", "Ir-192"]),
                }
            ),
        ),
        min_size=4,
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150)
@given(states_with_holes)
def test_what_the_database_does_not_tell_any_more_counts_as_it_last_told_it(
    states: list[list[dict[str, Any] | None]],
) -> None:
    """`None`: the row is gone. A row is looked up by key, whatever else of it was corrected meanwhile."""
    held: Held = {}
    last: dict[int, dict[str, Any]] = {}
    for state in states:
        rows = {}
        for number, row in enumerate(state, start=1):
            if row is not None:
                at = row["treated_at"] + timedelta(seconds=number)  # no two rows are one delivery entered twice
                rows[number] = delivery(number, beam_number=1 + number % 2, **row | {"treated_at": at})
        known = set(last)
        last |= {
            number: row
            for number, row in rows.items()
            if row["radiation_type"] == "X" and (number in known or row["delivery_type"] in TREATING)
        }
        store(held, list(rows.values()))
        fresh: Held = {}
        store(fresh, list(last.values()))
        now, anew = (count_fractions(without_amended(records), PLAN) for records in (held, fresh))
        assert now.fractions == anew.fractions
        assert store(held, list(rows.values())) == 0, "twice is once"


@pytest.mark.parametrize(
    ("units", "said"), [((), "MU"), (("MINUTE",), "MINUTE"), ((None,), "MU"), (("MINUTE", "MU"), "MU")]
)
def test_a_record_bears_the_unit_of_its_plans_beams(units: tuple[str | None, ...], said: str) -> None:
    rows = [delivery(n, beam_number=n) for n in range(1, len(units) + 1)] or [delivery(1)]
    (session,) = treatment_sessions(rows)
    kinds = {n: BeamKind(meterset_unit=unit) for n, unit in enumerate(units, start=1)}
    nobody = Patient("00017R", None, None, None)
    made = treatment_record(session, session.first_uid, 1, nobody, PlanFacts(beams=kinds), local())
    assert made.PrimaryDosimeterUnit == said
    plan = reread(plan_object({1: 4.8}))
    plan.BeamSequence[0].PrimaryDosimeterUnit = "MINUTE"
    assert kinds_of_plan(plan)[1].meterset_unit == "MINUTE"
