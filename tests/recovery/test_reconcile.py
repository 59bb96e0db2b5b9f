"""Coming back: an R&V system restored to six hours before its fall is held against this copy until it says the same."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from openpyxl import load_workbook

from recovery.__main__ import main
from recovery.cache.store import Cache
from recovery.course.charted import deliveries_of
from recovery.course.charted_entries import ChartedBeam, standing
from recovery.entries.charted import enter
from recovery.entries.downtimes import DowntimeEntry
from recovery.entries.reconciled import Worked
from recovery.host.entry_lines import append_statement, file_of
from recovery.on_treatment.reconciling import compare
from recovery.patient.reconciliation import NothingToSayError, Reconciliation, reconcile
from recovery.patient.tables import read_tables
from recovery.settings.config import Config, load_config
from recovery.tables.delivered import DELIVERIES
from recovery.tables.relational import PLANS
from recovery.words.values import absent
from tests.recovery.charting import entry
from tests.recovery.courses import day, delivery, plain_record
from tests.recovery.patient_clinic import LOCAL, NOW, TB1, Clinic, anna, bo, tell_of

FALL = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
"""14:30 in Zurich."""
BACKUP = datetime(2026, 11, 23, 8, 30)  # noqa: DTZ001  site time
"""Six hours before the fall, and before that Monday's fractions, at 9:33."""
TODAY = LOCAL.replace(hour=9, minute=30)


@dataclass
class Returned:
    """A cache, and the R&V database that came back, whose deliveries are `rows`."""

    config: Config
    rows: list[dict[str, Any]]
    plans: dict[str, str]

    def read(self, hours: float) -> Reconciliation:
        """The database is read so many hours after NOW, and compared."""
        at = NOW + timedelta(hours=hours)
        cache = Cache(self.config.cache_path)
        cache.write(DELIVERIES, self.rows, taken_at=at, source="aria")
        return reconcile(self.config, cache, at)

    def has(self, whose: str, number: int, given: dict[int, float], at: datetime) -> None:
        """Somebody typed a fraction into the R&V system; what was there of it is gone."""
        uid = self.plans[whose]
        self.rows = [r for r in self.rows if (r["referenced_rt_plan_uid"], r["fraction_number"]) != (uid, number)]
        for beam, mu in given.items():
            self.rows.append(row(whose, uid, number, beam, mu, at))

    def sign(self, found: Reconciliation, item: str, kind: Literal["entered", "agrees"], hours: float) -> None:
        made = found.statement(item, kind, "T. Therapist", NOW + timedelta(hours=hours), "looked at both")
        append_statement(self.config.cache_path, made)


def row(whose: str, uid: str, number: int | None, beam: int | None, mu: float, at: datetime) -> dict[str, Any]:
    said = {
        "delivery_id": f"{uid} {number} {beam} {at}", "patient_id": whose, "referenced_rt_plan_uid": uid,
        "fraction_number": number, "beam_number": beam, "beam_name": f"Field {beam}", "treatment_machine_name": TB1,
        "treated_at": at, "delivered_meterset": mu, "delivery_type": "TREATMENT", "radiation_type": "PHOTON",
    }  # fmt: skip
    return {**dict.fromkeys(DELIVERIES.columns), **said}


ANNA, BO = "100231", "100377"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    clinic, folder = Clinic(), tmp_path_factory.mktemp("reconcile") / "cache"
    plans = {ANNA: str(anna(clinic).SOPInstanceUID), BO: str(bo(clinic).SOPInstanceUID)}
    tell_of(clinic, next(ds for ds in clinic.objects if ds.SOPInstanceUID == plans[BO]))
    clinic.write(folder)
    return folder, plans


@pytest.fixture
def back(made: tuple[Path, dict[str, str]], tmp_path: Path) -> Returned:
    """In the downtime, Anna's fraction 8 was charted, and the rest of Bo's fraction 5. The restored database has what
    was given until the backup."""
    folder, plans = made
    shutil.copytree(folder, tmp_path / "cache")
    file = tmp_path / "config.toml"
    file.write_text(
        '[site]\nname = "Demo clinic"\ntime_zone = "Europe/Zurich"\n'
        '[local]\nae_title = "A"\nport = 11112\nhost = "127.0.0.1"\n'
        '[rv]\nae_title = "R"\nhost = "127.0.0.1"\nport = 104\n'
        '[pacs]\nae_title = "P"\nhost = "127.0.0.1"\nport = 104\n[cache]\npath = "cache"\n'
    )
    config = load_config(file)
    append_statement(config.cache_path, DowntimeEntry("begin", "encrypted", "P. Physicist", NOW, since=FALL))
    records = read_tables(Cache(config.cache_path), [ANNA, BO]).records
    rows = [
        row(
            whose, str(r.referenced_rt_plan_uid), d.fraction_number, d.beam_number, float(d.delivered_meterset or 0), at
        )
        for whose, own in records.items()
        for r in own
        for d in deliveries_of([r])
        if (at := d.began_at) is not None and at < BACKUP
    ]
    beams = tuple(ChartedBeam(beam, f"Field {beam}", mu, mu) for beam, mu in {1: 112.4, 2: 98.6}.items())
    said: dict[str, Any] = {"patient_id": ANNA, "referenced_rt_plan_uid": plans[ANNA]}
    enter(config.cache_path, tmp_path / "key", entry("a", 8, {}, TODAY, beams=beams, **said))
    rest = (ChartedBeam(1, "Field 1", 12.0, 12.0, True), ChartedBeam(2, "Field 2", 38.0, 38.0))
    known = tuple(deliveries_of(records[BO]))
    said = {"patient_id": BO, "referenced_rt_plan_uid": plans[BO], "known": known}
    enter(config.cache_path, tmp_path / "key", entry("b", 5, {}, TODAY, beams=rest, **said))
    return Returned(config, rows, plans)


def told(found: Reconciliation) -> dict[tuple[str, int | None], str]:
    """By patient and fraction, what is open."""
    return {(i.compared.patient_id, i.compared.fraction_number): f"{i.compared.sides} · {i.state}" for i in found.open}


def item(found: Reconciliation, whose: str, number: int | None) -> str:
    return next(
        i.compared.item for i in found.items if (i.compared.patient_id, i.compared.fraction_number) == (whose, number)
    )


def test_what_the_restored_system_lacks_is_entered_checked_and_equal_in_the_end(back: Returned) -> None:
    found = back.read(1)
    assert told(found) == {
        (ANNA, 7): "Field 1: here 112.4 MU on Mon 23 Nov 2026; R&V system — · "
        "Field 2: here 98.6 MU on Mon 23 Nov 2026; R&V system — · open",
        (ANNA, 8): "Field 1: here 112.4 MU on Tue 24 Nov 2026; R&V system — · "
        "Field 2: here 98.6 MU on Tue 24 Nov 2026; R&V system — · open",
        (BO, 5): "Field 1: here 100.0 MU on Mon 23 Nov 2026, Tue 24 Nov 2026; R&V system — · "
        "Field 2: here 38.0 MU on Tue 24 Nov 2026; R&V system — · open",
    }
    assert found.in_words(back.config)[0].startswith("NOT EQUAL since") and len(found.equal) == 6 + 4
    assert found.faults == ()
    monday = TODAY - timedelta(days=1)
    back.has(ANNA, 7, {1: 112.4, 2: 98.6}, monday)
    back.has(ANNA, 8, {1: 112.4, 2: 89.6}, TODAY)  # two digits exchanged
    for whose, number in ((ANNA, 7), (ANNA, 8), (BO, 5)):
        back.sign(found, item(found, whose, number), "entered", 2)
    assert "was not read since" in told(back.read(1.5))[ANNA, 8], "a signature alone closes nothing"
    back.has(BO, 5, {1: 88.0}, monday)
    back.rows += [row(BO, back.plans[BO], 5, beam, mu, TODAY) for beam, mu in {1: 12.0, 2: 38.0}.items()]
    wrong = told(found := back.read(3))
    assert list(wrong) == [(ANNA, 8)], "the one with a wrong MU, and no other"
    assert "Field 2: here 98.6 MU on Tue 24 Nov 2026; R&V system 89.6 MU" in wrong[ANNA, 8]
    assert wrong[ANNA, 8].endswith("and NOT THE SAME") and "by T. Therapist" in wrong[ANNA, 8]
    back.has(ANNA, 8, {1: 112.4, 2: 98.6}, TODAY)
    found = back.read(4)
    first, proof, untold = found.in_words(back.config)
    assert found.is_equal and first.startswith("EQUAL since") and "13 fractions are the same" in first
    assert "2 of them were charted here, 3 entered by hand by name" in first
    assert "SHA-256" in proof and untold.startswith("Not compared")


def test_what_it_has_and_we_do_not_or_on_another_day_is_open_until_a_person_accepts_it(back: Returned) -> None:
    monday = TODAY - timedelta(days=1)
    back.has(ANNA, 7, {1: 112.4, 2: 98.6}, monday)
    back.has(ANNA, 8, {1: 112.4, 2: 98.6}, TODAY + timedelta(days=1))
    back.has(ANNA, 9, {1: 112.4, 2: 98.6}, TODAY)
    back.has(BO, 5, {1: 100.0, 2: 38.0}, monday)
    back.rows += [row(BO, back.plans[BO], 5, 2, 0.0, TODAY)]
    found = back.read(1)
    assert set(told(found)) == {(ANNA, 8), (ANNA, 9), (BO, 5)}
    assert "here —; R&V system 112.4 MU on Tue 24 Nov 2026" in told(found)[ANNA, 9]
    with pytest.raises(ValueError, match="cannot be signed so"):
        back.sign(found, item(found, ANNA, 9), "entered", 2)
    for whose, number in ((ANNA, 8), (ANNA, 9), (BO, 5)):
        back.sign(found, item(found, whose, number), "agrees", 2)
    found = back.read(3)
    assert found.is_equal and "3 differences are accepted by name" in found.in_words(back.config)[0]
    back.has(ANNA, 9, {1: 112.4, 2: 9.0}, TODAY)
    assert told(back.read(4))[ANNA, 9].endswith("and something else since"), "it was accepted as it was"


def test_entries_in_conflict_are_open_and_nobody_signs_them_away(back: Returned) -> None:
    beams = (ChartedBeam(1, "Field 1", 112.4, 112.4),)
    said: dict[str, Any] = {"patient_id": ANNA, "referenced_rt_plan_uid": back.plans[ANNA], "signed_by": "C"}
    enter(back.config.cache_path, back.config.cache_path.parent / "key", entry("c", 8, {}, TODAY, beams=beams, **said))
    found = back.read(1)
    (one,) = [one.compared for one in found.open if one.compared.is_conflict]
    assert "charted twice" in one.sides and "settle it on the page" in one.sides
    with pytest.raises(ValueError, match="settle it first"):
        back.sign(found, one.item, "agrees", 2)


def test_a_plan_that_the_database_does_not_list_and_what_has_no_beams_are_named(back: Returned) -> None:
    cache = Cache(back.config.cache_path)
    kept = [r for r in cache.read(PLANS) if r["sop_instance_uid"] != back.plans[BO]]
    cache.write(PLANS, kept, taken_at=NOW, source="aria")
    back.rows.append({**row(ANNA, "brachy", 1, None, 60.0, TODAY), "radiation_type": "Ir-192"})
    said = told(back.read(1))
    assert said[BO, None].startswith("the R&V database does not list the plan")
    assert "not compared by MU: here —; R&V system 2026-11-24" in said[ANNA, None]


def test_a_database_that_was_not_read_since_the_fall_says_nothing(back: Returned) -> None:
    hours = (FALL - NOW) / timedelta(hours=1)
    with pytest.raises(NothingToSayError, match="before the downtime"):
        back.read(hours)


def test_a_state_that_is_quarantined_is_named_and_nothing_is_equal_beside_it(
    back: Returned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the flood guard keeps a restored database apart: fractions of many patients are gone from it."""
    manifest = SimpleNamespace(quarantined=("deliveries: 93 of 1812 of the past, of 32 patients, are gone",))
    held = [SimpleNamespace(snapshot_id="20261127T1700-ab", manifest=manifest)]
    monkeypatch.setattr("recovery.patient.reconciliation.quarantined", lambda _path, _trust: held)
    with pytest.raises(NothingToSayError, match="is quarantined") as said:
        back.read((FALL - NOW) / timedelta(hours=1))
    assert "accept-snapshot 20261127T1700-ab" in str(said.value) and "restored to an older state" in str(said.value)
    assert "not answered" not in str(said.value), "it did answer"
    found = back.read(1)
    for one in found.open:
        back.sign(found, one.compared.item, "agrees", 2)
    found = back.read(3)
    assert not found.open and not found.is_equal and "is quarantined" in " ".join(found.faults)


def test_by_command_it_is_listed_signed_written_and_ends_with_a_warning(
    back: Returned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = back.read(1)
    at = ["--config", str(tmp_path / "config.toml")]
    assert main(["reconcile", *at]) == 1
    said = capsys.readouterr().out
    assert said.count(" · open") == 3 and "NOT EQUAL" in said
    eight = item(found, ANNA, 8)
    assert main(["reconcile", "--agrees", eight, "--signed-by", "A. Person", *at]) == 2, "no reason"
    assert main(["reconcile", "--entered", eight, *at]) == 2, "nobody says so"
    assert main(["reconcile", "--entered", "0000", "--signed-by", "A. Person", *at]) == 2
    assert main(["reconcile", "--entered", eight, "--signed-by", "A. Person", *at]) == 1
    assert "entered by hand by A. Person" in capsys.readouterr().out
    for ending in ("csv", "xlsx", "html"):
        assert main(["reconcile", "-o", str(tmp_path / f"list.{ending}"), *at]) == 1
    with (tmp_path / "list.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len([line for line in lines if line["state"] == "equal"]) == 2 * 10 and len(lines) == 26
    assert load_workbook(tmp_path / "list.xlsx").active.max_row == 27
    page = (tmp_path / "list.html").read_text()
    assert page.count("<h3>Enter by hand") == 2 and "112.4" in page and absent(None) in page
    append_only = file_of(back.config.cache_path, Worked).read_bytes().count(b"\n")
    assert append_only == 1 and '"reconcile entered"' in (back.config.audit_path).read_text()
    capsys.readouterr()
    end = ["downtime", "end", "--reason", "enough", "--signed-by", "P. Physicist", *at]
    assert main(end) == 0 and "3 items of reconciliation are open" in capsys.readouterr().err
    assert main(["reconcile", "--since", "2026-11-24", *at]) == 1
    assert "2 items are open" in (said := capsys.readouterr().out)
    assert "lacks all of Mon 23 Nov 2026, the first day compared" in said, "what it lacks may begin before"
    assert main(["reconcile", "--since", "2026-11-29", *at]) == 2, "nothing is never equal"


@pytest.mark.parametrize(
    "odd", [{"signed_by": " "}, {"said": ""}, {"entered_at": NOW.replace(tzinfo=None)}, {"item": ""}]
)
def test_a_statement_without_a_name_a_reason_or_a_time_is_none(odd: dict[str, Any]) -> None:
    whole = Worked("a", "agrees", "both", "A", NOW, "seen")
    with pytest.raises(ValueError, match=r"a statement names|say why"):
        replace(whole, **odd)


def test_the_record_of_what_was_typed_wrong_does_not_become_our_side() -> None:
    """It comes to the RT-PACS with the next cycle, and there it stands in the entry's place."""
    at = day(8)
    typed = plain_record("typed", [delivery(1, 8, 90.0, at=at)], at=at, plan_uid="plan")
    signed = standing([entry("a", 8, {1: 100.0}, at)])
    (one,) = compare([typed], {}, signed, [row("1", "plan", 8, 1, 90.0, at)], date(2026, 1, 1))
    assert not one.is_equal and "here 100.0 MU" in one.sides and "R&V system 90.0 MU" in one.sides
    (one,) = compare([typed], {}, signed, [row("1", "plan", 8, 1, 100.0, at)], date(2026, 1, 1))
    assert one.is_equal
