"""Somebody, or a disk, takes half of what the RT-PACS holds: it is said loudly, and takes nobody off the list."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backup_jobs.jobs.build_on_treatment import build_on_treatment
from backup_jobs.jobs.verify_backup import verify_backup
from demo.pacs.archive import Archive
from recovery.__main__ import _rebuild_of_archive
from recovery.cache.journal import JobResult
from recovery.cache.store import Cache
from recovery.dicom.model import DicomNode, JobRun
from recovery.settings.config import Config
from recovery.tables.schema import ON_TREATMENT
from recovery.watch.events import events, failing
from recovery.watch.messages import message
from recovery.words.refusals import RefusedError
from tests.archive_clinic import NOW, OneSite, local
from tests.backup_jobs.test_main_job import course
from tests.objects import beam_item, plan, record

LACKS_PLANS = "THE RT-PACS LACKS plans, structure sets or images of 2 patients on treatment that it held"
LACKS = "THE RT-PACS LACKS 4 treatment records of 2 patients that it held"
ANEW = argparse.Namespace(accept="", signed_by="")


@dataclass
class Guarded(OneSite):
    """A site that believes the loss of one patient's records at once."""

    @property
    def config(self) -> Config:
        plain = super().config
        return replace(plain, guard=replace(plain.guard, past_patients=1))

    def built(self) -> JobResult:
        space = self.space()
        result = build_on_treatment(space)
        space.keep()
        return result

    def list(self) -> dict[object, tuple[object, object, object]]:
        rows = Cache(self.config.cache_path).read(ON_TREATMENT)
        return {row["patient_id"]: (row["fractions_delivered"], row["ready"], row["missing"]) for row in rows}


@pytest.fixture
def site_and_rest(tmp_path: Path) -> Iterator[tuple[Guarded, DicomNode]]:
    """A site of three patients, and what is left of its RT-PACS: one."""
    courses = {}
    for one in ("A", "B", "C"):
        treated = plan({1: 100.0}, fractions=20, PatientID=one)
        at = [local(3 - n) for n in (1, 2)]
        given = [
            record(treated.SOPInstanceUID, [beam_item(1, n, 100.0, 100.0)], at=at[n - 1], PatientID=one) for n in (1, 2)
        ]
        courses[one] = [treated, *given]
    (tmp_path / "site").mkdir()
    with ExitStack() as stack:
        whole, rest = (
            stack.enter_context(Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / name, {}))
            for name in ("whole", "rest")
        )
        whole.store.ingest([ds for objects in courses.values() for ds in objects])
        rest.store.ingest(courses["A"])
        yield Guarded(tmp_path / "site", whole.node, has_database=False), rest.node


def test_half_of_the_rt_pacs_gone_is_said_first_and_to_people_and_every_row_stays_and_names_what_it_lacks(
    site_and_rest: tuple[Guarded, DicomNode],
) -> None:
    site, rest = site_and_rest
    assert site.built().fault == ""
    before = site.list()
    result = replace(site, pacs=rest).built()
    assert (result.outcome, result.fault) == ("PARTIAL", "loss") and result.message.startswith(LACKS)
    after = replace(site, pacs=rest).list()
    assert [given for given, _, _ in after.values()] == [2, 2, 2] and after["A"] == before["A"]
    for one in ("B", "C"):
        assert "plan" in str(after[one][2]) and "2 treatment records that the RT-PACS held once" in str(after[one][2])
    run = JobRun(result.job, NOW, NOW, "PARTIAL", result.counts, result.message, result.fault)
    [event] = events(failing([run]), {}, NOW, {result.job})
    text = message(event, "Clinic", NOW, site.config.site.zone).text
    assert LACKS in text and "do not rebuild it from what is left" in text


def test_no_list_is_rebuilt_from_what_is_left(site_and_rest: tuple[Guarded, DicomNode]) -> None:
    site, rest = site_and_rest
    site.built()
    before = site.list()
    with pytest.raises(RefusedError, match="of the treatment of 2 patients: nothing was rebuilt"):
        _rebuild_of_archive(replace(site, pacs=rest).config, ANEW, has_database=False)
    assert site.list() == before
    assert _rebuild_of_archive(site.config, ANEW, has_database=False) == 0
    assert site.list() == before


def without(archive: Archive, *modalities: str, patients: str = "BC") -> None:
    rows = archive.store.index.rows("SELECT path, patient_id, modality FROM instance", ())
    archive.store.index.forget(
        row["path"] for row in rows if row["modality"] in modalities and row["patient_id"] in tuple(patients)
    )


@pytest.fixture
def whole_site(tmp_path: Path) -> Iterator[tuple[Guarded, Archive]]:
    """Three on treatment, and two who are through, with all that their treatment needs, proven by re-reading."""
    (tmp_path / "site").mkdir()
    with Archive(DicomNode("RTPACS", "127.0.0.1", 0), tmp_path / "pacs", {}) as archive:
        for one in "ABCDE":
            archive.store.ingest(course(one, f"{one}^X", {1: 100.0}, 3 if one in "ABC" else 20))
        site = Guarded(tmp_path / "site", archive.node, has_database=False, now=datetime.now(UTC))
        site.built()
        verify_backup(site.space())
        assert site.built().fault == ""
        yield site, archive


@pytest.mark.parametrize("modality", ["RTPLAN", "RTSTRUCT", "CT"])
def test_lost_plans_structure_sets_or_images_of_many_are_said_as_loudly_until_they_are_back(
    whole_site: tuple[Guarded, Archive], modality: str
) -> None:
    site, archive = whole_site
    without(archive, modality, patients="B")
    assert site.built().fault == "", "of one patient the row says it"
    without(archive, modality)
    for _ in range(2):
        result = site.later(minutes=10).built()
        assert (result.outcome, result.fault) == ("PARTIAL", "loss") and result.message.startswith(LACKS_PLANS)
        verify_backup(site.space())


def test_plans_of_courses_that_are_finished_may_be_tidied_away(whole_site: tuple[Guarded, Archive]) -> None:
    site, archive = whole_site
    without(archive, "RTPLAN", "RTSTRUCT", "CT", patients="DE")
    assert site.built().fault == ""
