"""What was given on a day: only records near it become objects, and none that counts is left out for that."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from recovery.cache.store import Cache
from recovery.lists.day_tables import given_on
from recovery.objects.treatment_record import amended_uid
from recovery.pacs.collection import Collection
from tests.objects import beam_item, item, plan, record

DAY = date(2026, 11, 20)


def test_a_record_counts_by_its_local_day_unless_one_of_another_day_amends_it(tmp_path: Path) -> None:
    at = datetime(2026, 11, 20, 9, 30)  # noqa: DTZ001  site-local
    moved = record("1.2", [beam_item(1, 3, 50.0, 50.0)], at, SOPInstanceUID="2.25.77")
    amended = record("1.2", [beam_item(1, 3, 50.0, 50.0)], at.replace(day=5), SOPInstanceUID=amended_uid("2.25.77"))
    plain = record("1.2", [beam_item(1, 4, 50.0, 50.0)], at)
    late = datetime(2026, 11, 19, 23, 30)  # noqa: DTZ001  00:30 of the day in Zurich
    abroad = record("1.2", [beam_item(1, 5, 50.0, 50.0)], late, TimezoneOffsetFromUTC="+0000")
    began = item(TreatmentControlPointDate="20261120", TreatmentControlPointTime="110000")
    undated = record("1.2", [beam_item(1, 6, 50.0, 50.0, ControlPointDeliverySequence=[began])], None)
    before = record("1.2", [beam_item(1, 2, 50.0, 50.0)], at.replace(day=19))
    cache, collection = Cache(tmp_path), Collection(ZoneInfo("Europe/Zurich"))
    for ds in (moved, amended, plain, abroad, undated, before):
        collection.add(ds)
    collection.save(cache, datetime(2026, 11, 20, 12, tzinfo=UTC))
    (given,) = given_on(cache, [str(plain.PatientID)], DAY).values()
    assert [one.number for one in given] == [5, 4, 6]


def test_a_beam_that_the_plan_only_sets_up_with_was_no_treatment_whatever_its_record_calls_it(tmp_path: Path) -> None:
    """Who was only imaged today is not off Machine day's list of those who come."""
    at = datetime(2026, 11, 20, 9, 30)  # noqa: DTZ001  site-local
    planned = plan({1: 50.0, 9: 2.0}, delivery_types={9: "SETUP"})
    of = str(planned.SOPInstanceUID)
    imaged = record(of, [beam_item(9, 4, 2.0, 2.0)], at)
    treated = record(of, [beam_item(1, 4, 50.0, 50.0), beam_item(9, 5, 2.0, 2.0)], at.replace(hour=11))
    for number, (objects, numbers) in enumerate((((imaged,), []), ((imaged, treated), [4]))):
        cache, collection = Cache(tmp_path / str(number)), Collection(ZoneInfo("Europe/Zurich"))
        for ds in (planned, *objects):
            collection.add(ds)
        collection.save(cache, datetime(2026, 11, 20, 12, tzinfo=UTC))
        given = given_on(cache, [str(planned.PatientID)], DAY)
        assert [one.number for own in given.values() for one in own] == numbers
