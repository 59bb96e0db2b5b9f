"""Each part is stopped in turn: the alarm comes within its grace, as a real mail and as a real ping."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recovery.cache.journal import Journal
from tests.backup_jobs.test_main_job import course
from tests.clinic import TwoNodes, two_nodes
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed
from tests.relational.made_up import made_up_clinic
from tests.watch.listeners import Mailbox, Pings, mail_server, ping_server

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)
GRACE = timedelta(minutes=30)
A_NIGHT = timedelta(hours=31)
CYCLE = timedelta(minutes=10)


class Site:
    """A clinic whose cycle runs every ten minutes, whose proof every day, and who hears of it; a clock that is set."""

    def __init__(self, nodes: TwoNodes, mails: Mailbox, pings: Pings) -> None:
        self.nodes, self.mails, self.pings = nodes, mails, pings
        self.now = datetime.now(UTC)
        nodes.clock = str(nodes.folder / "clock.json")
        nodes.extra = (
            '[rv.database]\nconnection = "sqlite:///aria.db"\n'
            f'[watch]\nping_url = "http://127.0.0.1:{pings.port}/{{job}}"\n'
            f'watch_ping_url = "http://127.0.0.1:{pings.port}/watch"\ndaily_summary_at = ""\ntimeout_seconds = 1\n'
            f'[watch.mail]\nserver = "127.0.0.1"\nport = {mails.port}\nsecurity = "none"\n'
            'sender = "rbrdt@clinic.example"\nrecipients = ["physics@clinic.example"]\n'
        )

    def set_clock(self) -> None:
        said = {"real": time.time(), "speed": 0, "simulated": self.now.isoformat()}
        Path(str(self.nodes.clock)).write_text(json.dumps(said))

    def job(self, name: str) -> int:
        self.set_clock()
        return self.nodes.job(name)[0]

    def watch(self) -> int:
        self.set_clock()
        return self.nodes.run("recovery", "watch").returncode


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with two_nodes(tmp_path) as nodes, mail_server() as mails, ping_server() as pings:
        made_up_clinic("aria", tmp_path).close()
        nodes.put(course("A1", "BASALT^Osprey", {1: 50.0}, 1))
        made = Site(nodes, mails, pings)
        assert (made.job("cycle"), made.job("verify_backup"), made.watch()) == (0, 0, 0)
        assert not mails.mails and pings.paths[-1] == "/watch/0"
        yield made


def stop_rv(site: Site) -> None:
    site.nodes.rv.kill()


def stop_pacs(site: Site) -> None:
    site.nodes.pacs.kill()


def stop_database(site: Site) -> None:
    (site.nodes.folder / "aria.db").unlink()


@pytest.mark.parametrize(
    ("stop", "job", "says"),
    [
        (stop_rv, "sync_records", "The R&V system does not answer"),
        (stop_pacs, "build_on_treatment", "The RT-PACS does not answer"),
        (stop_database, "snapshot_tables", "The R&V system's database does not answer"),
    ],
)
def test_a_server_that_stops_is_heard_by_the_next_cycle(
    site: Site, stop: Callable[[Site], None], job: str, says: str
) -> None:
    stop(site)
    site.now += CYCLE
    assert site.job("cycle") == 2
    assert f"RBRDT Test clinic: {job} fails" in site.mails.subjects and says in "".join(site.mails.texts)
    assert site.pings.paths[-1] == "/cycle/2"


def test_jobs_that_nobody_starts_are_heard_by_the_watch_within_the_grace(site: Site) -> None:
    site.now += GRACE
    assert site.watch() == 0
    site.now += timedelta(minutes=1)
    assert site.watch() == 1 and site.pings.paths[-1] == "/watch/1"
    assert "no backup since" in site.mails.subjects[-1]


def test_a_proof_that_nobody_starts_any_more_is_heard_after_a_night_and_so_is_its_return(site: Site) -> None:
    begun = site.now
    for after in (A_NIGHT, A_NIGHT + CYCLE):
        site.now = begun + after
        assert site.job("cycle") == 0
        assert ("the run of verify_backup is missing" in "".join(site.mails.subjects)) is (after > A_NIGHT)
    assert "not begun again" in site.mails.texts[-1] and "What to do: Look whether it is still started" in "".join(
        site.mails.texts
    )
    assert site.watch() == 1 and site.pings.paths[-1] == "/watch/1"
    assert site.job("verify_backup") == 0
    assert site.mails.subjects[-1] == "RBRDT Test clinic: the run of verify_backup works again"
    assert site.watch() == 0


def test_a_job_that_something_kills_each_time_is_heard_though_the_records_are_fresh(site: Site) -> None:
    begun, journal = site.now, Journal(site.nodes.folder / "cache")
    for cycle in range(1, 6):
        site.now = begun + cycle * CYCLE
        assert site.job("sync_records") == 0
        journal.start("sync_plans", site.now)  # and no end: what a killed run leaves
        is_late = site.now - (begun + CYCLE) > GRACE
        assert site.watch() == int(is_late)
        assert ("RBRDT Test clinic: the run of sync_plans is missing" in site.mails.subjects) is is_late
    assert site.job("sync_plans") == 0 and site.watch() == 0
