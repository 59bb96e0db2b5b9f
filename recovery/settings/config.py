"""The settings of one clinic: config.toml, read, checked and typed.

How
    One frozen dataclass per section; pydantic compares the file with them and reports all mistakes at once.

Why strict
    A misspelt key that is silently ignored is a backup that silently does not happen. Secrets never stand in the
    file: a key ending in `_env` names an environment variable.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from recovery.settings.kept_ready import Bundle, DrillSettings, Package
from recovery.settings.mistakes import in_words
from recovery.settings.nodes import ArchiveAsGiven, Destination, Local, RecordAndVerify, SourceNode, misdirected
from recovery.settings.pages import Charts, DowntimeSettings, Priorities
from recovery.settings.sections import Section, Text
from recovery.settings.sign_in import SignInSettings
from recovery.settings.signing import Guard, Signing
from recovery.settings.sites import SiteCopy, SiteId, id_of, named_twice
from recovery.settings.watch import Verify, WatchSettings


class ConfigError(ValueError):
    """The config cannot be used. Its text names the file and every mistake, a line each."""


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError("no such time zone; write it like Europe/Zurich or America/New_York") from error
    return value


Days = Annotated[int, Field(ge=1, le=3650, strict=True)]


@dataclass(frozen=True, slots=True)
class Site(Section):
    """`[site]`: shown on every page and export; treatment times are local to `time_zone`. `id`: in copies off site."""

    name: str
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    id: SiteId = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def known_as(self) -> str:
        """Its id, made of its name where the config has none."""
        return self.id or id_of(self.name)


@dataclass(frozen=True, slots=True)
class CacheSettings(Section):
    """`[cache]`: where tables, snapshots, journal and pictures live, and for how long."""

    path: Text
    keep_days: Days = 90
    group: Annotated[str, Field(max_length=64)] = ""
    pictures_megabytes: Annotated[int, Field(ge=100, le=1_000_000, strict=True)] = 2000


@dataclass(frozen=True, slots=True)
class SyncRecordsSettings(Section):
    """`[jobs.sync_records]`: the window of every run, and how far back the first run looks."""

    days_back: Days = 7
    first_days_back: Days = 180


@dataclass(frozen=True, slots=True)
class SnapshotTablesSettings(Section):
    """`[jobs.snapshot_tables]`: how often a changed snapshot goes into the RT-PACS; 0: each."""

    raw_data_minutes: Annotated[int, Field(ge=0, le=1440, strict=True)] = 0


@dataclass(frozen=True, slots=True)
class Jobs(Section):
    """`[jobs]`."""

    sync_records: SyncRecordsSettings = field(default_factory=SyncRecordsSettings)
    snapshot_tables: SnapshotTablesSettings = field(default_factory=SnapshotTablesSettings)


@dataclass(frozen=True, slots=True)
class Dashboard(Section):
    """`[dashboard]`: who counts as on treatment, and which ids are no patients."""

    on_treatment_days: Days = 14
    exclude_patient_ids: list[str] = field(default_factory=list)


STOP_AFTER = timedelta(hours=2)
"""From this age on treatments may well be missing: screen and paper say that nobody is to be treated by them unseen."""


@dataclass(frozen=True, slots=True)
class Schedule(Section):
    """`[schedule]`: the pace of `python -m backup_jobs schedule`, where there is no cron."""

    cycle_minutes: Annotated[int, Field(ge=1, le=1440, strict=True)] = 10

    @property
    def grace(self) -> timedelta:
        """So old may the newest proof be before it is said: three cycles, and never more than two hours."""
        return min(3 * timedelta(minutes=self.cycle_minutes), STOP_AFTER)


@dataclass(frozen=True, slots=True)
class Workers(Section):
    """`[workers]`: who reads what is much; without a `scheduler` of Dask, processes of this machine."""

    scheduler: Annotated[str, Field(pattern=r"^((tcp|tls)://[^\s/]+:\d+)?$")] = ""


@dataclass(frozen=True, slots=True)
class Config(Section):
    """Everything that config.toml says. `file` is where it was read."""

    site: Site
    local: Local
    rv: RecordAndVerify | None
    pacs: ArchiveAsGiven
    cache: CacheSettings
    tps: list[SourceNode] = field(default_factory=list)
    jobs: Jobs = field(default_factory=Jobs)
    dashboard: Dashboard = field(default_factory=Dashboard)
    schedule: Schedule = field(default_factory=Schedule)
    charts: Charts = field(default_factory=Charts)
    priorities: Priorities = field(default_factory=Priorities)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    verify: Verify = field(default_factory=Verify)
    watch: WatchSettings = field(default_factory=WatchSettings)
    signing: Signing = field(default_factory=Signing)
    guard: Guard = field(default_factory=Guard)
    package: Package = field(default_factory=Package)
    bundle: Bundle = field(default_factory=Bundle)
    downtime: DowntimeSettings = field(default_factory=DowntimeSettings)
    restore_to: list[Destination] = field(default_factory=list)
    drill: DrillSettings = field(default_factory=DrillSettings)
    site_copies: list[SiteCopy] = field(default_factory=list)
    workers: Workers = field(default_factory=Workers)
    file: Path = Path("config.toml")

    @property
    def cache_path(self) -> Path:
        return self.file.parent / self.cache.path

    @property
    def pacs_folder(self) -> Path | None:
        """The files that stand in for the RT-PACS."""
        return self.file.parent / self.pacs.folder if self.pacs.folder else None

    @property
    def chart_font(self) -> Path | None:
        return self.file.parent / self.charts.font if self.charts.font else None

    @property
    def package_path(self) -> Path | None:
        """Where packs are kept ready."""
        return self.file.parent / self.package.path if self.package.path else None

    @property
    def drill_path(self) -> Path:
        """Where the reports of recovery drills lie."""
        return self.file.parent / self.drill.path if self.drill.path else self.cache_path / "drills"

    @property
    def bundle_paths(self) -> list[Path]:
        """Where the rescue bundle is kept."""
        return [self.file.parent / path for path in self.bundle.paths]

    @property
    def wheelhouse_path(self) -> Path | None:
        return self.file.parent / self.bundle.wheelhouse if self.bundle.wheelhouse else None

    @property
    def own_copies(self) -> list[SiteCopy]:
        """Where this clinic's copies go."""
        return [one for one in self.site_copies if one.site in {"", self.site.known_as}]

    @property
    def accounts_path(self) -> Path:
        return self.file.parent / self.sign_in.accounts

    @property
    def lockout_path(self) -> Path:
        """The failed sign-ins, beside the accounts."""
        return self.accounts_path.with_name("failed_sign_ins.json")

    @property
    def audit_path(self) -> Path:
        return self.file.parent / self.sign_in.audit

    @property
    def signing_key_path(self) -> Path:
        """The jobs' private key; on a machine that only reads there is none."""
        return self.file.parent / self.signing.private_key

    @property
    def charting_key_path(self) -> Path:
        """This workstation's private key, which signs what is charted here."""
        return self.file.parent / self.downtime.private_key

    @property
    def watch_path(self) -> Path:
        """What people were told, on this machine."""
        return self.file.parent / self.watch.state

    def without_rv(self) -> Config:
        """The config as dashboard and recovery see it: the R&V system does not exist."""
        return replace(self, rv=None, tps=[])


def load_config(path: Path) -> Config:
    """Read and check a config. Raises `ConfigError` if it cannot be read, or for all its mistakes together."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editors may set a mark before it
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: not found. Copy the project's config.toml there and fill it in.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    file_key = ["file: unknown key"] if "file" in settings else []
    try:
        config = _adapter().validate_python(settings | {"file": path.absolute()})
    except ValidationError as error:
        mistakes = file_key + [in_words(one, Config) for one in error.errors()]
        raise ConfigError(_report(path, mistakes)) from error
    mistakes = file_key or (["[rv]: is missing"] if config.rv is None else [])
    mistakes += misdirected(config.restore_to, config.pacs, config.rv) + named_twice(config.site_copies)
    if mistakes:
        raise ConfigError(_report(path, mistakes))
    return config


@cache
def _adapter() -> TypeAdapter[Config]:
    """Made once a process: it takes 0.1 s, and the dashboard reads the config at every run of a page."""
    return TypeAdapter(Config)


def _report(path: Path, mistakes: list[str]) -> str:
    lines = "\n".join(f"  {mistake}" for mistake in mistakes)
    return f"{path}: {len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}\n{lines}"
