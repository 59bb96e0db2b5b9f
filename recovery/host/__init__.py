"""This computer: clock, logs, signals, processes, files that stay whole. No other room knows an operating system."""

import sys

if sys.platform == "win32":
    from recovery.host import system_windows as system
else:
    from recovery.host import system_posix as system

__all__ = ["system"]
