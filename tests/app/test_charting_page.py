"""The page Chart fractions: the next fraction in few presses, two signatures, what is refused, and corrections."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import Dataset
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from recovery.course.charted_entries import ChartedBeam, ChartedFraction
from recovery.entries.charted import enter, read_charted
from recovery.entries.downtimes import DowntimeEntry
from recovery.host.entry_lines import append_statement
from recovery.settings.config import load_config
from tests.app import clinic as app_clinic
from tests.app import people
from tests.app.conftest import ROOT, said
from tests.patience import seconds
from tests.recovery.charting import entry
from tests.recovery.patient_clinic import LOCAL, NOW, Clinic, anna, bo

Open = Callable[..., AppTest]
RIGHT = people.PASSWORD


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dataset]:
    """A cache in which Anna is booked on TB1 today at 14:30, and Bo, whose fraction 5 was stopped, tomorrow."""
    clinic, folder = Clinic(), tmp_path_factory.mktemp("charting") / "cache"
    plan = anna(clinic)
    bo(clinic)
    clinic.tell(
        "schedule", appointment_id="today", patient_id="100231", treatment_machine_name="TB1",
        appointment_at=LOCAL.replace(minute=30), activity="Treatment", status="booked",
    )  # fmt: skip
    clinic.write(folder)
    return folder, plan


@pytest.fixture
def charting(made: tuple[Path, Dataset], tmp_path: Path, clock_file: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page, signed in as a therapist, on that cache with a folder of entries of its own."""
    (tmp_path / "config.toml").write_text(app_clinic.CONFIG, encoding="utf-8")
    people.enrol(load_config(tmp_path / "config.toml").accounts_path)
    (tmp_path / "data" / "cache").symlink_to(made[0])
    monkeypatch.setenv("RBRDT_CONFIG", str(tmp_path / "config.toml"))

    def open_as(role: str = "therapist") -> AppTest:
        visit = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=seconds(30))
        visit._page_hash = calc_hash("charting")
        return people.sign_in(visit.run(), role)

    return open_as


def cache_path() -> Path:
    return load_config(Path(os.environ["RBRDT_CONFIG"])).cache_path


def kept() -> tuple[ChartedFraction, ...]:
    return read_charted(cache_path()).entries


def plain(visit: AppTest) -> str:
    assert not visit.exception
    return said(visit).replace("\\", "")


def choose(visit: AppTest, who: str) -> AppTest:
    (radio,) = [one for one in visit.radio if str(one.key).startswith("chart_whom")]
    place = next(place for place, label in enumerate(radio.options) if who in label)
    return radio.set_value(place).run()


def field(visit: AppTest, kind: str, begins: str):  # type: ignore[no-untyped-def]
    return next(one for one in visit.get(kind) if str(one.key).startswith(begins))


def listed(visit: AppTest) -> list[str]:
    return [option.replace("\\", "") for option in visit.radio[0].options]


def sign(visit: AppTest, second: str = "physicist", own: str = RIGHT, other: str = RIGHT) -> AppTest:
    for one in visit.checkbox:
        one.check()
    field(visit, "text_input", "own ").set_value(own)
    field(visit, "text_input", "second ").set_value(second)
    field(visit, "text_input", "other ").set_value(other)
    return visit.button(key="sign_it").click().run()


def test_the_next_fraction_is_charted_in_six_presses_and_counts_at_once(charting: Open) -> None:
    visit = charting()
    assert listed(visit)[0].startswith("**14:30** ABELSEN, Anna · 100231")
    choose(visit, "ABELSEN")
    assert "8 next of 15 (7 given)" in plain(visit)
    assert field(visit, "number_input", "number ").value == 8
    assert "Field 1 **112.4 MU** · Field 2 **98.6 MU**" in plain(visit)
    sign(visit)
    (one,) = kept()
    assert (one.fraction_number, one.meterset, one.treated_at) == (8, 211.0, LOCAL)
    assert one.signers == "Therapist of the tests (therapist) and Physicist of the tests (physicist)"
    assert len(one.known) == 0, "nothing was recorded of this fraction, nor today"
    assert "✓ 14:38" in listed(visit)[0]
    assert visit.radio[0].value is None, "the next one is chosen anew"
    choose(visit, "ABELSEN")
    text = plain(visit)
    assert "9 next of 15 (8 given, charted)" in text and "CHARTED: fraction 8" in text
    assert "fraction 8 was given that day, and nothing says twice a day" in text
    audit = (cache_path().parent / "audit.jsonl").read_text()
    assert '"chart"' in audit and people.PASSWORD not in audit


def test_a_signature_is_entered_although_others_enter_theirs_in_that_moment(
    charting: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the banner sees change while a page is drawn must not draw it anew: the press would go with it."""
    visit = choose(charting(), "ABELSEN")
    states = iter(f"others entered {place}" for place in range(4))
    monkeypatch.setattr("app.components.banner._drawn_state", lambda _desk: next(states, "nobody any more"))
    sign(visit)
    assert "Entered and signed" in plain(visit) and len(kept()) == 1


def test_a_signature_is_entered_although_broken_glass_ends_in_that_moment(charting: Open) -> None:
    visit = choose(charting(), "ABELSEN")
    here = visit.session_state["sitting"]
    here.break_glass("a patient waits at the machine", timedelta(minutes=30))
    here.glass = replace(here.glass, until=here.clock() - timedelta(seconds=1))
    sign(visit)
    assert here.glass is None, "its end was noticed in this run"
    assert "Entered and signed" in plain(visit) and len(kept()) == 1


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"second": "therapist"}, "Two different people sign"),
        ({"second": "viewer"}, "viewer may not chart fractions"),
        ({"second": "nobody"}, "The second person's signature: Name or password is not right"),
        ({"other": "not his own words"}, "The second person's signature"),
        ({"own": "not my own words"}, "Your signature"),
    ],
)
def test_without_two_different_people_and_their_passwords_nothing_is_entered(
    charting: Open, how: dict[str, str], why: str
) -> None:
    visit = sign(choose(charting(), "ABELSEN"), **how)
    assert "Nothing was entered" in plain(visit) and why in plain(visit) and kept() == ()


def test_nobody_is_charted_whose_name_and_photo_were_not_compared(charting: Open) -> None:
    visit = choose(charting(), "ABELSEN")
    for one in visit.checkbox:
        one.uncheck()
    visit.button(key="sign_it").click().run()
    assert "Compare name, birth date and photo first" in plain(visit) and kept() == ()


def test_a_part_is_charted_and_the_rest_is_due_then(charting: Open) -> None:
    visit = choose(charting(), "ABELSEN")
    field(visit, "button_group", "what ").set_value("In part").run()
    first, second = (one for one in visit.number_input if str(one.key).startswith("mu "))
    first.set_value(60.0)
    second.set_value(0.0).run()
    assert "Field 1: 60.0 MU in this fraction, 112.4 planned" in plain(visit)
    sign(visit)
    (one,) = kept()
    assert [(beam.beam_number, beam.delivered_meterset) for beam in one.beams] == [(1, 60.0)] and one.accepted
    choose(visit, "ABELSEN")
    assert "finish 8 of 15 first (7 given, charted)" in plain(visit)
    assert "Field 1 **52.4 MU** · Field 2 **98.6 MU**" in plain(visit)
    sign(visit)
    assert len(kept()) == 2 and kept()[1].beams[0].is_continuation
    assert "9 next of 15 (8 given, charted)" in plain(choose(visit, "ABELSEN"))


def test_what_changes_after_a_signature_was_typed_is_signed_anew(made: tuple[Path, Dataset], charting: Open) -> None:
    """By a colleague at the same page, or by what another workstation charted before the press."""
    visit = sign(choose(charting(), "ABELSEN"), other="not his own words")
    assert "Nothing was entered" in plain(visit)
    field(visit, "time_input", "time ").set_value((LOCAL - timedelta(minutes=20)).time()).run()
    assert [one.value for one in visit.text_input if one.key.startswith(("own ", "other "))] == ["", ""]
    assert not any(one.value for one in visit.checkbox)
    for one in visit.checkbox:
        one.check()
    for begins, typed in (("own ", RIGHT), ("second ", "physicist"), ("other ", RIGHT)):
        field(visit, "text_input", begins).set_value(typed)
    others = entry(
        "other", 8, {1: 60.0}, LOCAL, patient_id="100231", referenced_rt_plan_uid=str(made[1].SOPInstanceUID)
    )
    others = replace(others, beams=(ChartedBeam(1, None, 112.4, 60.0),))
    enter(cache_path(), cache_path().parent / "elsewhere.key", others)
    visit.button(key="sign_it").click().run()
    assert [one.entry_id for one in kept()] == ["other"], "52.4 MU, which nobody had seen"
    assert "52.4 MU" in plain(visit)
    held = [str(value) for value in visit.session_state._state.filtered_state.values()]
    assert RIGHT not in " ".join(held), "nor is a password kept"


def test_ten_thousand_mu_and_a_time_that_has_not_come_cannot_be_signed(charting: Open) -> None:
    visit = choose(charting(), "ABELSEN")
    field(visit, "time_input", "time ").set_value((LOCAL + timedelta(hours=1)).time()).run()
    assert "is a clock wrong?" in plain(visit) and "cannot be signed" in plain(visit)
    assert not [one for one in visit.button if one.key == "sign_it"]
    field(visit, "time_input", "time ").set_value(LOCAL.time())
    field(visit, "button_group", "what ").set_value("In part").run()
    next(one for one in visit.number_input if str(one.key).startswith("mu ")).set_value(10_000.0).run()
    assert "10000.0 MU in this fraction" in plain(visit) and "cannot be signed" in plain(visit)


def test_a_correction_names_the_old_entry_and_a_withdrawal_leaves_none(charting: Open) -> None:
    visit = sign(choose(charting(), "ABELSEN"))
    visit.selectbox(key="to_correct").set_value(kept()[0].entry_id).run()
    visit.button(key="correct_it").click().run()
    text = plain(visit)
    assert "To be corrected" in text and "Say above why it is corrected" in text
    assert "cannot be signed" not in text, "nothing is wrong yet"
    field(visit, "text_input", "comment ").set_value("typed a wrong number")
    next(one for one in visit.number_input if str(one.key).startswith("mu ")).set_value(112.0).run()
    sign(visit)
    old, new = kept()
    assert new.corrects == old.entry_id and new.meterset == pytest.approx(210.6)
    assert "9 next of 15 (8 given, charted)" in plain(choose(visit, "ABELSEN"))
    visit.selectbox(key="to_correct").set_value(new.entry_id).run()
    visit.button(key="correct_it").click().run()
    field(visit, "button_group", "what ").set_value("Withdrawn: it was not so").run()
    field(visit, "text_input", "comment ").set_value("another patient").run()
    sign(visit)
    assert kept()[2].is_withdrawn
    assert "8 next of 15 (7 given)" in plain(choose(visit, "ABELSEN"))


def test_whoever_corrects_one_of_two_in_conflict_is_told_what_counts_beside_it(
    made: tuple[Path, Dataset], charting: Open
) -> None:
    """One delivery, charted on two workstations as 8 and as 9: after a correction that knows both, both count."""
    who = {"patient_id": "100231", "referenced_rt_plan_uid": str(made[1].SOPInstanceUID)}
    beams = (ChartedBeam(1, "Field 1", 112.4, 112.0), ChartedBeam(2, "Field 2", 98.6, 98.6))
    for entry_id, number, given in (("a", 8, beams), ("b", 9, (replace(beams[0], delivered_meterset=90.0), beams[1]))):
        one = replace(entry(entry_id, number, {1: 1.0}, LOCAL, **who), beams=given)
        enter(cache_path(), cache_path().parent / f"{entry_id}.key", one)
    visit = charting()
    assert "✓ 14:38" in listed(visit)[0] and listed(visit)[0].endswith("■"), "given, and to be settled"
    assert "charted twice" in plain(choose(visit, "ABELSEN"))
    assert sorted(visit.dataframe[0].value["Stands"]) == ["no: charted twice, another counts", "yes"]
    visit.selectbox(key="to_correct").set_value("a").run()
    visit.button(key="correct_it").click().run()
    field(visit, "text_input", "comment ").set_value("typed a wrong number").run()
    text = plain(visit)
    assert "Fraction 9 on Tue 24 Nov 14:38, 188.6 MU, by A and B then counts beside this" in text
    assert "fraction 9 was given that day, and nothing says twice a day" in text
    visit.button(key="leave_it").click().run()
    visit.selectbox(key="to_correct").set_value("b").run()
    visit.button(key="correct_it").click().run()
    assert "Fraction 8 on Tue 24 Nov 14:38, 210.6 MU, by A and B then counts beside this" in plain(visit)
    field(visit, "button_group", "what ").set_value("Withdrawn: it was not so").run()
    field(visit, "text_input", "comment ").set_value("one delivery").run()
    assert "counts beside" not in plain(visit)
    sign(visit)
    assert "9 next of 15 (8 given, charted)" in plain(choose(visit, "ABELSEN"))


def test_what_nobody_answered_for_is_worked_off_and_until_then_says_so(charting: Open) -> None:
    began = NOW - timedelta(hours=1)
    append_statement(cache_path(), DowntimeEntry("begin", "encrypted", "P", NOW, began))
    visit = charting()
    assert "unknown: 8 next of 15" in plain(choose(visit, "ABELSEN"))
    visit.button_group(key="chart_machine").set_value("Not answered").run()
    choose(visit, "ABELSEN")
    field(visit, "button_group", "what ").set_value("Not treated").run()
    sign(visit)
    assert not kept()[0].beams
    assert kept()[0].treated_at == LOCAL.replace(minute=30), "of the appointment, which may be the morning's"
    assert "ABELSEN" not in "".join(option for one in visit.radio for option in one.options)
    visit.button_group(key="chart_machine").set_value("TB1").run()
    text = plain(choose(visit, "ABELSEN"))
    assert "8 next of 15 (7 given)" in text and "unknown: 8" not in text


def test_of_two_patients_of_one_name_each_line_bears_its_number_and_the_other_is_named(
    charting: Open, tmp_path: Path
) -> None:
    clinic, link = Clinic(), tmp_path / "data" / "cache"
    for place, patient_id in enumerate(("100231", "100999")):
        anna(clinic, patient_id)
        clinic.tell(
            "schedule", appointment_id=f"today {patient_id}", patient_id=patient_id, treatment_machine_name="TB1",
            appointment_at=LOCAL.replace(minute=10 + 20 * place), activity="Treatment", status="booked",
        )  # fmt: skip
    clinic.write(tmp_path / "twins" / "cache")
    link.unlink()
    link.symlink_to(tmp_path / "twins" / "cache")
    visit = charting()
    assert [line.partition("ABELSEN, Anna · ")[2][:6] for line in listed(visit)[:2]] == ["100231", "100999"]
    assert "NAMESAKE: ABELSEN, Anna, ID 100231" in plain(choose(visit, "100999"))
    sign(visit)
    assert [one.patient_id for one in kept()] == ["100999"]
    assert ["✓" in line for line in listed(visit)[:2]] == [False, True]


def test_whoever_may_not_chart_sees_who_did(charting: Open) -> None:
    sign(choose(charting(), "ABELSEN"))
    visit = charting("viewer")
    assert "1 entry of that day" in plain(visit) and "This needs the role therapist" in plain(visit)
    choose(visit, "ABELSEN")
    assert not [one for one in visit.button if one.key in {"sign_it", "correct_it"}]
