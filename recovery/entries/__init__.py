"""What people said and signed, one kind a file: known gaps, priorities, shift checks. Kept for good."""
