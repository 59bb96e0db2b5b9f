"""A clinic with an ARIA in SQLite, another with a MOSAIQ, and the configs that read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recovery.cache.store import Cache
from recovery.settings.config import CacheSettings, Config, Site
from recovery.settings.nodes import Local, Pacs, RecordAndVerify, RvDatabase
from recovery.tables.relational import RELATIONAL_TABLES
from tests.relational.aria import Aria
from tests.relational.made_up import made_up_clinic
from tests.relational.mosaiq import Mosaiq

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


def config_in(
    folder: Path,
    connection: str,
    password_env: str | None = None,
    cache: str = "cache",
    product: str = "aria",
) -> Config:
    rv = RecordAndVerify("RV", "rv.invalid", 104, product=product, database=RvDatabase(connection, password_env))
    pacs = Pacs("PACS", "pacs.invalid", 104)
    site = Site("A clinic that does not exist", "Europe/Zurich")
    return Config(site, Local("RBRDT", "127.0.0.1", 11112), rv, pacs, CacheSettings(cache), file=folder / "config.toml")


def without_database(config: Config) -> Config:
    assert config.rv is not None
    return replace(config, rv=replace(config.rv, database=None))


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def aria(tmp_path: Path) -> Iterator[Aria]:
    database = made_up_clinic("aria", tmp_path)
    assert isinstance(database, Aria)
    yield database
    database.close()


@pytest.fixture
def config(aria: Aria, tmp_path: Path) -> Config:
    return config_in(tmp_path, "sqlite:///aria.db")


@pytest.fixture
def cached(config: Config) -> Callable[[str], list[dict[str, object]]]:
    return lambda table: Cache(config.cache_path).read(RELATIONAL_TABLES[table])


@pytest.fixture
def mosaiq(tmp_path: Path) -> Iterator[Mosaiq]:
    database = made_up_clinic("mosaiq", tmp_path)
    assert isinstance(database, Mosaiq)
    yield database
    database.close()


@pytest.fixture
def mosaiq_config(mosaiq: Mosaiq, tmp_path: Path) -> Config:
    return config_in(tmp_path, "sqlite:///mosaiq.db", product="mosaiq")
