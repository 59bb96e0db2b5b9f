"""`python -m recovery history`: questions over all sites and years, answered by DuckDB from the months of the copies.

How
    Of each site's newest state that verifies, the months asked for are brought here, compared with their SHA-256, and
    kept. DuckDB reads them as one table with `site` and `month`, of each the columns that are asked for; it loads no
    extension and opens no other file.
"""

from __future__ import annotations

import shutil
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

from recovery.cache.formats import encoded_rows
from recovery.host.durable import replace
from recovery.sites.manifests import HISTORY, CopyError, months_in
from recovery.sites.months import path_of
from recovery.sites.place import place_of
from recovery.sites.reading import brought, last_seen, read_site, seen_file
from recovery.sites.restoring import site_of, trust_in
from recovery.tables.schema import TableSchema, columns
from recovery.words.printable import tell
from recovery.words.refusals import RefusedError

if TYPE_CHECKING:
    import argparse
    from datetime import date, datetime
    from pathlib import Path

    from recovery.settings.config import Config
    from recovery.settings.sites import SiteCopy

LACKING = (
    "duckdb is not installed, which answers questions over history: `pip install -r requirements-network.txt` brings it"
)
DELIVERIES = TableSchema(
    "history",
    columns("""
        site started_at:datetime treatment_machine_name patient_id referenced_rt_plan_uid current_fraction_number:int
        beam_number:int beam_name treatment_delivery_type treatment_termination_status delivered_meterset:float
        meterset_unit sop_instance_uid
    """),
)
"""All delivered beams of a machine in a span, whatever their type."""
TREATED = TableSchema("treated", columns("site month patients:int sessions:int beams:int"))
"""What each site treated in each month. `sessions`: of a plan and fraction number on one day."""

_DAY = "coalesce(CAST(started_at AS DATE), treatment_date)"
_SPAN = f"{_DAY} BETWEEN $since AND $until AND month BETWEEN $first AND $last"
_HISTORY = "read_parquet($files, hive_partitioning = true, hive_types = {'site': VARCHAR, 'month': VARCHAR})"
_OF_MACHINE = (
    f"SELECT {', '.join(DELIVERIES.columns)} FROM {_HISTORY} WHERE {_SPAN} AND treatment_machine_name = $machine "  # noqa: S608  names of ours
    "ORDER BY site, started_at, sop_instance_uid, beam_index"
)
_SESSION = f"site, month, patient_id, referenced_rt_plan_uid, current_fraction_number, {_DAY}"
_BY_MONTH = (
    "SELECT site, month, count(DISTINCT patient_id) AS patients, count(*) AS sessions, "  # noqa: S608  as above
    f"CAST(sum(beams) AS BIGINT) AS beams FROM (SELECT {_SESSION}, count(*) AS beams FROM {_HISTORY} WHERE {_SPAN} "
    "AND coalesce(treatment_delivery_type, 'TREATMENT') IN ('TREATMENT', 'CONTINUATION') "
    f"GROUP BY {_SESSION}) GROUP BY site, month ORDER BY site, month"
)


class HistoryError(RefusedError):
    """The question cannot be answered. The text says why, and what to do."""


def run(config: Config, options: argparse.Namespace, now: datetime) -> int:
    """Answer, on standard output or in a file; returns the exit status: 1 where a site is not in the answer."""
    copies = [one for one in config.site_copies if options.site in {None, site_of(config, one), one.name}]
    said: list[str] = []
    shelf = config.cache_path / "history"
    files = [file for copy in copies for file in _brought(config, copy, shelf, options.since, options.until, now, said)]
    tell(*said, file=sys.stderr)
    if not files:
        raise RefusedError("No month of that time is in any copy.")
    schema, told = TREATED if options.machine is None else DELIVERIES, len(said)
    rows = answer(files, options.since, options.until, options.machine, said)
    tell(*said[told:], file=sys.stderr)
    content = encoded_rows(rows, schema, options.format)
    if options.output is not None:
        options.output.write_bytes(content)
    else:
        sys.stdout.buffer.write(content)
    return 1 if said else 0


def answer(files: list[Path], since: date, until: date, machine: str | None, said: list[str]) -> list[dict[str, Any]]:
    """Rows of `DELIVERIES`, or without a machine of `TREATED`; a site whose months cannot be read is told in `said`.

    Raises `HistoryError` if nothing can be asked.
    """
    try:
        import duckdb
    except ImportError as error:
        raise HistoryError(LACKING) from error
    closed: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": "1500MB",
    }
    asked: dict[str, object] = {"since": since, "until": until, "first": _month(since), "last": _month(until)}
    question, asked = (_BY_MONTH, asked) if machine is None else (_OF_MACHINE, {**asked, "machine": machine})
    rows: list[dict[str, Any]] = []
    with duckdb.connect(":memory:", config=closed) as connection:
        connection.execute("SET allowed_paths = $files", {"files": [file.as_posix() for file in files]})
        connection.execute("SET enable_external_access = false")
        for folder, of_site in groupby(sorted(files), lambda file: file.parent.parent):  # one by one: memory
            try:
                found = connection.execute(question, {**asked, "files": [file.as_posix() for file in of_site]})
                heads = [head[0] for head in found.description]
                rows += [dict(zip(heads, row, strict=True)) for row in found.fetchall()]
            except (duckdb.Error, OSError) as error:
                said.append(f"{folder.name} is not in this answer: {type(error).__name__}")
    return rows


def _brought(
    config: Config, copy: SiteCopy, shelf: Path, since: date, until: date, now: datetime, said: list[str]
) -> list[Path]:
    """A site's months of the span, as files of the shelf; what cannot be had is told in `said`."""
    site, trust = site_of(config, copy), trust_in(config, copy).until(now)
    files: list[Path] = []
    try:
        place = place_of(copy, config.file.parent)
        known = last_seen(seen_file(config.cache_path, copy.name))[0]
        state = read_site(place, site, trust, known, lambda path: path == HISTORY)
        said += [f"{copy.name}: {doubt}" for doubt in state.doubts]
        months = months_in(state.files.get(HISTORY, b"{}"))
        for path, month in months.items():
            if path_of(_month(since)) <= path <= path_of(_month(until)):
                name = path.rpartition("/")[2].removesuffix(".parquet")
                file = shelf / f"site={site}" / f"month={name}" / f"{month.sha256}.parquet"
                _keep(file, brought(place, site, path, month, file))
                files.append(file)
    except (CopyError, OSError) as error:
        said.append(f"{copy.name} is not in this answer, or not all of it: {error}")
    return files


def _keep(file: Path, data: bytes) -> None:
    """A month that was written again takes the place of what it was."""
    if not file.exists() or file.stat().st_size != len(data):
        shutil.rmtree(file.parent, ignore_errors=True)
        file.parent.mkdir(parents=True)
        replace(file, data)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
