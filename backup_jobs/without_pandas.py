"""Jobs need no pandas, and pyarrow imports it (0.2 s) only to see whether a list is a DataFrame: let it find none."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        if fullname == "pandas":
            raise ModuleNotFoundError("jobs run without pandas", name=fullname)


def run_without_pandas() -> None:
    """For a job's process, before the first table is written."""
    sys.meta_path.insert(0, _NoPandas())
