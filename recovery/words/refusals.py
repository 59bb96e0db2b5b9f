"""What a person asked for and cannot have, said to whoever asked: one door for every command."""


class RefusedError(Exception):
    """What was asked for cannot be done. The text says why, and what to do; it names no patient."""

    exit_status = 2
