"""A cached table as JSON, CSV, Excel or parquet.

JSON is a list of objects; dates and times are ISO 8601; an absent value is null. In CSV a text that begins like a
formula gets an apostrophe before it, in Excel it stays text; there, a text that no cell holds, such as a picture in
base64, is replaced by a sentence that says so. An old copy says its age in Excel; parquet says in its metadata when it
was taken; JSON and CSV have no place for it.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recovery.words.printable import as_cell, as_csv, as_json, is_like_formula

if TYPE_CHECKING:
    from recovery.cache.store import Cache
    from recovery.tables.schema import TableSchema

Format = Literal["json", "csv", "xlsx", "parquet"]

_WIDEST = 60
"""Letters of a column in Excel."""
_MOST_LETTERS = 32_767
_TOO_LONG = "(longer than a cell of Excel holds: export it as JSON, CSV or parquet)"


def write_table(cache: Cache, schema: TableSchema, form: Format, output: Path | None, told: str = "") -> None:
    """Write a table to a file, or to standard output; `told`, about its age, where the format has a place for it.

    Raises `CacheError` if the table is not there, or cannot be read; `OSError` if the file cannot be written.
    """
    content = _encoded(cache, schema, form, told)
    if output is not None:
        output.write_bytes(content)
        return
    shutil.copyfileobj(io.BytesIO(content), sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _encoded(cache: Cache, schema: TableSchema, form: Format, told: str) -> bytes:
    if form == "parquet":
        return cache.copy_of(schema)
    return encoded_rows(cache.read(schema), schema, form, told)


def encoded_rows(rows: list[dict[str, object]], schema: TableSchema, form: Format, told: str = "") -> bytes:
    """Rows with a schema's columns, in their order, as JSON, CSV or Excel."""
    if form == "json":
        return (as_json(json.dumps(rows, default=_iso, ensure_ascii=False, indent=1)) + "\n").encode()
    if form == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(schema.columns))
        writer.writeheader()
        writer.writerows({k: _in_csv(v) for k, v in row.items()} for row in rows)
        return text.getvalue().encode()
    return _workbook(rows, schema, told)


def _in_csv(value: object) -> object:
    if isinstance(value, str):
        return as_csv(value)
    return _iso(value) if isinstance(value, date) else value


def _workbook(rows: list[dict[str, object]], schema: TableSchema, told: str) -> bytes:
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.create_sheet(schema.name[:31], 0)
    book.remove(book.worksheets[1])
    sheet.append(list(schema.columns))
    sheet.freeze_panes, sheet.print_title_rows, sheet.page_setup.orientation = "A2", "1:1", "landscape"
    for column, name in enumerate(schema.columns, start=1):
        shown = max((_letters(row[name]) for row in rows), default=0)
        sheet.column_dimensions[get_column_letter(column)].width = min(max(len(name), shown), _WIDEST) + 2
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row.values(), start=1):
            cell = sheet.cell(number, column)
            if isinstance(value, str):
                cell.value = as_cell(value) if len(value) <= _MOST_LETTERS else _TOO_LONG
                cell.data_type = "s"
                cell.quotePrefix = is_like_formula(value)
            else:
                cell.value = value
    if told:
        sheet["A1"].comment = Comment(told, "RBRDT", height=90, width=320)
        sheet.oddHeader.center.text = told.replace("&", "&&")
        book.properties.description = told
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _letters(value: object) -> int:
    """How wide a value is shown; a date that does not fit is shown as ####."""
    if isinstance(value, date):
        return 19 if isinstance(value, datetime) else 10
    return 0 if value is None else max(map(len, str(value).split("\n")))


def _iso(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"a table holds no {type(value).__name__}")
