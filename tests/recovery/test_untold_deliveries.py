"""What records tell and the database does not any more: found by key, and said with fraction, day, beam and dose."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from recovery.dicom.model import Patient
from recovery.dicom.records import TreatmentRecord
from recovery.objects.treatment_record import PlanFacts, treatment_record, treatment_sessions
from recovery.on_treatment.untold_deliveries import in_words, untold_deliveries
from tests.archive_clinic import delivery, local

LONG_AGO = date(2020, 1, 1)


def recorded(rows: list[dict[str, Any]]) -> list[TreatmentRecord]:
    """The records of a first look at these rows."""
    made = (
        treatment_record(s, s.first_uid, 1, Patient(s.patient_id, None, None, None), PlanFacts(), local())
        for s in treatment_sessions(rows)
    )
    return [TreatmentRecord.from_dataset(ds) for ds in made]


def said(before: list[dict[str, Any]], now: list[dict[str, Any]], since: date = LONG_AGO) -> list[str]:
    return list(in_words(untold_deliveries(recorded(before), now, since)))


def fraction(number: int, **columns: Any) -> list[dict[str, Any]]:
    at = local(30 - number)
    shared = {"fraction_number": number, **columns}
    other = {
        "beam_number": 2,
        "beam_name": "Field; 2",
        "delivered_meterset": 50.0,
        "treated_at": at + timedelta(hours=1),
    }
    return [delivery(10 * number + 1, treated_at=at, **shared), delivery(10 * number + 2, **other, **shared)]


def test_what_the_database_still_tells_is_no_question_whatever_it_says_of_it() -> None:
    first, second = fraction(7)
    corrected = [
        first | {"delivered_meterset": 3.0, "fraction_number": 8, "treated_at": local(2)},
        second | {"delivery_type": "VERIFICATION", "referenced_rt_plan_uid": None, "beam_number": None},
    ]
    assert said([first, second], corrected) == []


def test_a_delivery_that_is_gone_is_said_with_fraction_day_beam_and_dose() -> None:
    first, second = fraction(7)
    (sentence,) = said([first, second], [first])
    assert sentence == (
        "fraction 7 of 2026-10-30, beam 2 (Field; 2): 50.0 MU in its treatment record, "
        "no longer in the R&V database, still counted here"
    )
    (sentence,) = said([first, second], [])
    assert sentence.startswith("fraction 7 of 2026-10-30, beam 1 (Field 1), beam 2 (Field; 2): 150.0 MU in its ")


def test_a_delivery_that_is_called_brachytherapy_later_is_said_to_be_that() -> None:
    first, second = fraction(7)
    (sentence,) = said([first, second], [first | {"radiation_type": "Ir-192"}, second])
    assert "beam 1 (Field 1): 100.0 MU in its treatment record, Ir-192 in the R&V database now, still" in sentence


def test_many_fractions_are_one_sentence() -> None:
    before = [row for number in range(1, 6) for row in fraction(number)]
    assert len(said(before[:6], [])) == 3
    (sentence,) = said(before, [])
    assert sentence == (
        "fractions 1, 2, 3, 4, 5 of 2026-10-24 to 2026-10-28, 10 beams: 750.0 MU in their treatment records, "
        "no longer in the R&V database, still counted here"
    )


def test_a_delivery_that_was_entered_again_under_another_key_is_no_question() -> None:
    first, second = fraction(7)
    again = second | {"delivery_id": "99", "delivered_meterset": 49.0}
    assert said([first, second], [first, again]) == []
    assert len(said([first, second], [first, again | {"radiation_type": "ION"}])) == 1
    assert len(said([first, second], [first, again | {"patient_id": "ANOTHER"}])) == 1
    assert len(said([first, second], [first, again | {"treated_at": local(1)}])) == 1


def test_nothing_is_said_of_days_that_the_table_does_not_reach_nor_of_records_of_others() -> None:
    rows = fraction(7)
    assert said(rows, [], since=date(2026, 10, 31)) == []
    assert said(rows, [], since=date(2026, 10, 30)) != []
    (own,) = recorded(rows)
    foreign = replace(own, beams=tuple(replace(beam, beam_description="Boost left") for beam in own.beams))
    assert untold_deliveries([foreign], [], LONG_AGO) == []


def test_what_treats_nobody_and_is_gone_is_no_question() -> None:
    (own,) = recorded(fraction(7))
    rehearsed = replace(own, beams=tuple(replace(b, treatment_delivery_type="VERIFICATION") for b in own.beams))
    assert list(in_words(untold_deliveries([rehearsed], [], LONG_AGO))) == []


def test_a_dose_that_nobody_recorded_is_not_told() -> None:
    (sentence,) = said(fraction(7, fraction_number=None), [fraction(7)[0]])
    assert sentence.startswith("fraction — of 2026-10-30")
    first, second = fraction(7)
    (sentence,) = said([first | {"delivered_meterset": None}, second], [])
    assert ": — MU in its" in sentence
