"""What the backup jobs and the dashboard share: words, clinical arithmetic, settings, DICOM verbs, tables."""
