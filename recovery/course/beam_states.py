"""One beam in one fraction: what its records delivered of what it was to give. Pure arithmetic.

What the records report adds up, in one unit. Pulsed brachytherapy is full when every channel got its pulses and the
channels their time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recovery.course.deliveries import Delivery
from recovery.course.metersets import ToGive, is_enough
from recovery.words.units import MU, PULSES


@dataclass(frozen=True, slots=True)
class BeamState:
    """One beam in one fraction, metersets in `unit`. `planned` is None when neither plan nor records give it.

    Where brachytherapy is pulsed, the state is that of its pulses, in the channel that lacks most of them; of the
    channel times, where only these lack something.
    """

    beam_number: int
    planned: float | None
    delivered: float
    ended_normally: bool = False
    unit: str = MU
    is_known: bool = True
    """Whether every record of it could be added up: the same unit, and pulses told."""

    @property
    def is_full(self) -> bool:
        """By `is_enough`; where nothing says how much was planned, a NORMAL termination is full."""
        if self.planned is None:
            return self.ended_normally
        return is_enough(self.delivered, self.planned, self.unit)

    @property
    def remaining(self) -> float | None:
        """What the beam still lacks; 0 when full, None when unknown."""
        if self.is_full:
            return 0.0
        return self.planned - self.delivered if self.planned is not None and self.is_known else None


def beam_state(beam_number: int, to_give: ToGive, own: Sequence[Delivery]) -> BeamState:
    """Add up what the records report in the unit of what was planned; what is in another unit is not added.

    A treatment that reports no meterset and ended NORMAL gave what was planned; such a continuation, what lacked.
    """
    alike = [d for d in own if d.unit in {None, to_give.unit}]
    planned = _decayed(to_give.meterset, alike)
    delivered = sum(d.beam.delivered_meterset or 0.0 for d in alike)
    normal = [d.beam for d in alike if d.beam.treatment_termination_status == "NORMAL"]
    silent = [b.treatment_delivery_type for b in normal if b.delivered_meterset is None]
    if planned is not None and silent:
        delivered += planned * sum(delivery_type != "CONTINUATION" for delivery_type in silent)
        delivered = max(delivered, planned)
    is_known = len(alike) == len(own)
    times = BeamState(beam_number, planned, round(delivered, 6), bool(normal), to_give.unit, is_known)
    if not to_give.pulses:
        return times
    pulses = _pulses_state(beam_number, to_give.pulses, alike)
    return pulses if times.is_full or not pulses.is_full else times


def _pulses_state(beam_number: int, planned: Mapping[int | None, int], own: Sequence[Delivery]) -> BeamState:
    """Of the channel that lacks most of its planned pulses; where none does, of the one that got most beyond them."""
    delivered, is_known = dict.fromkeys(planned, 0), True
    for beam in (d.beam for d in own):
        told = {pulses.channel_number: pulses for pulses in beam.pulses}
        for channel in planned:
            pulses = told.get(channel)
            if pulses is not None and pulses.delivered is not None:
                delivered[channel] += pulses.delivered
            elif pulses is None and beam.pulses:
                continue  # a record of other channels
            elif beam.treatment_termination_status == "NORMAL":
                delivered[channel] = max(delivered[channel], planned[channel])
            else:
                is_known = False
    over = {channel: delivered[channel] - planned[channel] for channel in planned}
    lacks = any(not is_enough(delivered[channel], planned[channel], PULSES) for channel in planned)
    channel = (min if lacks else max)(over, key=lambda number: over[number])
    ended = any(d.beam.treatment_termination_status == "NORMAL" for d in own)
    return BeamState(beam_number, planned[channel], delivered[channel], ended, PULSES, is_known)


def _decayed(planned: float | None, own: Iterable[Delivery]) -> float | None:
    """What was to be delivered on the day: for brachytherapy the seconds that the records specify.

    The source decays, for Ir-192 by 1 % a day, and is exchanged: the plan's seconds hold on the plan's day alone.
    """
    on_the_day = [d.beam.specified_meterset for d in own if d.is_brachy and d.beam.specified_meterset is not None]
    return max(on_the_day, default=planned)
