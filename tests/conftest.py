"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("rbrdt", deadline=None)  # the machine that tests may be busy
settings.load_profile("rbrdt")
