"""Ask to the end: an answer to a C-FIND is complete only when smaller questions add up to it.

Goal
    No match is lost on a node that ends every answer after N matches, whether it says so or not.

How
    An answer with as many matches as the largest that was heard is checked: the question is divided, and the pieces
    must add up. Answers with fewer are believed; one of just as many as N would look complete.
    Where pieces bring more, N is known, and whatever reaches N is asked for in pieces. What cannot be divided any
    further and still reaches N is named.

    A node may also end after looking at N objects, of which few match: an Orthanc does so for what it has no index of.
    A key by which pieces are cut at fewer matches than the whole was does not help there; another is taken.

Why
    DICOM has no status for "there is more" that everybody sends: archives cut at 100, 500 or 1,000 matches and say
    Success (pynetdicom #467). Others end with 0xFE00, 0xB000 or 0xA700: that too means "in pieces".
"""

import contextlib
import logging
import string
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.dimse.opening import open_link
from recovery.dimse.peer import DimseError, Link, NamelessError
from recovery.dimse.query.identifiers import CANCELLED, CUT_SHORT, REFUSED, UIDS_PER_QUERY, UNIQUE, in_words, query
from recovery.dimse.query.pieces import (
    ENDS,
    RANGED,
    SQL_WILDCARDS,
    Answer,
    Keys,
    Name,
    divisions,
    is_one_second,
    ranged_key,
)
from recovery.words.values import counted

log = logging.getLogger(__name__)

_ATTEMPTS = 3
"""A node whose limit changes more often while it is asked has not been asked to the end."""

_PIECES = 1000
_PIECES_PER_MATCH = 5
"""How many smaller questions one question may become: a node that matches by nothing that it is asked by gives no end
of pieces. Where no limit is known, a check may be `_PIECES_OF_CHECK` questions long."""
_PIECES_OF_CHECK = 60

_INCONCLUSIVE_CHECKS = 3
"""Checks of one kind of question that showed neither a limit nor its absence, after which answers to it that are no
larger are believed: a node may match by none of the keys by which it can be divided."""


def find_all(link: Link, level: str, keys: Mapping[str, str], returning: Sequence[str] = ()) -> Iterator[Dataset]:
    """Yield every match. A question that could not be asked to its end is named in the traits' `unfinished`.

    Raises `DimseError` if the node cannot be asked.
    """
    is_proven = yield from _Asking(link, level, returning).ask(dict(keys))
    if not is_proven:
        said = in_words(level, keys)
        log.warning("%s was not asked to the end for %s", link.peer.remote, said)
        link.peer.traits.unfinished.append(said)


class _LimitLearntError(Exception):
    """The node was just found to end its answers early: what was believed of it before is asked anew."""


class _Asking:
    """One question and all its pieces."""

    def __init__(self, link: Link, level: str, returning: Sequence[str]) -> None:
        self._link = link
        self._traits = link.peer.traits
        self._level = level
        self._returning = returning
        self._given: set[Name] = set()
        self._no_help: set[str] = set()  # keys whose smaller ranges make the node look at no fewer objects
        self._asked = 0
        self._has_succeeded = False
        self._is_checked = True
        self._was_cut = False

    def ask(self, keys: Keys) -> Generator[Dataset, None, bool]:
        """Yield every match; returns whether nothing can be lacking."""
        answer = Answer()
        yield from self.hear(keys, answer)
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(_LimitLearntError):
                is_proven = yield from self._settle(keys, answer, 0)
                if is_proven and not self._is_checked:
                    self._traits.note_inconclusive(self._kind(keys), answer.count)
                return is_proven
        return False

    def hear(self, keys: Keys, answer: Answer) -> Iterator[Dataset]:
        """Ask once; yields what no piece gave before."""
        self._asked += 1
        own, ranged = UNIQUE[self._level][-1], ranged_key(keys)
        returning = [*self._returning, *(keyword for keyword in RANGED if keyword in keys)]
        with self._open_link() as link:
            try:
                for match in link.find(query(self._level, keys, returning)):
                    answer.count += 1
                    self._traits.note_proven(self._level, answer.count - 1)
                    uid = el.text(match, own)
                    if uid is None:
                        continue
                    name = (uid, el.text(match, "PatientID"), el.text(match, "SeriesInstanceUID"))
                    answer.names.add(name)
                    if ranged is not None:
                        answer.values.append(el.text(match, ranged) or "")
                    if name not in self._given:
                        self._given.add(name)
                        yield match
                self._has_succeeded = True
            except DimseError as error:
                if not self._is_cut(error, link, answer.count):
                    raise
                answer.cut = error
                self._was_cut = True
            if answer.count and not answer.names and not self._given:
                text = f"answers C-FIND with {counted(answer.count, 'match', 'matches')} and no {own}"
                raise NamelessError(str(link.peer.error(text)), fault=link.peer.role)

    def _is_cut(self, error: DimseError, link: Link, count: int) -> bool:
        """Whether an error says that there is more. A node that never gave a match may refuse relational queries."""
        if not any(error.status in statuses for statuses in CUT_SHORT if error.status is not None):
            return False
        is_understood = count or self._given or error.status in CANCELLED
        return bool(is_understood or self._level != "IMAGE" or self._traits.relational or link.is_relational)

    def _settle(self, keys: Keys, answer: Answer, most: int) -> Generator[Dataset, None, bool]:
        """Ask what `answer` may lack; returns whether nothing can be lacking any more.

        `most`: one more than the number of matches that the node is known to give, because it just did.
        """
        is_trial = "\\" in keys.get("PatientID", "") and not self._traits.patient_lists
        if is_trial or self._is_complete(keys, answer, most) or self._is_counted(keys, answer):
            return True
        if answer.count == 1 and is_one_second(keys) and not self._is_limited:
            self._traits.note_proven(self._level, 1)  # nothing but this second has any: a limit of one would have shown
            return True
        first_heard, before = len(answer.names), set(answer.names)
        for pieces in self._divisions(keys, answer):
            if not self._may_go_on:
                break
            parts = yield from self._hear_all(pieces)
            if parts is None:
                continue
            if answer.cut is not None and any(part.cut and part.count < answer.count for _, part in parts):
                self._no_help |= {ranged_key(piece) or "" for piece, part in parts if part.cut}
                continue
            is_proven = True
            found: set[Name] = set()
            yield from self._compare(keys, answer, parts, first_heard)
            for piece, part in parts:
                is_proven &= yield from self._settle(piece, part, 0 if answer.cut else first_heard)
                found |= part.names
            yield from self._compare(keys, answer, parts, first_heard)
            if before <= found and (is_proven or answer.cut is None):  # another division would come to the same end
                if len(answer.names) == first_heard and all(part.count < answer.count for _, part in parts):
                    self._traits.note_proven(self._level, answer.count - 1)
                return is_proven or not self._is_limited
        if answer.cut is not None and not (self._given and self._has_succeeded):
            raise answer.cut
        self._is_checked = False
        return answer.cut is None and not self._is_limited  # else nothing speaks against it

    @property
    def _may_go_on(self) -> bool:
        if self._is_limited or self._was_cut:
            return self._asked < _PIECES + _PIECES_PER_MATCH * len(self._given)
        return self._asked < _PIECES_OF_CHECK

    @property
    def _is_limited(self) -> bool:
        return self._level in self._traits.limits

    def _is_complete(self, keys: Keys, answer: Answer, most: int) -> bool:
        """Whether the number of matches tells that there are no others."""
        if answer.cut is not None:
            if answer.count > self._traits.limits.get(self._level, 0):
                self._traits.limits[self._level] = answer.count
            return False
        asked = keys.get(UNIQUE[self._level][-1])
        if asked and set(asked.split("\\")) <= {uid for uid, _, _ in answer.names}:
            self._traits.note_proven(self._level, answer.count - 1)
            return True
        limit = self._traits.limits.get(self._level)
        if limit is not None and answer.count > limit:
            del self._traits.limits[self._level]
        elif limit is not None:
            return answer.count < limit
        checks, largest = self._traits.inconclusive.get(self._kind(keys), (0, 0))
        unchecked = largest if checks >= _INCONCLUSIVE_CHECKS else 0
        return answer.count <= max(self._traits.proven.get(self._level, 0), most - 1, unchecked)

    def _is_counted(self, keys: Keys, answer: Answer) -> bool:
        """Whether the node counts as many objects in a series as it gave (NumberOfSeriesRelatedInstances)."""
        of_series = {"PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"}
        if self._level != "IMAGE" or "SeriesInstanceUID" not in keys or not keys.keys() <= of_series:
            return False
        if any("\\" in value for value in keys.values()):
            return False
        counter, counted = _Asking(self._link, "SERIES", ("NumberOfSeriesRelatedInstances",)), Answer()
        with contextlib.suppress(DimseError):
            counts = [el.integer(ds, "NumberOfSeriesRelatedInstances") or 0 for ds in counter.hear(keys, counted)]
            if counts == [answer.count]:
                self._traits.note_proven(self._level, answer.count - 1)
                return True
            if len(counts) == 1 and counts[0] > answer.count and answer.cut is None:
                self._traits.limits[self._level] = answer.count
        return False

    def _divisions(self, keys: Keys, answer: Answer) -> Iterator[list[Keys]]:
        is_limited = self._is_limited or answer.cut is not None
        if is_limited:
            yield from self._below(keys)
        ends = string.digits if not is_limited else ENDS if self._traits.limits.get(self._level) != 1 else ""
        yield from divisions(self._level, keys, answer.values, ends, self._no_help)

    def _below(self, keys: Keys) -> Iterator[list[Keys]]:
        """One patient's objects study by study, one study's series by series, where those lists are complete."""
        is_listed = any("\\" in value or value.startswith("*") for value in keys.values())
        places = keys.keys() & {"PatientID", "StudyInstanceUID", "SeriesInstanceUID"}
        if self._level != "IMAGE" or not places or "SeriesInstanceUID" in places or is_listed:
            return
        level = "SERIES" if "StudyInstanceUID" in places else "STUDY"
        known = {*places, "Modality"} if level == "SERIES" else places
        found: list[Dataset] = []
        if _taken(_Asking(self._link, level, ()).ask({k: v for k, v in keys.items() if k in known}), found):
            own = UNIQUE[level][-1]
            uids = sorted(uid for match in found if (uid := el.text(match, own)))
            lists = (uids[start : start + UIDS_PER_QUERY] for start in range(0, len(uids), UIDS_PER_QUERY))
            yield [{**keys, own: "\\".join(some)} for some in lists]

    def _hear_all(self, pieces: Iterable[Keys]) -> Generator[Dataset, None, list[tuple[Keys, Answer]] | None]:
        """Ask all pieces once; None where the node refuses one, or does not match by the key that divides them."""
        parts: list[tuple[Keys, Answer]] = []
        heard: set[Name] = set()
        for piece in pieces:
            part = Answer()
            try:
                yield from self.hear(piece, part)
            except DimseError as error:
                if error.status not in REFUSED:
                    raise
                return None
            by_pattern = piece.get("PatientID", "").startswith("*")
            if not part.fits(piece["PatientID"]) if by_pattern else part.names & heard:
                return None
            if by_pattern and piece["PatientID"][1:2] in SQL_WILDCARDS and not part.count:
                part.cut = None  # to its database `*%` is anything at all: it looked at everybody, and nobody fits
            heard |= part.names
            parts.append((piece, part))
        return parts

    def _compare(
        self, keys: Keys, answer: Answer, parts: Iterable[tuple[Keys, Answer]], heard: int
    ) -> Iterator[Dataset]:
        """Take over what the pieces brought; where that is more than the whole, the node may have a limit."""
        answer.names |= {name for _, part in parts for name in part.names}
        if len(answer.names) > heard and answer.cut is None and not self._is_limited:
            yield from self._learn_limit(keys, heard)

    def _learn_limit(self, keys: Keys, heard: int) -> Iterator[Dataset]:
        """Pieces brought more than the whole: that is a limit, if the whole still brings no more when asked again.

        Raises `_LimitLearntError` if it is.
        """
        again = Answer()
        yield from self.hear(keys, again)
        if again.cut is None and len(again.names) != heard:
            return  # something came meanwhile
        log.warning("%s gives at most %d matches per answer (%s)", self._link.peer.remote, heard, self._level)
        self._traits.limits[self._level] = heard
        self._traits.proven[self._level] = min(self._traits.proven.get(self._level, 0), heard - 1)
        raise _LimitLearntError

    def _kind(self, keys: Keys) -> str:
        return " ".join((self._level, *sorted(keys)))

    @contextlib.contextmanager
    def _open_link(self) -> Iterator[Link]:
        """The caller's association, or another where the node ended it with its last answer."""
        if self._link.is_open:
            yield self._link
            return
        with open_link(self._link.peer) as link:
            yield link


def _taken(asked: Generator[Dataset, None, bool], into: list[Dataset]) -> bool:
    """Take all matches; returns what the generator returns."""
    while True:
        try:
            into.append(next(asked))
        except StopIteration as end:
            return bool(end.value)
