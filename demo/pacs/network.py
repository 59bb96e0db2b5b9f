"""The archive's side of the wire: what it accepts, fast sockets, and sub-operations that send the stored bytes.

Goal
    Every storage class and transfer syntax is accepted, and an object leaves as it came.

How
    pynetdicom's Q/R service runs C-GET and C-MOVE and calls `send_c_store` for each object. On the archive's own
    associations that is replaced by `send_stored`, which sends the file's bytes.

Why not pynetdicom's own
    It decodes and encodes every dataset again: a plan of 400 control points takes 50 ms, and an object that pydicom
    cannot encode could not leave. Its requestor also races with its own reactor for the response: the
    checkpoint of the associations opened here is closed before the reactor first reaches it, and stays closed.
"""

from __future__ import annotations

import functools
import logging
import socket
import time
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom import Dataset, dcmread
from pydicom.uid import UID
from pynetdicom import AllStoragePresentationContexts, _config, build_context, register_uid
from pynetdicom._globals import ALL_TRANSFER_SYNTAXES, DEFAULT_TRANSFER_SYNTAXES
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class import StorageServiceClass

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.events import Event

    from demo.pacs.store import ArchiveStore, StoredObject

log = logging.getLogger(__name__)

# Not every answer pretty-printed for a log that nobody reads; and no patient's name in it.
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False

PRIVATE_STORAGE_CLASSES = {
    "VarianRTPlanStorage": "1.2.246.352.70.1.70",
    "SiemensCSANonImageStorage": "1.3.12.2.1107.5.9.1",
    "PhilipsPrivateMRSeriesDataStorage": "1.3.46.670589.11.0.0.12.2",
    "PhilipsPrivateMRExamcardStorage": "1.3.46.670589.11.0.0.12.4",
    "PhilipsPrivateSpecialisedXAStorage": "1.3.46.670589.2.3.1.1",
    "PhilipsPrivateCXImageStorage": "1.3.46.670589.2.4.1.1",
    "PhilipsPrivateVRMLStorage": "1.3.46.670589.2.8.1.1",
    "PhilipsPrivateVolumeSetStorage": "1.3.46.670589.2.11.1.1",
    "PhilipsPrivate3DObjectStorage": "1.3.46.670589.5.0.2.1",
    "GEPrivate3DModelStorage": "1.2.840.113619.4.26",
    "GEPETRawDataStorage": "1.2.840.113619.4.30",
}
_RETIRED_STORAGE_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.6",  # Ultrasound Image, retired
    "1.2.840.10008.5.1.4.1.1.3",  # Ultrasound Multi-frame Image, retired
    "1.2.840.10008.5.1.4.1.1.5",  # Nuclear Medicine Image, retired
)
VERIFICATION = "1.2.840.10008.1.1"
STORAGE_COMMITMENT_PUSH_MODEL = "1.2.840.10008.1.20.1"
PATIENT_ROOT = tuple(f"1.2.840.10008.5.1.4.1.2.1.{n}" for n in (1, 2, 3))
STUDY_ROOT = tuple(f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
"""FIND, MOVE and GET of the two information models (PS3.4 section C.6)."""
TRANSFER_SYNTAXES = [*ALL_TRANSFER_SYNTAXES, "1.2.840.10008.1.2.1.98"]
IMPLICIT_VR_LITTLE_ENDIAN = UID("1.2.840.10008.1.2")
MAXIMUM_PDU_SIZE = 131072


class _SharedContext(PresentationContext):
    """A supported context that is not copied: pynetdicom copies all of them for each association, which took 70 ms."""

    def __deepcopy__(self, _memo: dict[int, object]) -> _SharedContext:
        return self


def supported_contexts() -> list[PresentationContext]:
    """All that the archive speaks: every storage class that pynetdicom names and those above, in both roles."""
    for keyword, uid in PRIVATE_STORAGE_CLASSES.items():
        register_uid(uid, keyword, StorageServiceClass)
    for index, uid in enumerate(_RETIRED_STORAGE_CLASSES):
        register_uid(uid, f"RetiredUltrasoundOrNuclear{index}", StorageServiceClass)
    named = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
    storage = [*named, *PRIVATE_STORAGE_CLASSES.values(), *_RETIRED_STORAGE_CLASSES]
    services = (VERIFICATION, *PATIENT_ROOT, *STUDY_ROOT)
    return [
        *(_supported(uid, DEFAULT_TRANSFER_SYNTAXES, None, None) for uid in services),
        _supported(STORAGE_COMMITMENT_PUSH_MODEL, DEFAULT_TRANSFER_SYNTAXES, scu_role=True, scp_role=False),
        *(_supported(uid, TRANSFER_SYNTAXES, scu_role=True, scp_role=True) for uid in dict.fromkeys(storage)),
    ]


def _supported(
    abstract_syntax: str, transfer_syntaxes: list[str], scu_role: bool | None, scp_role: bool | None
) -> PresentationContext:
    context = _SharedContext()
    context.abstract_syntax = UID(abstract_syntax)
    context.transfer_syntax = [UID(syntax) for syntax in transfer_syntaxes]
    context.scu_role, context.scp_role = scu_role, scp_role
    return context


def contexts_to_send(objects: list[StoredObject]) -> list[PresentationContext]:
    """One context for each class in each syntax it lies in, and Implicit VR for a peer that knows nothing else."""
    pairs = dict.fromkeys((o.sop_class_uid, o.transfer_syntax_uid) for o in objects)
    fallbacks = dict.fromkeys(
        (sop_class, str(IMPLICIT_VR_LITTLE_ENDIAN)) for sop_class, syntax in pairs if not UID(syntax).is_compressed
    )
    return [build_context(sop_class, syntax) for sop_class, syntax in {**pairs, **fallbacks}][:128]


def on_connection(event: Event, store: ArchiveStore) -> None:
    """Make a new connection fast, either way round, and let its C-STOREs send stored bytes."""
    assoc = event.assoc
    wrapped = assoc.dul.socket
    if wrapped is not None and wrapped.socket is not None:
        wrapped.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if assoc.is_requestor:
        assoc._reactor_checkpoint.clear()
    assoc.send_c_store = functools.partial(send_stored, assoc, store)  # type: ignore[method-assign]


def let_the_peer_speak(assoc: Association) -> None:
    """Wait until the answers so far are sent: while any is queued pynetdicom reads nothing, so no C-CANCEL either."""
    while assoc.is_established and not assoc.dul.to_provider_queue.empty():
        time.sleep(0.001)
    time.sleep(0.003)


def send_stored(
    assoc: Association,
    store: ArchiveStore,
    dataset: Dataset,
    msg_id: int = 1,
    originator_aet: str | None = None,
    originator_id: int | None = None,
) -> Dataset:
    """Send the stored object whose UID `dataset` names; same arguments and result as `Association.send_c_store`.

    Raises
    ------
    ValueError
        If the object is gone, or the peer accepted no presentation context for it. It counts as one failed
        sub-operation.
    """
    stored = store.held(str(dataset.SOPInstanceUID))
    if stored is None:
        raise ValueError("the object is gone")
    context = assoc._get_valid_context(UID(stored.sop_class_uid), UID(stored.transfer_syntax_uid), "scu")
    request = C_STORE()
    request.MessageID = msg_id
    request.Priority = 2
    request.MoveOriginatorApplicationEntityTitle = originator_aet
    request.MoveOriginatorMessageID = originator_id
    request.AffectedSOPClassUID = stored.sop_class_uid
    request.AffectedSOPInstanceUID = stored.sop_instance_uid
    request.DataSet = BytesIO(_encoded_for(stored, context.transfer_syntax[0]))
    while not assoc._is_paused:
        time.sleep(0.0001)
    assoc.dimse.send_msg(request, int(context.context_id or 0))
    _, response = assoc.dimse.get_msg(block=True)
    status = Dataset()
    if isinstance(response, C_STORE) and response.Status is not None:
        status.Status = response.Status
        return status
    log.error("the peer did not answer a C-STORE; the association is aborted")
    assoc.abort()
    return status


def _encoded_for(stored: StoredObject, transfer_syntax: UID) -> bytes:
    if transfer_syntax == stored.transfer_syntax_uid:
        return stored.encoded_dataset()
    ds = dcmread(stored.path)
    converted = encode(
        ds, transfer_syntax.is_implicit_VR, transfer_syntax.is_little_endian, transfer_syntax.is_deflated
    )
    if converted is None:
        raise ValueError("the object cannot be encoded in the transfer syntax that the peer accepts")
    return converted
