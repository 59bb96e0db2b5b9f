"""Where log lines and progress bars go; libraries are kept from saying names of patients."""

import contextlib
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recovery.words.printable import printable, printable_lines

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FILE_BYTES = 15_000_000


class OneLine(logging.Formatter):
    """A record is one line and steers no terminal, whatever a UID or an error's text holds."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's name
        return printable_lines(super().formatException(ei))


def set_up_logging(cache_path: Path, *, on_terminal: bool = True) -> None:
    """Log to `rbrdt.log` in the cache where that can be written, and to standard error where that is wanted.

    pydicom's warnings quote the values that they complain about, so they are not shown.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr) if on_terminal else logging.NullHandler()]
    with contextlib.suppress(OSError):
        cache_path.mkdir(parents=True, exist_ok=True)
        path = cache_path / "rbrdt.log"
        _put_aside(path)
        handlers.append(logging.FileHandler(path, encoding="utf-8"))
    for handler in handlers:
        handler.setFormatter(OneLine(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.raiseExceptions = False
    for library in ("pydicom", "pynetdicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    for library in ("fontTools", "fpdf"):  # each chart that is drawn would be twenty lines
        logging.getLogger(library).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")


def _put_aside(path: Path) -> None:
    """Begin a file anew that has grown long, and keep the one before; on Windows, once no other run writes to it."""
    with contextlib.suppress(OSError):
        if path.stat().st_size > FILE_BYTES:
            path.replace(path.with_name(f"{path.name}.old"))


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
