"""A time span in at most two units, as paper and commands say it."""

from __future__ import annotations

from datetime import timedelta


def age(elapsed: timedelta) -> str:
    """`6 min`, `2 h 10 min`, `3 d 4 h`"""
    minutes = max(0, int(elapsed.total_seconds() // 60))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"
