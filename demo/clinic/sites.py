"""Where the simulated patients are treated: an elliptic body with what a plan needs to see.

Goal
    Anatomy plausible enough that a CT, its contours and a dose look right side by side.

How
    Every structure is an ellipsoid (millimetres, patient coordinates, PS3.3 C.7.6.2.1.1: x to the patient's left,
    y to the back, z to the head). HU are those of the usual density tables.
"""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    name: str
    kind: str
    """RTROIInterpretedType (PS3.3 C.8.8.8.1): EXTERNAL, PTV, CTV, ORGAN."""
    centre: Triple
    radii: Triple
    hu: int
    colour: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class TreatedSite:
    """A treatment site: its names in the prescription and in the diagnosis, and its anatomy."""

    key: str
    name: str
    laterality: str
    diagnosis_code: str
    diagnosis: str
    sex: str | None
    structures: tuple[Ellipsoid, ...]

    @property
    def ptv(self) -> Ellipsoid:
        return next(s for s in self.structures if s.kind == "PTV")

    @property
    def body(self) -> Ellipsoid:
        return self.structures[0]


def _body(x: float, y: float) -> Ellipsoid:
    return Ellipsoid("BODY", "EXTERNAL", (0, 0, 0), (x, y, 9999), 0, (0, 255, 0))


def _ptv(centre: Triple, radii: Triple) -> Ellipsoid:
    return Ellipsoid("PTV", "PTV", centre, radii, 40, (255, 0, 0))


def _oar(name: str, centre: Triple, radii: Triple, hu: int, colour: tuple[int, int, int] = (0, 128, 255)) -> Ellipsoid:
    return Ellipsoid(name, "ORGAN", centre, radii, hu, colour)


_LUNGS = (
    _oar("Lung_L", (75, 0, 0), (52, 72, 140), -780),
    _oar("Lung_R", (-75, 0, 0), (55, 72, 140), -780),
)
_HEART = _oar("Heart", (25, -35, -30), (45, 42, 50), 35, (255, 128, 0))
_CORD = _oar("SpinalCord", (0, 70, 0), (7, 7, 9999), 30, (255, 255, 0))
_SPINE = _oar("Spine", (0, 80, 0), (20, 22, 9999), 450, (200, 200, 180))
_FEMORA = (
    _oar("FemoralHead_L", (95, 5, 0), (24, 24, 26), 550, (200, 200, 180)),
    _oar("FemoralHead_R", (-95, 5, 0), (24, 24, 26), 550, (200, 200, 180)),
)
_BLADDER = _oar("Bladder", (0, -38, 30), (36, 28, 28), 5, (255, 200, 0))
_RECTUM = _oar("Rectum", (0, 42, 0), (17, 18, 50), 20, (150, 75, 0))
_BRAINSTEM = _oar("Brainstem", (0, 25, -15), (14, 14, 22), 35, (128, 0, 255))
_PAROTIDS = (
    _oar("Parotid_L", (52, 5, 0), (13, 18, 22), 10, (0, 200, 200)),
    _oar("Parotid_R", (-52, 5, 0), (13, 18, 22), 10, (0, 200, 200)),
)

SITES = {
    site.key: site
    for site in (
        TreatedSite("prostate", "Prostate", "", "C61", "Malignant neoplasm of prostate", "M",
             (_body(180, 115), *_FEMORA, _BLADDER, _RECTUM, _ptv((0, 0, 0), (30, 28, 30)))),
        TreatedSite("pelvis", "Cervix", "", "C53.9", "Malignant neoplasm of cervix uteri", "F",
             (_body(185, 118), *_FEMORA, _BLADDER, _RECTUM, _ptv((0, 0, 5), (62, 42, 48)))),
        TreatedSite("rectum", "Rectum", "", "C20", "Malignant neoplasm of rectum", None,
             (_body(182, 116), *_FEMORA, _BLADDER, _ptv((0, 38, 0), (48, 40, 45)))),
        TreatedSite("breast", "Breast", "Left", "C50.912", "Malignant neoplasm of left female breast", "F",
             (_body(170, 108), *_LUNGS, _HEART, _SPINE, _CORD, _ptv((85, -80, 0), (48, 22, 50)))),
        TreatedSite("lung", "Lung", "Right", "C34.11", "Malignant neoplasm of upper lobe, right lung", None,
             (_body(172, 110), *_LUNGS, _HEART, _SPINE, _CORD, _ptv((-62, 5, 5), (26, 26, 30)))),
        TreatedSite("head_neck", "Oropharynx", "", "C10.9", "Malignant neoplasm of oropharynx", None,
             (_body(82, 100), _SPINE, _CORD, *_PAROTIDS, _ptv((0, -12, 0), (38, 34, 42)))),
        TreatedSite("brain", "Brain", "Left", "C71.2", "Malignant neoplasm of temporal lobe", None,
             (_body(78, 95), _BRAINSTEM, _ptv((32, -10, 5), (26, 28, 26)))),
        TreatedSite("spine", "T10 spine", "", "C79.51", "Secondary malignant neoplasm of bone", None,
             (_body(172, 110), *_LUNGS, _SPINE, _CORD, _ptv((0, 76, 0), (30, 30, 42)))),
    )
}  # fmt: skip
