"""A patient's photo out of the table `photos`, in base64, as a page embeds it; only paper needs its bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Photo:
    """A small picture of `media_type` in base64; `taken_at` is when the R&V system last changed it, site-local."""

    taken_at: datetime | None
    media_type: str
    picture: str

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Photo:
        """A row of `photos`."""
        return cls(row["taken_at"], row["media_type"], row["picture"])

    @property
    def data(self) -> bytes:
        """The picture file; empty where the base64 is none."""
        try:
            return base64.b64decode(self.picture, validate=True)
        except (binascii.Error, ValueError):
            return b""

    @property
    def data_uri(self) -> str:
        """The picture as an address that holds it, so that it lies at no other."""
        return f"data:{self.media_type};base64,{self.picture}"

    @property
    def sha256(self) -> str:
        """By which a chart's content says which photo it bears."""
        return hashlib.sha256(self.picture.encode()).hexdigest()
