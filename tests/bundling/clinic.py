"""A small clinic with a config, as binder and bundle read it: an umlaut, a hostile patient, somebody not started."""

from __future__ import annotations

from pathlib import Path

from recovery.bundling.department import Department, read_department
from recovery.cache.doors import cache_to_show
from recovery.settings.config import Config, load_config
from recovery.tables.schema import PIPELINE
from tests.app.clinic import CONFIG
from tests.photos import RED, picture
from tests.recovery.patient_clinic import NOW, Clinic, anna, bo, photograph

HOSTILE = "<script>alert(1)</script>\u202eEVIL^Eve"
HOSTILE_ID = "../CON"


def make(folder: Path, extra: str = "") -> Config:
    """Anna, booked tomorrow; Bo, interrupted; GRÜNSPAN with a photo; one who hopes to become markup or a path."""
    clinic = Clinic()
    anna(clinic)
    bo(clinic)
    anna(clinic, "200001", "GRÜNSPAN^Jürgen")
    photograph(clinic, "200001", picture(RED))
    bo(clinic, HOSTILE_ID, HOSTILE)
    cache = clinic.write(folder / "data/cache")
    waiting = {"patient_id": "300001", "patient_name": "LATER, Lea", "stage": "simulated", "waits_for": "a plan"}
    cache.write(PIPELINE, [dict.fromkeys(PIPELINE.columns) | waiting], taken_at=NOW, source="aria")
    (folder / "config.toml").write_text(CONFIG + extra, encoding="utf-8")
    return load_config(folder / "config.toml")


def read(config: Config, what: str = "this binder") -> Department:
    return read_department(config, cache_to_show(config, NOW), NOW, what)
