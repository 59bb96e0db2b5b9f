"""Measured, not guessed: each figure of the README as a ratio of two ways in one run on one machine."""
