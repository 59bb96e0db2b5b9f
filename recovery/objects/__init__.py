"""DICOM that this software makes: records, summaries, charts as PDF, snapshots as raw data."""
