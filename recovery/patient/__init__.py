"""One patient's file, the same for page, paper and archived document."""
