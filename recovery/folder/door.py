"""A folder of DICOM files is asked as the RT-PACS is, for the archive may burn as well.

Goal
    Packs, charts, pictures, restore and transfer-out work from a pack on a stick, and nobody who asks need know.

How
    A peer's door (`recovery.dimse.peer`): a question is answered from what every file told when it was last read, and
    what is brought is read anew and held against the checksums of its pack.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recovery.dimse import EncodedObject, NodeTraits, Peer
from recovery.dimse.guard import NOT_AUTHORISED
from recovery.dimse.query.identifiers import UNIQUE
from recovery.folder.listing import File, FileError, listing, matched

if TYPE_CHECKING:
    from pydicom import Dataset

    from recovery.dicom.model import InstanceRef

log = logging.getLogger(__name__)

MOST_OBJECTS = 10_000_000
"""A folder ends no answer early: so many are believed to be all."""
NAMED = 3
_CANNOT = 0xC000
"""Unable to process (PS3.4 table C.4-3): of one object alone."""


@dataclass(frozen=True, slots=True)
class FolderDoor:
    """`[pacs] folder`: nothing is stored there, and nothing moved by it."""

    folder: Path

    @property
    def name(self) -> str:
        return f"The folder {self.folder}"

    @contextmanager
    def open(self, peer: Peer) -> Iterator[FolderLink]:
        """Raises `DimseError` if it cannot be read."""
        yield FolderLink(peer, self.folder)


def understands_all(traits: NodeTraits) -> NodeTraits:
    """A folder understands every question, and answers it whole."""
    traits.relational = traits.uid_lists = traits.patient_lists = True
    traits.proven = dict.fromkeys(UNIQUE, MOST_OBJECTS)
    return traits


class FolderLink:
    """What lies in a folder when it is opened."""

    is_open = is_relational = True

    def __init__(self, peer: Peer, folder: Path) -> None:
        self.peer = peer
        try:
            self._listing = listing(folder)
        except OSError as error:
            raise peer.error(f"cannot be read: {error.strerror or error}. Look whether the disk is there") from error

    def echo(self) -> None:
        """Raises `DimseError` if it holds no object."""
        if not self._listing.files:
            raise self.peer.error("holds no DICOM object")
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
                found[file.believed()] = file.sha256
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
        said = f"files that cannot be read ({', '.join(broken[:NAMED])}{more})"
        if broken and said not in unfinished:
            log.warning("%s has %s", self.peer.name, said)
            unfinished.append(said)
