"""What the R&V system's "no" is worth: given fractions that it does not tell of in clinics as they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom import Dataset

from backup_jobs.jobs.build_on_treatment import build_on_treatment
from backup_jobs.jobs.sync_records import sync_records
from demo.pacs.archive import Archive
from recovery.cache.journal import JobResult
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.dicom.model import DicomNode
from recovery.dimse import DimseError
from recovery.entries.known_gaps import KnownGap
from recovery.host.entry_lines import append_statement
from recovery.settings.config import Config
from recovery.settings.nodes import SourceNode
from recovery.tables.schema import DOUBTED_RECORDS, ON_TREATMENT
from recovery.words.notices import Next, next_fraction
from tests.archive_clinic import NOBODY, NOW, OneSite, local
from tests.objects import beam_item, plan, record

DISAGREES = "1 treatment record counted that the R&V system does not have"


class RvSystem(Archive):
    """One that understands questions its own way. `late`: what it got after it was asked for the days."""

    late: frozenset[str] = frozenset()
    understands = "lists"
    most: int | None = None

    def _on_find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        uids = asked.get("SOPInstanceUID") or ""
        is_list = not isinstance(uids, str)
        if is_list and self.understands == "first values":
            asked.SOPInstanceUID = uids[0]
        if is_list and self.understands == "no UIDs":
            asked.SOPInstanceUID = None
        heard = SimpleNamespace(identifier=asked, context=event.context, assoc=event.assoc, is_cancelled=False)
        for number, (status, answer) in enumerate(super()._on_find(heard)):  # type: ignore[arg-type]
            if answer is None or (number != self.most and (uids or answer.get("SOPInstanceUID") not in self.late)):
                yield status, answer
            elif number == self.most:
                return


@dataclass
class Clinic(OneSite):
    """Its cycle, without moving: what is given lies on both sides, or on one."""

    config_of: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Config:
        return replace(super().config, **self.config_of)

    def cycle(self) -> JobResult:
        space = self.space()
        try:
            sync_records(space)
        except DimseError:
            assert self.rv == NOBODY
        result = build_on_treatment(space)
        space.keep()
        return result

    def listed(self) -> dict[object, tuple[object, ...]]:
        rows = Cache(self.config.cache_path).read(ON_TREATMENT)
        return {
            row["patient_id"]: (row["fractions_delivered"], next_fraction(row)[1] is Next.DUE, row["disagreement"])
            for row in rows
        }

    def states(self) -> dict[object, object]:
        return {row["sop_instance_uid"]: row["state"] for row in Cache(self.config.cache_path).read(DOUBTED_RECORDS)}


def given(patient_id: str, plan_uid: str, number: int, days: float) -> Dataset:
    at = local(days)
    beams = [beam_item(1, number, 100.0, 100.0)]
    return record(plan_uid, beams, at=at, PatientID=patient_id, InstanceCreationDate=f"{at:%Y%m%d}")


def part(patient_id: str, plan_uid: str, number: int, days: float, mu: float) -> Dataset:
    ds = given(patient_id, plan_uid, number, days)
    ds.TreatmentSessionBeamSequence[0].DeliveredPrimaryMeterset = mu
    return ds


def delete(archive: Archive, uid: str) -> None:
    rows = archive.store.index.rows("SELECT path FROM instance WHERE sop_instance_uid = ?", (uid,))
    archive.store.index.forget(row["path"] for row in rows)


@dataclass
class Nodes:
    site: Clinic
    rv: RvSystem
    pacs: Archive
    plans: dict[str, str]
    given: dict[str, str]
    """By record, whose it is."""

    def more(self, patient_id: str, number: int = 3, days: float = 0.0, uid: str = "") -> Dataset:
        """One more fraction, in the RT-PACS alone."""
        ds = given(patient_id, self.plans[patient_id], number, days)
        ds.SOPInstanceUID = uid or ds.SOPInstanceUID
        self.pacs.store.ingest([ds])
        return ds


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    """Two patients with two fractions each, on both sides, after two cycles."""
    with (
        RvSystem(DicomNode("RV", "127.0.0.1", 0), tmp_path / "rv", {}) as rv,
        Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as pacs,
    ):
        plans, records = dict[str, str](), dict[str, str]()
        for one in "AB":
            treated = plan({1: 100.0}, fractions=20, PatientID=one)
            plans[one] = str(treated.SOPInstanceUID)
            objects = [treated, *(given(one, plans[one], number, 3 - number) for number in (1, 2))]
            records |= {str(ds.SOPInstanceUID): one for ds in objects[1:]}
            rv.store.ingest(objects)
            pacs.store.ingest(objects)
        (tmp_path / "site").mkdir()
        site = Clinic(tmp_path / "site", pacs.node, rv=rv.node, has_database=False)
        for _ in range(2):
            site.cycle()
        assert (set(site.listed().values()), site.states()) == ({(2, True, None)}, {})
        yield Nodes(site, rv, pacs, plans, records)


def test_what_does_not_count_can_be_settled_while_the_rv_system_is_down(nodes: Nodes) -> None:
    signed, deleted = nodes.more("A"), nodes.more("B")
    nodes.site.cycle()
    assert set(nodes.site.listed().values()) == {(2, False, None)}
    down = replace(nodes.site, rv=NOBODY)
    uids = (str(signed.SOPInstanceUID),)
    gap = KnownGap(uids, "seen on the console", NOW.date() + timedelta(9), "Green", NOW)
    append_statement(down.config.cache_path, gap)
    delete(nodes.pacs, str(deleted.SOPInstanceUID))
    down.cycle()
    assert down.listed() == {"A": (3, True, None), "B": (2, True, None)}


def test_an_rv_system_that_takes_the_first_of_a_list_of_uids_denies_nothing(nodes: Nodes) -> None:
    new = nodes.more("A")
    nodes.rv.store.ingest([new])
    nodes.rv.late, nodes.rv.understands = frozenset({str(new.SOPInstanceUID)}), "first values"
    for _ in range(2):
        nodes.site.cycle()
        assert nodes.site.listed()["A"] == (3, True, None)


def test_an_rv_system_that_gives_whatever_it_holds_up_to_a_limit_denies_nothing(nodes: Nodes) -> None:
    """It gave more than that when it was last asked for much."""
    memory = Memory.load(nodes.site.config.cache_path)
    memory.traits(nodes.rv.node).proven["IMAGE"] = 500
    memory.save()
    new = nodes.more("A")
    nodes.rv.store.ingest([new])
    nodes.rv.late, nodes.rv.understands, nodes.rv.most = frozenset({str(new.SOPInstanceUID)}), "no UIDs", 6
    nodes.site.cycle()
    assert nodes.site.listed()["A"] == (3, True, None)


def test_what_it_got_after_it_was_asked_for_all_that_it_holds_is_asked_for_by_name(nodes: Nodes) -> None:
    site = replace(nodes.site, now=NOW + timedelta(hours=2))  # dates are due again, and all of it is listed
    new = nodes.more("A")
    nodes.rv.store.ingest([new])
    nodes.rv.late = frozenset({str(new.SOPInstanceUID)})
    site.cycle()
    assert (site.listed()["A"], site.states()) == ((3, True, None), {})


def test_what_does_not_count_is_named_first_for_the_journal_keeps_no_more_than_some(nodes: Nodes) -> None:
    nodes.plans["T"] = nodes.plans["A"]
    first, aside = nodes.more("T", uid="1.2.3"), nodes.more("A", uid="1.9.9")
    assert nodes.site.cycle().unproven == (str(aside.SOPInstanceUID), str(first.SOPInstanceUID))


def test_of_a_patient_of_whom_nobody_else_tells_no_next_fraction_is_told_until_a_physicist_signs_one(
    nodes: Nodes,
) -> None:
    """A forgery, or a machine that stores its records past the R&V system: who is treated stays on the list."""
    nodes.plans["T"] = str((treated := plan({1: 100.0}, fractions=20, PatientID="T")).SOPInstanceUID)
    nodes.pacs.store.ingest([treated])
    for number in (1, 2):
        first = nodes.more("T", number, days=3 - number)
        result = nodes.site.cycle()
        assert nodes.site.listed()["T"] == (number, False, None)
        assert str(first.SOPInstanceUID) in result.unproven and "no next fraction is told" in result.message
    waiting = tuple(str(uid) for uid in nodes.site.states())
    append_statement(nodes.site.config.cache_path, KnownGap(waiting, "an afterloader", NOW.date(), "Green", NOW))
    nodes.site.cycle()
    assert nodes.site.listed()["T"] == (2, True, None)
    nodes.more("T")
    nodes.site.cycle()
    assert nodes.site.listed()["T"] == (3, True, DISAGREES), "whose treatments are known to pass it by"


@pytest.mark.parametrize("what", ["lost", "in another zone"])
def test_who_forgot_what_was_known_takes_no_purged_record_for_one_that_nobody_gave(nodes: Nodes, what: str) -> None:
    """The R&V system was restored from yesterday's copy, then a table here is damaged, or the zone corrected."""
    delete(nodes.rv, [uid for uid in nodes.given if nodes.given[uid] == "A"][-1])
    nodes.site.cycle()
    assert nodes.site.listed()["A"] == (2, True, None)
    if what == "lost":
        (nodes.site.config.cache_path / "tables" / "treatment_records.parquet").unlink()
    else:
        nodes.site.config_of = {"site": replace(nodes.site.config.site, time_zone="Europe/London")}
    nodes.site.cycle()
    assert nodes.site.listed()["A"] == (2, True, DISAGREES)


def test_what_the_rv_system_purged_is_no_disagreement_of_each_row_and_a_fraction_more_is(nodes: Nodes) -> None:
    """Of each patient it has the newest fraction alone when the cache is lost; for B somebody adds one meanwhile."""
    for one in "AB":
        delete(nodes.rv, next(uid for uid in nodes.given if nodes.given[uid] == one))
    nodes.more("B", 3)
    shutil.rmtree(nodes.site.config.cache_path)
    for _ in range(3):
        result = nodes.site.cycle()
    remarks = {row["patient_id"]: row["remarks"] for row in Cache(nodes.site.config.cache_path).read(ON_TREATMENT)}
    assert nodes.site.listed() == {"A": (2, True, None), "B": (3, True, DISAGREES)}
    assert all(
        "1 treatment record counted that the R&V system does not have, all before" in one for one in remarks.values()
    )
    assert "lacks 2 treatment records of earlier fractions" in result.message and len(result.unproven) == 1


@pytest.mark.parametrize("more", [[], [(40.0, 1.5)]], ids=["not finished", "finished by somebody"])
def test_where_a_fraction_hinges_on_what_it_purged_no_next_one_is_told_until_a_physicist_signs(
    nodes: Nodes, more: list[tuple[float, float]]
) -> None:
    """Fraction 1 of A was interrupted, which the R&V system has forgotten, as this machine has what it knew."""
    whole = {one: next(uid for uid in nodes.given if nodes.given[uid] == one) for one in "AB"}
    for one in "AB":
        delete(nodes.rv, whole[one])
    delete(nodes.pacs, whole["A"])
    parts = [part("A", nodes.plans["A"], 1, days, mu) for mu, days in [(60.0, 2.0), *more]]
    nodes.pacs.store.ingest(parts)
    shutil.rmtree(nodes.site.config.cache_path)
    for _ in range(3):
        result = nodes.site.cycle()
    row = next(row for row in Cache(nodes.site.config.cache_path).read(ON_TREATMENT) if row["patient_id"] == "A")
    assert row["next_fraction_number"] == (3 if more else 1) and next_fraction(row)[1] is not Next.DUE
    assert "R&V system of" in row["missing"] and "(counted, and a fraction hinges on it)" in row["missing"]
    assert nodes.site.listed()["B"] == (2, True, None), "one whole record of a fraction is rather purged"
    uids = tuple(str(ds.SOPInstanceUID) for ds in parts)
    assert set(result.unproven) == {*uids}
    append_statement(nodes.site.config.cache_path, KnownGap(uids, "on the console", NOW.date(), "Green", NOW))
    nodes.site.cycle()
    assert nodes.site.listed()["A"] == (1 + len(more), True, None)


@pytest.mark.parametrize("number, days", [(3, 2.5), (1, 0.0)])
def test_a_later_day_or_a_higher_fraction_is_never_taken_for_purged(nodes: Nodes, number: int, days: float) -> None:
    delete(nodes.rv, next(uid for uid in nodes.given if nodes.given[uid] == "A"))
    added = nodes.more("A", number, days)
    shutil.rmtree(nodes.site.config.cache_path)
    for _ in range(3):
        result = nodes.site.cycle()
    assert str(nodes.site.listed()["A"][2]).endswith(DISAGREES[-40:]) and str(added.SOPInstanceUID) in result.unproven


def test_what_a_planning_system_has_counts_without_a_word_of_the_rv_system(nodes: Nodes, tmp_path: Path) -> None:
    """An afterloader, of whose treatments the planning system alone is told."""
    with Archive(DicomNode("TPS", "127.0.0.1", 0), tmp_path / "tps", {}) as tps:
        nodes.site.config_of = {"tps": [SourceNode(tps.node.ae_title, tps.node.host, tps.node.port)]}
        tps.store.ingest([nodes.more("A")])
        nodes.more("B")
        nodes.site.cycle()
        assert nodes.site.listed() == {"A": (3, True, None), "B": (2, False, None)}


def test_where_the_product_serves_no_records_any_more_nothing_waits_for_its_word(nodes: Nodes) -> None:
    mosaiq = replace(nodes.site, product="mosaiq", has_database=True)
    nodes.more("A")
    mosaiq.cycle()
    assert (mosaiq.listed()["A"], mosaiq.states()) == ((3, True, None), {})
