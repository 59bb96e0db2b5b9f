"""The channels of a source in an RT Brachy Treatment Record (PS3.3 C.8.8.22): seconds and pulses, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom import Dataset

from recovery.dicom import elements as el

FULL_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class ChannelPulses:
    """Pulses of one channel of pulsed brachytherapy: SpecifiedNumberOfPulses (3008,0136), Delivered… (3008,0138)."""

    channel_number: int | None
    specified: int | None
    delivered: int | None


@dataclass(frozen=True, slots=True)
class ChannelTime:
    """Seconds of one channel: SpecifiedChannelTotalTime (3008,0132), DeliveredChannelTotalTime (3008,0134)."""

    channel_number: int | None
    specified: float | None
    delivered: float | None


def pulses_of(channels: Sequence[Dataset]) -> tuple[ChannelPulses, ...]:
    """Of items of RecordedChannelSequence, those that are pulsed."""
    told = (
        ChannelPulses(
            el.integer(c, "ChannelNumber"),
            el.positive(c, "SpecifiedNumberOfPulses"),
            el.count(c, "DeliveredNumberOfPulses"),
        )
        for c in channels
    )
    return tuple(p for p in told if p.specified is not None or p.delivered is not None)


def times_of(channels: Sequence[Dataset]) -> tuple[ChannelTime, ...]:
    return tuple(
        ChannelTime(
            el.integer(c, "ChannelNumber"),
            el.amount(c, "SpecifiedChannelTotalTime"),
            el.amount(c, "DeliveredChannelTotalTime"),
        )
        for c in channels
    )


def delivered_channel_time(channels: Sequence[Dataset]) -> float | None:
    """All channels, s. Where one got less than was specified, what another got beyond it does not make up for that."""
    times = [(el.number(c, "SpecifiedChannelTotalTime"), el.number(c, "DeliveredChannelTotalTime")) for c in channels]
    is_short = any(a is not None and b is not None and b < FULL_SHARE * a for a, b in times)
    return el.sum_if_all_known(b if a is None or b is None or not is_short else min(a, b) for a, b in times)
