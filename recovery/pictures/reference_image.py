"""Reference images: a DRR or portal image with its beam's axis (RT Image, PS3.3 A.17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.pictures.image_series import rescaled

_UPRIGHT = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
_WHAT = "The reference image"


@dataclass(frozen=True, slots=True)
class ReferenceImage:
    """`values` of shape (rows, columns). `spacing`: of rows and columns in mm in the plane of the isocentre."""

    sop_instance_uid: str | None
    rt_image_label: str | None
    beam_number: int | None
    gantry_angle: float | None
    values: NDArray[Any]
    spacing: tuple[float, float] | None
    axis: tuple[float, float] | None
    """Row and column (from 0, fractional) that the beam's axis meets; None where the image does not say it."""
    window: tuple[float, float]
    is_inverted: bool
    """MONOCHROME1: low values are white (PS3.3 C.7.6.3.1.2)."""

    @classmethod
    def from_dataset(cls, ds: Dataset) -> ReferenceImage:
        """Read an RT Image. Raises `PictureError` if it cannot be decompressed, or has several frames or colours."""
        values = rescaled(ds, _WHAT)
        spacing = el.numbers(ds, "ImagePlanePixelSpacing")
        position = el.numbers(ds, "RTImagePosition")
        orientation = el.numbers(ds, "RTImageOrientation")
        sad, sid = el.number(ds, "RadiationMachineSAD"), el.number(ds, "RTImageSID")
        is_upright = len(orientation) == 6 and np.allclose(orientation, _UPRIGHT, atol=1e-3)
        is_placed = len(position) == 2 and len(spacing) == 2 and min(spacing) > 0
        shift = el.numbers(ds, "XRayImageReceptorTranslation")
        is_shifted = any(abs(value) > 0.01 for value in shift[:2])
        axis = None
        if is_placed and is_upright and not is_shifted and el.text(ds, "RTImagePlane") == "NORMAL":
            # x to the right, y up, from the image's origin on the axis to its first pixel (PS3.3 C.8.8.2.4).
            axis = (position[1] / spacing[0], -position[0] / spacing[1])
        scale = sad / sid if sad and sid else None
        return cls(
            sop_instance_uid=el.text(ds, "SOPInstanceUID"),
            rt_image_label=el.text(ds, "RTImageLabel"),
            beam_number=el.integer(ds, "ReferencedBeamNumber"),
            gantry_angle=el.number(ds, "GantryAngle"),
            values=values,
            spacing=(spacing[0] * scale, spacing[1] * scale) if len(spacing) == 2 and scale else None,
            axis=axis,
            window=_window(ds, values),
            is_inverted=el.text(ds, "PhotometricInterpretation") == "MONOCHROME1",
        )


def _window(ds: Dataset, values: NDArray[Any]) -> tuple[float, float]:
    """The image's own window; else from its 1st to its 99th percentile."""
    centre, width = el.number(ds, "WindowCenter"), el.number(ds, "WindowWidth")
    if centre is not None and width is not None and width > 0:
        return centre, width
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    return (low + high) / 2, max(high - low, 1e-6)
