"""The rescue bundle as a folder: pages, charts, the binder, tables, the config, and checksums of all of it.

The names of files are those of a pack (`recovery.packing.names`): no path can be made of an ID. Nothing here asks the
R&V system; the RT-PACS is asked for drawings alone, and the bundle is made without it.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from recovery.bundling import pages, patient_page
from recovery.bundling.binder import binder_pdf
from recovery.bundling.carried import CACHE, ENTRIES, carry_out
from recovery.bundling.config_copy import without_secrets
from recovery.bundling.department import Department
from recovery.bundling.pages import Frame
from recovery.bundling.pictures import BeamPictures
from recovery.cache.errors import CacheError, TableMissingError
from recovery.cache.formats import Format, write_table
from recovery.cache.store import Cache
from recovery.charting import charts_pdf
from recovery.folder.sums import SUMS, sums_text
from recovery.packing.names import Names, machine_folder, patient_folder
from recovery.packing.proof import hash_of
from recovery.patient.file import PatientFile
from recovery.pictures.retrieval import source_of
from recovery.settings.trust import key_or_why_not
from recovery.tables.relational import ALL_TABLES
from recovery.words.values import absent

MOST_EXCEL_ROWS = 20_000
"""A workbook of more takes minutes to write, and no person reads it: CSV and parquet have all of it."""
FORMATS: tuple[Format, ...] = ("csv", "parquet", "xlsx")
_NOT_READ = frozenset({"photos"})
"""Tables of pictures, which the pages show; as parquet alone."""

_INSIDE = (
    ("index.html", "everybody on the list; search, and from there each patient"),
    ("binder.pdf", "everything to print, with contents"),
    ("calls.html", "whom to call"),
    ("not_started.html", "who is not on treatment yet"),
    ("tables", "every table as CSV, Excel and parquet"),
    (
        CACHE,
        "the tables as this program keeps them, for `python -m recovery rebuild --from-bundle FOLDER`",
    ),
    (ENTRIES, "what people charted, signed and declared; it goes with them"),
    ("config.toml", "the settings of the jobs' machine, without a secret; its [signing] has the public keys"),
    ("wheelhouse", "the program's packages, to set up a dashboard without internet: docs/windows.md"),
    (SUMS, "checksums of all of it"),
)


@dataclass(frozen=True, slots=True)
class Built:
    """How many patients are in it, and sentences about what is not. `is_whole`: it has all that the copy holds."""

    patients: int
    lacks: tuple[str, ...]
    is_whole: bool


def build(folder: Path, told: Department, cache: Cache) -> Built:
    """Fill an empty folder.

    Raises `OSError` if it cannot be written, or the wheelhouse is not there; `FontError` if the config's font is none.
    """
    for name in ("patients", "charts", "pictures", "tables"):
        (folder / name).mkdir()
    links = _links(told)
    beams = BeamPictures(source_of(told.config), folder / "pictures")
    beams.fetch(told.files)
    drawn = {patient_id: beams.of(file, links[patient_id]) for patient_id, file in _by_id(told)}
    key, why = key_or_why_not(told.config)
    unsigned = [f"▲ {why[0].upper()}{why[1:]}."] if why else []
    lacks = (*_write_tables(folder / "tables", told, cache), *beams.lacks, *unsigned)
    (folder / "binder.pdf").write_bytes(binder_pdf(told))
    _write_pages(folder, told, links, drawn, lacks)
    carry_out(cache.path, folder)
    (folder / "config.toml").write_bytes(without_secrets(told.config.file.read_bytes()))
    if (wheelhouse := told.config.wheelhouse_path) is not None:
        shutil.copytree(wheelhouse, folder / "wheelhouse")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {path.relative_to(folder).as_posix(): hash_of(path) for path in files}
    (folder / SUMS).write_bytes(sums_text(sums, key).encode())
    return Built(len(told.files), lacks, is_whole=not (told.damaged or beams.is_silent))


def _by_id(told: Department) -> Iterator[tuple[str, PatientFile]]:
    return ((file.identity.patient_id, file) for file in told.files)


Drawn: TypeAlias = "Mapping[str, Mapping[str | None, Sequence[tuple[str, str]]]]"
"""By patient ID the drawings of each plan."""


def _links(told: Department) -> dict[str | None, str]:
    taken = Names()
    return {
        patient_id: taken.of(patient_folder(file.identity.patient_name, patient_id), patient_id)
        for patient_id, file in _by_id(told)
    }


def _write_pages(folder: Path, told: Department, links: pages.Links, drawn: Drawn, lacks: tuple[str, ...]) -> None:
    taken = Names()
    machines = {f"machine_{taken.of(machine_folder(machine), machine)}.html": machine for machine in told.machines}
    bodies = {
        "index.html": ("On treatment", pages.listed(told, links)),
        **{name: (machine, pages.days_of(told, machine, links)) for name, machine in machines.items()},
        "not_started.html": ("Not started yet", pages.not_started(told)),
        "calls.html": ("Whom to call", pages.call_list(told)),
        "runbook.html": ("Runbook", pages.runbook(told, _inside(told))),
    }
    frame = Frame(told, {name: title for name, (title, _) in bodies.items()} | {"binder.pdf": "Binder to print"}, lacks)
    for patient_id, file in _by_id(told):
        base = links[patient_id]
        body = patient_page.body_of(file, base, drawn[patient_id])
        bodies[f"patients/{base}.html"] = (absent(file.identity.patient_name), body)
        chart = charts_pdf([file], paper=told.config.charts.paper, own_font=told.config.chart_font)
        (folder / "charts" / f"{base}.pdf").write_bytes(chart)
    for path, (title, body) in bodies.items():
        (folder / path).write_bytes(frame.page(path, title, body))


def _inside(told: Department) -> list[tuple[str, str]]:
    has_wheels = told.config.wheelhouse_path is not None
    return [(name, said) for name, said in _INSIDE if name != "wheelhouse" or has_wheels]


def _write_tables(folder: Path, told: Department, cache: Cache) -> Iterator[str]:
    """Every table that is there; a sentence about those that cannot be read, and those that Excel does not get."""
    unread, long = [], []
    for name, schema in ALL_TABLES.items():
        try:
            rows = cache.snapshot(schema).row_count
            for form in FORMATS:
                if form == "xlsx" and rows > MOST_EXCEL_ROWS:
                    long.append(name)
                elif form == "parquet" or name not in _NOT_READ:
                    write_table(cache, schema, form, folder / f"{name}.{form}", told.age)
        except TableMissingError:
            continue
        except CacheError:
            unread.append(name)
    if unread:
        yield f"▲ Damaged, and not among the tables: {', '.join(unread)}."
    if long:
        yield f"Too long for Excel, and here as CSV and parquet: {', '.join(long)}."
