"""Courses as clinics send them, by the jobs on two stock Orthancs: what list and chart say of the next fraction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from recovery.words import notices
from tests.charting.pages import texts
from tests.clinic import two_nodes
from tests.objects import beam_item, item, plan, record
from tests.orthanc import HOW_TO_INSTALL, orthanc_is_installed

pytestmark = pytest.mark.skipif(not orthanc_is_installed(), reason=HOW_TO_INSTALL)

TODAY = datetime.now().replace(hour=0, minute=10, second=0, microsecond=0)  # noqa: DTZ005  site-local
MU = {1: 120.0, 2: 80.0}
BRACHY_RECORD = "1.2.840.10008.5.1.4.1.1.481.6"
ASK = "THE NEXT FRACTION IS NOT KNOWN"


def of(patient_id: str) -> dict[str, Any]:
    return {"PatientID": patient_id, "PatientName": f"{patient_id}^Odd"}


def given(planned: Dataset, number: int | None, days_ago: int, mu: dict[int, float] = MU, **elements: Any) -> Dataset:
    at = TODAY - timedelta(days=days_ago) + timedelta(minutes=elements.pop("minutes", 0))
    beams = [
        beam_item(n, number, m, MU.get(n), termination="NORMAL" if m == MU.get(n) else "MACHINE") for n, m in mu.items()
    ]
    return record(planned.SOPInstanceUID, beams, at=at, **of(str(planned.PatientID)), **elements)


def summed() -> Iterator[Dataset]:
    """A record for each beam and one of the whole session; stopped in beam 2 of fraction 2."""
    yield (planned := plan(MU, **of("SUMMED")))
    for number, mu in ((1, MU), (2, {1: 120.0, 2: 45.0})):
        parts = ({1: mu[1]}, {2: mu[2]}, mu)
        yield from (given(planned, number, 3 - number, part, minutes=n) for n, part in enumerate(parts))


def unnumbered() -> Iterator[Dataset]:
    yield (planned := plan(MU, **of("UNNUMBERED")))
    yield given(planned, 1, 2)
    second = given(planned, 2, 1)
    second.TreatmentSessionBeamSequence[0].CurrentFractionNumber = None
    yield second


def numbered_by_day() -> Iterator[Dataset]:
    """One fraction, of which the R&V system numbers two days."""
    yield (planned := plan(MU, fractions=1, **of("BYDAY")))
    yield from (given(planned, n, 3 - n, {n: MU[n]}) for n in (1, 2))


def imaged() -> Iterator[Dataset]:
    """Only the setup beam was recorded today, as a treatment."""
    yield (planned := plan({**MU, 9: 2.0}, delivery_types={9: "SETUP"}, **of("IMAGED")))
    yield given(planned, 1, 1)
    yield given(planned, 2, 0, {9: 2.0})


def with_a_source() -> Iterator[Dataset]:
    """Five fractions of beams, and a fraction group of HDR planned 0 times: one given, a record for each channel."""
    planned = plan(MU, fractions=5, **of("SOURCE"))
    planned.FractionGroupSequence.append(
        item(
            FractionGroupNumber=2,
            NumberOfFractionsPlanned=0,
            NumberOfBrachyApplicationSetups=1,
            ReferencedBrachyApplicationSetupSequence=[item(ReferencedBrachyApplicationSetupNumber=1)],
        )
    )
    channels = [item(ChannelNumber=n, ChannelTotalTime=50.0) for n in (1, 2)]
    setup = item(ApplicationSetupNumber=1, ApplicationSetupType="VAGINAL", ChannelSequence=channels)
    planned.ApplicationSetupSequence = [setup]
    yield planned
    yield from (given(planned, n, 8 - n) for n in range(1, 6))
    for channel in (1, 2):
        told = given(planned, 1, 1, {}, minutes=channel, sop_class_uid=BRACHY_RECORD)
        told.ReferencedFractionGroupNumber = 2
        of_channel = item(ChannelNumber=channel, SpecifiedChannelTotalTime=60.0, DeliveredChannelTotalTime=60.0)
        told.TreatmentSessionApplicationSetupSequence = [
            item(
                ReferencedBrachyApplicationSetupNumber=1,
                CurrentFractionNumber=1,
                TreatmentDeliveryType="TREATMENT",
                TreatmentTerminationStatus="NORMAL",
                RecordedChannelSequence=[of_channel],
            )
        ]
        yield told


SAYS = {
    "SUMMED": "finish 2 of 20 first (1 given)",
    "UNNUMBERED": "unknown: 1 delivered beam of",
    "BYDAY": "unknown: fractions 1 and 2 have parts of which each lacks the other: they may be one",
    "IMAGED": "2 next of 20 (1 given)",
    "SOURCE": "fraction group 2: 2 next, as 7th of — (6 given)",
}


def test_nobody_reads_a_number_that_may_be_given_or_is_another_fraction_groups(tmp_path: Path) -> None:
    odd: Iterable[Iterator[Dataset]] = (summed(), unnumbered(), numbered_by_day(), imaged(), with_a_source())
    with two_nodes(tmp_path) as nodes:
        nodes.put(*odd)
        nodes.job("cycle")
        rows = {str(row["patient_id"]): row for row in nodes.table()}
        assert nodes.run("recovery", "chart", "--everybody", "-o", str(tmp_path / "all.pdf")).returncode == 0
    for patient_id, text in SAYS.items():
        assert notices.next_fraction(rows[patient_id])[0].startswith(text), patient_id
    assert rows["SUMMED"]["interrupted_meterset_remaining"] == 35.0
    assert rows["IMAGED"]["last_treatment_at"] < TODAY.isoformat()
    pages = texts((tmp_path / "all.pdf").read_bytes())
    charts = {who: " ".join(" ".join(p.split()) for p in pages if p.startswith(who)) for who in SAYS}
    assert {who for who, page in charts.items() if ASK in page} == {"UNNUMBERED", "BYDAY"}
    assert ", fraction group 2 " in charts["SOURCE"] and "1 VAGINAL (fraction group 2) 100.0" in charts["SOURCE"]
    assert "Field 1 (fraction group 1)" not in charts["SOURCE"], "a group that is given has no sheet"
