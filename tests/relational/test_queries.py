"""Every file of queries/: one SELECT that both dialects read, with a header that is true."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import expressions

from backup_jobs import rv
from backup_jobs.jobs.snapshot_tables import check_queries, query_values
from backup_jobs.rv import queries
from backup_jobs.rv.database import open_database
from backup_jobs.rv.product import load_product
from backup_jobs.rv.queries import QueryError, change_queries, load_query, parse_query, query_tables
from recovery.settings.config import Config
from recovery.settings.products import QUERIES as QUERIES_FOLDER
from recovery.settings.products import product_names
from recovery.tables.relational import RELATIONAL_TABLES
from tests.relational.conftest import NOW, config_in
from tests.relational.made_up import asks_for_nothing, made_up_clinic, schema_of

QUERIES = [(product, table) for product in product_names() for table in query_tables(product)]
ABOUT_CHANGES = [(product, name) for product in product_names() for name in change_queries(product)]
HEADER = "-- odd: for a test.\n-- parameters:\n-- columns:\n--   a   a number\n"


def test_every_product_has_its_folder_of_queries_and_its_door() -> None:
    folders = {module.name for module in pkgutil.iter_modules(rv.__path__) if module.ispkg}
    assert folders == set(product_names()) == {path.name for path in QUERIES_FOLDER.iterdir()}
    assert {load_product(name).name for name in folders} == folders


@pytest.mark.parametrize("product", product_names())
def test_every_relational_table_has_its_query(product: str) -> None:
    assert set(query_tables(product)) == set(RELATIONAL_TABLES)
    names = [reading.schema.name for reading in load_product(product).readings]
    assert len(set(names)) == len(names), "each table is read in one way"


@pytest.mark.parametrize(("product", "table"), QUERIES)
def test_a_checkout_with_windows_ends_of_lines_has_the_same_hash(
    product: str, table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = load_query(product, table)
    text = (QUERIES_FOLDER / product / f"{table}.sql").read_bytes()
    assert b"\r" not in text
    (tmp_path / product).mkdir()
    (tmp_path / product / f"{table}.sql").write_bytes(text.replace(b"\n", b"\r\n"))
    monkeypatch.setattr(queries, "QUERIES", tmp_path)
    assert load_query(product, table) == here and load_query(product, table).sha256 == here.sha256


@pytest.mark.parametrize("product", product_names())
def test_every_query_runs_and_finds_something_in_the_made_up_clinic(product: str, tmp_path: Path) -> None:
    made_up_clinic(product, tmp_path).close()
    config = config_in(tmp_path, f"sqlite:///{product}.db", product=product)
    assert check_queries(config) == []
    with open_database(config) as database:
        for table in query_tables(product):
            rows = list(database.fetch(table, query_values(config, NOW)))
            assert bool(rows) != asks_for_nothing(product, table), table


@pytest.mark.parametrize(("product", "table"), QUERIES + ABOUT_CHANGES)
def test_a_header_names_only_files_that_there_are(product: str, table: str) -> None:
    for name in re.findall(r"[\w/]+\.py", load_query(product, table).text):
        assert (Path(rv.__path__[0]) / name).is_file(), name


@pytest.mark.parametrize(("product", "table"), QUERIES + ABOUT_CHANGES)
def test_a_query_asks_only_for_parameters_that_the_job_gives(product: str, table: str, config: Config) -> None:
    assert set(load_query(product, table).parameters) <= set(query_values(config, NOW))


@pytest.mark.parametrize(("product", "table"), QUERIES)
@pytest.mark.parametrize("dialect", ["tsql", "sqlite"])
def test_a_query_is_one_select_in_both_dialects_and_returns_the_columns_it_declares(
    product: str, table: str, dialect: str
) -> None:
    query = load_query(product, table)
    statements = sqlglot.parse(query.text, read=dialect)
    assert len(statements) == 1
    assert isinstance(statements[0], expressions.Select)
    named = statements[0].named_selects
    assert len(named) == len(set(named)), "each column is named once"
    assert sorted(named) == sorted(query.columns)


@pytest.mark.parametrize(("product", "table"), QUERIES + ABOUT_CHANGES)
def test_a_query_names_only_columns_that_its_product_has(product: str, table: str) -> None:
    statement = sqlglot.parse_one(load_query(product, table).text, read="tsql")
    for select in statement.find_all(expressions.Select):
        sources = [select.args.get("from_") or select.args["from"], *(select.args.get("joins") or [])]
        named = {
            source.this.alias: source.this.name for source in sources if isinstance(source.this, expressions.Table)
        }
        for column in select.find_all(expressions.Column):
            assert column.table, f"{column.sql()} does not say whose column it is"
            if column.table in named:
                assert column.name in schema_of(product)[named[column.table]], column.sql()


@pytest.mark.parametrize(("product", "table"), QUERIES + ABOUT_CHANGES)
def test_a_query_uses_no_word_of_one_dialect_only(product: str, table: str) -> None:
    code = re.sub(r"--[^\n]*", "", load_query(product, table).text)
    assert not re.search(r"\b(TOP|NOLOCK|DATEADD|DATEDIFF|GETDATE|CONVERT|ISNULL|IFNULL|LIMIT|DATE)\b|\|\||\+|\"", code)


@pytest.mark.parametrize(("product", "table"), QUERIES + ABOUT_CHANGES)
def test_a_header_tells_purpose_sources_and_traps(product: str, table: str) -> None:
    text = load_query(product, table).text
    assert text.startswith(f"-- {table.removeprefix('changes/')}: ")
    for word in ("-- parameters:", "-- columns:", "-- sources:", "-- traps:"):
        assert word in text
    said = re.search(r"-- sources: (.*?)\n-- traps:", text, re.DOTALL)
    assert said is not None
    sources = set(re.findall(r"\w+", said.group(1)))
    used = set(re.findall(r"(?:FROM|JOIN) \[?([A-Za-z]\w+)", text))
    assert used <= sources, "every table that it reads stands in its header"


@pytest.mark.parametrize(
    "code",
    [
        "DELETE FROM Patient",
        "SELECT 1 AS a; DELETE FROM Patient",
        "SELECT 1 AS a INTO Copy FROM Patient",
        "WITH x AS (SELECT 1 AS a) UPDATE Patient SET a = 1",
        "EXEC sp_who",
        "/* odd */ SELECT 1 AS a",
        "SELECT 1 AS a FROM Patient p WHERE p.PatientSer = ?",
    ],
)
def test_a_text_that_is_not_one_select_with_its_header_is_refused(code: str) -> None:
    with pytest.raises(QueryError):
        parse_query("aria", "odd", HEADER + code)


@pytest.mark.parametrize("table", ["nothing", "../aria/patients", "SELECT 1", ""])
def test_only_files_of_the_products_folder_can_be_loaded(table: str) -> None:
    with pytest.raises(QueryError):
        load_query("aria", table)
