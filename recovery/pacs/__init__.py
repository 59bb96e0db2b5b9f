"""What the RT-PACS holds, what was read from it, and what it is asked next."""
