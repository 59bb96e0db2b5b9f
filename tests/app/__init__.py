"""The dashboard: its words, its filters, its Excel file, its pages, and the journey through a real browser."""
