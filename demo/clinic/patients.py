"""Who comes to the simulated clinic: identities that cannot be taken for real persons.

Goal
    Names, birth dates, addresses and physicians with everything that real ones trip programs with: look-alikes,
    umlauts, Japanese component groups, letters in the ID, no birth date.

How
    Families are minerals, given names are birds, physicians are instruments. The first patients carry the oddities
    that `scenarios` relies on; the others are dealt from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from demo.clinic.identifiers import chance


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_MINERALS = _words(
    "BASALT GRANITE FELDSPAR OBSIDIAN MALACHITE GYPSUM QUARTZITE DOLOMITE PUMICE SERPENTINE CINNABAR"
    " GALENA PYRITE HEMATITE KAOLIN LIMONITE CALCITE FLUORITE APATITE TOURMALINE ZEOLITE BAUXITE"
    " GNEISS SCHIST MARBLE TRAVERTINE ANDESITE RHYOLITE DIORITE GABBRO SYENITE TALC"
)
_BIRDS = _words(
    "Osprey Heron Plover Curlew Dunlin Wigeon Kestrel Bittern Avocet Cormorant"
    " Gannet Lapwing Nightjar Oriole Pipit Redshank Shrike Siskin Sandpiper Turnstone"
    " Wagtail Whimbrel Wheatear Puffin Petrel Goshawk Dotterel Crossbill"
)
_STREETS = ("Pebble", "Gravel", "Boulder", "Quarry", "Cobble", "Shingle", "Moraine", "Scree")
_LANGUAGES = ("English", "English", "English", "Spanish", "German", "Japanese", "Arabic")


@dataclass(frozen=True, slots=True)
class SimulatedPhysician:
    number: int
    family: str
    given: str

    @property
    def person_name(self) -> str:
        return f"{self.family}^{self.given}^^Dr."


PHYSICIANS = (
    SimulatedPhysician(1, "THEREMIN", "Oboe"),
    SimulatedPhysician(2, "BASSOON", "Cornet"),
    SimulatedPhysician(3, "OCARINA", "Zither"),
    SimulatedPhysician(4, "GLOCKENSPIEL", "Lute"),
)


@dataclass(frozen=True, slots=True)
class ClinicPatient:
    """A patient of the simulated clinic."""

    number: int
    patient_id: str
    patient_name: str
    """As in DICOM, with component groups."""
    birth_date: date | None
    sex: str
    physician: SimulatedPhysician
    address: tuple[str, str, str]
    phones: tuple[str, str, str]
    """Home, mobile, work; '' where none is known."""
    email: str
    language: str
    alerts: str
    note: str

    @property
    def family(self) -> str:
        return self.patient_name.split("=")[0].split("^")[0]

    @property
    def given(self) -> str:
        return self.patient_name.split("=")[0].split("^")[1]

    @property
    def is_ascii(self) -> bool:
        return self.patient_name.isascii()


ODDITIES: dict[int, dict[str, str | None]] = {
    0: {"patient_name": "BASALT^Osprey", "patient_id": "100017", "alerts": "Cardiac pacemaker"},
    1: {"patient_name": "BASALT^Oriole", "patient_id": "100071"},
    2: {"patient_name": "GRÜNSPAN^Käuzchen", "patient_id": "00017R"},
    3: {"patient_name": "KOUSEKI^Suzume=鉱石^雀=こうせき^すずめ", "patient_id": "JP-2044"},
    4: {"birth_date": None, "note": "Needs transport from the ward"},
    12: {"patient_name": "BASALT^Osprey", "patient_id": "100170"},
    13: {"patient_name": "QA^Phantom", "patient_id": "$QA01", "birth_date": None, "sex": "O"},
}
"""By patient number: a look-alike, two of one name, other alphabets, letters and leading zeros in an ID, a phantom."""


def make_patient(seed: int, number: int, today: date, sex: str | None = None) -> ClinicPatient:
    """Patient `number` of the clinic of `seed`; `sex` where the site leaves no choice."""
    dice = chance(seed, "patient", number)
    odd = ODDITIES.get(number, {})
    birth = today.replace(day=1) - timedelta(days=dice.randint(34 * 365, 86 * 365))
    given = dice.choice(_BIRDS)
    family = _MINERALS[(number * 7 + seed) % len(_MINERALS)]
    name = odd.get("patient_name") or f"{family}^{given}"
    mobile = f"555-01{dice.randint(0, 99):02d}-{dice.randint(1000, 9999)}"
    home = f"555-02{dice.randint(0, 99):02d}" if dice.random() < 0.7 else ""
    return ClinicPatient(
        number=number,
        patient_id=odd.get("patient_id") or f"{100200 + number * 13 + dice.randint(0, 9)}",
        patient_name=name,
        birth_date=None if "birth_date" in odd else birth,
        sex=odd.get("sex") or sex or dice.choice("MF"),
        physician=PHYSICIANS[dice.randrange(len(PHYSICIANS))],
        address=(
            f"{dice.randint(1, 240)} {dice.choice(_STREETS)} Lane",
            "Stonebridge",
            f"{dice.randint(10000, 99999)}",
        ),
        phones=(home, mobile if home or dice.random() < 0.8 else "555-0199", ""),
        email=f"patient{number}@example.org" if dice.random() < 0.5 else "",
        language=dice.choice(_LANGUAGES),
        alerts=odd.get("alerts") or ("Cardiac pacemaker" if dice.random() < 0.08 else ""),
        note=odd.get("note") or ("Needs transport from the ward" if dice.random() < 0.12 else ""),
    )
