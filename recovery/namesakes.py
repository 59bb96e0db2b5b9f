"""Other patients who could be taken for this one: the same or a similar name, or the same birth date.

Goal
    While the R&V system is down nobody scans a wristband: whoever treats is warned that there are two.

How
    Names are compared without case, accents and apostrophes; two are similar when the family names are the same and
    one given name begins the other, when family and given name are swapped, or when few letters differ.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_DROPPED = str.maketrans("", "", "'’ʼ`´")

SIMILAR = 0.86
"""Share of letters in common, in order, from which two whole names are similar: one letter of seven may differ."""


@dataclass(frozen=True, slots=True)
class Namesake:
    """Another patient on the list. `why`: same name, similar name, same birth date, or two of them."""

    patient_id: str
    patient_name: str | None
    patient_birth_date: date | None
    why: str


@lru_cache(maxsize=10_000)
def fold(text: str) -> str:
    """A text without case, accents and apostrophes: `Ångström` and `ANGSTROM` are the same."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return kept.casefold().translate(_LETTERS).translate(_DROPPED)


def namesakes(
    patient_id: str, name: str | None, birth_date: date | None, rows: Iterable[Mapping[str, Any]]
) -> tuple[Namesake, ...]:
    """Patients of on_treatment who could be taken for this one, the likeliest first."""
    others = {r["patient_id"]: r for r in rows if r["patient_id"] not in {None, patient_id}}
    matcher = difflib.SequenceMatcher(None, "", fold(name or ""), autojunk=False)
    found = []
    for other_id, row in others.items():
        is_of_the_day = birth_date is not None and row["patient_birth_date"] == birth_date
        why = [_why(name, row["patient_name"], matcher), "same birth date" if is_of_the_day else None]
        if any(why):
            said = ", ".join(filter(None, why))
            found.append(Namesake(other_id, row["patient_name"], row["patient_birth_date"], said))
    return tuple(sorted(found, key=lambda n: (_likelihood(n.why), n.patient_name or "", n.patient_id)))


def _likelihood(why: str) -> tuple[int, int]:
    """Small for who is easily taken for another."""
    return ("similar name" in why) + 2 * ("name" not in why), -len(why)


def _why(name: str | None, other: str | None, matcher: difflib.SequenceMatcher[str]) -> str | None:
    if not name or not other:
        return None
    ours, theirs = fold(name), fold(other)
    if ours == theirs:
        return "same name"
    family, _, given = (part.strip() for part in ours.partition(","))
    other_family, _, other_given = (part.strip() for part in theirs.partition(","))
    is_swapped = family == other_given and given == other_family
    begins = bool(given and other_given) and (given.startswith(other_given) or other_given.startswith(given))
    if is_swapped or (family == other_family and begins):
        return "similar name"
    matcher.set_seq1(theirs)
    is_near = matcher.real_quick_ratio() >= SIMILAR and matcher.quick_ratio() >= SIMILAR and matcher.ratio() >= SIMILAR
    return "similar name" if is_near else None
