"""DICOMweb behind the verbs of `recovery.dimse`: QIDO-RS, WADO-RS, STOW-RS (PS3.18 chapter 10)."""
