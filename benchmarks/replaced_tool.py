"""The way of the tool that we replace, rebuilt from its description: per record a new SCP, a new association to the
R&V system, one C-MOVE to this machine, and a new association to the RT-PACS for one C-STORE.

Nothing is tuned, as nothing was.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, StoragePresentationContexts, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelMove,
)

from recovery.dicom.model import DicomNode


def move_one_by_one(local: DicomNode, rv: DicomNode, pacs: DicomNode, uids: Iterable[str]) -> None:
    """Copy records one after the other; nobody asks whether they arrived."""
    for uid in uids:
        receiver = AE(ae_title=local.ae_title)
        receiver.supported_contexts = AllStoragePresentationContexts
        server = receiver.start_server(
            (local.host, local.port),
            block=False,
            evt_handlers=[(evt.EVT_C_STORE, lambda event: _forward(event, local, pacs))],
        )
        try:
            _move(local, rv, uid)
        finally:
            if server is not None:
                server.shutdown()


def _move(local: DicomNode, rv: DicomNode, uid: str) -> None:
    sender = AE(ae_title=local.ae_title)
    sender.add_requested_context(StudyRootQueryRetrieveInformationModelMove)
    assoc = sender.associate(rv.host, rv.port, ae_title=rv.ae_title)
    query = Dataset()
    query.QueryRetrieveLevel = "IMAGE"
    query.SOPInstanceUID = uid
    for _ in assoc.send_c_move(query, local.ae_title, StudyRootQueryRetrieveInformationModelMove):
        pass
    assoc.release()


def _forward(event: evt.Event, local: DicomNode, pacs: DicomNode) -> int:
    ds = event.dataset
    ds.file_meta = event.file_meta
    sender = AE(ae_title=local.ae_title)
    sender.requested_contexts = StoragePresentationContexts
    assoc = sender.associate(pacs.host, pacs.port, ae_title=pacs.ae_title)
    if assoc.is_established:
        assoc.send_c_store(ds)
        assoc.release()
    return 0x0000
