"""What is said of a row of on_treatment: each warning, and the next fraction, worded once. Pure, no I/O.

A `Notice` is a weight, a word in capitals and a sentence: ■ forbids treatment before somebody has looked, ▲ asks to be
read. Rows come as mappings by column, None for absent. Who draws a notice chooses its colour and size, never its words.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from recovery.words import next_unknown as unknown_next
from recovery.words.sentences import joined
from recovery.words.statuses import is_over, why_over
from recovery.words.times import at_time_this_year
from recovery.words.values import ABSENT, absent

Row = Mapping[str, Any]

STOP_MARK, LOOK_MARK = "■", "▲"

_HELD: Mapping[str, str] = {
    "plan_held": "the plan",
    "structure_set_held": "the structure set",
    "images_held": "the images",
    "records_held": "all records",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """`■ INTERRUPTED: finish fraction 5 first`: a weight, a word in capitals, a sentence without its full stop."""

    word: str
    said: str
    is_stop: bool

    @property
    def mark(self) -> str:
        return STOP_MARK if self.is_stop else LOOK_MARK

    @property
    def unmarked(self) -> str:
        """`INTERRUPTED: finish fraction 5 first`, for who draws the weight by other means."""
        return f"{self.word}: {self.said}"

    def __str__(self) -> str:
        return f"{self.mark} {self.unmarked}"


def of_row(row: Row) -> Iterator[Notice]:
    """The notices of one row, those that forbid treatment first; of a plan that is over, what still can be wrong."""
    yield from conflict(row)
    if is_unfinished(row):
        yield from next_unknown(row)
        yield from interrupted(row)
        yield from not_recorded(row)
        yield from not_ready(row)
    else:
        yield from not_recorded(row)
    yield from disagreement(row)
    if is_unfinished(row):
        yield from decided(row)
        yield from unknown(row)
    yield from remark(row)


def is_unfinished(row: Row) -> bool:
    """Whether the plan may still be treated."""
    return not is_over(row["status"])


def ended(row: Row, word: str | None = None) -> Iterator[Notice]:
    """`■ COMPLETED: nothing of this plan remains to be given`. `word`: what the R&V database calls a closed plan.
    Of one that was transferred: to whom, and who signed so."""
    status = row["status"]
    if (over := why_over(status)) is not None:
        why = f" ({word})" if status == "closed" and word else ""
        whom = f"{said}; " if (said := row.get("transferred")) else ""
        yield Notice(f"{status.upper()}{why}", f"{whom}{over}", is_stop=True)


def interrupted(row: Row, beams: Iterable[tuple[str, str]] = ()) -> Iterator[Notice]:
    """`■ INTERRUPTED: finish fraction 5 first, 50.0 MU left (Field 1 12.0, Field 2 38.0)`

    `beams`: of each beam that lacks something its name and what it lacks, where that is known.
    """
    number = row["interrupted_fraction"]
    if number is None:
        return
    left = row["interrupted_remaining_in_words"] or f"{ABSENT} left"
    listed = ", ".join(f"{name} {lacks}" for name, lacks in beams)
    each = f" ({listed})" if listed else ""
    proven = "" if row["records_held"] is not False else "; records are missing, so that it may have been done"
    if not proven and unknown_next.unsettled(row):
        proven = " by what could be counted: it may have been done"
    yield Notice("INTERRUPTED", f"finish fraction {number} first, {left}{each}{proven}", is_stop=True)


def next_unknown(row: Row) -> Iterator[Notice]:
    """`■ NEXT FRACTION: …: settle it before treating`: why its number does not tell it."""
    for said in unknown_next.unsettled(row):
        yield Notice("NEXT FRACTION", f"{said}: settle it before treating", is_stop=True)


def decided(row: Row) -> Iterator[Notice]:
    """`▲ DECIDED: by … on Sun 29 Nov 2026 17:02: …; in doubt by the records: …`"""
    if said := row.get("next_decided"):
        told = [said.rstrip("."), *(f"in doubt by the records: {why}" for why in unknown_next.reasons(row["remarks"]))]
        yield Notice("DECIDED", "; ".join(told), is_stop=False)


def unknown(row: Row) -> Iterator[Notice]:
    """`▲ UNKNOWN since Tue 24 Nov 09:05: may have been treated since, ask the machine`"""
    since = row["unknown_since"]
    if since is not None:
        yield Notice(
            f"UNKNOWN since {at_time_this_year(since)}", "may have been treated since, ask the machine", is_stop=False
        )


def conflict(row: Row) -> Iterator[Notice]:
    """`■ CONFLICT: charted twice: …`: what people must settle before anybody knows the next fraction."""
    if said := row.get("charted_conflict"):
        yield Notice("CONFLICT", f"{said.rstrip('.')}: settle it on the page Chart fractions", is_stop=True)


def charted(row: Row) -> Iterator[Notice]:
    """`▲ CHARTED: fraction 13 by hand, the newest … by … and …`, for pages and charts of one patient: weeks into a
    downtime it is true of everybody, and a list says `charted` beside the count."""
    if said := row.get("charted"):
        yield Notice("CHARTED", said, is_stop=False)


def not_recorded(row: Row) -> Iterator[Notice]:
    """`■ NOT RECORDED: fraction 8 began …`, of what the R&V database saw begin and whose end nobody recorded."""
    if row["in_flight"]:
        yield Notice("NOT RECORDED", row["in_flight"], is_stop=True)


def not_ready(row: Row) -> Iterator[Notice]:
    """`■ NOT READY: missing 1 of 28 images`; what is not known to be held where the table has no words for it."""
    if row["ready"] is True:
        return
    lacking = ", ".join(what for column, what in _HELD.items() if not row[column])
    why = f"missing {row['missing']}" if row["missing"] else f"not known to be held: {lacking or 'anything'}"
    yield Notice("NOT READY", why, is_stop=True)


def disagreement(row: Row) -> Iterator[Notice]:
    """`■ DISAGREEMENT: ` and what both sources tell."""
    if row["disagreement"]:
        yield differing(row["disagreement"])


def differing(said: str) -> Notice:
    """Two sources that tell different things, in words."""
    return Notice("DISAGREEMENT", said.rstrip("."), is_stop=True)


def not_approved(status: str) -> Notice:
    """A plan that nobody approved for treatment. `status`: in the words of its source."""
    return Notice("NOT APPROVED", f"the plan is {status}", is_stop=True)


def remark(row: Row) -> Iterator[Notice]:
    if said := unknown_next.without_reasons(row["remarks"]):
        yield Notice("REMARK", said, is_stop=False)


def alert(said: str) -> Notice:
    """What the R&V system warns of: a pacemaker, an allergy."""
    return Notice("ALERT", said, is_stop=False)


def namesake(*whom: str) -> Notice:
    """Somebody who could be taken for this patient: `▲ NAMESAKE: ID 100892`"""
    return Notice("NAMESAKE", ", ".join(whom), is_stop=False)


class Next(StrEnum):
    """What the words of the next fraction tell: a number that is due, that there is none, or that nobody can tell."""

    DUE = "due"
    NONE = "none"
    UNKNOWN = "unknown"


def next_fraction(row: Row) -> tuple[str, Next]:
    """`13 next of 25 (12 given)`; `finish 5 of 20 first (4 given)`; why there is none, or why nobody can tell.

    Numbers are the course's, of all plans that make one. A number that is not the count of whole fractions and one
    (after a replan, or where a number was skipped) says what it counts as: `15 next, as 8th of 20 (7 given)`. What may
    have been given begins with `unknown`: a cell that is cut must not read as a plain number.
    """
    given, planned = row["course_fractions_delivered"], row["course_number_of_fractions_planned"]
    of = ABSENT if planned is None else planned
    if row["status"] == "completed" or row["fractions_remaining"] == 0:
        return f"none ({absent(given)} of {of} given)", Next.NONE
    if is_over(row["status"]):
        to, _, _ = (row.get("transferred") or "").rpartition(", signed by ")
        return " ".join(filter(None, (f"none: {row['status']}", to))), Next.NONE
    begun, number = row["interrupted_fraction"], row["next_fraction_number"]
    if row.get("charted_conflict"):
        return f"unknown: what was charted is in conflict ({absent(given)} of {of} given)", Next.UNKNOWN
    if row["records_held"] is False:
        open_one = f"{begun} begun, " if begun is not None else ""
        return f"{ABSENT} ({open_one}{absent(given)} of {of} proven, records are missing)", Next.NONE
    if reasons := unknown_next.unsettled(row):
        return f"unknown: {joined(reasons)} ({absent(given)} of {of} given)", Next.UNKNOWN
    decided = f", decided {said.partition(': ')[0]}" if (said := row.get("next_decided")) else ""
    if decided and number is None:
        return f"none{decided} ({absent(given)} of {of} given by the records)", Next.NONE
    if given is None or number is None:
        return ABSENT, Next.NONE
    group = unknown_next.group(row["remarks"])
    is_by_name = bool(decided) and not group and number != given + 1
    is_as_counted = number == given + 1 or is_by_name
    in_group = f"fraction group {group}: " if group else ""
    counts_as = f" of {of}" if is_as_counted else f", as {ordinal(given + 1)} of {of}"
    if begun is None:
        said = f"{number} next{counts_as}"
    else:
        said = f"finish {number}{counts_as} first" if is_as_counted else f"finish {number} first{counts_as}"
    since = row["unknown_since"]
    by_hand = ", charted" if row.get("charted") else ""
    by_records = " by the records" if is_by_name else ""
    told = f"{in_group}{said}{decided} ({given} given{by_records}{by_hand})"
    if since is None:
        return told, Next.DUE
    return f"unknown: {told}, unless treated since {at_time_this_year(since)}", Next.UNKNOWN


def ordinal(number: int) -> str:
    """`1st`, `12th`, `23rd`."""
    last = number % 10 if number % 100 not in {11, 12, 13} else 0
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"
