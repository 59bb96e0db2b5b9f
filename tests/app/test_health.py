"""What the runs say of the jobs: age against schedule, a week by hour, what is unproven and since when."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from app.data import health
from app.data.standing import Level
from app.desk import Desk
from app.screens.backup_health import drills, job_table, nodes, unproven_table
from recovery.dicom.model import JobRun
from recovery.host.certificates import certificates_in
from recovery.settings.config import load_config
from tests.app import clinic
from tests.app.clinic import NOW
from tests.certificates import Authority, toml

TEN = timedelta(minutes=10)


def run(
    minutes_ago: float,
    outcome: str | None = "OK",
    *unproven: str,
    job: str = "sync_plans",
    message: str = "",
    counted: int | None = None,
) -> JobRun:
    at = NOW - timedelta(minutes=minutes_ago)
    counts = {"found": 9, "unproven": len(unproven) if counted is None else counted}
    return JobRun(job, at, at if outcome else None, outcome, counts, message, "", unproven, 1.5)


@pytest.mark.parametrize(
    ("runs", "level", "remark"),
    [
        ([run(6)], Level.GOOD, ""),
        ([run(31)], Level.LOOK, "overdue"),
        ([run(121)], Level.STOP, "overdue"),
        ([run(16), run(6, "FAILED")], Level.LOOK, "failed 6 min ago"),
        ([run(600), run(6, "FAILED")], Level.STOP, "failed 6 min ago"),
        ([run(16), run(6, "PARTIAL", "1.2")], Level.LOOK, "partly done 6 min ago"),
        ([run(16), run(2, None)], Level.GOOD, "running, began 2 min ago"),
        ([run(45), run(30, None)], Level.LOOK, "began 30 min ago and has not ended"),
        ([run(6, "SKIPPED", message="no database")], Level.GOOD, "not used: no database"),
    ],
)
def test_a_job_is_judged_by_its_newest_run_and_its_age(runs: list[JobRun], level: Level, remark: str) -> None:
    (job,) = health.jobs_of(runs, NOW, TEN)
    assert (job.level, job.remark) == (level, remark)


def test_a_nightly_job_is_not_late_in_the_afternoon() -> None:
    runs = [run(14 * 60, job="verify_backup"), run(6)]
    cycle, nightly = health.jobs_of(runs, NOW, TEN)
    assert (cycle.job, nightly.job, nightly.due) == ("sync_plans", "verify_backup", timedelta(days=1))
    assert nightly.level is Level.GOOD


def test_unproven_since_the_first_of_the_unbroken_runs_that_said_so() -> None:
    runs = [run(60, "PARTIAL", "1.2"), run(50), run(40, "PARTIAL", "1.2"), run(30, "FAILED"), run(20, "PARTIAL", "1.2")]
    (one,) = health.unproven_of(runs)
    assert one.since == NOW - timedelta(minutes=40)
    assert not one.reaches_further


def test_unproven_for_longer_than_the_journal_knows_says_so() -> None:
    (one,) = health.unproven_of([run(40, "PARTIAL", "1.2"), run(20, "PARTIAL", "1.2")])
    assert (one.since, one.reaches_further) == (NOW - timedelta(minutes=40), True)


def test_a_run_that_named_only_some_of_many_does_not_end_the_row() -> None:
    runs = [run(60), run(50, "PARTIAL", "1.2"), run(40, "PARTIAL", "1.1", counted=150), run(30, "PARTIAL", "1.2")]
    (one,) = health.unproven_of(runs)
    assert one.since == NOW - timedelta(minutes=50)


def test_what_is_proven_by_now_is_not_unproven() -> None:
    assert health.unproven_of([run(60, "PARTIAL", "1.2"), run(50), run(40, "FAILED")]) == []


def test_reasons_are_read_from_the_message_of_the_job() -> None:
    message = "1.2.3: plan: nobody; really has it; 1.2.4: image of plan 1.2.9: gone; and 7 more"
    assert health.reasons_in(message) == {"1.2.3": "plan: nobody; really has it", "1.2.4": "image of plan 1.2.9: gone"}


def test_a_week_by_hour_shows_the_worst_run_and_leaves_silence_empty() -> None:
    runs = [run(200), run(65, "FAILED"), run(66), run(5, "PARTIAL"), run(8 * 24 * 60, "FAILED")]
    hours = health.hours_of(runs, NOW)
    assert [(hour.begins.hour, hour.outcome, hour.runs) for hour in hours] == [
        (10, "OK", 1),
        (12, "FAILED", 2),
        (13, "PARTIAL", 1),
    ]


def test_what_was_kept_back_is_told_by_table() -> None:
    message = (
        "table schedule: 3 rows, and 90 in its last state, which stays; if that is right, delete it; "
        "table notes: 2 values of written_at cannot be read; not asked for after that: checks, documents"
    )
    said = health.remarks_on_tables([run(6, "PARTIAL", job="snapshot_tables", message=message)])
    assert said["schedule"] == "3 rows, and 90 in its last state, which stays; if that is right, delete it"
    assert said["notes"] == "2 values of written_at cannot be read"
    assert said["checks"] == said["documents"] == "was not asked for: the database was lost before it"


def test_what_is_unproven_says_whose_it_is_and_names_the_plan_not_its_uid() -> None:
    table = pd.DataFrame([clinic.row("BERG, Bo", "100892", "Prost", 4, referenced_rt_plan_uid="2.25.7")])
    owners = unproven_table.owners_of(table)
    why = "neither the R&V system nor a planning system has it"
    (image,) = health.unproven_of([run(6, "PARTIAL", "2.25.9", message=f"2.25.9: image of plan 2.25.7: {why}")])
    assert unproven_table.in_words(image, owners) == ("BERG, Bo 100892", f"image of plan Prost: {why}")
    (plan,) = health.unproven_of([run(6, "PARTIAL", "2.25.7", message=f"2.25.7: plan: {why}")])
    assert unproven_table.in_words(plan, owners) == ("BERG, Bo 100892", f"plan: {why}")
    (other,) = health.unproven_of([run(6, "PARTIAL", "2.25.8")])
    assert unproven_table.in_words(other, owners)[0] is None


@pytest.mark.parametrize("is_dark", [False, True])
def test_every_outcome_of_the_week_is_drawn_otherwise_than_the_others_and_not_by_a_hue_alone(*, is_dark: bool) -> None:
    hours = [health.Hour("sync_plans", NOW, outcome, 1) for outcome in ("OK", "running", "SKIPPED")]
    drawn = job_table.week(hours, ["sync_plans"], NOW, ZoneInfo("Europe/Zurich"), is_dark=is_dark).to_dict()
    looks = drawn["layer"][0]["encoding"]
    fills, strokes = (
        dict(zip(looks[c]["scale"]["domain"], looks[c]["scale"]["range"], strict=True)) for c in ("fill", "stroke")
    )
    assert len({(fills[said], strokes[said]) for said in fills}) == len(fills) == 5
    hollow = [said for said in fills if fills[said] != strokes[said]]
    assert hollow == ["not ended"]


DAY = 24 * 60


@pytest.mark.parametrize(
    ("runs", "said", "not_said"),
    [
        ([], "▲ **No drill is known.**", "due"),
        ([run(3 * DAY, job="drill", message="passed")], "passed  \nThe next is due", "▲"),
        ([run(40 * DAY, "PARTIAL", job="drill", message="m")], "▲ **The next was due on Sat 14 Nov.**", "■"),
        (
            [run(3 * DAY, job="drill"), run(5, "FAILED", job="drill", message="gone")],
            "could not be held**, Tue 24 Nov",
            "▲",
        ),
    ],
    ids=["never", "lately", "overdue", "failed since"],
)
def test_the_last_drill_and_the_next_are_said(tmp_path: Path, runs: list[JobRun], said: str, not_said: str) -> None:
    (tmp_path / "config.toml").write_text(clinic.CONFIG)
    told = drills.in_words(Desk(load_config(tmp_path / "config.toml"), lambda: NOW), runs)
    assert said in told and not_said not in told


def test_a_certificate_of_this_machine_that_ends_soon_is_told_and_none_where_there_is_no_tls(tmp_path: Path) -> None:
    own = Authority(tmp_path, "ca").tls("own", days=100)
    assert own.certificate is not None
    ends = certificates_in(own.certificate)[0].ends_at
    config = tmp_path / "config.toml"
    config.write_text(clinic.CONFIG)
    assert nodes.certificate_sentences(Desk(load_config(config), lambda: NOW)) == []
    config.write_text(clinic.CONFIG + "\n[pacs.tls]\n" + toml(own))
    settings = load_config(config).without_rv()
    assert nodes.certificate_sentences(Desk(settings, lambda: ends - timedelta(days=31))) == []
    (said,) = nodes.certificate_sentences(Desk(settings, lambda: ends - timedelta(days=12)))
    assert f"own.pem ends on {ends:%Y-%m-%d}, in 12 days" in said.replace("\\", "")
