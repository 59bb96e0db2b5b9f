"""The scheduled jobs, their one boundary, and what runs them."""
