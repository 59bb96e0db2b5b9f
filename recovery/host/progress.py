"""A progress bar on a terminal for work that takes long, and none in cron."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONG = 100
"""Objects. Less than this is done before a bar could be read."""


@contextmanager
def progress(what: str, total: int, unit: str = "object") -> Iterator[Callable[[int], None]]:
    """Yield a function that is told how many more are done."""
    if total < LONG or not sys.stderr.isatty():
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit=unit, file=sys.stderr, dynamic_ncols=True) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        yield advance
