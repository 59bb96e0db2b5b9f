"""Files in the RT-PACS's place: a folder of DICOM objects, asked by the same verbs."""
