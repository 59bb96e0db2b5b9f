"""Machine day, Backup health, Priorities and the list's menus, driven as a visitor does, without a browser."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from recovery.cache.journal import JobResult, Journal
from recovery.cache.store import Cache
from recovery.entries.known_gaps import ever_acknowledged
from recovery.entries.priority_entries import PriorityEntry
from recovery.host.entry_lines import append_statement, file_of, read_statements
from recovery.tables.relational import SCHEDULE
from recovery.tables.schema import DOUBTED_RECORDS, EXCLUDED_PATIENTS, HOLDINGS, ODD_ROWS, ON_TREATMENT
from tests.app import clinic, relational
from tests.app.conftest import said

Open = Callable[..., AppTest]
SIGNED = (
    '[priorities]\nsigned_by = "Dr. Meier"\nsigned_on = "2026-11-02"\n'
    "category_1_days = 2\ncategory_2_days = 5\ncategory_3_days = 7\n"
)


def folder() -> Path:
    return Path(os.environ["RBRDT_CONFIG"]).parent


def cache() -> Path:
    return folder() / "data" / "cache"


def add_to_config(text: str) -> None:
    config = Path(os.environ["RBRDT_CONFIG"])
    config.write_text(config.read_text() + text)


COLUMNS = {
    "booked": "appointment_at",
    "unbooked": "next_fraction",
    "not_ready": "why_not_ready",
    "jobs": "due",
    "unproven": "sop_instance_uid",
    "held": "kind",
    "clocks": "clock",
    "without_entry": "prescribed",
}
"""By table, a column that no other table of its page has, but the last of those that have it."""


def audit_lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder() / "data" / "audit.jsonl").read_text().splitlines()]


def table(visit: AppTest, name: str) -> pd.DataFrame:
    return next(one.value for one in reversed(visit.dataframe) if COLUMNS[name] in one.value.columns)


def test_a_machines_day_without_any_relational_table_still_lists_everybody(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="machine_day", machine="TB1")
    assert not visit.exception
    assert "There is no table schedule in the cache" in said(visit).replace("\\", "")
    unbooked = table(visit, "unbooked")
    assert {"100231", "100892", "100410", "100555", "100601", "100602"} <= set(unbooked["patient_id"])


def test_a_machines_day_is_what_its_address_says(open_dashboard: Open) -> None:
    open_dashboard("good", 13)
    relational.write(cache())
    visit = open_dashboard("good", 13, page="machine_day", machine="TB2", day="2026-11-24")
    assert not visit.exception
    assert table(visit, "booked")["patient_id"].tolist() == ["100377", "100601"]
    assert "finish 5 of 20 first (4 given)" in table(visit, "booked")["next_fraction"].tolist()
    assert "**2** booked" in said(visit)
    assert "Appointments as of Tue 14:32. Fractions count what was proven up to Tue 14:32." in said(visit).replace(
        "\\", ""
    )


def test_a_machines_day_is_whole_where_some_who_are_booked_and_some_who_are_not_must_not_be_treated(
    open_dashboard: Open,
) -> None:
    visit = open_dashboard("good", 13, page="machine_day", machine="TB1", day="2026-11-24")
    relational.write(cache())
    listed = [{**row, "in_flight": "Field 1 began 09:05"} for row in Cache(cache()).read(ON_TREATMENT)]
    Cache(cache()).write(ON_TREATMENT, listed, taken_at=clinic.NOW, source="RT-PACS")
    visit.run()
    assert not visit.exception
    assert all("■" in set(table(visit, name)["mark"]) for name in ("booked", "unbooked"))


def test_a_damaged_schedule_is_told_and_loses_nobody(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="machine_day", machine="TB1")
    relational.write(cache())
    path = Cache(cache()).snapshot(SCHEDULE).path
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:100])
    visit.run()
    assert not visit.exception
    assert "The table schedule cannot be read" in said(visit).replace("\\", "")
    assert "100231" in set(table(visit, "unbooked")["patient_id"])


def test_the_print_view_is_plain_text_with_every_patient_of_the_day(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="machine_day", machine="TB1", print="true")
    relational.write(cache())
    visit.run()
    assert not visit.exception
    sheet = "".join(one.proto.body for one in visit.get("html"))
    assert "ABELSEN, Anna" in sheet
    assert "of 15 given" in sheet and "8 next" not in sheet, "the next number beside what was given reads as due"
    assert "Backup is 6 minutes old" in sheet
    assert len(visit.dataframe) == 0


def test_health_names_who_is_not_ready_and_why(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="backup_health")
    assert "**6 of 9** plans on treatment or ready to start can be treated from the backup" in said(visit)
    lacking = table(visit, "not_ready")
    assert set(lacking["patient_id"]) == {"100601", "100602", "100703"}
    assert "missing 120 of 142 CT images" in lacking["why_not_ready"].tolist()


def test_health_tells_each_jobs_age_against_its_schedule(open_dashboard: Open) -> None:
    jobs = table(open_dashboard("down", page="backup_health"), "jobs")
    assert jobs["job"].tolist() == ["sync_records", "sync_plans", "snapshot_tables", "build_on_treatment"]
    assert jobs["age"].tolist() == ["2 h 30 min", "2 h 30 min", "2 h 30 min", "6 min"]
    assert set(jobs["due"]) == {"10 min"}
    assert jobs["mark"].tolist() == ["■", "■", "■", "●"]


def test_health_says_why_a_job_is_not_used_and_calls_it_neither_late_nor_never_done(open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="backup_health")
    why = "MOSAIQ's records come from its database, with snapshot_tables"
    (cache() / "runs.jsonl").unlink()
    journal = Journal(cache())
    journal.finish(
        journal.start("sync_records", clinic.NOW), JobResult("sync_records", "SKIPPED", {}, (), why), clinic.NOW
    )
    row = table(visit.run(), "jobs").iloc[0]
    assert row[["mark", "job", "remark", "counts"]].tolist() == ["●", "sync_records", "not used", why]
    assert row[["last_good", "age", "due"]].isna().all()
    assert f"**sync_records** is not used: {why}" in said(visit).replace("\\", "")


def test_health_names_what_is_unproven_since_when(open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="backup_health")
    journal = Journal(cache())
    told = JobResult("sync_plans", "PARTIAL", {"unproven": 101}, ("1.2.840.1",), "1.2.840.1: plan: nobody has it")
    assert not visit.exception
    assert "Nothing: every object that the last runs wanted is held" in said(visit)
    journal.finish(journal.start("sync_plans", clinic.NOW), told, clinic.NOW)
    visit.run()
    unproven = table(visit, "unproven")
    assert unproven["sop_instance_uid"].tolist() == ["1.2.840.1"]
    assert unproven["why"].tolist() == ["plan: nobody has it"]
    assert "100 more of sync_plans are not named in the journal" in said(visit)


@pytest.mark.parametrize("job", ["check", "copy_sites", "keep_bundle"])
def test_what_fails_of_a_job_that_wants_no_objects_is_not_told_as_an_object(open_dashboard: Open, job: str) -> None:
    visit = open_dashboard("good", page="backup_health")
    journal = Journal(cache())
    told = JobResult(job, "PARTIAL", {"found": 14, "unproven": 1}, (), "R&V database answers: it does not")
    journal.finish(journal.start(job, clinic.NOW), told, clinic.NOW)
    visit.run()
    assert "partly done" in table(visit, "jobs").set_index("job").loc[job, "remark"]
    assert "Nothing: every object that the last runs wanted is held" in said(visit)


def test_health_says_whom_patterns_keep_off_and_what_is_held(open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="backup_health")
    add_to_config('[dashboard]\nexclude_patient_ids = ["$*"]\n')
    at = clinic.NOW.replace(tzinfo=None)
    held = {"level": "SERIES", "wanted": 142, "held": 22, "asked_at": at, "instances_at_proof": None}
    held |= {"slices": None, "turn": 1}
    written = Cache(cache())
    written.write(EXCLUDED_PATIENTS, [{"patient_id": "$QA01"}], taken_at=clinic.NOW, source="x")
    written.write(HOLDINGS, [{"uid": "1.2", **held}], taken_at=clinic.NOW, source="x")
    visit.run()
    assert not visit.exception
    assert "**1 patient** with records, by the patterns “\\$\\*”: \\$QA01" in said(visit)
    kinds = table(visit, "held")
    assert kinds[["kind", "held", "wanted"]].values.tolist()[1] == ["Planning image slices", 22, 142]


def test_an_rt_pacs_that_is_not_there_is_told_when_it_is_asked(open_dashboard: Open) -> None:
    with socket.socket() as probe:  # bound and not listening: nothing answers there, whoever else runs
        probe.bind(("127.0.0.1", 0))
        visit = open_dashboard("good", page="backup_health")
        config = Path(os.environ["RBRDT_CONFIG"])
        config.write_text(config.read_text().replace("11114", str(probe.getsockname()[1])))
        visit.run()
        visit.button(key="ask_pacs").click().run()
    assert not visit.exception
    assert "■ **Tue 14:38: The RT-PACS PACS at 127.0.0.1" in said(visit).replace("\\", "")


def test_an_rt_pacs_that_answers_is_told_with_the_time(open_dashboard: Open) -> None:
    from pynetdicom import AE, evt
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    entity = AE(ae_title="PACS")
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, lambda _: 0)])
    try:
        visit = open_dashboard("good", page="backup_health")
        config = Path(os.environ["RBRDT_CONFIG"])
        config.write_text(config.read_text().replace("11114", str(server.socket.getsockname()[1])))
        visit.run()
        visit.button(key="ask_pacs").click().run()
    finally:
        server.shutdown()
    assert "● **Tue 14:38**] PACS at 127.0.0.1" in said(visit).replace("\\", "")
    assert "answered C-ECHO in" in said(visit).replace("\\", "")


def test_priorities_compute_nothing_before_the_clinic_signs(open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="priorities")
    assert "the clinic has not signed the rules" in said(visit)
    assert "`category_1_days`, `category_2_days`, `category_3_days`, `signed_by`, `signed_on`" in said(visit)
    assert len(visit.dataframe) == 0


def entry(patient_id: str, category: int | None) -> PriorityEntry:
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    return PriorityEntry(patient_id, category, True, "curative", "", "MEIER, Ursula", "J. Physicist", at)


def test_signed_rules_sort_who_has_an_entry_and_list_who_has_none(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="priorities")
    add_to_config(SIGNED)
    for patient_id, category in (("100231", 1), ("100700", 3), ("100892", 2), ("100410", 1), ("100410", None)):
        append_statement(cache(), entry(patient_id, category))
    visit.run()
    assert not visit.exception
    clocks = table(visit, "clocks")
    assert clocks["patient_id"].tolist() == ["100700", "100231", "100892"]
    assert clocks["clock"].tolist() == ["■ 4 days over", "2 days left", "5 days left"]
    assert clocks["signed_by"].tolist()[0] == "J. Physicist, 2026-11-24 13:00"
    assert "100410" in table(visit, "without_entry")["patient_id"].tolist()
    assert "It decides nothing" in said(visit)


def test_a_damaged_line_among_the_entries_is_told(open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="priorities")
    add_to_config(SIGNED)
    append_statement(cache(), entry("100231", 1))
    with file_of(cache(), PriorityEntry).open("a") as file:
        file.write("half a li")
    visit.run()
    assert "1 line of priorities" in said(visit)
    assert table(visit, "clocks")["patient_id"].tolist() == ["100231"]


def test_a_signed_entry_is_kept_with_who_signed_and_half_of_one_is_not(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="priorities")
    add_to_config(SIGNED)
    visit.run()
    visit.selectbox(key="entry_patient").select("100231")
    visit.selectbox(key="entry_category").select(2)
    sign = next(button for button in visit.button if button.label.startswith("Sign as "))
    assert sign.label.replace("\\", "") == "Sign as Physicist of the tests (physicist)"
    sign.click().run()
    file = file_of(cache(), PriorityEntry)
    assert "Still to choose: chemotherapy, intent, physician." in said(visit)
    assert not file.exists()
    visit.selectbox(key="entry_chemotherapy").select("no")
    visit.selectbox(key="entry_intent").select("curative")
    visit.selectbox(key="entry_physician").select("MEIER, Ursula")
    next(button for button in visit.button if button.label.startswith("Sign as ")).click().run()
    assert not visit.exception
    (kept,) = read_statements(cache(), PriorityEntry).all
    assert (kept.patient_id, kept.category, kept.concurrent_chemotherapy) == ("100231", 2, False)
    assert (kept.decided_by, kept.signed_by) == ("MEIER, Ursula", "Physicist of the tests (physicist)")
    assert kept.entered_at == clinic.NOW
    assert table(visit, "clocks")["patient_id"].tolist() == ["100231"]
    (line,) = [one for one in audit_lines() if one["action"] == "priority"]
    assert (line["who"], line["patient_id"]) == ("physicist", "100231")


@pytest.mark.parametrize("role", ["viewer", "therapist", "admin"])
def test_who_may_not_sign_sees_the_clocks_and_no_form(open_dashboard: Open, role: str) -> None:
    open_dashboard("good", 13)
    append_statement(cache(), entry("100231", 1))
    visit = open_dashboard("good", 13, page="priorities", role=role)
    add_to_config(SIGNED)
    visit.run()
    assert table(visit, "clocks")["patient_id"].tolist() == ["100231"]
    assert "You may not sign" in said(visit)
    assert not any(button.label.startswith("Sign as ") for button in visit.button)


def test_a_viewer_gets_no_worklist_and_no_print_view(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="machine_day", role="viewer", machine="TB1", print="true")
    assert not visit.exception
    assert visit.button(key="excel_day_refused").disabled
    assert "ABELSEN, Anna" not in "".join(one.proto.body for one in visit.get("html"))


def test_a_print_view_is_a_line_of_audit_and_names_no_patient_in_it(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="machine_day", role="therapist", machine="TB1", print="true")
    assert not visit.exception
    pages = [one["details"]["page"] for one in audit_lines() if one["action"] == "view"]
    assert "machine_day to print, TB1 2026-11-24" in pages


def test_a_snapshot_is_verified_and_a_damaged_one_says_what_is_wrong(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="backup_health")
    assert "There is none yet." in said(visit)
    relational.write(cache())
    visit.run()
    visit.button(key="verify_snapshot").click().run()
    assert "Snapshot Tue 14:32, the newest**]: every file is what its manifest says." in said(visit).replace("\\", "")
    path = Cache(cache()).snapshot(SCHEDULE).path
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    visit.button(key="verify_snapshot").click().run()
    assert not visit.exception
    assert "■ **2026" in said(visit).replace("\\", "")
    assert "schedule" in said(visit)


def test_the_list_sorts_by_gap_and_hides_columns_as_its_address_says(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, sort="gap", hide="Born")
    shown = visit.dataframe[0].value
    assert shown["gap"].tolist()[-1] is None or str(shown["gap"].tolist()[-1]) == "<NA>"
    assert "patient_birth_date" not in shown.columns
    assert shown["patient_id"].tolist()[-2:] == ["100555", "100703"]


def test_a_view_is_opened_saved_and_opened_again(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13)
    visit.selectbox(key="view_picked").select("Machine TB2").run()
    assert not visit.exception
    assert set(visit.dataframe[0].value["patient_id"]) == {"100377"}
    visit.radio(key="sort").set_value("gap").run()
    visit.text_input(key="search").set_value("berg").run()
    visit.text_input(key="view_name").set_value("Night on TB2").run()
    visit.button(key="view_save").click().run()
    assert "berg" not in (cache().parent / "cache-entries" / "views.json").read_text()
    visit.selectbox(key="view_picked").select("Physician O'NEIL, Sean").run()
    assert set(visit.dataframe[0].value["patient_id"]) == {"100892"}
    visit.selectbox(key="view_picked").select("Night on TB2").run()
    assert visit.multiselect(key="machine").value == ["TB2"]
    assert visit.radio(key="sort").value == "gap"


@pytest.mark.parametrize("page", ["machine_day", "backup_health", "priorities"])
def test_a_journal_that_cannot_be_read_stops_no_page(open_dashboard: Open, page: str) -> None:
    visit = open_dashboard("good", page=page)
    Journal(cache()).path.unlink()
    Journal(cache()).path.mkdir()
    visit.run()
    assert not visit.exception
    assert "The journal of runs" in said(visit)


def test_rows_of_the_database_that_are_odd_by_their_key_are_named_on_backup_health(open_dashboard: Open) -> None:
    open_dashboard("good", 13)
    relational.write(cache())
    odd = {"table_name": "patients", "row_key": "patient_id 4711", "why": "2 rows that differ in patient_name"}
    Cache(cache()).write(ODD_ROWS, [odd], taken_at=datetime(2026, 11, 23, tzinfo=UTC), source="keys")
    visit = open_dashboard("good", 13, page="backup_health")
    assert not visit.exception
    assert "1 row of the R&V database" in said(visit).replace("\\", "")
    (shown,) = [one.value for one in visit.dataframe if "row_key" in one.value.columns]
    assert shown.to_dict("records") == [odd]


def test_a_physicist_acknowledges_a_gap_and_it_leaves_the_banner_and_stays_on_health(open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="backup_health")
    journal = Journal(cache())
    run = journal.start("sync_plans", clinic.NOW)
    result = JobResult("sync_plans", "PARTIAL", {"unproven": 2}, ("1.2.3", "1.2.4"), "1.2.3: no source has it")
    journal.finish(run, result, clinic.NOW)
    visit.run()
    assert ":orange[▲ 2 objects that a plan or course needs are not proven" in said(visit)
    visit.text_input(key="known_gap_reason").set_value("asked TPS and R&V: nobody has it")
    visit.button(key="known_gap_sign").click().run()
    assert not visit.exception
    assert "not proven in the RT-PACS. **Backup health**" not in said(visit)
    assert table(visit, "unproven")["known"].str.contains("asked TPS and R&V").all()
    assert next(line for line in audit_lines() if line["action"] == "acknowledge")["details"]["objects"] == 2
    run = journal.start("sync_plans", clinic.NOW)
    journal.finish(run, JobResult("sync_plans", "PARTIAL", {"unproven": 3}, ("1.2.3", "1.2.4", "1.2.5")), clinic.NOW)
    visit.run()
    assert ":orange[▲ 1 object that a plan or course needs is not proven" in said(visit)


def test_a_record_that_would_count_once_acknowledged_is_never_chosen_beforehand(open_dashboard: Open) -> None:
    open_dashboard("good", page="backup_health")
    since = datetime(2026, 11, 23)  # noqa: DTZ001  as the table has it
    aside = {"sop_instance_uid": "1.2.9", "patient_id": "100346", "state": "set aside", "since": since}
    Cache(cache()).write(DOUBTED_RECORDS, [aside], taken_at=clinic.NOW, source="test")
    journal = Journal(cache())
    result = JobResult("build_on_treatment", "PARTIAL", {"unproven": 2}, ("1.2.9", "1.2.3"))
    journal.finish(journal.start("build_on_treatment", clinic.NOW), result, clinic.NOW)
    visit = open_dashboard("good", page="backup_health")
    assert not visit.exception
    assert "counts as given once it is acknowledged" in said(visit)
    chosen = visit.multiselect(key="known_gap_uids")
    assert chosen.value == ["1.2.3"]
    assert [one for one in chosen.options if "COUNTS AS GIVEN" in one and one.startswith("100346")]


def test_one_signature_settles_all_that_the_rv_system_purged_and_nothing_that_waits_for_a_look(
    open_dashboard: Open,
) -> None:
    open_dashboard("good", page="backup_health")
    since = datetime(2026, 11, 23)  # noqa: DTZ001  as the table has it
    rows = [
        ("1.2.3", "denied"),
        ("1.2.8", "first"),
        ("1.2.9", "set aside"),
        *((f"1.3.{n}", "denied") for n in range(150)),
    ]
    told = [{"sop_instance_uid": uid, "patient_id": "100346", "state": state, "since": since} for uid, state in rows]
    Cache(cache()).write(DOUBTED_RECORDS, told, taken_at=clinic.NOW, source="test")
    journal = Journal(cache())
    result = JobResult("build_on_treatment", "PARTIAL", {"unproven": 153}, ("1.2.9", "1.2.8", "1.2.3"))
    journal.finish(journal.start("build_on_treatment", clinic.NOW), result, clinic.NOW)
    visit = open_dashboard("good", page="backup_health")
    assert visit.multiselect(key="known_gap_uids").value == ["1.2.3"]
    assert visit.checkbox(key="known_gap_more").label.startswith("And 150 treatment records more that the R&V system")
    visit.checkbox(key="known_gap_more").check()
    visit.text_input(key="known_gap_reason").set_value("purged after 30 days, by contract")
    visit.button(key="known_gap_sign").click().run()
    assert not visit.exception
    assert ever_acknowledged(cache()) == {"1.2.3", *(f"1.3.{n}" for n in range(150))}


def test_a_therapist_reads_of_gaps_and_acknowledges_none(open_dashboard: Open) -> None:
    visit = open_dashboard("good", page="backup_health", role="therapist")
    journal = Journal(cache())
    journal.finish(
        journal.start("sync_plans", clinic.NOW),
        JobResult("sync_plans", "PARTIAL", {"unproven": 1}, ("1.2.3",)),
        clinic.NOW,
    )
    visit.run()
    assert not visit.exception
    assert "A known gap can be acknowledged" in said(visit)
    assert "known_gap_sign" not in {one.key for one in visit.button}


def test_while_the_first_run_is_under_way_nobody_is_sent_to_start_one(open_dashboard: Open) -> None:
    visit = open_dashboard("missing")
    Journal(cache()).start("sync_records", clinic.NOW)
    visit.run()
    assert "a backup run is under way since" in said(visit)
    assert "**A backup run is under way.**" in said(visit)
    assert "python -m backup_jobs cycle" not in said(visit) and "cron" not in said(visit)


def test_priorities_bear_the_warnings_of_the_list_and_sort_the_unentered_by_what_they_missed(
    open_dashboard: Open,
) -> None:
    visit = open_dashboard("good", 13, page="priorities")
    add_to_config(SIGNED)
    append_statement(cache(), entry("100377", 2))
    visit.run()
    assert not visit.exception
    [berg] = table(visit, "clocks").to_dict("records")
    assert berg["mark"] == "■"
    assert berg["check"].startswith("■ INTERRUPTED: finish fraction 5 first") and "NAMESAKE" in berg["check"]
    assert berg["fraction"] == "finish 5 of 20 first (4 given)"
    without = table(visit, "without_entry")
    assert {"■", "▲"} <= set(without["mark"])
    assert without["missed_days"].dropna().tolist() == sorted(without["missed_days"].dropna(), reverse=True)


def paper_of(visit: AppTest) -> str:
    """The sheet that the browser is handed for its printer."""
    [sheet] = [one.proto for one in visit.get("bidi_component") if one.proto.component_name == "paper_sheet"]
    return str(json.loads(sheet.json)["markup"])


def test_both_lists_of_priorities_go_whole_to_paper_and_to_excel(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 40, page="priorities")
    add_to_config(SIGNED)
    append_statement(cache(), entry("100231", 1))
    visit.run()
    paper = paper_of(visit)
    printed = set(re.findall(r"<td>(\d{6})</td>", paper))
    shown = {*table(visit, "clocks")["patient_id"], *table(visit, "without_entry")["patient_id"]}
    assert printed == shown and len(printed) > 14
    [button] = [one for one in visit.get("download_button") if one.proto.label == "Excel"]
    assert button.proto.disabled is False


def test_what_ctrl_p_prints_of_the_list_is_every_row_that_the_filters_leave(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 60)
    paper = paper_of(visit)
    rows = visit.dataframe[0].value
    head, around = 1, 2  # of the list; of the sheet, whose own head stands on each page
    assert paper.count("<tr") == len(rows) + head + around and len(rows) > 14
    assert all(str(patient_id) in paper for patient_id in rows["patient_id"])


def test_a_physician_signs_an_entry(open_dashboard: Open) -> None:
    visit = open_dashboard("good", 13, page="priorities", role="physician")
    add_to_config(SIGNED)
    visit.run()
    assert [button.label.replace("\\", "") for button in visit.button if button.label.startswith("Sign as ")] == [
        "Sign as Physician of the tests (physician)"
    ]
