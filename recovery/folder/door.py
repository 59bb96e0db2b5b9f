"""A folder of DICOM files is asked as the RT-PACS is, for the archive may burn as well.

Goal
    Packs, charts, pictures, restore and transfer-out work from a pack on a stick, and nobody who asks need know.

How
    A peer's door (`recovery.dimse.peer`): a question is answered from what every file told when it was last read, and
    what is brought is read anew and held against the checksums of its pack.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import Dataset

from recovery.dicom.model import InstanceRef
from recovery.dimse import EncodedObject, NodeTraits, Peer
from recovery.dimse.guard import NOT_AUTHORISED
from recovery.dimse.query.identifiers import UNIQUE
from recovery.folder.listing import File, FileError, Listing, listing, matched
from recovery.folder.sums import UNSIGNED

log = logging.getLogger(__name__)

MOST_OBJECTS = 10_000_000
"""A folder ends no answer early: so many are believed to be all."""
NAMED = 3
MANY, LISTED_SECONDS = 1_000, 10.0
"""So many objects are not listed anew for each question within this time: packing asks several for each plan."""
_CANNOT = 0xC000
"""Unable to process (PS3.4 table C.4-3): of one object alone."""


@dataclass(frozen=True, slots=True)
class FolderDoor:
    """`[pacs] folder`: nothing is stored there, and nothing moved by it."""

    folder: Path
    public_keys: tuple[str, ...] = ()
    """Of who signs packs; none: anybody is believed."""
    differs: Callable[[Dataset], bool] = field(default=lambda _: False, compare=False)
    """Whether an object is known to be another than was first read."""
    _listed: list[tuple[float, Listing]] = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        return f"The folder {self.folder}"

    def listed(self) -> Listing:
        """What there is; of many files, what there was some seconds ago. Raises `OSError` if that cannot be read."""
        for at, listed in self._listed:
            if time.monotonic() - at < LISTED_SECONDS:
                return listed
        listed = listing(self.folder, self.public_keys)
        self._listed[:] = [(time.monotonic(), listed)] if len(listed.files) > MANY else []
        return listed

    @contextmanager
    def open(self, peer: Peer) -> Iterator[FolderLink]:
        """Raises `DimseError` if it cannot be read, or holds nothing to be believed."""
        yield FolderLink(peer, self)


def understands_all(traits: NodeTraits) -> NodeTraits:
    """A folder understands every question, and answers it whole."""
    traits.relational = traits.uid_lists = traits.patient_lists = True
    traits.proven = dict.fromkeys(UNIQUE, MOST_OBJECTS)
    return traits


class FolderLink:
    """What lies in a folder when it is opened."""

    is_open = is_relational = True

    def __init__(self, peer: Peer, door: FolderDoor) -> None:
        self.peer, self._door = peer, door
        try:
            self._listing = door.listed()
        except OSError as error:
            raise peer.error(f"cannot be read: {error.strerror or error}. Look whether the disk is there") from error
        if not self._listing.files:  # where a disk is not there, its folder often is
            raise peer.error("holds no DICOM object. Look whether the disk is there")
        if not any(file.is_signed for files in self._listing.files.values() for file in files):
            raise peer.error(f"holds no pack that is believed: {UNSIGNED}")

    def echo(self) -> None:
        """It was read when it was opened."""
        self._tell_broken()

    def find(self, query: Dataset) -> Iterator[Dataset]:
        """One match per study, series or object, as a node gives them (PS3.4 C.4.1)."""
        self._tell_broken()
        return matched(self._listing, query)

    def bring(self, ref: InstanceRef) -> EncodedObject:
        """An object as its file is now. Of several files any that is believed will do, if they are the same."""
        own = self._listing.files.get(ref.sop_instance_uid, ())
        there: list[File] = [file for file in own if ref.patient_id in {None, file["PatientID"]}] or [*own]
        found: dict[EncodedObject, str | None] = {}
        why = "does not have it"
        for file in there:
            if file.sha256 and file.sha256 in found.values():
                continue
            try:
                found[file.believed(self._door.differs)] = file.sha256
            except FileError as error:
                why = f"has a file of it that {error}"
                log.warning("%s, object %s: %s", self.peer.name, ref.sop_instance_uid, why)
        if len(found) == 1:
            return next(iter(found))
        raise self.peer.error(f"has {len(found)} different objects of its UID" if found else why, _CANNOT)

    def send(self, obj: EncodedObject) -> int | None:
        """Nothing is stored here."""
        log.warning("%s is there to be read: object %s is not stored", self.peer.name, obj.sop_instance_uid)
        return NOT_AUTHORISED

    def abort(self) -> None:
        """Nothing is open."""

    def _tell_broken(self) -> None:
        """Nobody knows what a file tells that cannot be read: no answer is known to be all there is."""
        broken, unfinished = self._listing.broken, self.peer.traits.unfinished
        more = f" and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
        said = f"files that lack or cannot be read ({', '.join(broken[:NAMED])}{more})"
        if broken and said not in unfinished:
            log.warning("%s has %s", self.peer.name, said)
            unfinished.append(said)
