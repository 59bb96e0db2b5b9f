"""The safety copy on disk: tables, snapshots, journal, memory, and what people entered."""
