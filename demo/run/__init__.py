"""The running demonstration: processes, clock, console, work folder."""
