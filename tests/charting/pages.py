"""PDF charts read back: their text page by page, and as a small golden text."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pypdfium2

from recovery.charting import charts_pdf
from recovery.patient.file import PatientFile, read_patient_files
from tests.recovery.patient_clinic import NOW, SITE, Clinic, anna, bo

GOLDEN = Path(__file__).parent / "chart.golden.txt"


def texts(pdf: bytes) -> list[str]:
    """The text of each page."""
    pages = (page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return [page.replace("\r\n", "\n") for page in pages]


def flat(pdf: bytes) -> str:
    """All text, each white space a blank: what wraps is found all the same."""
    return re.sub(r"\s+", " ", " ".join(texts(pdf)))


def golden_files(folder: Path) -> list[PatientFile]:
    """An ordinary patient, and one with an interrupted fraction."""
    clinic = Clinic()
    anna(clinic, SOPInstanceUID="1.2.826.0.1.3680043.10.1.100231")
    bo(clinic, SOPInstanceUID="1.2.826.0.1.3680043.10.1.100377")
    return read_patient_files(clinic.write(folder), SITE, ["100231", "100377"], NOW)


def golden_text(folder: Path) -> str:
    """The charts' text, whole: plan UIDs and checksums are what a person relies on."""
    return "\n=== page ===\n".join(texts(charts_pdf(golden_files(folder)))) + "\n"


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as made_in:
        if "sha256" in sys.argv:
            print(hashlib.sha256(charts_pdf(golden_files(Path(made_in)))).hexdigest())
        else:
            GOLDEN.write_text(golden_text(Path(made_in)), encoding="utf-8")
