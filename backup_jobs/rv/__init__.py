"""The R&V system's database, read and never written: one folder per product, and what products share."""
