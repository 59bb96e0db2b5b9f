"""This computer: clock, logs, signals, processes, files that stay whole. No other room knows an operating system."""
