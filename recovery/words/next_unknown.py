"""How remarks read that say why one number does not tell the next fraction, and how they are found again. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from recovery.words.sentences import joined, parted

_BEGIN = "next fraction: "
_IN_GROUP = re.compile(r"next is of fraction group (\d+): ")


def why(reason: str) -> str:
    """The remark of a reason why nobody can tell it."""
    return f"{_BEGIN}{reason}"


def reasons(remarks: str | None) -> tuple[str, ...]:
    """Those among the remarks of a row; none where the number of its next fraction says all."""
    return tuple(said.removeprefix(_BEGIN) for said in parted(remarks) if said.startswith(_BEGIN))


def unsettled(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of a row that nobody has decided on."""
    return () if row.get("next_decided") else reasons(row.get("remarks"))


def in_group(group: int | None, said: str) -> str:
    """The remark that says whose number it is, of a plan with several fraction groups."""
    return f"next is of fraction group {group}: {said}"


def group(remarks: str | None) -> str | None:
    """The fraction group that the remarks of a row name so."""
    found = (_IN_GROUP.match(said) for said in parted(remarks))
    return next((one[1] for one in found if one is not None), None)


def without_reasons(remarks: str | None) -> str:
    """What is no reason."""
    return joined(said for said in parted(remarks) if not said.startswith(_BEGIN))


def of_others(remarks: str | None) -> tuple[str, ...]:
    """The remarks that are about something else."""
    return tuple(said for said in parted(without_reasons(remarks)) if _IN_GROUP.match(said) is None)
