"""Records by which what people charted goes to a restored R&V system, and comes back."""

from collections.abc import Iterable, Iterator

from recovery.course.charted_entries import ChartedFraction
from recovery.dicom.records import TreatmentRecord
from recovery.objects.modules import derived_uid


def sent_uid(entry_id: str) -> str:
    """The UID of the record by which an entry that people charted goes to a restored R&V system."""
    return derived_uid("charted fraction", entry_id)


def without_sent(records: Iterable[TreatmentRecord], entries: Iterable[ChartedFraction]) -> Iterator[TreatmentRecord]:
    """Without those that were made here of `entries` and came back: the entry itself counts, as it stands by now."""
    sent = {sent_uid(entry.entry_id) for entry in entries}
    return (record for record in records if record.ref.sop_instance_uid not in sent)
