"""Sessions: the deliveries of one fraction as they happened, one after the other. Pure, no I/O.

Deliveries of one record belong together, and those of one machine that follow within two hours.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from recovery.course.deliveries import Delivery
from recovery.dicom.records import began_at
from recovery.words.units import MU, PULSES, SECONDS
from recovery.words.values import ABSENT

ToldDeliveries = Mapping[object, Mapping[str, Any]]
"""Rows of the relational table `deliveries`: by treatment record UID, beam number and fraction number, and those that
name no treatment record, which is then made of them, by `delivery_id`."""

SAME_SESSION = timedelta(hours=2)
"""A beam of the same fraction and machine that starts within this time of the one before is of the same session."""


@dataclass(frozen=True, slots=True)
class SessionBeam:
    """One delivery of one beam, metersets as the record says them, in `unit`. `was_overridden` None: the database is
    silent."""

    beam_number: int | None
    beam_name: str | None
    specified_meterset: float | None
    delivered_meterset: float | None
    treatment_delivery_type: str | None
    treatment_termination_status: str | None
    termination_reason: str | None
    was_overridden: bool | None
    started_at: datetime | None
    sop_instance_uid: str | None
    unit: str = MU
    pulses: str | None = None
    """`20 of 43`, by channel where they differ; None where nothing is pulsed."""


@dataclass(frozen=True, slots=True)
class Session:
    """What was delivered of one fraction in one go. `started_at` is local to the site."""

    started_at: datetime | None
    treatment_machine_name: str | None
    treatment_record_content_origin: str | None
    """USER for a fraction entered from paper (PS3.3 C.8.8.17)."""
    beams: tuple[SessionBeam, ...]
    charted_by: str | None = None
    """Who signed it, where it was charted by hand."""
    treated_at: datetime | None = None
    """When its last beam began: what every list calls last treated."""

    @property
    def sop_instance_uids(self) -> tuple[str, ...]:
        """The treatment records that this session was read from."""
        return tuple(dict.fromkeys(b.sop_instance_uid for b in self.beams if b.sop_instance_uid is not None))


def sessions_of(
    deliveries: Iterable[Delivery], told: ToldDeliveries, units: Mapping[int, str] | None = None
) -> tuple[Session, ...]:
    """The sessions of one fraction, in order of time.

    `told` is what the R&V database says of them, `units` in what each beam was planned.
    """
    return tuple(_session(group, told, units or {}) for group in _together(deliveries))


def _together(deliveries: Iterable[Delivery]) -> list[list[Delivery]]:
    """Deliveries of one fraction, session by session; one without a time stands alone."""
    ordered = sorted(deliveries, key=lambda d: (_started_at(d) or datetime.max, d.beam.beam_number or 0))  # noqa: DTZ901
    groups: list[list[Delivery]] = []
    for delivery in ordered:
        before = groups[-1][-1] if groups else None
        if before is None or not _is_same_session(before, delivery):
            groups.append([])
        groups[-1].append(delivery)
    return groups


def _is_same_session(before: Delivery, delivery: Delivery) -> bool:
    earlier, later = _started_at(before), _started_at(delivery)
    if before.sop_instance_uid is not None and before.sop_instance_uid == delivery.sop_instance_uid:
        return True
    if earlier is None or later is None or before.treatment_machine_name != delivery.treatment_machine_name:
        return False
    return earlier.date() == later.date() and later - earlier <= SAME_SESSION


def _started_at(delivery: Delivery) -> datetime | None:
    return delivery.beam.started_at or delivery.treated_at


def _session(deliveries: Sequence[Delivery], told: ToldDeliveries, units: Mapping[int, str]) -> Session:
    beams = []
    for d in deliveries:
        said = told.get((d.sop_instance_uid, d.beam.beam_number, d.fraction_number)) or told.get(d.beam.delivery_id, {})
        beams.append(
            SessionBeam(
                beam_number=d.beam.beam_number,
                beam_name=d.beam.beam_name,
                specified_meterset=d.beam.specified_meterset,
                delivered_meterset=d.beam.delivered_meterset,
                treatment_delivery_type=d.beam.treatment_delivery_type,
                treatment_termination_status=d.beam.treatment_termination_status,
                termination_reason=said.get("termination_reason"),
                was_overridden=said.get("was_overridden"),
                started_at=_started_at(d),
                sop_instance_uid=d.sop_instance_uid,
                unit=_unit(d, units),
                pulses=_pulses(d),
            )
        )
    first = deliveries[0]
    times = [at for d in deliveries if (at := d.treated_at or _started_at(d)) is not None]
    return Session(
        min(times, default=None),
        first.treatment_machine_name,
        first.treatment_record_content_origin,
        tuple(beams),
        next((by for d in deliveries if (by := d.beam.charted_by) is not None), None),
        max((at for d in deliveries if (at := began_at(d.treated_at, d.beam)) is not None), default=None),
    )


def _unit(delivery: Delivery, planned: Mapping[int, str]) -> str:
    """Of the metersets of a record: its own, else the plan's."""
    unit = delivery.unit or planned.get(delivery.beam.beam_number or 0, MU)
    return SECONDS if unit == PULSES else unit


def _pulses(delivery: Delivery) -> str | None:
    said = (f"{_or_dash(p.delivered)} of {_or_dash(p.specified)}" for p in delivery.beam.pulses if p.specified != 1)
    return ", ".join(dict.fromkeys(said)) or None


def _or_dash(number: int | None) -> str:
    return ABSENT if number is None else str(number)
