"""The SQL files of `queries/<product>/`: the only texts that are ever sent to the R&V system's database.

A query is loaded by its table's name. Its header declares the parameters in order and the columns that it returns; a
text that is not one SELECT is refused before it can reach a database.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from recovery.settings.products import QUERIES

_NAME = re.compile(r"(changes/)?\w+")
_FORBIDDEN = re.compile(
    r"\b(insert|update|delete|merge|drop|alter|create|truncate|exec|execute|grant|into|attach|pragma|set|use)\b",
    re.IGNORECASE,
)


class QueryError(ValueError):
    """A query's file is missing, or is not one SELECT with the header that it needs."""


@dataclass(frozen=True, slots=True)
class Query:
    """One file of `queries/<product>/`. `parameters` in the order of the text's question marks."""

    product: str
    table: str
    text: str
    parameters: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def sources(self) -> tuple[str, ...]:
        """The database's tables that the query reads, as its header says."""
        said = re.search(r"^-- sources:(.*?)^-- traps:", self.text, re.DOTALL | re.MULTILINE)
        return tuple(re.findall(r"\w+", said[1])) if said is not None else ()

    @property
    def day(self) -> str:
        """Of a query that tells of days: the cached table's column that says of which a row is; else empty."""
        said = re.search(r"^-- day: (\w+)$", self.text, re.MULTILINE)
        return said[1] if said is not None else ""

    def bind(self, values: Mapping[str, object]) -> list[object]:
        """The values in the order of the question marks."""
        return [values[name] for name in self.parameters]


def query_tables(product: str) -> list[str]:
    """The tables that a product has a query for, by name."""
    return sorted(path.stem for path in (QUERIES / product).glob("*.sql"))


def change_queries(product: str) -> list[str]:
    """The queries about what changed that a product has, as `changes/deliveries`: see `changes.py`."""
    return sorted(f"changes/{path.stem}" for path in (QUERIES / product / "changes").glob("*.sql"))


def load_query(product: str, table: str) -> Query:
    """Read one query, of a table or about changes. Raises `QueryError` if there is none, or it is not one SELECT."""
    file = QUERIES / product / f"{table}.sql"
    if not _NAME.fullmatch(table) or not file.is_file():
        raise QueryError(f"there is no query {table} for {product}")
    return parse_query(product, table, file.read_text(encoding="utf-8"))


@cache
def parse_query(product: str, table: str, text: str) -> Query:
    """Read a query's header and refuse whatever is not one SELECT. Raises `QueryError` if it is not."""
    name = f"queries/{product}/{table}.sql"
    comments = [line.removeprefix("--") for line in text.splitlines() if line.startswith("--")]
    code = re.sub(r"--[^\n]*", "", text).strip()
    without_literals = re.sub(r"'[^']*'", "''", code)
    if not re.match(r"select\b", code, re.IGNORECASE) or ";" in without_literals or "/*" in code:
        raise QueryError(f"{name} is not one SELECT")
    if (odd := _FORBIDDEN.search(without_literals)) is not None:
        raise QueryError(f"{name} holds the word {odd.group().upper()}, which a query that only reads does not need")
    parameters = tuple(part for line in comments if line.startswith(" parameters:") for part in _words(line))
    if len(parameters) != text.count("?"):
        raise QueryError(f"{name} declares {len(parameters)} parameters and has {text.count('?')} question marks")
    columns = tuple(_declared_columns(comments))
    if not columns:
        raise QueryError(f"{name} declares no columns")
    return Query(product, table, text, parameters, columns)


def _words(line: str) -> list[str]:
    listed = line.partition(":")[2]
    return [word.strip() for word in listed.split(",") if word.strip()]


def _declared_columns(comments: list[str]) -> list[str]:
    """The names that start the lines below `-- columns:`, separated by commas, before two spaces and a meaning."""
    columns: list[str] = []
    inside = False
    for line in comments:
        if not line.startswith("   "):
            inside = line.startswith(" columns:")
        elif inside and line[3] != " ":
            names = re.split(r"\s{2,}", line.strip())[0]
            columns += [name.strip() for name in names.split(",") if name.strip()]
    return columns
