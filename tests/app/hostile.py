"""A clinic in which every text that came from outside is hostile, and how to find what of it got through.

Goal
    What a page, a file or a terminal does with what people typed is tried on every column of every table, and not on
    the columns that somebody thought of.

How
    `make(folder, poison)` writes the clinic of `tests.app.states`, then puts one of POISONS to every text: of the
    tables, the journal, the entries, the views, the audit file, the config. Equal texts stay equal, so that an ID still
    finds its patient. What only this software writes (a status, a level, JSON's own marks) is left as it is.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow as pa
import pypdfium2
from openpyxl import load_workbook
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

from app.data.views import views_file
from recovery.access.audit import AuditEvent, AuditFile
from recovery.cache.journal import JobResult, Journal
from recovery.cache.snapshot_writing import open_writer
from recovery.cache.store import Cache
from recovery.entries.known_gaps import KnownGap
from recovery.entries.priority_entries import PriorityEntry
from recovery.host.entry_lines import file_of
from recovery.settings.config import load_config
from recovery.tables.relational import ALL_TABLES, RELATIONAL_TABLES
from recovery.tables.schema import (
    DOUBTED_RECORDS,
    EXCLUDED_PATIENTS,
    HOLDINGS,
    ODD_ROWS,
    ON_TREATMENT,
    PIPELINE,
    SET_ASIDE,
    TableSchema,
)
from tests.app import clinic, states

EVIL = "evil.example"
MARKUP = (
    f"![p](http://{EVIL}/p.png) [l](http://{EVIL}) :material/delete: :red[STOP] $\\LaTeX$ -- www.{EVIL} "
    f"<img src=http://{EVIL}/i.png onerror=alert(1)> <script>alert(1)</script> **B** `c`"
)
DIRECTIONS = "\u202e132001\u202c \u2066a\u2069 \u200b\u2067z\u2069 \u200f\u061c"
CONTROLS = "\x1b[31mred\x1b[0m \x1b]0;title\x07 line\r\nBACKUP OK\u2028next \x00nul \x9b31m"

POISONS: Mapping[str, Callable[[str], str]] = {
    "markup": lambda text: f'=HYPERLINK("http://{EVIL}","{text}") {MARKUP}',
    "controls": lambda text: f"@SUM(1){text}{CONTROLS}",
    "directions": lambda text: f"\u202e{text} {DIRECTIONS} {'Wörter und Wörter ' * 60}",
    "lines": lambda text: f"\n# {text}\n\n- <b>x</b>\n1. {'W' * 500}",
}
"""Each of several kinds: what a text begins with, and what it holds."""

_OURS = {
    "on_treatment": {"status", "disagreement", "treatment_date"},
    "holdings": {"level", "slices", "uid"},
    "treatment_records": {"pulses", "treatment_time", "timezone_offset_from_utc", "treatment_delivery_type",
                          "treatment_termination_status", "meterset_unit", "sop_class_uid"},
    "rt_plans": {"sop_class_uid"},
    "image_series": {"slices"},
    "photos": {"media_type", "picture", "source_media_type", "source_sha256"},
    "schedule": {"status"},
    "pipeline": {"stage", "waits_for"},
    "deliveries": {"delivery_type", "termination_status", "meterset_unit"},
}  # fmt: skip
"""Columns with words that this software alone writes, and that it counts by."""
_KEPT = frozenset({"patient_sex", "approval_status"})
_JSON = {"beams", "references"}
_TYPED = frozenset(
    {"beam_name", "beam_description", "treatment_machine_name", "machine_name", "series_description", "description"}
)

_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of Unicode of which nothing may reach a reader."""


def make(folder: Path, poison: str, state: str = "good") -> Path:
    """A folder with config, accounts and cache, hostile throughout; returns the config's path."""
    config_path, put = states.make(folder, state), POISONS[poison]
    config = load_config(config_path)
    _poison_cache(config.cache_path, put)
    _poison_journal(config.cache_path, put)
    _poison_entries(config.cache_path, put)
    _poison_audit(config.audit_path, put)
    text = config_path.read_text().replace('"Demo clinic"', _toml(put("Demo clinic")))
    config_path.write_text(text.replace('"Dr. Meier"', _toml(put("Dr. Meier"))), encoding="utf-8")
    return config_path


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _poison_cache(path: Path, put: Callable[[str], str]) -> None:
    cache = Cache(path)
    for schema in ALL_TABLES.values():
        if schema.name in RELATIONAL_TABLES or not (path / "tables" / f"{schema.name}.parquet").exists():
            continue
        rows = [_poisoned(schema, row, put) for row in cache.read(schema)]
        cache.write(schema, rows, taken_at=cache.snapshot(schema).taken_at, source=put("RT-PACS"))
    odd: list[dict[str, object]] = [{"table_name": put("patients"), "row_key": put("100999"), "why": put("no key")}]
    at = cache.snapshot(HOLDINGS).taken_at
    cache.write(ODD_ROWS, odd, taken_at=at, source="aria")
    waiting: dict[str, object] = {name: name if kind == "str" else None for name, kind in PIPELINE.columns.items()}
    waiting |= {"patient_id": "100999", "stage": "booked"}
    cache.write(PIPELINE, [_poisoned(PIPELINE, waiting, put)], taken_at=at, source="aria")
    denied: dict[str, object] = {"patient_id": put("100999"), "sop_instance_uid": "1.2.9", "state": SET_ASIDE}
    denied["since"] = clinic.NOW.replace(tzinfo=None)
    cache.write(DOUBTED_RECORDS, [denied], taken_at=at, source="R&V system")
    cache.write(EXCLUDED_PATIENTS, [{"patient_id": put("$QA")}], taken_at=at, source="aria")
    told = {schema.name: _told(cache, schema) for schema in RELATIONAL_TABLES.values()}
    with open_writer(path, clinic.NOW - states.FRESH / 2) as new:
        for name, schema in RELATIONAL_TABLES.items():
            rows = [_poisoned(schema, row, put) for row in told[name]]
            new.write(schema, rows, source="aria database", query_sha256="ab", rows_sha256=f"{name} again")
        new.commit()


def _told(cache: Cache, schema: TableSchema) -> list[dict[str, object]]:
    """The rows of a table, and one in which every text stands, of the first patient."""
    rows = cache.read(schema)
    first = dict(rows[0]) if rows else {"patient_id": "100231", "sop_instance_uid": _first_plan(cache)}
    whole = {
        name: first.get(name) or (f"{schema.name} {name}" if kind == "str" else None)
        for name, kind in schema.columns.items()
    }
    if schema.name == "schedule":
        whole["appointment_at"] = clinic.LOCAL - timedelta(hours=1)
    for name in schema.key:
        if whole[name] is not None and name not in {"patient_id", "sop_instance_uid"} and rows:
            whole[name] = f"{whole[name]} too" if schema.columns[name] == "str" else 77
    is_twice = bool(rows) and set(schema.key) <= {"patient_id", "sop_instance_uid"}
    return [whole, *rows[1:]] if is_twice else [*rows, whole]


def _first_plan(cache: Cache) -> str:
    return str(cache.read(ON_TREATMENT)[0]["referenced_rt_plan_uid"])


def _poisoned(schema: TableSchema, row: Mapping[str, object], put: Callable[[str], str]) -> dict[str, object]:
    spared = _OURS.get(schema.name, set()) | _KEPT
    made: dict[str, object] = {}
    for name, value in row.items():
        if not isinstance(value, str) or not value or name in spared or schema.columns[name] != "str":
            made[name] = value
        elif name in _JSON and schema.name in {"rt_plans", "structure_sets"}:
            made[name] = json.dumps(_in_json(json.loads(value), "", put))
        elif name.endswith(("_uid", "_uids")) or name == "uid":
            made[name] = value
        else:
            made[name] = put(value)
    return made


def _in_json(value: Any, key: str, put: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name: _in_json(one, name, put) for name, one in value.items()}
    if isinstance(value, list):
        return [_in_json(one, key, put) for one in value]
    return put(value) if isinstance(value, str) and key in _TYPED else value


def _poison_journal(path: Path, put: Callable[[str], str]) -> None:
    """The runs as they were, each partly done, with a message and a gap that somebody else worded; and an odd job's."""
    journal = Journal(path)
    runs = journal.runs()
    journal.path.unlink()
    for run in runs:
        result = JobResult(run.job, "PARTIAL", {"unproven": 2, put("counted"): 2}, (put("1.2.3.4.5"),), put("said so"))
        journal.finish(journal.start(run.job, run.started_at), result, run.finished_at or run.started_at)
    odd = JobResult(put("odd"), "FAILED", {}, (), put("it failed"), fault=put("rv"))
    journal.finish(journal.start(odd.job, runs[-1].started_at), odd, runs[-1].started_at)


def _poison_entries(path: Path, put: Callable[[str], str]) -> None:
    entry = {
        "patient_id": put("100231"), "category": 1, "concurrent_chemotherapy": True, "intent": "curative",
        "comment": put("half \ud800"), "decided_by": put("MEIER, Ursula"), "signed_by": put("physicist"),
        "entered_at": clinic.NOW.isoformat(),
    }  # fmt: skip
    file_of(path, PriorityEntry).write_text(json.dumps(entry) + "\n")
    gap = {"sop_instance_uids": [put("1.2.3.4.5")], "reason": put("half \ud800"), "until": "2026-12-01",
           "signed_by": put("physicist"), "entered_at": clinic.NOW.isoformat()}  # fmt: skip
    file_of(path, KnownGap).write_text(json.dumps(gap) + "\n")
    view = {put("mine \ud800"): {"machine": [put("TB1")], "status": ["on_treatment"], "sort": put("name"),
                                 "hide": [put("Site")]}}  # fmt: skip
    views_file(path).write_text(json.dumps(view))


def _poison_audit(path: Path, put: Callable[[str], str]) -> None:
    event = AuditEvent(clinic.NOW, put("who"), put("role"), put("action"), put("10.0.0.1"), put("100231"),
                  {put("key"): put("half \ud800")})  # fmt: skip
    AuditFile(path).append(event)


def steering(text: str) -> str:
    """The first character of a text that steers whoever shows it, with its surroundings; empty without one."""
    for place, letter in enumerate(text):
        if unicodedata.category(letter) in _STEERING and letter not in "\n\t":
            return f"U+{ord(letter):04X} in {text[max(0, place - 20) : place + 20]!r}"
    return ""


_ACTIVE = (
    re.compile(r"(?<!\\)\]\(http"),
    re.compile(r"(?<![\[\\]):material/delete"),
    re.compile(r"(?<!\\):red\[STOP"),
    re.compile(r"(?<!\\)\$\\+LaTeX"),
    re.compile(r"(?<!\\)<(?:img|script)"),
    re.compile(r"(?<!color)\[?(?<!\[)www\.evil"),
    re.compile(r"(?<!\\)\*\*B\*\*"),
    re.compile(r"^# \S", re.MULTILINE),
)


def active(markdown: str) -> str:
    """What of MARKUP Streamlit would take for markup; empty where it is text."""
    for pattern in _ACTIVE:
        if found := pattern.search(markdown):
            return markdown[max(0, found.start() - 30) : found.end() + 30]
    return ""


class _Tags(HTMLParser):
    """The tags of a piece of markup that ask outside or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = [f"{name}={value}" for name, value in attrs if name.startswith("on") or EVIL in f"{name}{value}"]
        if told or tag in {"script", "iframe", "object", "link"}:
            self.found.append(f"<{tag} {' '.join(told)}>")


def active_html(markup: str) -> str:
    """The first tag of a markup that asks outside or runs something; empty where there is none."""
    tags = _Tags()
    tags.feed(markup)
    return next(iter(tags.found), "")


def texts(element: Any) -> Iterator[tuple[str, str]]:
    """Every text of an element or a block as Streamlit sends it, each with the name of its field."""
    proto = getattr(element, "proto", None)
    if proto is not None and hasattr(proto, "ListFields"):
        yield from _fields(proto, type(proto).DESCRIPTOR.name)


def _fields(message: Any, name: str) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        whole = f"{name}.{field.name}"
        for one in value if field.is_repeated else [value]:
            if hasattr(one, "ListFields"):
                yield from _fields(one, whole)
            elif isinstance(one, bytes) and field.name in {"data", "display_values"}:
                yield from _cells(one, whole)
            elif isinstance(one, str):
                yield whole, one


def _cells(data: bytes, name: str) -> Iterator[tuple[str, str]]:
    try:
        frame = convert_arrow_bytes_to_pandas_df(data)
    except pa.ArrowException:
        return
    for column in frame.columns:
        yield f"{name}.head", str(column)
        for value in frame[column]:
            if isinstance(value, str):
                yield f"{name}.{column}", value


MARKDOWN = re.compile(
    r"Markdown\.body|\.label$|\.help$|ButtonGroup.*\.content$|Radio\.(options|captions)|Toast\.body|\.caption$"
)
"""Fields that Streamlit takes for markdown."""
_NOT_SHOWN = re.compile(
    r"\.(id|form_id|key|uuid|styles|js_content|css_content|default|query_param_key|raw_values?|selection_state|url|"
    r"deferred_file_id|columns|column_order|icon|value)$|Element.*\.name$|Exception\.stack_trace"
)


def faults(elements: Iterable[Any]) -> list[str]:
    """What of the poison gets through on a page: markup, direction, or an exception."""
    found: list[str] = []
    for element in elements:
        for name, text in texts(element):
            if _NOT_SHOWN.search(name):
                continue
            if told := steering(text if not name.endswith((".spec", ".json")) else json.dumps(text)):
                found.append(f"{name}: {told}")
            if MARKDOWN.search(name) and (told := active(text)):
                found.append(f"{name}: markup {told!r}")
            if name.endswith(("Html.body", ".json")) and (told := active_html(_markup(text))):
                found.append(f"{name}: {told}")
    return list(dict.fromkeys(found))


def _markup(text: str) -> str:
    try:
        return str(json.loads(text)["markup"])
    except (ValueError, LookupError, TypeError):
        return text


def texts_of_book(content: bytes) -> Iterator[tuple[str, str]]:
    """Every text of a workbook: cells, headers and footers, names of sheets, properties. A formula is an assertion."""
    book = load_workbook(BytesIO(content))
    yield "properties", f"{book.properties.title or ''}{book.properties.description or ''}{book.properties.creator}"
    for sheet in book.worksheets:
        yield "sheet", sheet.title
        for part in (sheet.oddHeader, sheet.oddFooter):
            yield "header", "".join(one.text or "" for one in (part.left, part.center, part.right))
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{sheet.title} {cell.coordinate} is a formula: {cell.value!r}"
                assert cell.hyperlink is None, f"{sheet.title} {cell.coordinate} is a link"
                if isinstance(cell.value, str):
                    yield f"{sheet.title} {cell.coordinate}", cell.value
    with ZipFile(BytesIO(content)) as archive:
        for name in archive.namelist():
            assert f'Target="http://{EVIL}' not in archive.read(name).decode("utf-8", "replace"), name


def texts_of_pdf(content: bytes) -> Iterator[tuple[str, str]]:
    """Every page of a PDF as text, without the places where a long name may end. A link or a script is an assertion."""
    for word in (b"/URI", b"/JavaScript", b"/Launch"):
        assert word not in content, word
    for number, page in enumerate(pypdfium2.PdfDocument(content), start=1):
        yield f"page {number}", page.get_textpage().get_text_range().replace("\r\n", "\n").replace("-\u200b", "-")
