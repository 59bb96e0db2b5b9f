"""The embedded RT-PACS: a small DICOM archive."""
