"""What somebody wrote in a treatment record that reads as a verification or a phantom, and no element says so."""

import re
from collections.abc import Iterable

from pydicom import Dataset

from recovery.dicom import elements as el

_COMMENTS = (
    *("SeriesDescription", "StudyDescription", "PerformedProcedureStepDescription", "RequestedProcedureDescription"),
    *("CommentsOnThePerformedProcedureStep", "TreatmentStatusComment", "ImageComments", "AcquisitionComments"),
    *("TextComments", "StudyComments"),
)
_COMMENTS_OF_BEAM = (
    *("BeamName", "BeamDescription", "ApplicationSetupName", "TreatmentTerminationDescription"),
    "TreatmentStatusComment",
)
_VERIFICATION = re.compile(
    r"\b(p?d?qa|quality assurance|phantom|verifi[ck]ation|dry[ -]?run|dummy|test patient)\b", re.IGNORECASE
)
"""Words by which people say that nobody was treated."""


def named_verification(ds: Dataset, beams: Iterable[Dataset]) -> str | None:
    """The first comment of the record or of one of its beams that names a verification."""
    said = [
        *(el.text(ds, keyword) for keyword in _COMMENTS),
        *(el.text(beam, keyword) for beam in beams for keyword in _COMMENTS_OF_BEAM),
    ]
    return next((text for text in said if text is not None and _VERIFICATION.search(text)), None)
