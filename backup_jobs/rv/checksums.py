"""SQL Server's BINARY_CHECKSUM and CHECKSUM_AGG, for SQLite: queries about changes use both."""

import sqlite3
import zlib


class _ChecksumOfAll:
    """One number of all rows, in whatever order they come."""

    def __init__(self) -> None:
        self.sum = 0

    def step(self, checksum: int) -> None:
        self.sum ^= checksum

    def finalize(self) -> int:
        return self.sum


def teach_checksums(connection: sqlite3.Connection) -> None:
    """Let a connection's queries call both."""
    connection.create_function("BINARY_CHECKSUM", -1, lambda *row: zlib.crc32(repr(row).encode("utf-8", "replace")))
    connection.create_aggregate("CHECKSUM_AGG", 1, _ChecksumOfAll)
