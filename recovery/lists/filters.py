"""What of the table on_treatment is shown, and how many rows are hidden and why.

Each filter is a function of a row alone, so that they commute and doing one twice changes nothing. A hidden row is
counted once, under the first filter that hides it. An empty choice means all: it must not hide everybody.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import pandas as pd

from recovery.identity.namesakes import fold
from recovery.words.statuses import NOW_TREATED, OVER, in_words
from recovery.words.values import ABSENT

NOT_READY = "not ready"
INTERRUPTED = "interrupted"
DISAGREEMENT = "disagreement"
UNKNOWN = "unknown"
PROBLEMS = (INTERRUPTED, NOT_READY, DISAGREEMENT, UNKNOWN)
"""Every row marked ■ has one of them. `UNKNOWN`: what may have been given since the newest proof, or begun before."""

TREATED_WITHIN: Mapping[str, int | None] = {"any day": None, "today": 1, "last 3 days": 3, "last 7 days": 7}
"""Days, today included."""


@dataclass(frozen=True, slots=True)
class View:
    """What somebody asked to see. Empty means all."""

    search: str = ""
    machines: tuple[str, ...] = ()
    physicians: tuple[str, ...] = ()
    statuses: tuple[str, ...] = NOW_TREATED
    treated: str = "any day"
    problems: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """The view as a sentence, for a printed page; the searched text included."""
        said = [f"status {' or '.join(map(in_words, self.statuses))}"] if self.statuses else []
        said += [f"machine {' or '.join(self.machines)}"] if self.machines else []
        said += [f"physician {' or '.join(self.physicians)}"] if self.physicians else []
        said += [f"last treated {self.treated}"] if self.treated != "any day" else []
        said += [f"only {' or '.join(self.problems)}"] if self.problems else []
        said += [f"name or ID contains “{self.search.strip()}”"] if words_of(self.search) else []
        return "; ".join(said) or "none: every row is here"


def words_of(search: str) -> list[str]:
    """The words of a search, folded; commas and semicolons part them as spaces do."""
    return fold(search).replace(",", " ").replace(";", " ").split()


_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


def written_out(text: str) -> str:
    """Umlauts as people write them who lack the key: `GRÜNSPAN` becomes `gruenspan`."""
    return unicodedata.normalize("NFC", text).casefold().translate(_WRITTEN_OUT)


def matching_search(frame: pd.DataFrame, search: str) -> pd.Series[bool]:
    """Rows whose name and IDs together contain each word of `search`, with umlauts as they are or written out."""
    columns = (frame[name].fillna("") for name in ("patient_name", "patient_id", "other_patient_ids"))
    texts = [" ".join(said) for said in zip(*columns, strict=True)]
    spelt = map(_spelt, texts)
    wanted = list(zip(words_of(search), words_of(written_out(search)), strict=True))
    return _mask(frame, [all(a in plain or b in out for a, b in wanted) for plain, out in spelt])


@lru_cache(maxsize=10_000)
def _spelt(text: str) -> tuple[str, str]:
    """A text to be searched, with umlauts as they are and written out: the same with every letter that is typed."""
    return fold(text), fold(written_out(text))


def matching_choice(frame: pd.DataFrame, column: str, chosen: tuple[str, ...]) -> pd.Series[bool]:
    """Rows whose `column` is one of `chosen`, where the dash stands for absent; all rows when none is chosen."""
    if not chosen:
        return _mask(frame, [True] * len(frame))
    return _mask(frame, [value in chosen for value in or_dash(frame[column])])


def matching_treated(frame: pd.DataFrame, treated: str, today: date) -> pd.Series[bool]:
    """Rows last treated within the days that `treated` names, today included."""
    days = TREATED_WITHIN.get(treated)
    if days is None:
        return _mask(frame, [True] * len(frame))
    first = pd.Timestamp(today - timedelta(days=days - 1))
    return (frame["last_treatment_at"] >= first).astype(bool)


def matching_problems(frame: pd.DataFrame, problems: tuple[str, ...]) -> pd.Series[bool]:
    """Rows with any of `problems`; all rows when none is named."""
    if not problems:
        return _mask(frame, [True] * len(frame))
    has = _mask(frame, [False] * len(frame))
    if INTERRUPTED in problems:
        has |= is_interrupted(frame)
    if NOT_READY in problems:
        has |= is_not_ready(frame)
    if DISAGREEMENT in problems:
        has |= has_text(frame["disagreement"])
    if UNKNOWN in problems:
        has |= frame["unknown_since"].notna() | has_text(frame["in_flight"])
    return has


def has_text(column: pd.Series) -> pd.Series[bool]:
    """Rows of a text column that say something."""
    return (column.fillna("") != "").astype(bool)


def is_unfinished(frame: pd.DataFrame) -> pd.Series[bool]:
    """Rows of plans that may still be treated: here an interruption or a missing object matters."""
    return ~frame["status"].isin(OVER).astype(bool)


def is_interrupted(frame: pd.DataFrame) -> pd.Series[bool]:
    """Rows with a fraction begun and not complete, of a plan that may still be treated."""
    return frame["interrupted_fraction"].notna() & is_unfinished(frame)


def is_not_ready(frame: pd.DataFrame) -> pd.Series[bool]:
    """Rows that cannot be treated from the backup. Where nobody asked, nobody may assume: not ready."""
    return ~frame["ready"].fillna(False).astype(bool) & is_unfinished(frame)


def or_dash(column: pd.Series) -> list[str]:
    """The values of a text column, the dash where there is none."""
    return [str(value) if value else ABSENT for value in column.fillna("")]


def choices(frame: pd.DataFrame, column: str) -> list[str]:
    """What a column holds, sorted; the dash last."""
    return sorted(set(or_dash(frame[column])), key=lambda value: (value == ABSENT, fold(value)))


def masks(frame: pd.DataFrame, view: View, today: date) -> dict[str, pd.Series[bool]]:
    """Each filter's rows, in the order in which reasons are told."""
    return {
        "status": matching_choice(frame, "status", view.statuses),
        "machine": matching_choice(frame, "treatment_machine_name", view.machines),
        "physician": matching_choice(frame, "physicians_of_record", view.physicians),
        "treated": matching_treated(frame, view.treated, today),
        "problems": matching_problems(frame, view.problems),
        "search": matching_search(frame, view.search),
    }


def select(frame: pd.DataFrame, view: View, today: date) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that `view` asks for, in their order; and how many rows each reason hides, in words.

    Such as `{"completed": 9, "on break": 3}`. A row is shown, or counted under one reason.
    """
    reasons = {
        "machine": "on other machines",
        "physician": "of other physicians",
        "treated": f"not treated {'today' if view.treated == 'today' else 'in the ' + view.treated}",
        "problems": "without that problem" if len(view.problems) == 1 else "without these problems",
        "search": "not matching the search",
    }
    left = _mask(frame, [True] * len(frame))
    counts: dict[str, int] = {}
    for name, mask in masks(frame, view, today).items():
        gone = frame[left & ~mask]
        if name == "status":
            for status, number in gone["status"].fillna("without a status").value_counts().items():
                counts[in_words(str(status))] = int(number)
        elif len(gone):
            counts[reasons[name]] = len(gone)
        left &= mask
    return frame[left], counts


def _mask(frame: pd.DataFrame, values: list[bool]) -> pd.Series[bool]:
    return pd.Series(values, index=frame.index, dtype=bool)
