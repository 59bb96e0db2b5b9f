"""Saved views: filters, order and columns under a name, for everybody who uses this dashboard.

Every machine and every physician of the table is a view by itself. Others are kept in a small JSON file beside the
cache, replaced whole, with its hash; one of an earlier version bears none. What was typed into the search is never
kept: it may be a patient's name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from recovery.host.durable import locked
from recovery.host.entry_lines import entries_folder
from recovery.host.seals import checked_json, write_json
from recovery.lists import filters
from recovery.words.printable import printable
from recovery.words.values import ABSENT

LONGEST_NAME = 40
MOST = 50

Choices = Mapping[str, Any]


class ViewsError(OSError):
    """Views cannot be read or kept. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A name, and by widget's key what is chosen."""

    name: str
    choices: Choices


def views_file(cache_path: Path) -> Path:
    """Where views are kept: `data/cache` → `data/cache-entries/views.json`."""
    return entries_folder(cache_path) / "views.json"


def standing_views(table: pd.DataFrame) -> list[SavedView]:
    """A view per machine and per physician of plans in treatment."""
    treated = table[filters.is_unfinished(table)]
    kinds = (
        ("Machine", "machine", "treatment_machine_name"),
        ("Physician", "physician", "physicians_of_record"),
    )
    return [
        SavedView(f"{kind} {value}", {key: [value]})
        for kind, key, column in kinds
        for value in filters.choices(treated, column)
        if value != ABSENT
    ]


def read_views(file: Path) -> list[SavedView]:
    """Read the saved views, by name; none where none was saved.

    Raises `ViewsError` if the file is there and cannot be read.
    """
    try:
        said = checked_json(file.read_bytes())
        views = said["views"] if said.keys() == {"views"} else said
        return sorted((SavedView(str(name), dict(choices)) for name, choices in views.items()), key=lambda v: v.name)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ViewsError(f"Saved views cannot be read ({type(error).__name__}). Move {file} aside.") from error


def keep_view(file: Path, view: SavedView) -> None:
    """Save a view; one of the same name is replaced.

    Raises `ViewsError` if it has no name, there are too many, or the file cannot be read or written.
    """
    name = printable(view.name).strip()[:LONGEST_NAME]
    if not name:
        raise ViewsError("Give the view a name.")

    def added(known: dict[str, Choices]) -> dict[str, Choices]:
        if name not in known and len(known) >= MOST:
            raise ViewsError(f"There are {MOST} saved views. Remove one first.")
        return known | {name: dict(view.choices)}

    _change(file, added)


def remove_view(file: Path, name: str) -> None:
    """Forget a saved view; one that is not there is gone already.

    Raises `ViewsError` if the file cannot be read or written.
    """
    _change(file, lambda known: {kept: choices for kept, choices in known.items() if kept != name})


def _change(file: Path, change: Callable[[dict[str, Choices]], dict[str, Choices]]) -> None:
    """Write what becomes of the saved views; one at a time, or two who save at once would lose one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(file.with_name(f"{file.name}.lock")):
            views = change({saved.name: dict(saved.choices) for saved in read_views(file)})
            write_json(file, {"views": dict(sorted(views.items()))}, private=True)
    except ViewsError:
        raise
    except OSError as error:
        raise ViewsError(f"The view was not saved: {file} cannot be written ({error.strerror}).") from error
