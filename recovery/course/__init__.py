"""What was delivered of what was planned: the clinical arithmetic. Pure: no I/O, no clock."""
