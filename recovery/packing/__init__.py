"""Packs of plans for a machine's file mode: fetched, proven, let through a gate, and laid out for a therapist."""
