"""One door per R&V product: how its database is read, and what it gives by DICOM.

`backup_jobs/rv/<name>/` offers a `PRODUCT`, `queries/<name>/` has a file for each table. Nobody asks which product it
is: what differs is a field here. `docs/add_a_product.md` adds one.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

from backup_jobs.rv.database_errors import DatabaseError
from backup_jobs.rv.queries import Query, QueryError, load_query, query_tables
from backup_jobs.rv.table_readings import TableReading
from recovery.settings.config import Config
from recovery.settings.products import product_names
from recovery.tables.relational import RELATIONAL_TABLES


@dataclass(frozen=True, slots=True)
class Product:
    """`name` as the config and both folders spell it, `title` as sentences do.

    `readings` of the tables that are more than the columns of their query. `serves_treatment_records`: whether its
    DICOM service gives RT treatment records; where it does not, they are made of the deliveries of its database.
    """

    name: str
    title: str
    readings: Sequence[TableReading]
    serves_treatment_records: bool

    def tables(self) -> list[TableReading]:
        """How each table that has a query is read, those first that the main job needs most."""
        readings = {reading.schema.name: reading for reading in self.readings}
        asked = query_tables(self.name)
        return [readings.get(t, TableReading(schema)) for t, schema in RELATIONAL_TABLES.items() if t in asked]

    def query(self, reading: TableReading) -> Query:
        """The query of a table.

        Raises `QueryError` if it cannot be loaded, or lacks a column that the reading needs.
        """
        query = load_query(self.name, reading.schema.name)
        needed = (*reading.one_row_per, *(name for name in reading.schema.columns if name not in reading.readers))
        if missing := [name for name in dict.fromkeys(needed) if name not in query.columns]:
            raise QueryError(f"query {query.table}: declares no column {', '.join(missing)}, which its table needs")
        return query


def load_product(name: str) -> Product:
    """The product of this name. Raises `DatabaseError` if there is none."""
    if name not in product_names():
        raise DatabaseError(f"there are no queries for {name} in this version")
    product: Product = importlib.import_module(f"backup_jobs.rv.{name}").PRODUCT
    return product


def product_of(config: Config) -> Product:
    """The product of `[rv]`. Raises `ValueError` if the config is one in which the R&V system does not exist."""
    if config.rv is None:
        raise ValueError("this config has no R&V system")
    return load_product(config.rv.product)
