"""Objects brought from a source into the RT-PACS, each proven there."""
