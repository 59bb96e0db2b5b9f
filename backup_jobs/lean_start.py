"""Start a job without libraries that others import only to see whether they are there: a third of its start.

pyarrow looks whether a list is a pandas DataFrame, pydicom whether pixels could be numpy arrays and test files
could be fetched by requests with tqdm's progress bar. A job needs none of them, and all of them together take longer
to import than asking the RT-PACS for a thousand records.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

UNUSED = frozenset({"numpy", "pandas", "requests", "tqdm"})


class _NotHere(MetaPathFinder):
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        if fullname in UNUSED:
            raise ModuleNotFoundError(f"jobs run without {fullname}", name=fullname)


def leave_out_unused() -> None:
    """For a job's own process, before anything of pydicom or pyarrow is imported."""
    sys.meta_path.insert(0, _NotHere())
