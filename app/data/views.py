"""Saved views: filters, order and columns under a name, for everybody who uses this dashboard.

Goal
    The therapist of TB1 and the oncologist each open the list as they need it, with one press.

How
    Every machine and every physician of the table is a view by itself. Others are kept in a small JSON file beside
    the cache, replaced whole, with its hash; one of an earlier version bears none. What was typed into the
    search is never kept: it may be a patient's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from app.lists import filters
from app.wording.words import ABSENT, printable
from recovery.host.durable import replace_file
from recovery.host.seals import JSON_KEY, sealed_json, unsealed_json
from recovery.words.printable import from_json

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
    return cache_path.with_name(f"{cache_path.name}-entries") / "views.json"


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

    Raises
    ------
    ViewsError
        If the file is there and cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
        said = unsealed_json(text)["views"] if f'"{JSON_KEY}": "' in text else from_json(text)
        return sorted((SavedView(str(name), dict(choices)) for name, choices in said.items()), key=lambda v: v.name)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ViewsError(f"Saved views cannot be read ({type(error).__name__}). Move {file} aside.") from error


def keep_view(file: Path, view: SavedView) -> None:
    """Save a view; one of the same name is replaced.

    Raises
    ------
    ViewsError
        If it has no name, there are too many, or the file cannot be read or written.
    """
    name = printable(view.name).strip()[:LONGEST_NAME]
    known = {saved.name: dict(saved.choices) for saved in read_views(file)}
    if not name:
        raise ViewsError("Give the view a name.")
    if name not in known and len(known) >= MOST:
        raise ViewsError(f"There are {MOST} saved views. Remove one first.")
    _write(file, known | {name: dict(view.choices)})


def remove_view(file: Path, name: str) -> None:
    """Forget a saved view; one that is not there is gone already.

    Raises
    ------
    ViewsError
        If the file cannot be read or written.
    """
    _write(file, {saved.name: dict(saved.choices) for saved in read_views(file) if saved.name != name})


def _write(file: Path, views: Mapping[str, Choices]) -> None:
    text = sealed_json({"views": dict(sorted(views.items()))}, indent=1)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(file, lambda beside: beside.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise ViewsError(f"The view was not saved: {file} cannot be written ({error.strerror}).") from error
