"""The side that is treated, in words: the prescription's own, else the diagnoses', each of which says of what it is."""

from recovery.words.sentences import joined, parted

OF_THE_DIAGNOSIS = "(of the diagnosis)"
_BETWEEN_SIDE_AND_SITE = ": "


def of_a_site(side: str, site: str | None) -> str:
    """`Right: Breast, upper outer`, one of a course's several diagnoses."""
    return f"{side}{_BETWEEN_SIDE_AND_SITE}{site}" if site else side


def laterality(own: str | None, of_the_course: str | None, diagnoses: str | None) -> str | None:
    """`Left` where the prescription says it; else `Right: Breast (of the diagnosis)`, each that the course has.

    `of_the_course` is the column `courses.laterality`: the one diagnosis' side, or each with its site.
    """
    if own or not of_the_course:
        return own
    sides = parted(of_the_course)
    said = (side if _BETWEEN_SIDE_AND_SITE in side else of_a_site(side, diagnoses) for side in sides)
    return joined(f"{side} {OF_THE_DIAGNOSIS}" for side in said)


def with_side_in_capitals(said: str) -> str:
    """`RIGHT: Breast (of the diagnosis)`, for paper."""
    parts = (part.partition(_BETWEEN_SIDE_AND_SITE) for part in parted(said))
    return joined(f"{side.upper()}{between}{site}" for side, between, site in parts)
