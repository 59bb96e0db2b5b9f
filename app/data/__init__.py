"""What the pages show, read from cache and RT-PACS once per change."""
