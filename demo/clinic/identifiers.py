"""UIDs and times of the simulated clinic: the same seed gives the same clinic, object by object.

Goal
    Two runs with one seed and one clock agree in every byte.

How
    A UID is the hash of what it names, as a UUID under 2.25 (PS3.5 section B.2).

Why not a counter
    A counter would give an object another UID as soon as a patient is added before it.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from datetime import date, datetime, timedelta


def uid(*names: object) -> str:
    """The UID of what `names` names."""
    digest = hashlib.sha256("\x1f".join(str(n) for n in names).encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


def chance(*names: object) -> random.Random:
    """Random numbers that belong to what `names` names."""
    return random.Random("\x1f".join(str(n) for n in names))  # noqa: S311  a simulation


def da(moment: date) -> str:
    return f"{moment:%Y%m%d}"


def tm(moment: datetime) -> str:
    return f"{moment:%H%M%S}"


def is_business_day(day: date) -> bool:
    return day.weekday() < 5


def business_days_after(day: date, count: int) -> date:
    """`count` business days on from `day`, or back when negative; a weekend counts as the Friday before."""
    while not is_business_day(day):
        day -= timedelta(days=1)
    step = timedelta(days=1 if count >= 0 else -1)
    for _ in range(abs(count)):
        day += step
        while not is_business_day(day):
            day += step
    return day
