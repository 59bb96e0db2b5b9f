"""From the rows of a query to the rows of a table, by a small declared mapping.

A `TableReading` per table. A column is the raw column of its own name, read as its kind, unless a `Reader` says
otherwise. Raw rows that are alike in `one_row_per` become one row: a reader sees them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backup_jobs.rv import values
from backup_jobs.rv.odd_rows import OddRow, key_of, one_of_each, with_odd_text, without_key
from recovery.tables.schema import Row, TableSchema

RawRow = Mapping[str, object]
Group = Sequence[RawRow]
Reader = Callable[[Group], object]
Made = tuple[Group, Row]
"""A row, and what it was made of."""

_BY_KIND: Mapping[str, Callable[[object], object]] = {
    "str": values.text,
    "int": values.integer,
    "float": values.number,
    "bool": values.truth,
    "date": values.day,
    "datetime": values.moment,
}


@dataclass(frozen=True, slots=True)
class TableReading:
    """How one table is made of one query's rows. `leaves_out`: why a row has no place in it → whether that is so.

    `needs`: columns without which a row says nothing. A plan may stand under several patients, and its fields with it
    (`is_of_plans`): `plan_owners` then gives a `settle`, which chooses among the rows that were made. `knowing`, where
    values are costly to make: the same reading, which takes over what rows made before hold.
    """

    schema: TableSchema
    readers: Mapping[str, Reader] = field(default_factory=dict)
    one_row_per: tuple[str, ...] = ()
    leaves_out: Mapping[str, Callable[[Group], bool]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    may_be_of_several_patients: bool = False
    is_of_plans: bool = False
    settle: Callable[[Sequence[Made]], tuple[list[Row], list[OddRow]]] | None = None
    knowing: Callable[[Sequence[Row]], TableReading] | None = None


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table's rows; how many values of which column could not be read (they are None); how many rows of which
    reason have no place in it; which rows are odd by their key; why values are ambiguous, and how many; which rows hold
    a text that is not Unicode."""

    rows: list[Row]
    unreadable: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict)
    odd: Sequence[OddRow] = ()
    ambiguous: Mapping[str, int] = field(default_factory=dict)
    odd_texts: Sequence[OddRow] = ()


def read_rows(reading: TableReading, raw_rows: Iterable[RawRow]) -> TableRows:
    """Make a table's rows, one for each key: what is odd in one row costs that row, or that value."""
    readers = [(name, reading.readers.get(name) or plain(name, kind)) for name, kind in reading.schema.columns.items()]
    unreadable: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    ambiguous: Counter[str] = Counter()
    rows: list[Row] = []
    made: list[Made] = []
    odd: list[OddRow] = []
    key = key_of(reading.schema)
    for group in _groups(reading.one_row_per, raw_rows):
        if (reason := next((why for why, is_so in reading.leaves_out.items() if is_so(group)), None)) is not None:
            left_out[reason] += 1
            continue
        row: dict[str, object] = {}
        for name, reader in readers:
            try:
                row[name] = reader(group)
            except values.AmbiguousError as error:
                row[name] = None
                ambiguous[f"{name}, {error}"] += 1
            except values.UnreadableError:
                row[name] = None
                unreadable[name] += 1
        if None in key(row):
            odd.append(without_key(reading.schema, row, group[0], reading.one_row_per))
            continue
        rows.append(row)
        if reading.settle is not None:
            made.append((group, row))
    if reading.settle is not None:
        rows, unsettled = reading.settle(made)
        odd += unsettled
    rows, doubled = one_of_each(reading.schema, rows, reading.needs)
    odd_texts = [found for row in rows if (found := with_odd_text(reading.schema, row)) is not None]
    return TableRows(rows, unreadable, left_out, [*odd, *doubled], ambiguous, odd_texts)


def _groups(one_row_per: tuple[str, ...], raw_rows: Iterable[RawRow]) -> Iterator[Group]:
    if not one_row_per:
        yield from ((row,) for row in raw_rows)
        return
    groups: dict[tuple[object, ...], list[RawRow]] = {}
    for row in raw_rows:
        groups.setdefault(tuple(_unpadded(row[name]) for name in one_row_per), []).append(row)
    yield from groups.values()


def _unpadded(value: object) -> object:
    """`Jane` and `Jane ` are one person, as they are one to SQL Server."""
    return " ".join(value.split()) if isinstance(value, str) else value


def plain(column: str, kind: str) -> Reader:
    """The first row's value of a column, as its kind."""
    read = _BY_KIND[kind]
    return lambda group: read(group[0][column])


def nothing(_: Group) -> None:
    """What a database does not tell."""
    return


def one_line(column: str) -> Reader:
    """Text on one line."""
    return lambda group: values.line(group[0][column])


def first_known(column: str) -> Reader:
    """The first row's value that says something, as text."""
    return lambda group: next((said for row in group if (said := values.line(row[column])) is not None), None)


def family_given(family: str, given: str, *, capitals: bool) -> Reader:
    """`FAMILY, Given`, as `recovery.dicom.elements` writes a DICOM name; `Family, Given` without capitals."""
    return lambda group: name_of(group[0], family, given, capitals=capitals)


def name_of(row: RawRow, family: str, given: str, *, capitals: bool = False) -> str | None:
    """A person's name from two columns of one row."""
    first = values.line(row[family])
    parts = [first.upper() if first and capitals else first, values.line(row[given])]
    return ", ".join(part for part in parts if part) or None


def translated(words: Mapping[str, str], column: str) -> Reader:
    """A code as words, in whatever case it is written; an unknown code as it is. A word that is empty says nothing."""
    by_code = {code.casefold(): word for code, word in words.items()}

    def read(group: Group) -> str | None:
        code = values.text(group[0][column])
        return by_code.get(code.casefold(), code) or None if code is not None else None

    return read


def died_on(row: RawRow, *columns: str) -> str | None:
    """`died on 2026-11-02`; a date that cannot be read costs the date, never the alerts that stand beside it."""
    try:
        days = {day for name in columns if (day := values.day(row[name])) is not None}
    except values.UnreadableError:
        return "died"
    return f"died on {' or '.join(day.isoformat() for day in sorted(days))}" if days else None


def the_only(column: str) -> Reader:
    """A column's one value, as text; None where the rows say different ones."""

    def read(group: Group) -> str | None:
        said = {text for row in group if (text := values.line(row[column])) is not None}
        return said.pop() if len(said) == 1 else None

    return read


def joined(separator: str, *columns: str) -> Reader:
    """The first row's columns that say something, one after the other."""
    return lambda group: said_together(group[0], separator, *columns)


def said_together(row: RawRow, separator: str, *columns: str) -> str | None:
    """One row's columns that say something, one after the other."""
    return separator.join(said for name in columns if (said := values.line(row[name])) is not None) or None


def each_once(say: Callable[[RawRow], str | None]) -> Reader:
    """What the rows say, each once, in their order, separated by semicolons."""
    return lambda group: "; ".join(dict.fromkeys(said for row in group if (said := say(row)))) or None


def each_value(column: str) -> Reader:
    """A column's values, each once, separated by semicolons."""
    return each_once(lambda row: values.line(row[column]))
