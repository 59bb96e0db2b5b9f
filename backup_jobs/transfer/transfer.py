"""Bring objects from a source into the RT-PACS by lists, and prove each there by the RT-PACS's own word.

C-MOVE and C-STORE both say "success" for objects that never arrive (Orthanc skips unknown UIDs in a list; an archive
may accept and drop). What is not there is asked for once more, one by one.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from backup_jobs.transfer.proving import prove, proved_meanwhile
from recovery.dicom.model import InstanceRef
from recovery.dimse import DimseError, Forwarder, Guard, Peer, move, open_receiver
from recovery.dimse.peer import UNKNOWN_DESTINATION
from recovery.host.logs import progress
from recovery.pacs.peers import pacs_store_peer
from recovery.pacs.workspace import Workspace

log = logging.getLogger(__name__)

DIRECT_ASSOCIATIONS = 3
"""An RT-PACS stores one object at a time: more senders than it can serve only wait for each other. By relay they hide
the delays of two connections, and more of them help (`recovery.dimse.moving`)."""

NAMED = 5
"""Objects whose reasons a message spells out; the JSON has them all."""


@dataclass(frozen=True, slots=True)
class TransferReport:
    """Objects that the RT-PACS holds since, and why not, by SOP Instance UID, for the others."""

    moved: frozenset[InstanceRef] = frozenset()
    unproven: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Told:
    """Who hears how many objects were dealt with, and which were sent."""

    progress: Callable[[int], None] = lambda _: None
    sent: Callable[[Sequence[InstanceRef]], None] = lambda _: None


_NOBODY = _Told()


def transfer(space: Workspace, source: Peer, refs: Iterable[InstanceRef], what: str) -> TransferReport:
    """Move objects from `source` to the RT-PACS and prove them.

    Raises `DimseError` if the source cannot be asked to move, or the RT-PACS cannot be asked what it holds.
    """
    wanted = set(refs)
    if not wanted:
        return TransferReport()
    with progress(what, len(wanted)) as on_progress, proved_meanwhile(space) as (on_sent, held):
        reasons = _move(space, source, wanted, _Told(on_progress, on_sent))
    if wanted - held:
        held |= prove(space, wanted - held)
    rest = wanted - held
    if rest:
        alone = replace(source, traits=replace(source.traits, uid_lists=False))
        reasons |= _move(space, alone, rest)
        held_now = prove(space, rest)
        if held_now and len(held_now) == len(wanted) > 1:
            source.traits.uid_lists = False
        held |= held_now
    why = f"{source.remote.ae_title} sent it or said so, and the RT-PACS does not hold it, or another object of its UID"
    unproven = {ref.sop_instance_uid: reasons.get(ref.sop_instance_uid, why) for ref in wanted - held}
    return TransferReport(frozenset(held), unproven)


def _move(space: Workspace, source: Peer, refs: Iterable[InstanceRef], told: _Told = _NOBODY) -> dict[str, str]:
    """Have the objects sent, by the config's route; a planning system that knows only the other one is used by it."""
    routes = ["direct", "relay"]
    if space.config.rv is not None and space.config.rv.route == "relay":
        routes.reverse()
    for route in routes[:-1] if source.role == "tps" else ():
        try:
            return _move_by(route, space, source, refs, told)
        except DimseError as error:
            if error.status != UNKNOWN_DESTINATION:
                raise
    return _move_by(routes[-1] if source.role == "tps" else routes[0], space, source, refs, told)


def _move_by(route: str, space: Workspace, source: Peer, refs: Iterable[InstanceRef], told: _Told) -> dict[str, str]:
    if route == "direct":
        return move(
            source,
            refs,
            space.config.pacs.ae_title,
            associations=DIRECT_ASSOCIATIONS,
            on_progress=told.progress,
            on_sent=told.sent,
        )
    local, wanted = space.config.local.node, set(refs)
    guard = Guard.of(source, wanted, partial(_refused, space))
    with (
        Forwarder(pacs_store_peer(space.config, space.memory)) as forwarder,
        open_receiver(local, forwarder.handle, guard),
    ):
        return move(source, wanted, local.ae_title, on_progress=told.progress, on_sent=told.sent)


def _refused(space: Workspace, said: str) -> None:
    """Somebody sent what nobody had asked for: it is told, and it is nobody's treatment record."""
    log.warning("refused: %s", said)
    space.note_refused(said)


def twins_in_words(refs: Iterable[InstanceRef]) -> dict[str, str]:
    """By UID, of objects that stand in two places under one UID: readers go by UID, and see one of them."""
    return {
        ref.sop_instance_uid: f"{1 + len(ref.twins)} objects of several patients or series bear this UID, of which one "
        "is read: compare them, and have one exported anew"
        for ref in refs
        if ref.twins
    }


def in_words(unproven: dict[str, str]) -> str:
    """The first few objects and why, for a message; no patient is named."""
    shown = [f"{uid}: {why}" for uid, why in list(unproven.items())[:NAMED]]
    more = f"; and {len(unproven) - NAMED} more" if len(unproven) > NAMED else ""
    return "; ".join(shown) + more
