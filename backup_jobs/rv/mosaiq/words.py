"""MOSAIQ's numbers as words, as public code has them (PyMedPhys, raystation-scripts); an unknown number is kept."""

SETUP_TYPES = frozenset({"3", "4", "5", "9"})
"""Type_Enum of fields that image: setup, kV setup, CT, MV CT."""
PORT_TYPE = "6"

FIELD_TYPES = {
    "0": "",
    "1": "STATIC",
    "2": "STEP AND SHOOT",
    "3": "SETUP",
    "4": "KV SETUP",
    "5": "CT",
    "6": "PORT",
    "7": "FIXED",
    "8": "DYNAMIC",
    "9": "MV CT",
    "11": "ARC",
    "12": "SKIP ARCS",
    "13": "VMAT",
    "14": "DMLC",
    "15": "HELICAL",
    "16": "FIXED ANGLE",
    "17": "PATH",
    "18": "SHOT",
    "20": "",
    "21": "PDR",
}
"""Type_Enum of Dose_Hst and TxField; 20 is the clinic's own."""
ARCS = frozenset({"11", "12", "13", "15"})

MODALITIES = {
    "0": "",
    "1": "X",
    "2": "E",
    "3": "Co-60",
    "4": "orthovoltage X-rays",
    "5": "E, high dose",
    "6": "P",
    "7": "kV X-rays",
    "8": "Ir-192",
    "9": "ION",
    "20": "",
}
"""Modality_Enum; X, E and P as ARIA says photons, electrons and protons."""
KILOVOLT_MODALITIES = frozenset({"4", "7"})

PRESCRIPTION_STATUSES = {
    "0": "",
    "1": "void",
    "2": "closed",
    "3": "completed",
    "4": "on hold",
    "5": "approved",
    "6": "locked by a process",
    "7": "pending",
}
"""Site.Status_Enum."""

ORIENTATIONS = {
    "0": "",
    "1": "Head First-Supine",
    "2": "Head First-Prone",
    "3": "Head First-Decubitus Left",
    "4": "Head First-Decubitus Right",
    "5": "Feet First-Supine",
}
"""SiteSetup.Patient_Orient; higher numbers are not public."""

FILE_FORMATS = {
    "0": "WordPerfect",
    "2": "PhastNote",
    "4": "scan",
    "5": "Word",
    "6": "interface image",
    "7": "treatment plan",
    "8": "interface RTF",
    "9": "field document",
}
"""Object.File_Format."""

SEXES = {"Male": "M", "Female": "F", "M": "M", "F": "F", "Other": "O", "O": "O", "Unknown": "", "U": ""}

TERMINATIONS = {"0": "UNKNOWN", "1": "NORMAL", "2": "OPERATOR", "3": "MACHINE"}
"""Dose_Hst.Termination_Status_Enum, in DICOM's words (PS3.3 C.8.8.21), as one public code reads it."""
