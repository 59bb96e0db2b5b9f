"""Copies off site: one format, one writer, one reader; this clinic's own, and those of a network's other sites."""
