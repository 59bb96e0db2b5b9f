"""Chart fractions: what nobody said is asked and never filled in, and one person never signs for two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydicom import Dataset
from streamlit.testing.v1 import AppTest

from recovery.access.permissions import Role, User
from recovery.course.charted_entries import ChartedBeam, ChartedFraction
from recovery.entries.charted import enter
from recovery.entries.downtimes import DowntimeEntry
from recovery.entries.transfers import TransferEntry
from recovery.host.entry_lines import append_statement
from recovery.settings.config import load_config
from tests import objects as o
from tests.app import people
from tests.app.conftest import set_clock
from tests.app.test_charting_page import Open, cache_path, charting, choose, field, kept, made, plain, sign
from tests.recovery.charting import entry
from tests.recovery.patient_clinic import LOCAL, NOW, Clinic, anna, treated, whose

__all__ = ["charting", "made"]


def elsewhere(key: str, plan: Dataset, entry_id: str, number: int | None, **more: object) -> ChartedFraction:
    """What another workstation charted of Anna, once its journal is merged here."""
    who = {"patient_id": "100231", "referenced_rt_plan_uid": str(plan.SOPInstanceUID)}
    one = entry(entry_id, number, {1: 100.0} if number else {}, LOCAL, **who | more)
    enter(cache_path(), cache_path().parent / f"{key}.key", one)
    return one


def to_correct(visit: AppTest, entry_id: str) -> AppTest:
    visit.selectbox(key="to_correct").set_value(entry_id).run()
    return visit.button(key="correct_it").click().run()


def with_clinic(tmp_path: Path, clinic: Clinic) -> None:
    """Put a clinic of a test's own in the place of the usual one."""
    clinic.write(tmp_path / "own" / "cache")
    link = tmp_path / "data" / "cache"
    link.unlink()
    link.symlink_to(tmp_path / "own" / "cache")


def test_what_was_corrected_elsewhere_meanwhile_is_not_corrected_again(
    made: tuple[Path, Dataset], charting: Open
) -> None:
    elsewhere("a", made[1], "first", 8)
    visit = to_correct(charting(), "first")
    elsewhere("b", made[1], "theirs", 8, corrects="first", known_entries=("first",), comment="80 MU")
    field(visit, "button_group", "what ").set_value("Withdrawn: it was not so").run()
    text = plain(visit)
    assert "Meanwhile it was corrected: fraction 8 on Tue 24 Nov 14:38, 100.0 MU, by A and B." in text
    assert not [one for one in visit.button if one.key == "sign_it"]
    to_correct(visit, "theirs")
    assert "Meanwhile" not in plain(visit)
    field(visit, "button_group", "what ").set_value("Withdrawn: it was not so").run()
    field(visit, "text_input", "comment ").set_value("another patient").run()
    sign(visit)
    assert "8 next of 15 (7 given)" in plain(choose(visit, "ABELSEN"))


def test_a_withdrawal_stands_for_nothing_in_the_list(made: tuple[Path, Dataset], charting: Open) -> None:
    old = elsewhere("a", made[1], "first", 8)
    elsewhere("b", made[1], "gone", None, corrects="first", is_withdrawn=True, known_entries=("first",))
    lines = charting().dataframe[0].value
    assert sorted(zip(lines["Charted"], lines["Stands"], strict=True)) == [
        ("fraction 8 on Tue 24 Nov 14:38, 100.0 MU", f"no: withdrawn by {old.signers}"),
        ("withdrawn", "no: it takes back another"),
    ]


def test_two_accounts_of_one_person_are_one_signature(charting: Open) -> None:
    accounts = people.enrol(load_config(cache_path().parents[1] / "config.toml").accounts_path)
    for name, full_name in (("t.berg", "therapist  of the  TESTS"), ("berg", "Therapist Of The Tests")):
        accounts.add(User(name, full_name, Role.THERAPIST), people.PASSWORD, datetime(2026, 11, 2, tzinfo=UTC))
    for second in ("t.berg", "berg", " THERAPIST "):
        visit = sign(choose(charting(), "ABELSEN"), second=second)
        assert "Two different people sign" in plain(visit) and kept() == (), second


def test_no_number_is_filled_in_where_none_is_next(charting: Open, tmp_path: Path) -> None:
    """Not 1, which nobody said: it was given weeks ago."""
    clinic = Clinic()
    plan = anna(clinic)
    clinic.add(treated(plan, range(8, 16), {1: 112.4, 2: 98.6}))
    clinic.tell(
        "schedule", appointment_id="today", patient_id="100231", treatment_machine_name="TB1",
        appointment_at=LOCAL.replace(minute=30), activity="Treatment", status="booked",
    )  # fmt: skip
    with_clinic(tmp_path, clinic)
    visit = charting()
    choose(visit, "ABELSEN")
    assert field(visit, "number_input", "number ").value is None
    assert "Say which fraction it was" in plain(visit)


def test_no_number_is_filled_in_while_what_was_charted_is_in_conflict(
    made: tuple[Path, Dataset], charting: Open
) -> None:
    elsewhere("a", made[1], "a", 8)
    elsewhere("b", made[1], "b", 9)
    visit = choose(charting(), "ABELSEN")
    assert "charted twice" in plain(visit) and field(visit, "number_input", "number ").value is None
    field(visit, "number_input", "number ").set_value(10).run()
    assert "not settled yet: charted twice" in plain(visit)


def test_a_correction_of_not_treated_asks_which_fraction_it_was(made: tuple[Path, Dataset], charting: Open) -> None:
    elsewhere("a", made[1], "first", None)
    visit = to_correct(charting(), "first")
    assert field(visit, "number_input", "number ").value is None
    field(visit, "number_input", "number ").set_value(8).run()
    assert "Say above why it is corrected" in plain(visit)


def test_whoever_was_not_booked_on_a_past_day_has_no_time_of_today(charting: Open) -> None:
    visit = charting()
    yesterday = (LOCAL - timedelta(days=1)).date()
    visit.date_input(key="chart_day").set_value(yesterday).run()
    assert "no time" in "".join(visit.radio[0].options)
    choose(visit, "no time")
    assert field(visit, "date_input", "day ").value == yesterday
    assert field(visit, "time_input", "time ").value is None and "Say when and where it was" in plain(visit)
    field(visit, "time_input", "time ").set_value(LOCAL.time()).run()
    assert [one for one in visit.button if one.key == "sign_it"] or "cannot be signed" in plain(visit)


def test_a_clock_that_is_an_hour_behind_the_copy_signs_nothing(charting: Open, clock_file: Path) -> None:
    """Else the fraction is charted an hour early, and counts before what was given meanwhile."""
    set_clock(clock_file, NOW - timedelta(hours=1))
    text = plain(choose(charting(), "ABELSEN"))
    assert "the safety copy is of Tue 24 Nov 14:32, and here it is Tue 24 Nov 13:38: is the clock wrong?" in text
    assert "cannot be signed" in text
    set_clock(clock_file, NOW)
    sign(choose(charting(), "ABELSEN"))
    assert [one.treated_at for one in kept()] == [LOCAL]


def test_a_list_of_another_day_says_so_and_who_is_unanswered_has_no_day(charting: Open) -> None:
    """A page that was open overnight still had yesterday's list, and who was chosen from it was treated yesterday."""
    visit = charting()
    assert "What is charted from this list" not in plain(visit)
    visit.date_input(key="chart_day").set_value((LOCAL - timedelta(days=1)).date()).run()
    assert "What is charted from this list is of Mon 23 Nov 2026, not of today." in plain(visit)
    visit.button_group(key="chart_machine").set_value("Not answered").run()
    assert not [one for one in visit.date_input if one.key == "chart_day"]


def test_who_has_two_plans_stands_once_for_each_appointment_that_nobody_answered(
    charting: Open, tmp_path: Path
) -> None:
    clinic = Clinic()
    anna(clinic)
    person = whose("100231", "ABELSEN^Anna")
    contours = o.structure_set(slices := o.images(4, **person), **person)
    boost = o.plan({1: 50.0}, fractions=5, structure_set_uid=contours.SOPInstanceUID, RTPlanLabel="Boost", **person)
    clinic.add(slices, contours, boost, treated(boost, [1], {1: 50.0}))
    clinic.tell(
        "schedule", appointment_id="today", patient_id="100231", treatment_machine_name="TB1",
        appointment_at=LOCAL.replace(minute=30), activity="Treatment", status="booked",
    )  # fmt: skip
    with_clinic(tmp_path, clinic)
    began = NOW - timedelta(hours=1)
    append_statement(cache_path(), DowntimeEntry("begin", "encrypted", "P", NOW, began))
    visit = charting()
    visit.button_group(key="chart_machine").set_value("Not answered").run()
    assert len(visit.radio[0].options) == 1
    choose(visit, "ABELSEN")
    assert len(next(one for one in visit.radio if one.label == "Plan").options) == 2


def test_nobody_signs_that_an_absent_patient_was_compared(charting: Open) -> None:
    visit = choose(charting(), "ABELSEN")
    assert visit.checkbox[0].label == "Name, birth date and photo were compared with the patient"
    field(visit, "button_group", "what ").set_value("Not treated").run()
    assert visit.checkbox[0].label == "Name, birth date and photo were compared"


@pytest.mark.parametrize("why_over", ["transferred", "completed"])
def test_what_was_given_before_a_plan_was_over_can_still_be_corrected(
    charting: Open, tmp_path: Path, why_over: str
) -> None:
    """Else a slip in the last fraction stands for good, or is withdrawn and can never be charted again."""
    clinic = Clinic()
    plan = anna(clinic)
    if why_over == "completed":
        clinic.add(treated(plan, range(8, 15), {1: 112.4, 2: 98.6}))
    with_clinic(tmp_path, clinic)
    given = (ChartedBeam(1, "Field 1", 112.4, 112.0), ChartedBeam(2, "Field 2", 98.6, 98.6))
    one = elsewhere("a", plan, "first", 8 if why_over == "transferred" else 15, beams=given)
    if why_over == "transferred":
        at = NOW.astimezone(ZoneInfo("Europe/Zurich"))
        said = TransferEntry("100231", (one.referenced_rt_plan_uid,), "St. Elsewhere", "", "Green, Gloria", at)
        append_statement(cache_path(), said)
    visit = to_correct(charting(), "first")
    field(visit, "number_input", "mu 1 ").set_value(112.4)
    field(visit, "text_input", "comment ").set_value("typed a wrong number").run()
    assert "cannot be signed" not in plain(visit)
    sign(visit)
    assert sorted(one.meterset for one in kept()) == pytest.approx([210.6, 211.0])


def test_a_machine_that_nobody_knows_is_asked_and_never_the_dash(charting: Open, tmp_path: Path) -> None:
    clinic = Clinic()
    anna(clinic)
    clinic.write(tmp_path / "own" / "cache", with_database=False, treatment_machine_name=None)  # type: ignore[arg-type]
    link = tmp_path / "data" / "cache"
    link.unlink()
    link.symlink_to(tmp_path / "own" / "cache")
    append_statement(cache_path(), DowntimeEntry("begin", "encrypted", "P", NOW, NOW - timedelta(hours=1)))
    visit = charting()
    visit.button_group(key="chart_machine").set_value("Not answered").run()
    choose(visit, "100231")
    machine = field(visit, "selectbox", "machine ")
    assert machine.value is None and machine.options == ["TB1"]
    assert "Say when and where it was" in plain(visit)
