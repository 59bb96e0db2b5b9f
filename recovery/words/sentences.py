"""Several sentences in one column of a table, and back: the one encoder and decoder of such columns. Pure."""

from collections.abc import Iterable

_BETWEEN = "; "


def joined(sentences: Iterable[str]) -> str:
    """The sentences in one text; a semicolon within one becomes a comma, for it would end the sentence."""
    return _BETWEEN.join(sentence.replace(";", ",") for sentence in sentences)


def parted(text: str | None) -> tuple[str, ...]:
    """The sentences of a column; none where it is empty or null."""
    return tuple(text.split(_BETWEEN)) if text else ()


def in_dicom_and_database(what: str, in_dicom: object, in_database: object) -> str:
    """`born 1958-07-04 in DICOM, 1958-04-07 in the R&V database`, of two sources that differ."""
    return f"{what} {in_dicom} in DICOM, {in_database} in the R&V database"


def each_differing(what: str, told: dict[str, float | int | None]) -> list[str]:
    """`fractions planned: 20 in the plan, 25 prescribed`, where those that say anything differ; else nothing."""
    known = {where: value for where, value in told.items() if value is not None}
    if len(set(known.values())) < 2:
        return []
    return [f"{what}: " + ", ".join(f"{value:g} {where}" for where, value in known.items())]
