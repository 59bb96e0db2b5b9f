"""What sections of config.toml have in common: no key that is not known, and values that several of them have."""

from datetime import time
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field


class Section:
    """A table of the file, which is a frozen dataclass. A key that it does not know is a mistake."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(extra="forbid")


def _time_of_day(value: str) -> str:
    try:
        return value and time.fromisoformat(value).strftime("%H:%M")
    except ValueError as error:
        raise ValueError('must be a time of day like "07:00"') from error


Text = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
"""Or empty."""
