"""MOSAIQ's database, made into the relational tables."""
