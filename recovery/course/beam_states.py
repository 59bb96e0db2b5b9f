"""One beam in one fraction: what its records delivered of what it was to give. Pure arithmetic.

What the records report adds up, in one unit. Brachytherapy is full when every channel got its time, whichever records
tell of it, and its pulses where it is pulsed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recovery.course.deliveries import Delivery
from recovery.course.metersets import FULL_SHARE, ToGive, is_enough
from recovery.words.units import MU, PULSES, SECONDS


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
    """Whether every record of it could be added up, the same unit, an amount or a NORMAL end, pulses; and of a source,
    whether a record says how long it was to stay on that day."""
    channels_untold: int = 0
    """Channels of the plan that no record tells of: it is not full, and what they lack nobody knows in seconds."""

    @property
    def is_full(self) -> bool:
        """By `is_enough`; where nothing says how much was planned, a NORMAL termination is full."""
        if self.planned is None or self.channels_untold:
            return self.ended_normally and not self.channels_untold
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
    if (channels := _channels_state(beam_number, to_give, own)) is not None:
        return _with_pulses(channels, to_give, alike)
    planned = _decayed(to_give.meterset, alike)
    delivered = sum(d.beam.delivered_meterset or 0.0 for d in alike)
    normal = [d.beam for d in alike if d.beam.treatment_termination_status == "NORMAL"]
    silent = [b.treatment_delivery_type for b in normal if b.delivered_meterset is None]
    if planned is not None and silent:
        delivered += planned * sum(delivery_type != "CONTINUATION" for delivery_type in silent)
        delivered = max(delivered, planned)
    is_told = all(d.beam.delivered_meterset is not None or d.beam in normal for d in own)
    is_of_the_day = to_give.unit != SECONDS or not own or any(d.beam.specified_meterset is not None for d in own)
    is_known = len(alike) == len(own) and is_told and is_of_the_day
    times = BeamState(beam_number, planned, round(delivered, 6), bool(normal), to_give.unit, is_known)
    return _with_pulses(times, to_give, alike)


def _with_pulses(times: BeamState, to_give: ToGive, own: Sequence[Delivery]) -> BeamState:
    if not to_give.pulses:
        return times
    pulses = _pulses_state(times.beam_number, to_give.pulses, own)
    return pulses if times.is_full or not pulses.is_full else times


def _channels_state(beam_number: int, to_give: ToGive, own: Sequence[Delivery]) -> BeamState | None:
    """Of channel times: what one channel got beyond its time makes up for no other, in whichever records they stand.

    None where a record does not tell its channels apart, or one of them does not say how long.
    """
    told = [d.beam.channel_times for d in own]
    channels = [channel for times in told for channel in times]
    if to_give.unit != SECONDS or not own or not all(told):
        return None
    if any(None in (c.channel_number, c.specified, c.delivered) for c in channels):
        return None
    specified: dict[int | None, float] = {}
    delivered: dict[int | None, float] = {}
    for c in channels:
        specified[c.channel_number] = max(c.specified or 0.0, specified.get(c.channel_number, 0.0))
        delivered[c.channel_number] = delivered.get(c.channel_number, 0.0) + (c.delivered or 0.0)
    is_short = any(not is_enough(delivered[n], specified[n], to_give.unit) for n in specified)
    given = sum(min(delivered[n], specified[n]) if is_short else delivered[n] for n in specified)
    planned, ended = sum(specified.values()), any(d.beam.treatment_termination_status == "NORMAL" for d in own)
    untold = _untold(to_give.channels, specified)
    if untold:
        planned = to_give.meterset if to_give.meterset is not None else planned
    return BeamState(beam_number, planned, round(given, 6), ended, to_give.unit, not untold, untold)


def _untold(planned: Mapping[int | None, float], told: Mapping[int | None, float]) -> int:
    """How many of the plan's channels no record tells of; of those that afterloaders drop, 1 % together, none.

    By their numbers; where the records number them otherwise, by how many there are.
    """
    least = (1 - FULL_SHARE) * sum(planned.values())
    if told.keys() <= planned.keys():
        left = {number: time for number, time in planned.items() if number not in told}
        return len(left) if sum(left.values()) > least else 0
    return max(0, sum(time > least for time in planned.values()) - len(told))


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
