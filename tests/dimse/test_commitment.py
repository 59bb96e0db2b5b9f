"""Storage Commitment of a node that reports on the association on which it was asked (PS3.4 section J.3.3)."""

from __future__ import annotations

import threading

from pydicom import Dataset
from pynetdicom import evt

from recovery.dicom.model import DicomNode
from recovery.dimse import Peer, ask_to_commit
from tests.dimse.scripted import SUCCESS, Scripted, scp
from tests.orthanc import free_port
from tests.patience import seconds, wait_until

PUSH_MODEL, INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"


def test_a_report_on_the_same_association_is_heard_and_answered() -> None:
    answered: list[Dataset] = []

    def report(_: Scripted, event: evt.Event) -> tuple[int, None]:
        asked = event.action_information
        held, lacking = asked.ReferencedSOPSequence
        lacking.FailureReason = 0x0112
        told = Dataset()
        told.TransactionUID = asked.TransactionUID
        told.ReferencedSOPSequence, told.FailedSOPSequence = [held], [lacking]

        def send() -> None:
            answered.append(event.assoc.send_n_event_report(told, 2, PUSH_MODEL, INSTANCE)[0])

        threading.Timer(0.2, send).start()  # after the response to what is asked
        return SUCCESS, None

    local = DicomNode("RBRDT", "127.0.0.1", free_port())
    with scp({evt.EVT_N_ACTION: report}, contexts=[PUSH_MODEL]) as node:
        peer = Peer(local, node.node, "pacs", timeout=seconds(20))
        objects = dict.fromkeys(("1.2.3", "1.2.4"), "1.2.840.10008.5.1.4.1.1.481.5")
        assert ask_to_commit(peer, objects) == {"1.2.4": "reason 0112"}
        wait_until(lambda: bool(answered), "the node has our response")
    assert [status.Status for status in answered] == [SUCCESS]
