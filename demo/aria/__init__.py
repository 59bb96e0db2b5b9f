"""The simulated ARIA: its database, in step with the DICOM objects."""
