"""The patient's page on every state of the cache: who it is, which fraction is next, and what is not known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app.components.patient_link import Keys, keys_of_process
from recovery.settings.config import load_config
from recovery.tables.schema import RT_PLANS, TREATMENT_RECORDS
from tests import objects as o
from tests.app import clinic as app_clinic
from tests.app import people
from tests.app.conftest import ROOT, said, set_clock
from tests.patience import seconds
from tests.photos import picture
from tests.recovery.patient_clinic import LOCAL, Clinic, anna, bo, photograph, treated, whose

Open = Callable[..., AppTest]


@pytest.fixture
def open_patient(tmp_path: Path, clock_file: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page as a visitor does, on what `clinic` writes; `patient_id` None opens its search."""
    (tmp_path / "config.toml").write_text(app_clinic.CONFIG, encoding="utf-8")
    people.enrol(load_config(tmp_path / "config.toml").accounts_path)
    monkeypatch.setenv("RBRDT_CONFIG", str(tmp_path / "config.toml"))

    def open_on(clinic: Clinic | None, patient_id: str | None, **how: object) -> AppTest:
        if clinic is not None:
            clinic.write(tmp_path / "data" / "cache", **how)  # type: ignore[arg-type]
        visit = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=seconds(30))
        visit._page_hash = calc_hash("patient")
        if patient_id is not None:
            visit.query_params["patient"] = keys_of_process().key_of(patient_id)
        return people.sign_in(visit.run())

    return open_on


def plain(visit: AppTest) -> str:
    """What the page says, without markdown's escapes."""
    return said(visit).replace("\\", "")


def identity(visit: AppTest) -> str:
    return "".join(element.proto.body for element in visit.get("html"))


def open_tab(visit: AppTest, plan_uid: str, name: str) -> AppTest:
    visit.session_state[f"details_{plan_uid}"] = name
    return visit.run()


def test_the_page_says_who_it_is_and_which_fraction_is_next(open_patient: Open) -> None:
    clinic = Clinic()
    anna(clinic)
    visit = open_patient(clinic, "100231")
    assert not visit.exception
    assert "ABELSEN, Anna" in identity(visit)
    assert "ID 100231" in identity(visit)
    assert "born 1958-07-04" in identity(visit)
    text = plain(visit)
    assert "### Next fraction: 8 next of 15 (7 given)" in text
    assert "▲ ALERT: Pacemaker; Latex" in text
    assert "Breast Left · 2.67 Gy × 15 = 40.05 Gy · 6 MV STATIC · TB1" in text
    assert "next appointment Wed 25 Nov 08:15 on TB1" in text
    assert "treatment approved by Meier on Wed 4 Nov" in text
    assert "Ready: the RT-PACS holds plan, structure set, 4 images, proven Tue 14:31" in text
    assert "7 of 15 fractions given in full, 18.69 Gy" in text
    ledger = visit.dataframe[0].value
    assert list(ledger["fraction"]) == ["8", "7", "6", "5", "4", "3", "2", "1"]
    assert list(ledger.iloc[0][["when", "notes"]]) == ["Wed 25 Nov 08:15", "next"]
    assert list(ledger.iloc[1][["when", "machine", "given"]]) == ["Mon 23 Nov 09:36", "TB1", "211.0 / 211.0"]


def test_an_interrupted_fraction_comes_first_with_what_each_beam_lacks(open_patient: Open) -> None:
    clinic = Clinic()
    bo(clinic)
    visit = open_patient(clinic, "100377")
    left = "50.0 MU left (Field 1 12.0, Field 2 38.0)"
    assert ":red[■ Next fraction: finish 5 of 20 first (4 given)]" in plain(visit)
    assert f":red[■ INTERRUPTED: finish fraction 5 first, {left}]" in plain(visit)
    ledger = visit.dataframe[0].value
    assert list(ledger["fraction"])[:2] == ["6", "5"]
    assert ledger["notes"][0] == "after fraction 5 is finished"
    assert ledger["mark"][1] == "■"
    assert ledger["given"][1] == "88.0 / 138.0"
    assert ledger["beams"][1] == "Field 1 88.0/100.0 · Field 2 0.0/38.0"
    assert ledger["notes"][1] == "INTERRUPTED · 50.0 MU left · by machine"


def test_what_the_list_says_because_of_the_database_stands_on_the_page_too(open_patient: Open) -> None:
    clinic = Clinic()
    anna(clinic)
    begun = "fraction 8 began, and its end was not recorded: look at the machine before treating"
    differing = "fractions delivered: 7 in the treatment records, 6 in the R&V database"
    visit = open_patient(clinic, "100231", in_flight=begun, disagreement=differing)
    assert plain(visit).count(f"■ NOT RECORDED: {begun}") == 1
    assert plain(visit).count(f"■ DISAGREEMENT: {differing}") == 1
    assert ":red[■ Next fraction:" in plain(visit), "the largest line of a page must not look like every day"


def test_a_gap_that_goes_on_is_told_and_stands_in_the_chart(open_patient: Open) -> None:
    clinic = Clinic()
    person = whose("100555", "DUPONT^Remi")
    plan = o.plan({1: 100.0}, fractions=20, **person)
    clinic.add(plan, treated(plan, [1, 2], {1: 100.0}, last=5))
    visit = open_patient(clinic, "100555")
    assert not visit.exception
    assert "▲ gap of 7 d (5 weekdays) since Mon 16 Nov, going on" in plain(visit)
    (chart,) = visit.get("vega_lite_chart")
    assert '"said": "gap 7 d"' in chart.proto.spec
    assert '"from": "2026-11-17T00:00:00"' in chart.proto.spec


def test_a_patient_who_could_be_taken_for_this_one_is_named(open_patient: Open) -> None:
    clinic = Clinic()
    anna(clinic)
    anna(clinic, "100999", "ABELSEN^Annabel")
    visit = open_patient(clinic, "100231")
    assert "▲ NAMESAKE: ABELSEN, Annabel, ID 100999, born 1958-07-04 (similar name, same birth date)" in plain(visit)


def test_several_plans_are_chosen_from_with_the_one_to_treat_first(open_patient: Open) -> None:
    clinic = Clinic()
    plan = anna(clinic)
    person = whose("100231", "ABELSEN^Anna")
    boost = o.plan({1: 50.0}, fractions=2, RTPlanLabel="Boost", **person)
    clinic.add(boost, treated(boost, [1, 2], {1: 50.0}, last=30))
    visit = open_patient(clinic, "100231")
    (chooser,) = visit.get("button_group")
    assert "### Next fraction: 8 next of 15 (7 given)" in plain(visit)
    key = chooser.proto.id.split("plan_of_")[-1]
    visit.session_state[f"plan_of_{key}"] = str(boost.SOPInstanceUID)
    visit.run()
    assert not visit.exception
    assert "Next fraction: none (2 of 2 given)" in plain(visit)
    assert plan.SOPInstanceUID != boost.SOPInstanceUID


def test_without_the_r_and_v_database_the_page_says_what_it_does_not_know(open_patient: Open) -> None:
    clinic = Clinic()
    plan = anna(clinic)
    visit = open_patient(clinic, "100231", with_database=False)
    assert not visit.exception
    text = plain(visit)
    assert "### Next fraction: 8 next of 15 (7 given)" in text
    assert "Alerts are unknown" in text
    assert "appointments unknown" in text
    assert "no dose per fraction is known" in text
    contacts = plain(open_tab(visit, str(plan.SOPInstanceUID), "Contacts"))
    assert ":gray[Phone] —" in contacts
    assert "No table patients" in contacts


@pytest.mark.parametrize(
    ("tab", "column", "first"),
    [
        ("Fields", "Gantry", "305.0"),
        (
            "Setup and shifts",
            "Note",
            "Breast board 10 degrees, both arms up. Shift 1.2 cm to the left from the tattoo.",
        ),
        ("Every delivery", "Ended", "NORMAL"),
        ("Schedule", "Machine", "TB1"),
        ("What is held", "Held", "held"),
    ],
)
def test_each_tab_shows_its_table(open_patient: Open, tab: str, column: str, first: str) -> None:
    clinic = Clinic()
    plan = anna(clinic)
    visit = open_tab(open_patient(clinic, "100231"), str(plan.SOPInstanceUID), tab)
    assert not visit.exception
    tables = [element.value for element in visit.dataframe[1:]]
    assert tables[0][column].iloc[0] == first


@pytest.mark.parametrize(
    ("tab", "expected"),
    [
        ("Prescription", ":gray[Bolus] 5 mm, every second day"),
        ("Contacts", "+41 79 555 01 23"),
        ("Documents", "No doc"),
    ],
)
def test_each_tab_says_its_text(open_patient: Open, tab: str, expected: str) -> None:
    clinic = Clinic()
    plan = anna(clinic)
    visit = open_tab(open_patient(clinic, "100231"), str(plan.SOPInstanceUID), tab)
    assert not visit.exception
    assert expected in plain(visit)


def test_pictures_of_a_silent_rt_pacs_say_why_and_what_to_look_at(open_patient: Open) -> None:
    clinic = Clinic()
    plan = anna(clinic)
    visit = open_tab(open_patient(clinic, "100231"), str(plan.SOPInstanceUID), "Pictures")
    assert not visit.exception
    text = plain(visit)
    assert "The plan cannot be loaded now. The RT-PACS PACS at 127.0.0.1:11114 cannot be reached." in text


def test_a_plan_that_is_nowhere_has_no_pictures_and_no_dash_is_a_zero(open_patient: Open) -> None:
    clinic = Clinic()
    gone = o.plan({1: 100.0}, **whose("100602", "FALK^Asa"))
    clinic.add(treated(gone, [1, 2], {1: 100.0}))
    bo(clinic)
    visit = open_patient(clinic, "100602")
    assert not visit.exception
    text = plain(visit)
    assert "■ NOT READY: missing plan" in text
    assert "**—** · — Gy" not in text
    assert "**—** · — · — × 20" in text
    assert "The RT-PACS does not hold the plan: there is nothing to draw." in text


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("stale", "No backup has run since Tue 12:08 (2 h 30 min)."),
        ("down", "Backup is 2 h 30 min old. Everything up to Tue 12:08 is proven in the RT-PACS."),
        ("empty", "Nobody is on treatment."),
        ("missing", "No snapshot found in data/cache.**] Run `python -m backup_jobs cycle` once."),
        ("damaged", "The snapshot in data/cache cannot be read."),
    ],
)
@pytest.mark.parametrize("patient_id", ["100231", None])
def test_the_page_explains_a_stale_an_empty_and_a_broken_cache(
    open_patient: Open, tmp_path: Path, state: str, expected: str, patient_id: str | None
) -> None:
    app_clinic.make(tmp_path, state)
    visit = open_patient(None, patient_id)
    assert not visit.exception
    assert expected in plain(visit)


def test_without_records_no_fraction_is_counted(open_patient: Open, tmp_path: Path) -> None:
    app_clinic.make(tmp_path, "good")
    visit = open_patient(None, "100231")
    assert not visit.exception
    text = plain(visit)
    assert ":red[■ Next fraction: unknown" in text
    assert "No table treatment_records" in text


@pytest.mark.parametrize("schema", [TREATMENT_RECORDS, RT_PLANS], ids=lambda schema: schema.name)
def test_damaged_records_or_plans_show_no_count_at_all(open_patient: Open, tmp_path: Path, schema: object) -> None:
    clinic = Clinic()
    anna(clinic)
    cache = clinic.write(tmp_path / "data" / "cache")
    path = cache.path / "tables" / f"{getattr(schema, 'name', '')}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    visit = open_patient(None, "100231")
    assert not visit.exception
    assert "cannot be read" in plain(visit)
    assert "Next" not in plain(visit)


def test_a_damaged_table_of_the_database_costs_only_its_own_part(open_patient: Open, tmp_path: Path) -> None:
    clinic = Clinic()
    plan = anna(clinic)
    cache = clinic.write(tmp_path / "data" / "cache")
    path = cache.path / "tables" / "schedule.parquet"
    path.write_bytes(b"damaged")
    visit = open_patient(None, "100231")
    assert not visit.exception
    assert "### Next fraction: 8 next of 15 (7 given)" in plain(visit)
    assert "appointments unknown" in plain(visit)
    assert "cannot be read" in plain(open_tab(visit, str(plan.SOPInstanceUID), "Schedule"))


def test_a_link_that_opens_nobody_says_so_and_offers_the_search(open_patient: Open) -> None:
    clinic = Clinic()
    anna(clinic)
    visit = open_patient(clinic, "no such patient")
    assert "This link opens no patient" in plain(visit)
    assert list(visit.dataframe[0].value["patient_id"]) == ["100231"]


def test_the_search_finds_by_a_part_of_name_or_id_without_accents(open_patient: Open) -> None:
    clinic = Clinic()
    anna(clinic)
    anna(clinic, "100410", "CASTAÑEDA^Inés")
    visit = open_patient(clinic, None)
    visit.text_input(key="find_patient").set_value("castan ine").run()
    assert list(visit.dataframe[0].value["patient_id"]) == ["100410"]
    visit.text_input(key="find_patient").set_value("231").run()
    assert list(visit.dataframe[0].value["patient_id"]) == ["100231"]
    visit.text_input(key="find_patient").set_value("nobody").run()
    assert "0 patients" in plain(visit)


def test_the_page_is_read_anew_when_the_cache_has_changed(open_patient: Open, tmp_path: Path, clock_file: Path) -> None:
    clinic = Clinic()
    plan = anna(clinic)
    visit = open_patient(clinic, "100231")
    beams = [o.beam_item(number, 8, meterset, meterset) for number, meterset in ((1, 112.4), (2, 98.6))]
    person = whose("100231", "ABELSEN^Anna")
    clinic.add(
        o.record(str(plan.SOPInstanceUID), beams, at=LOCAL - timedelta(hours=1), NumberOfFractionsPlanned=15, **person)
    )
    clinic.write(tmp_path / "data" / "cache")
    set_clock(clock_file, app_clinic.NOW + timedelta(seconds=30))
    assert "### Next fraction: 9 next of 15 (8 given)" in plain(visit.run())


def test_a_key_tells_neither_name_nor_number_and_belongs_to_its_secret() -> None:
    keys = Keys(b"one secret")
    key = keys.key_of("100231")
    assert "100231" not in key
    assert len(key) == 32
    assert Keys(b"another").key_of("100231") != key
    assert keys.find(key, ["100230", "100231"]) == "100231"
    assert keys.find(key, ["100230"]) is None
    assert keys.find("ü", ["100230"]) is None


def test_the_photo_is_beside_the_name_and_where_it_is_none_or_unknown_a_frame_says_which(open_patient: Open) -> None:
    clinic = Clinic()
    anna(clinic)
    without = identity(open_patient(clinic, "100231"))
    assert "no photo in the backup" in without and "<img" not in without
    photograph(clinic, "100231", picture())
    told = identity(open_patient(clinic, "100231"))
    assert '<img style="' in told and 'src="data:image/jpeg;base64,/9j/' in told
    assert 'alt="Photo of the patient" title="As the R&amp;V system had it; last changed there Thu 15 Oct"' in told


def test_photos_that_were_never_read_are_not_called_absent(open_patient: Open, tmp_path: Path) -> None:
    clinic = Clinic()
    anna(clinic)
    told = identity(open_patient(clinic, "100231", with_database=False))
    assert "photos were not read" in told and "no photo" not in told
