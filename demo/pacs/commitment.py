"""Storage Commitment: the archive says what it took responsibility for (PS3.4 annex J).

Goal
    The requestor hears of every instance it asked about: held, or not.

How
    The N-ACTION is accepted at once; the report goes as N-EVENT-REPORT on a new association to the requestor's known
    address, in the role of the SCP.

Why a new association
    The requestor may have released its own long before (PS3.4 section J.3.3).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydicom import Dataset
from pynetdicom import build_context, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModelInstance

from demo.pacs import network
from demo.pacs.network import STORAGE_COMMITMENT_PUSH_MODEL

if TYPE_CHECKING:
    from pynetdicom.ae import ApplicationEntity

    from demo.pacs.store import ArchiveStore
    from recovery.dicom.model import DicomNode

log = logging.getLogger(__name__)

_ALL_HELD, _FAILURES_EXIST = 1, 2
_NO_SUCH_OBJECT, _CLASS_INSTANCE_CONFLICT = 0x0112, 0x0119


def commit(ae: ApplicationEntity, store: ArchiveStore, peer: DicomNode, request: Dataset) -> None:
    """Look up what was asked about and report it to `peer`; a report that cannot be sent is logged."""
    report = commitment_report(store, request)
    event_type = _FAILURES_EXIST if "FailedSOPSequence" in report else _ALL_HELD
    assoc = ae.associate(
        peer.host,
        peer.port,
        contexts=[build_context(STORAGE_COMMITMENT_PUSH_MODEL)],
        ae_title=peer.ae_title,
        ext_neg=[build_role(STORAGE_COMMITMENT_PUSH_MODEL, scp_role=True)],
        evt_handlers=[(evt.EVT_CONN_OPEN, network.on_connection, [store])],
    )
    if not assoc.is_established:
        log.error("no association with %s: the commitment report is lost", peer)
        return
    try:
        status, _ = assoc.send_n_event_report(
            report, event_type, STORAGE_COMMITMENT_PUSH_MODEL, StorageCommitmentPushModelInstance
        )
    except (ValueError, RuntimeError) as error:
        log.error("%s does not take commitment reports: %s", peer, error)  # noqa: TRY400
        status = None
    if status is not None and status.get("Status") != 0x0000:
        log.error("%s refused the commitment report", peer)
    assoc.release()


def commitment_report(store: ArchiveStore, request: Dataset) -> Dataset:
    """The Event Information of PS3.4 table J.3-3: what is held, and what failed with its reason."""
    report = Dataset()
    report.TransactionUID = request.TransactionUID
    held, failed = [], []
    for asked in request.get("ReferencedSOPSequence") or []:
        stored = store.held(str(asked.ReferencedSOPInstanceUID))
        item = Dataset()
        item.ReferencedSOPClassUID = asked.ReferencedSOPClassUID
        item.ReferencedSOPInstanceUID = asked.ReferencedSOPInstanceUID
        if stored is None or stored.sop_class_uid != asked.ReferencedSOPClassUID:
            item.FailureReason = _NO_SUCH_OBJECT if stored is None else _CLASS_INSTANCE_CONFLICT
            failed.append(item)
        else:
            held.append(item)
    if held:
        report.ReferencedSOPSequence = held
    if failed:
        report.FailedSOPSequence = failed
    return report
