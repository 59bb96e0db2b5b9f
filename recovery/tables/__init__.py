"""What each cached table holds: columns, types, keys, and how DICOM objects become rows and back."""
