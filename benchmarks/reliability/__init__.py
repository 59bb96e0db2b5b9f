"""Faults, made on purpose and by seed, as often as one likes: what docs/reliability.md tells was tried with these."""
