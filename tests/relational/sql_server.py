"""A SQL Server for tests: pysqlbridge, which speaks TDS and T-SQL, taught prepared statements and dates.

Goal
    The same queries run on what imitates the clinic's database as on SQLite, through pyodbc and FreeTDS.

How
    A catalog of typed tables copied from a SQLite file. Drivers send parametrised queries as sp_prepexec (13),
    sp_prepare (11), sp_execute (12) and sp_unprepare (15); pysqlbridge knows sp_executesql only. Its reader of
    remote calls is wrapped so that each becomes one, and its answer gets the handle that the driver waits for
    (MS-TDS 2.2.7.18 RETURNVALUE).

It imitates SQL Server: passing it does not prove what a real ARIA does.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pysqlbridge.tds.connection as tds
import pysqlbridge.tds.rpc as rpc
from pysqlbridge.catalog import Catalog
from pysqlbridge.logins import Login, LoginStore
from pysqlbridge.server import start_background
from pysqlbridge.source import Table
from pysqlbridge.tds.result import Bit, Column, DateTime, Float, Integer, NVarChar, VarBinary

from tests.relational.aria import SCHEMA
from tests.relational.made_up import Schema

USER = "aria_ro"
PASSWORD = "s3cret;{Passw0rd"
PREPARE, EXECUTE, PREPEXEC, UNPREPARE = 11, 12, 13, 15
TYPES = {
    "datetime": DateTime(),
    "float": Float(8),
    "decimal": Float(8),
    "numeric": Integer(8),
    "bit": Bit(),
    "binary": VarBinary(8000),  # longer ones it does not know
}

_CHECKSUM = re.compile(r"CHECKSUM_AGG\(BINARY_CHECKSUM\([^)]*\)\)")
"""What pysqlbridge lacks: a count stands for it, so that no test here sees what only a checksum tells."""

_handles = itertools.count(1)
_prepared: dict[int, tuple[str, list[str]]] = {}
_answering = threading.local()
_read_value = rpc._read_value
_parse_rpc = rpc.parse_rpc
_send = tds.Connection._send


def copy_of(path: Path, skip: tuple[str, str] | None = None, schema: Schema = SCHEMA) -> Catalog:
    """A SQLite file's tables as typed tables; `skip` leaves out one (table, column), or a table (table, "")."""
    catalog = Catalog()
    with contextlib.closing(sqlite3.connect(path)) as database:
        for table, columns in schema.items():
            kept = {name: kind for name, (kind, _) in columns.items() if (table, name) != skip}
            if skip != (table, ""):
                rows = database.execute(f"SELECT {', '.join(f'[{name}]' for name in kept)} FROM [{table}]")
                catalog.add(_table(table, kept, rows.fetchall()))
    return catalog


def _table(name: str, columns: dict[str, str], rows: list[tuple[object, ...]]) -> Table:
    listed = [Column(column, TYPES.get(kind) or _integer_or_text(kind)) for column, kind in columns.items()]
    are_dates = [kind == "datetime" for kind in columns.values()]
    return Table(
        name,
        listed,
        [[_moment(v) if is_date else v for v, is_date in zip(row, are_dates, strict=True)] for row in rows],
    )


def _integer_or_text(kind: str) -> Any:
    return Integer(4) if "int" in kind else NVarChar(4000)


def _moment(value: object) -> datetime | None:
    return datetime.fromisoformat(str(value)) if value else None


@contextlib.contextmanager
def sql_server(catalog: Catalog) -> Iterator[tuple[int, Callable[[], None]]]:
    """Serve a catalog on loopback; yields the port, and a function that breaks every connection off."""
    rpc._read_value, tds.parse_rpc, tds.Connection._send = _read_value_or_date, _parse_prepared, _send_with_handle
    is_down = threading.Event()

    def answer(request: Any) -> Any:
        if is_down.is_set():
            raise SystemExit  # ends this connection's thread, as a server that dies does
        text = _CHECKSUM.sub("COUNT(*)", request.sql)
        return catalog.answer(request if text == request.sql else replace(request, sql=text))

    logins = LoginStore([Login(USER, PASSWORD, hashed=False)])
    server, thread = start_background(query_handler=answer, logins=logins)
    try:
        yield server.address[1], is_down.set
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        rpc._read_value, tds.parse_rpc, tds.Connection._send = _read_value, _parse_rpc, _send


def connection_string(port: int) -> str:
    return (
        f"Driver={{FreeTDS}};Server=127.0.0.1;Port={port};Database=variansystem;UID={USER};TDS_Version=7.4;"
        "ClientCharset=UTF-8"
    )


def _read_value_or_date(payload: bytes, at: int, type_id: int) -> tuple[object, int]:
    """A parameter's value, also of the types that pysqlbridge lacks; dates become ISO text."""
    if type_id in {0x28, 0x29, 0x2A}:
        scale = 7 if type_id == 0x28 else payload[at]
        at += type_id != 0x28
        length = payload[at]
        raw = payload[at + 1 : at + 1 + length]
        return _date_and_time(raw, scale) if raw else None, at + 1 + length
    if type_id == 0x6F:
        length = payload[at + 1]
        raw = payload[at + 2 : at + 2 + length]
        days, ticks = struct.unpack("<iI", raw) if length == 8 else (0, 0)
        moment = datetime(1900, 1, 1) + timedelta(days=days, seconds=ticks / 300)  # noqa: DTZ001
        return moment.isoformat(" ", "milliseconds") if raw else None, at + 2 + length
    value: tuple[object, int] = _read_value(payload, at, type_id)
    return value


def _date_and_time(raw: bytes, scale: int) -> str:
    ticks = int.from_bytes(raw[:-3], "little") if len(raw) > 3 else 0
    day = date(1, 1, 1) + timedelta(days=int.from_bytes(raw[-3:], "little"))
    seconds = timedelta(seconds=ticks / 10**scale)
    return (datetime(day.year, day.month, day.day) + seconds).isoformat(" ", "milliseconds")  # noqa: DTZ001


def _parse_prepared(payload: bytes, tds_version: int) -> Any:
    """A remote call, with the four of prepared statements made into sp_executesql."""
    call = _parse_rpc(payload, tds_version)
    number = {"sp_prepare": PREPARE, "sp_execute": EXECUTE, "sp_prepexec": PREPEXEC, "sp_unprepare": UNPREPARE}.get(
        call.procedure.lower(), int(call.proc_id or 0)
    )
    if number not in {PREPARE, EXECUTE, PREPEXEC, UNPREPARE}:
        return call
    _answering.handle, text, values, names = None, "SET NOCOUNT ON", [], []
    given = [parameter.value for parameter in call.parameters]
    if number in {PREPARE, PREPEXEC}:
        _answering.handle = next(_handles)
        names = re.findall(r"@\w+", str(given[1] or ""))
        _prepared[_answering.handle] = (str(given[2]), names)
    if number == PREPEXEC:
        text, values = str(given[2]), given[3:]
    if number == EXECUTE:
        (text, names), values = _prepared[int(given[0])], given[1:]
    _answering.is_prepared = True
    named = [rpc.Parameter(name, value) for name, value in zip(names, values, strict=False)]
    return rpc.RpcRequest("sp_executesql", [rpc.Parameter("", text), *named], rpc.ProcId.EXECUTE_SQL)


def _send_with_handle(self: Any, responses: list[bytes], payload: bytes, packet_id: int = 1) -> None:
    """An answer; to a prepared statement with its handle and the end of a procedure behind it."""
    if getattr(_answering, "is_prepared", False):
        _answering.is_prepared = False
        status = struct.unpack_from("<H", payload, len(payload) - 12)[0]
        payload = payload[:-12] + struct.pack("<H", status | 0x0001) + payload[-10:]
        payload += b"\x79" + struct.pack("<i", 0)
        if _answering.handle is not None:
            payload += b"\xac" + struct.pack("<HBBIH", 0, 0, 1, 0, 0) + b"\x26\x04\x04"
            payload += struct.pack("<i", _answering.handle)
        payload += b"\xfe" + struct.pack("<HHQ", status & 0x0002, 0, 0)
    _send(self, responses, payload, packet_id)
