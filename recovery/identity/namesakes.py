"""Other patients who could be taken for this one: the same or a similar name, or the same birth date.

Names are compared without case, accents and apostrophes; two are similar when the family names are the same and one
given name begins the other, when family and given name are swapped, or when few letters differ.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, reduce
from operator import or_
from typing import Any

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_DROPPED = str.maketrans("", "", "'’ʼ`´")

SIMILAR = 0.86
"""Share of letters in common, in order, from which two whole names are similar: one letter of seven may differ."""
LONGEST = 192
"""Letters of a name that are compared: three groups of 64 (PS3.5 6.2). Of 5,000 letters a pair took 0.1 s."""


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
    ours = _folded(name) if name else None
    matcher = difflib.SequenceMatcher(None, "", ours.text if ours else "", autojunk=False)
    found = []
    for other_id, row in others.items():
        other = row["patient_name"]
        is_of_the_day = birth_date is not None and row["patient_birth_date"] == birth_date
        why = _why(ours, _folded(other), matcher) if ours is not None and other else None
        if why or is_of_the_day:
            said = ", ".join(filter(None, (why, "same birth date" if is_of_the_day else None)))
            found.append(Namesake(other_id, other, row["patient_birth_date"], said))
    return tuple(sorted(found, key=lambda n: (_likelihood(n.why), n.patient_name or "", n.patient_id)))


def same_names(people: Iterable[tuple[str, str]]) -> list[list[str]]:
    """For each ID and name the other IDs under which the same name is known; none where there is no name."""
    folded = [(patient_id, fold(name)) for patient_id, name in people]
    known: dict[str, set[str]] = {}
    for patient_id, name in folded:
        known.setdefault(name, set()).add(patient_id)
    return [sorted(known[name] - {patient_id}) if name else [] for patient_id, name in folded]


def _likelihood(why: str) -> tuple[int, int]:
    """Small for who is easily taken for another."""
    return ("similar name" in why) + 2 * ("name" not in why), -len(why)


@dataclass(frozen=True, slots=True)
class _Name:
    """A name as it is compared. `letters`: a bit for each letter that it has, some letters sharing one."""

    text: str
    family: str
    given: str
    letters: int


@lru_cache(maxsize=10_000)
def _folded(name: str) -> _Name:
    text = fold(name[:LONGEST])
    family, _, given = (part.strip() for part in text.partition(","))
    return _Name(text, family, given, reduce(or_, (1 << ord(letter) % 128 for letter in text), 0))


def _why(ours: _Name, theirs: _Name, matcher: difflib.SequenceMatcher[str]) -> str | None:
    if ours.text == theirs.text:
        return "same name"
    is_swapped = ours.family == theirs.given and ours.given == theirs.family
    given, other_given = ours.given, theirs.given
    begins = bool(given and other_given) and (given.startswith(other_given) or other_given.startswith(given))
    if is_swapped or (ours.family == theirs.family and begins):
        return "similar name"
    return "similar name" if _is_near(ours, theirs, matcher) else None


def _is_near(ours: _Name, theirs: _Name, matcher: difflib.SequenceMatcher[str]) -> bool:
    """Whether most letters are common to both, in order.

    500 patients are a quarter of a million pairs: letters that only one of them has rule out nearly all at once.
    """
    ours_alone, theirs_alone = ours.letters & ~theirs.letters, theirs.letters & ~ours.letters
    most = min(len(ours.text) - ours_alone.bit_count(), len(theirs.text) - theirs_alone.bit_count())
    if 2 * most < SIMILAR * (len(ours.text) + len(theirs.text)):
        return False
    matcher.set_seq1(theirs.text)
    return matcher.quick_ratio() >= SIMILAR and matcher.ratio() >= SIMILAR
