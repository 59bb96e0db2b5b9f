"""A backup that fails or stops is heard: as a real mail, a real ping, and by a watch on another machine."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup_jobs.__main__ import main as backup_jobs
from recovery.__main__ import main as recovery
from recovery.cache.journal import JobResult, Journal
from recovery.entries.shift_checks import ShiftCheck
from recovery.host.entry_lines import append_statement
from recovery.settings.config import load_config
from recovery.settings.watch import MailSettings, WatchSettings
from recovery.watch import sending
from recovery.watch.events import Told, Trouble
from recovery.watch.messages import Message
from recovery.watch.sending import ping
from recovery.watch.telling import ToldBefore, tell_troubles
from tests.dimse.scripted import bare_socket
from tests.orthanc import free_port
from tests.patience import seconds
from tests.watch.listeners import Mailbox, Pings, mail_server, ping_server

NOW = datetime(2026, 11, 24, 14, 32, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def mails() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def pings() -> Iterator[Pings]:
    with ping_server() as told:
        yield told


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    set_clock(tmp_path, NOW)
    monkeypatch.setenv("RBRDT_CLOCK", str(tmp_path / "clock.json"))
    return tmp_path


def set_clock(folder: Path, at: datetime) -> None:
    (folder / "clock.json").write_text(json.dumps({"real": 0, "speed": 0, "simulated": at.isoformat()}))


def configure(folder: Path, watch: str) -> list[str]:
    """A site none of whose nodes is there; returns the arguments that name its config."""
    nodes = "".join(
        f'[{name}]\nae_title = "{name.upper()}"\nhost = "127.0.0.1"\nport = {free_port()}\n'
        for name in ("local", "rv", "pacs")
    )
    text = f'[site]\nname = "Test clinic"\ntime_zone = "Europe/Zurich"\n{nodes}[cache]\npath = "cache"\n{watch}'
    (folder / "config.toml").write_text(text)
    return ["--config", str(folder / "config.toml")]


def by_mail(port: int, more: str = "", summary: str = "") -> str:
    return f"""[watch]
daily_summary_at = "{summary}"
{more}
[watch.mail]
server = "127.0.0.1"
port = {port}
security = "none"
sender = "rbrdt@clinic.example"
recipients = ["physics@clinic.example", "it@clinic.example"]
"""


def proven(folder: Path, at: datetime) -> None:
    journal = Journal(folder / "cache")
    journal.finish(journal.start("sync_records", at), JobResult("sync_records", "OK", {}), at)


def test_a_failing_job_is_told_once_again_after_an_hour_and_when_it_works(site: Path, mails: Mailbox) -> None:
    config = configure(site, by_mail(mails.port))
    for minutes in (0, 10, 50, 70):
        set_clock(site, NOW + timedelta(minutes=minutes))
        assert backup_jobs(["build_on_treatment", *config]) == 2
    assert mails.subjects == ["RBRDT Test clinic: build_on_treatment fails"] * 2
    text = mails.texts[0]
    assert "since 2026-11-24 15:32" in text and "The RT-PACS does not answer" in text and "What to do: " in text
    assert "This is message 2 about it" in mails.texts[1]
    journal = Journal(site / "cache")
    at = NOW + 2 * HOUR
    journal.finish(journal.start("build_on_treatment", at), JobResult("build_on_treatment", "OK", {}), at)
    set_clock(site, at)
    backup_jobs(["sync_plans", *config])
    assert mails.subjects[2:] == [
        "RBRDT Test clinic: build_on_treatment works again",
        "RBRDT Test clinic: sync_plans fails",
    ]


def test_what_another_job_told_while_a_mail_was_on_its_way_stays_told(site: Path, mails: Mailbox) -> None:
    configure(site, by_mail(mails.port))
    config = load_config(site / "config.toml")
    mails.meanwhile = lambda: ToldBefore({"cycle": Told(NOW, NOW, 1)}).save(config.watch_path)
    trouble = Trouble("verify_backup", NOW, "the RT-PACS does not answer")
    assert tell_troubles(config, [trouble], {trouble.name}, NOW) == []
    assert ToldBefore.load(config.watch_path).told.keys() == {"cycle", "verify_backup"}


def test_a_mail_that_did_not_leave_is_sent_by_the_next_run(site: Path, mails: Mailbox) -> None:
    config = configure(site, by_mail(mails.port))
    mails.refuses = True
    assert backup_jobs(["build_on_treatment", *config]) == 2
    mails.refuses = False
    assert backup_jobs(["build_on_treatment", *config]) == 2
    assert len(mails.mails) == 1


def test_a_shift_check_that_nobody_made_is_told_and_that_it_was_made(site: Path, mails: Mailbox) -> None:
    config = configure(site, by_mail(mails.port, 'shift_checks = ["14:30"]'))
    for minutes in (-10, 0):  # the shift began at 14:30, an hour before
        set_clock(site, NOW + timedelta(minutes=minutes))
        backup_jobs(["build_on_treatment", *config])
    opened = [n for n, subject in enumerate(mails.subjects) if subject == "RBRDT Test clinic: the shift check is open"]
    assert len(opened) == 1
    assert "nobody has compared" in mails.texts[opened[0]] and "Open the page Shift check" in mails.texts[opened[0]]
    append_statement(site / "cache", ShiftCheck(True, "", "Doe (doe)", NOW))
    backup_jobs(["build_on_treatment", *config])
    assert mails.subjects[-1] == "RBRDT Test clinic: the shift check is made"


def test_the_day_is_summed_up_once_after_its_time(site: Path, mails: Mailbox) -> None:
    config = configure(site, by_mail(mails.port, summary="15:00"))
    for minutes in (-60, 0, 10):
        set_clock(site, NOW + timedelta(minutes=minutes))
        backup_jobs(["build_on_treatment", *config])
    summaries = [mail for mail in mails.mails if str(mail["Subject"]) == "RBRDT Test clinic: look"]
    assert len(summaries) == 1
    assert (
        "Nothing is proven" in summaries[0].get_content()
        and "build_on_treatment: 2 FAILED" in summaries[0].get_content()
    )  # type: ignore[attr-defined]


def test_each_run_pings_its_start_and_its_exit_status_with_counts_only(site: Path, pings: Pings) -> None:
    config = configure(site, f'[watch]\nping_url = "http://127.0.0.1:{pings.port}/ping/key/{{job}}"\n')
    assert backup_jobs(["build_on_treatment", *config]) == 2
    assert backup_jobs(["cycle", *config]) == 2
    assert pings.paths == [
        f"/ping/key/{job}/{what}" for job in ("build_on_treatment", "cycle") for what in ("start", 2)
    ]
    assert "sync_records FAILED" in pings.told[-1][1] and "127.0.0.1" not in pings.told[-1][1]


def test_a_dead_url_and_a_dead_mail_server_change_no_exit_status(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = f'ping_url = "http://127.0.0.1:{free_port()}/x"\ntimeout_seconds = 1'
    config = configure(site, by_mail(free_port(), dead))
    assert backup_jobs(["sync_plans", *config]) == 2
    logged = capsys.readouterr().err
    assert "was not taken" in logged and "did not leave" in logged


def test_check_sends_a_trial_mail(site: Path, mails: Mailbox, capsys: pytest.CaptureFixture[str]) -> None:
    backup_jobs(["check", *configure(site, by_mail(mails.port))])
    assert mails.subjects == ["RBRDT Test clinic: a trial"]
    assert "works  a message to people leaves" in capsys.readouterr().err


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_server_without_a_good_certificate_gets_no_mail(
    site: Path, mails: Mailbox, security: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = by_mail(mails.port).replace('"none"', f'"{security}"')
    backup_jobs(["check", *configure(site, settings)])
    assert not mails.mails and "did not leave" in capsys.readouterr().err


def test_the_watch_is_silent_while_the_backup_is_fresh_and_says_that_it_lives(
    site: Path, mails: Mailbox, pings: Pings, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configure(site, by_mail(mails.port, f'watch_ping_url = "http://127.0.0.1:{pings.port}/w"'))
    proven(site, NOW - timedelta(minutes=10))
    assert recovery(["watch", *config]) == 0
    assert "10 min old" in capsys.readouterr().out
    assert not mails.mails and pings.paths == ["/w/0"]


def test_the_watch_alarms_when_the_jobs_machine_is_gone_and_tells_its_return(site: Path, mails: Mailbox) -> None:
    config = configure(site, by_mail(mails.port))
    proven(site, NOW)
    for minutes in (0, 29, 31, 40, 100):
        set_clock(site, NOW + timedelta(minutes=minutes))
        assert recovery(["watch", *config]) == int(minutes > 30)
    assert len(mails.mails) == 2
    assert "no backup since 2026-11-24 15:32" in mails.subjects[0]
    proven(site, NOW + timedelta(minutes=101))
    set_clock(site, NOW + timedelta(minutes=102))
    assert recovery(["watch", *config]) == 0
    assert mails.subjects[2] == "RBRDT Test clinic: the backup works again"


def test_a_jobs_machine_whose_clock_was_ahead_when_it_died_is_no_fresh_backup(
    site: Path, mails: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configure(site, by_mail(mails.port))
    proven(site, NOW + 300 * HOUR)
    assert recovery(["watch", *config]) == 1
    assert "a clock is wrong" in capsys.readouterr().err
    assert len(mails.mails) == 1


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX: ", b"no HTTP\r\n\r\n"], ids=["drips", "garbage"])
def test_a_server_that_drips_or_talks_nonsense_costs_a_run_no_more_than_its_time_out(first: bytes) -> None:
    with bare_socket(lambda connection: drip(connection, first)) as node:
        started = time.monotonic()
        assert not ping(f"http://127.0.0.1:{node.port}/x", "0", "", 0.3)
        assert time.monotonic() - started < seconds(2)


def test_a_mail_server_that_drips_holds_up_no_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ANSWERS", 0.3)
    with bare_socket(lambda connection: drip(connection, b"220 ")) as node:
        mail = MailSettings("127.0.0.1", "a@b.example", ["c@d.example"], node.port, "none")
        (problem,) = sending.send(Message("s", "t"), WatchSettings(mail=mail, timeout_seconds=1), NOW)
    assert "did not leave in" in problem


def drip(connection: socket.socket, first: bytes) -> None:
    """Send, and then a byte now and then, as long as somebody listens."""
    connection.sendall(first)

    def go_on() -> None:
        with contextlib.suppress(OSError):
            while True:
                time.sleep(0.05)
                connection.sendall(b"a")

    threading.Thread(target=go_on, daemon=True).start()


def test_the_watch_says_2_when_nobody_could_be_told_or_nothing_is_known(site: Path, mails: Mailbox) -> None:
    config = configure(site, by_mail(mails.port))
    assert recovery(["watch", *config]) == 2
    assert len(mails.mails) == 1
    proven(site, NOW - HOUR)
    mails.refuses = True
    set_clock(site, NOW + HOUR)
    assert recovery(["watch", *config]) == 2


@pytest.mark.parametrize("content", ["", "{", '{"told": {"x": 1}, "summary_of": ""}', "null"])
def test_a_memory_that_cannot_be_read_tells_once_more(site: Path, mails: Mailbox, content: str) -> None:
    config = configure(site, by_mail(mails.port))
    proven(site, NOW - HOUR)
    (site / "data").mkdir()
    (site / "data" / "watch.json").write_text(content)
    assert recovery(["watch", *config]) == 1
    assert len(mails.mails) == 1


def test_mistakes_in_the_config_are_told_with_their_key(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = '[watch]\nping_url = "ftp://x"\ndaily_summary_at = "7 am"\n'
    wrong += '[watch.mail]\nserver = "s"\nsender = "me"\nrecipients = []\n'
    assert recovery(["watch", *configure(site, wrong)]) == 2
    told = capsys.readouterr().err
    assert all(
        key in told for key in ("[watch] ping_url", "[watch] daily_summary_at", "[watch.mail] sender", "recipients")
    )
