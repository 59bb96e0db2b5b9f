"""Small sites for the tests: a cache all of whose tables say one number, and the places that copies of it go to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recovery.cache.journal import JobResult, Journal
from recovery.cache.store import Cache
from recovery.host.keys import load_key
from recovery.settings.config import Site as Clinic
from recovery.settings.sites import SiteCopy
from recovery.settings.trust import EVERYBODY, Trust
from recovery.sites.place import Place, place_of
from recovery.sites.reading import SiteState, read_site
from recovery.sites.staging import stage
from recovery.sites.writing import CopyReport, SiteWriter
from recovery.tables.schema import ON_TREATMENT, TREATMENT_RECORDS
from tests.recovery.made_snapshots import take

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)


def everything(_path: str) -> bool:
    return True


def as_it_is(place: Place) -> Place:
    return place


def record(number: int, at: datetime, machine: str = "TB1") -> dict[str, object]:
    """One delivered beam."""
    empty: dict[str, object] = dict.fromkeys(TREATMENT_RECORDS.columns)
    return empty | {
        "sop_instance_uid": f"1.2.{number}",
        "beam_index": 0,
        "patient_id": f"P{number % 7}",
        "patient_name": "SECRET, Name",
        "treatment_machine_name": machine,
        "started_at": at.replace(tzinfo=None),
        "treatment_date": at.date(),
        "delivered_meterset": 100.0,
    }


def change(cache_path: Path, number: int, key: Path | None = None, at: datetime = NOW) -> None:
    """One cycle: list, records, snapshot and journal say `number`."""
    cache = Cache(cache_path)
    row = dict.fromkeys(ON_TREATMENT.columns) | {"patient_id": f"{number}", "referenced_rt_plan_uid": "1.2"}
    cache.write(ON_TREATMENT, [row], taken_at=at, source="test")
    records = [record(n, datetime(2026, 10, 20, tzinfo=UTC) + timedelta(days=n)) for n in range(number + 1)]
    cache.write(TREATMENT_RECORDS, records, taken_at=at, source="test")
    take(cache_path, number, at, key=key)
    journal = Journal(cache_path)
    run = journal.start("sync_records", at)
    journal.finish(run, JobResult("sync_records", "OK", {"found": number, "unproven": 0}), at)


def number_of(state: SiteState, folder: Path) -> int:
    """What all of a state's tables say; fails where they do not say the same."""
    for path, data in state.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    from tests.recovery.made_snapshots import numbers

    cache = Cache(folder)
    (listed,) = cache.read(ON_TREATMENT)
    said = {
        str(listed["patient_id"]),
        str(len(cache.read(TREATMENT_RECORDS)) - 1),
        *map(str, set.union(*numbers(cache))),
    }
    assert len(said) == 1, said
    return int(said.pop())


@dataclass
class Site:
    """A clinic with its cache and a copy."""

    cache_path: Path
    copy: SiteCopy
    key: Path | None = None
    trust: Trust = EVERYBODY
    known: str = ""
    name: str = "north"
    clinic: str = "north clinic"
    wrapped: Callable[[Place], Place] = as_it_is

    @property
    def place(self) -> Place:
        return place_of(self.copy, self.cache_path)

    def cycle(self, number: int, at: datetime | None = None) -> CopyReport:
        at = at or NOW + timedelta(minutes=10 * number)
        change(self.cache_path, number, self.key, at)
        return self.send(at)

    def send(self, at: datetime) -> CopyReport:
        key = load_key(self.key) if self.key is not None else None
        place = self.wrapped(self.place)
        here = Clinic(self.clinic, "Europe/Zurich", self.name)
        writer = SiteWriter(place, here, key, self.trust, self.known)
        report = writer.write(stage(self.cache_path, at), at, at)
        self.known = report.name
        return report

    def read(self, known: str = "") -> SiteState:
        return read_site(self.place, self.name, self.trust, known, everything)
