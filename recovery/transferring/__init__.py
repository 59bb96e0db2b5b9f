"""A packet of one patient for another hospital: DICOM with its DICOMDIR, a summary to read, and a FHIR bundle."""
