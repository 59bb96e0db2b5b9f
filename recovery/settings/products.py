"""Which R&V products there are: each has a folder of queries, and one of `backup_jobs/rv` says the rest."""

from pathlib import Path

QUERIES = Path(__file__).resolve().parents[2] / "queries"


def product_names() -> list[str]:
    """The names of the folders in which there is a query."""
    return sorted({path.parent.name for path in QUERIES.glob("*/*.sql")})


def known_product(name: str) -> str:
    """The name itself. Raises `ValueError` if there is no such product."""
    if name not in product_names():
        raise ValueError(f"must be {' or '.join(product_names())}")
    return name
