"""From the RT-PACS to another DICOM node: which objects, in which order, and what the receiver says that it holds."""
