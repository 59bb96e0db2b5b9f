"""Where objects come from that the RT-PACS lacks: the R&V system first, then each planning system.

The answer tells for each object whether it is proven, absent everywhere, or could not be asked for: the silence of a
source that is down is kept apart from "none of them has it".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydicom import Dataset

from backup_jobs.transfer.transfer import transfer
from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef
from recovery.dicom.plans import ImageSeries
from recovery.dimse import DimseError, Peer, find_by_uid, find_images, open_link
from recovery.dimse.query.identifiers import UIDS_PER_QUERY
from recovery.pacs.peers import rv_peer, tps_peers
from recovery.pacs.record_search import find_objects_of_patients
from recovery.pacs.workspace import Workspace


@dataclass(slots=True)
class Sources:
    """The nodes that may have what is missing, and those of them that did not answer."""

    space: Workspace
    peers: list[Peer]
    silent: dict[str, DimseError] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    unproven: dict[str, str] = field(default_factory=dict)
    """Objects that a source has and that did not get to the RT-PACS, and why."""

    @classmethod
    def of(cls, space: Workspace) -> Sources:
        return cls(space, [rv_peer(space.config, space.memory), *tps_peers(space.config, space.memory)])

    @property
    def answering(self) -> list[Peer]:
        return [peer for peer in self.peers if str(peer.remote) not in self.silent]

    def bring(self, uids: Iterable[str], what: str, patients: Mapping[str, str | None] | None = None) -> set[str]:
        """Transfer those of `uids` that a source has; returns those that no source that answers has.

        `patients`: by UID, the PatientID where it is known; a source that must be walked is then not walked whole.
        Raises `DimseError` if the RT-PACS cannot be asked.
        """
        rest = set(uids)
        for peer in self.answering:
            if not rest:
                break
            found = self._ask(peer, sorted(rest), patients or {})
            self._transfer(peer, found, what)
            rest -= {ref.sop_instance_uid for ref in found}
        return rest

    def listings(self, ask: Callable[[Peer], list[ImageSeries]]) -> Iterator[tuple[Peer, list[ImageSeries]]]:
        """What each source that answers lists, when it is asked by `ask`."""
        for peer in self.answering:
            try:
                yield peer, ask(peer)
            except DimseError as error:
                if error.fault == "pacs":
                    raise
                self.silent[str(peer.remote)] = error

    def of_patients(self, patient_ids: list[str], modality: str) -> list[tuple[Peer, set[InstanceRef]]]:
        """What each source has of one modality of these patients."""
        answers = []
        for peer in self.answering:
            try:
                answers.append((peer, find_objects_of_patients(peer, patient_ids, modality)))
            except DimseError as error:
                self.silent[str(peer.remote)] = error
        return answers

    def referenced_plans(self, peer: Peer, doses: Iterable[InstanceRef]) -> dict[InstanceRef, set[str]]:
        """By dose, the plans that it references; an empty set where the source does not tell."""
        plans: dict[InstanceRef, set[str]] = {}
        for answer in self._told(peer, doses, "RTDOSE", "ReferencedRTPlanSequence"):
            items = el.items(answer, "ReferencedRTPlanSequence")
            named = {el.text(item, "ReferencedSOPInstanceUID") for item in items}
            plans[InstanceRef.from_dataset(answer)] = {uid for uid in named if uid is not None}
        return plans

    def plan_labels(self, peer: Peer, plans: Iterable[InstanceRef]) -> dict[str, str]:
        """By plan, its RTPlanLabel as the source tells it."""
        answers = self._told(peer, plans, "RTPLAN", "RTPlanLabel")
        labels = {el.required_uid(answer, "SOPInstanceUID"): el.text(answer, "RTPlanLabel") for answer in answers}
        return {uid: label for uid, label in labels.items() if label is not None}

    def _told(self, peer: Peer, refs: Iterable[InstanceRef], modality: str, keyword: str) -> list[Dataset]:
        """What a source answers of these objects, with one element more."""
        answers: list[Dataset] = []
        uids = sorted(ref.sop_instance_uid for ref in refs)
        try:
            with open_link(peer) as link:
                for start in range(0, len(uids), UIDS_PER_QUERY):
                    keys = {"SOPInstanceUID": "\\".join(uids[start : start + UIDS_PER_QUERY]), "Modality": modality}
                    answers += find_images(link, keys, (keyword,))
        except DimseError as error:
            self.silent[str(peer.remote)] = error
        return answers

    def take(self, peer: Peer, refs: Iterable[InstanceRef], what: str) -> None:
        """Transfer objects that `peer` was just found to have."""
        self._transfer(peer, set(refs), what)

    def _ask(self, peer: Peer, uids: list[str], patients: Mapping[str, str | None]) -> set[InstanceRef]:
        try:
            with open_link(peer) as link:
                if peer.traits.relational is not False:
                    return find_by_uid(link, uids)
                found: set[InstanceRef] = set()
                for patient_id in {patients.get(uid) for uid in uids}:
                    keys = {"PatientID": patient_id} if patient_id else {}
                    found |= find_by_uid(link, (uid for uid in uids if patients.get(uid) == patient_id), **keys)
                return found
        except DimseError as error:
            self.silent[str(peer.remote)] = error
            return set()

    def _transfer(self, peer: Peer, refs: set[InstanceRef], what: str) -> None:
        if not refs:
            return
        try:
            report = transfer(self.space, peer, refs, what)
        except DimseError as error:
            if error.fault == "pacs":
                raise
            self.silent[str(peer.remote)] = error
            self.unproven |= {ref.sop_instance_uid: str(error) for ref in refs}
            return
        self.moved |= {ref.sop_instance_uid for ref in report.moved}
        self.unproven |= report.unproven
