"""A field's energy: the unit that its kind of radiation tells, in the words of both products, and no other."""

from __future__ import annotations

import pytest

from backup_jobs.rv.mosaiq.words import MODALITIES
from recovery.charting import on_paper
from recovery.patient import page_words
from recovery.patient.plan import PlanField
from recovery.words.radiation import energy_in_words


@pytest.mark.parametrize(
    ("value", "radiation_type", "said"),
    [
        (6.0, "PHOTON", "6 MV"),
        (6.0, "X", "6 MV"),
        (9.0, "ELECTRON", "9 MeV"),
        (9.0, "E", "9 MeV"),
        (9.0, "E, high dose", "9 MeV"),
        (150.5, "P", "150.5 MeV"),
        (0.12, "orthovoltage X-rays", "120 kV"),
        (0.1, "kV X-rays", "100 kV"),
        (1.25, "Co-60", "Co-60"),
        (6.0, None, "6"),
        (6.0, "", "6"),
        (6.0, "42", "6"),
        (290.0, "ION", "290"),
        (None, "X", None),
    ],
)
def test_an_energy_has_the_unit_of_its_radiation_and_none_where_that_is_not_told(
    value: float | None, radiation_type: str | None, said: str | None
) -> None:
    assert energy_in_words(value, radiation_type) == said


@pytest.mark.parametrize(("modality", "said"), [("1", "6 MV"), ("2", "6 MeV"), ("6", "6 MeV"), ("0", "6"), ("20", "6")])
def test_screen_and_paper_say_the_same_of_mosaiqs_fields(modality: str, said: str) -> None:
    kind = MODALITIES[modality] or None
    silent = dict.fromkeys(PlanField.__dataclass_fields__)
    field = PlanField(**(silent | {"beam_number": 1, "nominal_beam_energy": 6.0, "radiation_type": kind}))  # type: ignore[arg-type]
    assert on_paper.energy(field) == page_words.energy(6.0, kind) == said
