"""The simulated MOSAIQ: its database, in step with the DICOM objects."""
