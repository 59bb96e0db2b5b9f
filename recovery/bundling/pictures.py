"""Beam's-eye views for the bundle, of plans in the picture cache or the RT-PACS, which is asked twice and not again."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from recovery.dicom.model import InstanceRef
from recovery.dimse import DimseError
from recovery.patient.file import PatientFile
from recovery.pictures.beams_eye import BeamsEyeView, beams_eye_views
from recovery.pictures.drawing_beam import draw_beams_eye_view
from recovery.pictures.refusals import PictureError
from recovery.pictures.retrieval import Source, read_object, read_objects
from recovery.words.values import absent, counted

_AT_ONCE = 40
MOST_BYTES = 60_000
"""Of one drawing: one that is larger stays where a dashboard can draw it."""


class BeamPictures:
    """Writes the drawings of patients' plans into `folder`, and notes of how many plans there are none."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.source = source
        self.folder = folder
        self._silent = ""
        self._without = 0
        self._too_large = 0

    def fetch(self, files: Iterable[PatientFile]) -> None:
        """Bring the plans that the RT-PACS holds, many at once: one by one, asking takes longer than drawing."""
        plans = (plan for file in files for plan in file.unfinished_plans if plan.row.plan_held)
        uids = [plan.uid for plan in plans if plan.uid is not None and self.source.shelf.read(plan.uid) is None]
        with suppress(PictureError):  # who is at fault is told plan by plan
            for start in range(0, len(uids), _AT_ONCE):
                refs = [InstanceRef(uid, modality="RTPLAN") for uid in uids[start : start + _AT_ONCE]]
                read_objects(self.source, refs, "the plans")

    @property
    def is_silent(self) -> bool:
        """Whether the RT-PACS was asked in vain."""
        return bool(self._silent)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is missing, in a sentence."""
        plans, views = counted(self._without, "plan has", "plans have"), counted(self._too_large, "beam's-eye view")
        without = f"▲ {plans} no beam's-eye views here. {self._silent}".rstrip()
        too_large = f"▲ {views} not here, for they are too large: a dashboard draws them."
        return (*([without] if self._without else []), *([too_large] if self._too_large else []))

    def of(self, file: PatientFile, base: str) -> dict[str | None, list[tuple[str, str]]]:
        """By plan UID each drawing's path in the bundle, and what it shows; `base`: how their names begin."""
        found: dict[str | None, list[tuple[str, str]]] = {}
        for number, plan in enumerate(file.unfinished_plans, start=1):
            if plan.uid is not None:
                found[plan.uid] = list(self._write(self._views(plan.uid), f"{base}_{number}"))
        return found

    def _views(self, uid: str) -> Iterable[BeamsEyeView]:
        try:
            ds = self.source.shelf.read(uid)
            if ds is None and not self._silent:
                ds = read_object(self.source, InstanceRef(uid, modality="RTPLAN"), "the plan")
            if ds is not None:
                return beams_eye_views(ds)
        except PictureError as error:
            if isinstance(error.__cause__, DimseError):
                self._silent = "The RT-PACS did not answer."
        self._without += 1
        return ()

    def _write(self, views: Iterable[BeamsEyeView], base: str) -> Iterable[tuple[str, str]]:
        for number, view in enumerate(views, start=1):
            drawn = draw_beams_eye_view(view).encode()
            if len(drawn) > MOST_BYTES:
                self._too_large += 1
                continue
            name = f"{base}_{number}.svg"
            (self.folder / name).write_bytes(drawn)
            yield f"{self.folder.name}/{name}", f"{absent(view.beam_number)} {absent(view.beam_name)}"
