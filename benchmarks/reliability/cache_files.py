"""A flipped bit and a torn file, at places all over every file of the cache: what reads it must say so, or be right."""

from __future__ import annotations

import contextlib
import io
import logging
import random
import shutil
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reliability.ward import open_ward
from recovery.cache.errors import CacheError
from recovery.cache.memory import Memory
from recovery.cache.store import Cache
from recovery.commands.verify import run as verify
from recovery.settings.config import Config, load_config
from recovery.tables.relational import RELATIONAL_TABLES
from recovery.tables.schema import ON_TREATMENT, RT_PLANS, TREATMENT_RECORDS

KEPT = {".parquet", ".json", ".jsonl", ""}
"""Not the log, nor locks, nor pictures, which are only drawn."""


def cache_files(seed: int, tries: int) -> Iterator[list[str]]:
    """`tries` places of each file, spread over it; every second time the file is torn there instead."""
    logging.disable()
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, open_ward(Path(folder)) as ward:
        for job in ("cycle", "verify_backup", "cycle"):
            ward.nodes.job(job)
        config = load_config(ward.nodes.config)
        whole = shutil.copytree(config.cache_path, Path(folder) / "whole")
        right, memory = _read(config), Memory.load(config.cache_path)
        assert _verified(config) == 0 and "" not in right.values()
        files = sorted(p for p in whole.rglob("*") if p.is_file() and p.suffix in KEPT and p.stat().st_size)
        for source in (p for p in files if "lock" not in p.name):
            path = config.cache_path / source.relative_to(whole)
            data = source.read_bytes()
            for number in range(min(tries, len(data))):
                at = len(data) * number // min(tries, len(data))
                changed = bytes([data[at] ^ (1 << chance.randrange(8))])
                path.write_bytes(data[:at] if number % 2 else data[:at] + changed + data[at + 1 :])
                said = _judged(config, right, memory)
                yield [f"{path.name}, byte {at} of {len(data)}: {one}" for one in said]
            path.write_bytes(data)


def _judged(config: Config, right: dict[str, str], memory: Memory) -> list[str]:
    """Either `verify` names it, or nothing that anybody reads is another; a table that refuses is named."""
    said = [] if Memory.load(config.cache_path) in (memory, blank(memory)) else ["another memory is believed"]
    read = _read(config)
    said += [f"{name} reads otherwise" for name, rows in read.items() if rows not in {"", right[name]}]
    if any(rows == "" for rows in read.values()) and _verified(config) == 0:
        said.append(f"verify says whole, and {[name for name, rows in read.items() if not rows]} cannot be read")
    return said


def _read(config: Config) -> dict[str, str]:
    """Every table as a reader sees it; empty where it is refused."""
    found, cache = {}, Cache(config.cache_path)
    for schema in (ON_TREATMENT, TREATMENT_RECORDS, RT_PLANS, *RELATIONAL_TABLES.values()):
        try:
            found[schema.name] = repr(cache.read(schema))
        except CacheError:
            found[schema.name] = ""
    return found


def _verified(config: Config) -> int:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return verify(config, Namespace(forget=None))


def blank(memory: Memory) -> Memory:
    return Memory(memory.path)
