"""Objects that this software makes, stored in the RT-PACS and read back."""
