"""A cached table as JSON, CSV, Excel or parquet.

JSON is a list of objects; dates and times are ISO 8601; an absent value is null. In Excel, text that begins like a
formula stays text, and a text that no cell holds, such as a picture in base64, is replaced by a sentence that says so.
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

if TYPE_CHECKING:
    from recovery.cache import Cache
    from recovery.tables import TableSchema

Format = Literal["json", "csv", "xlsx", "parquet"]

_MOST_LETTERS = 32_767
_TOO_LONG = "(longer than a cell of Excel holds: export it as JSON, CSV or parquet)"


def write_table(cache: Cache, schema: TableSchema, form: Format, output: Path | None) -> None:
    """Write a table to a file, or to standard output.

    Raises
    ------
    CacheError
        If the table is not there, or cannot be read.
    OSError
        If the file cannot be written.
    """
    content = _encoded(cache, schema, form)
    if output is not None:
        output.write_bytes(content)
        return
    shutil.copyfileobj(io.BytesIO(content), sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _encoded(cache: Cache, schema: TableSchema, form: Format) -> bytes:
    rows = cache.read(schema)
    if form == "parquet":
        return cache.snapshot(schema).path.read_bytes()
    if form == "json":
        return (json.dumps(rows, default=_iso, ensure_ascii=False, indent=1) + "\n").encode()
    if form == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(schema.columns))
        writer.writeheader()
        writer.writerows({k: _iso(v) if isinstance(v, date) else v for k, v in row.items()} for row in rows)
        return text.getvalue().encode()
    return _workbook(rows, schema)


def _workbook(rows: list[dict[str, object]], schema: TableSchema) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.create_sheet(schema.name[:31], 0)
    book.remove(book.worksheets[1])
    sheet.append(list(schema.columns))
    sheet.freeze_panes = "A2"
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row.values(), start=1):
            cell = sheet.cell(number, column)
            if isinstance(value, str):
                cell.value = as_cell(value) if len(value) <= _MOST_LETTERS else _TOO_LONG
                cell.data_type = "s"
                cell.quotePrefix = is_like_formula(value)
            else:
                cell.value = value
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _iso(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"a table holds no {type(value).__name__}")
