"""What the RT-PACS was asked of one plan is no answer about another."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from recovery.cache.store import Cache
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import ReferencedSeries, StructureSet
from recovery.pacs.collection import Collection
from recovery.pacs.holdings import Holding, Holdings
from recovery.tables.schema import IMAGE_SERIES
from tests.recovery.courses import plain_plan

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


def in_one(count: int) -> str:
    return "\\".join(f"1.2.{n}" for n in range(count))


def test_an_answer_about_some_slices_of_a_series_does_not_prove_the_others() -> None:
    """Two plans may name different slices of one series, and are not asked about in every run alike."""
    collection = Collection(ZoneInfo("Europe/Zurich"))
    for name, slices in (("few", 10), ("all", 20)):
        named = tuple(f"1.2.{n}" for n in range(slices))
        series = (ReferencedSeries("1.2", "1", named),)
        collection.structure_sets[name] = StructureSet(InstanceRef(name), None, (), series)
        collection.plans[f"plan {name}"] = plain_plan({1: 100.0}, uid=f"plan {name}", structure_set_uids=(name,))
    known = ["few", "all", *collection.plans]
    answers = {uid: Holding(uid, "IMAGE", 1, 1, NOW) for uid in known}
    holdings = Holdings({**answers, "1.2": Holding("1.2", "SERIES", 10, 10, NOW, slices=in_one(10))})
    assert holdings.backup_of("plan few", collection).missing == ()
    backup = holdings.backup_of("plan all", collection)
    assert (backup.images_held, backup.missing) == (False, ("10 of 20 images that the RT-PACS was not asked for",))
    holdings.answers["1.2"] = Holding("1.2", "SERIES", 20, 20, NOW, slices=in_one(20))
    assert holdings.backup_of("plan all", collection).images_held


def test_listings_that_were_never_made_are_no_damage_to_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A rebuild begins with none: it told its reader to run a rebuild."""
    caplog.set_level(logging.INFO)
    cache, collection = Cache(tmp_path), Collection(ZoneInfo("Europe/Zurich"))
    collection.load_listings(cache)
    assert (caplog.messages, collection.unread) == ([], [IMAGE_SERIES.name])
    cache.write(IMAGE_SERIES, [], taken_at=NOW, source="RT-PACS")
    (tmp_path / "tables" / "image_series.parquet").write_bytes(b"half")
    collection.load_listings(cache)
    assert [said for said in caplog.messages if "table image_series starts anew" in said] == caplog.messages != []
