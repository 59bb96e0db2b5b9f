"""What writes the safety copy: it alone speaks to the R&V system."""
