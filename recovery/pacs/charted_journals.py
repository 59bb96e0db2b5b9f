"""Bring what was charted back from the RT-PACS: lines and heads that their keys signed, put together to journals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from recovery.dicom.elements import InvalidObjectError, required_uid
from recovery.dicom.model import RAW_DATA, InstanceRef
from recovery.dimse import Peer, fetch, find_refs, find_series, open_link
from recovery.entries.charted import charted_folder, read_charted
from recovery.entries.denials import Denial
from recovery.entries.journal_parts import Signed, put_together, vouched_for
from recovery.entries.statement_lines import add_lines, known_as, lines_of
from recovery.objects.raw_data import RawSnapshotError
from recovery.objects.raw_journal import charted_study_uid, heads_ref, signed_in, statement_ref
from recovery.pacs.doubted_records import DoubtedRecords
from recovery.words.values import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Set

    from pydicom import Dataset

    from recovery.cache.store import Cache
    from recovery.settings.config import Config

_LACKING = "Of what was charted by hand, {} of the RT-PACS cannot be had: {}. What they tell does not count."
_NOT_TOLD = "Of what the R&V system denied, {} of the RT-PACS cannot be had: {}. Records that nobody gave may go, too."
_FOREIGN = (
    "The journal {0} in the RT-PACS, {1}, is of a workstation for which no key of [signing] vouches: anybody can have "
    "made it, and nothing of it counts. Who knows it to be right takes it by `rebuild --accept {0} --signed-by NAME`."
)
_UNVOUCHED = "{} in the RT-PACS, for which no key of [signing] vouches: anybody can have made them, and none counts."
_LOST = "Of what people signed {} cannot be had from the RT-PACS, and not from here."
_UNWRITTEN = "What was charted by hand did not come back from the RT-PACS, and does not count: journals here: {}."


def bring_charted(config: Config, pacs: Peer, accepted: str = "") -> tuple[list[str], list[str]]:
    """Merge the journals of the RT-PACS into those here; what came, and what is not as it should be, in sentences.

    Where the config names keys, they are journals that one of these vouches for, that are here already, or `accepted`.

    Raises `DimseError` if the RT-PACS cannot be asked.
    """
    with open_link(pacs) as link:
        series = find_series(link, charted_study_uid(config.site.name))
    found = _Found({accepted, *(path.stem for path in charted_folder(config.cache_path).glob("*.jsonl"))})
    found.fetch(config, pacs, _listed(config, pacs, series))
    came, refused = _take_charted(config, found)
    signed, doubted = _take_statements(config, found.statements, found.believed)
    return [*came, *signed], [*found.lacking(_LACKING), *refused, *doubted]


def denials_stated(config: Config, pacs: Peer) -> tuple[list[bytes], list[str]]:
    """What the jobs stated in the RT-PACS of records that nobody gave, and is not known here, line by line; and what is
    not as it should be, in sentences. Nothing is written.

    A machine that never made a list of the RT-PACS, or long ago, knows nothing of it.

    Raises `DimseError` if the RT-PACS cannot be asked; `OSError` if what is stated here cannot be read.
    """
    site, is_signing = config.site.name, bool(config.signing.public_keys)
    here = {statement_ref(site, *one).sop_instance_uid for one in lines_of(config.cache_path) if one[0] == Denial.FILE}
    listed = _listed(config, pacs, [statement_ref(site, Denial.FILE, b"").series_instance_uid])
    new = {ref for ref in listed if ref.sop_instance_uid not in here}
    if new and is_signing:
        new |= _listed(config, pacs, [heads_ref(site, ()).series_instance_uid])
    found = _Found(set())
    found.fetch(config, pacs, new)
    lines = [one for one in found.statements if one[0] == Denial.FILE]
    own = [line for name, line in lines if not is_signing or known_as(name, line) in found.believed]
    foreign = [_UNVOUCHED.format(counted(len(lines) - len(own), "statement"))] if len(own) < len(lines) else []
    return own, [*found.lacking(_NOT_TOLD), *foreign]


def with_denials(config: Config, cache: Cache, pacs: Peer) -> tuple[DoubtedRecords, list[str]]:
    """What is known of records that nobody gave, here and in the RT-PACS; as `denials_stated`."""
    known = DoubtedRecords.load(cache)
    lines, problems = denials_stated(config, pacs)
    known.take(config.cache_path, lines)
    return known, problems


def _listed(config: Config, pacs: Peer, series: Iterable[str | None]) -> set[InstanceRef]:
    """What the RT-PACS lists of these series of the site's study. Raises `DimseError` if it cannot be asked."""
    study = charted_study_uid(config.site.name)
    with open_link(pacs) as link:
        return {
            replace(ref, sop_class_uid=RAW_DATA, study_instance_uid=study, series_instance_uid=one)
            for one in series
            for ref in find_refs(link, {"StudyInstanceUID": study, "SeriesInstanceUID": str(one)})
        }


@dataclass(slots=True)
class _Found:
    """What the RT-PACS holds. `believed`: journals and statements; `odd`: by UID, why an object cannot be used."""

    believed: set[str]
    parts: list[Signed] = field(default_factory=list)
    statements: dict[tuple[str, bytes], None] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)

    def fetch(self, config: Config, pacs: Peer, refs: Set[InstanceRef]) -> None:
        """Take in what these hold. Raises `DimseError` if the RT-PACS cannot be asked."""

        def receive(ds: Dataset) -> None:
            try:
                came, said, vouched = signed_in(ds)
            except (InvalidObjectError, RawSnapshotError) as error:
                self.odd[required_uid(ds, "SOPInstanceUID")] = str(error)
                return
            self.parts += came
            self.believed |= vouched_for(config.site.name, vouched, config.signing.public_keys)
            self.statements.update((one, None) for one in said)
            if not (came or said or vouched):
                self.odd[required_uid(ds, "SOPInstanceUID")] = "its journal's key did not sign it"

        self.odd |= fetch(pacs, refs, receive, retrieve=config.pacs.retrieve)

    def lacking(self, sentence: str) -> list[str]:
        """What could not be had, and why, in the words of a `sentence`."""
        first = "; ".join(f"{uid}: {why}" for uid, why in sorted(self.odd.items())[:3])
        return [sentence.format(counted(len(self.odd), "object"), first)] if self.odd else []


def _take_charted(config: Config, found: _Found) -> tuple[list[str], list[str]]:
    """Add what was charted to the journals here; what came, and what is not as it should be, in sentences."""
    foreign = {part.journal for part in found.parts} - found.believed if config.signing.public_keys else set()
    lines = Counter(part.journal for part in found.parts if part.journal in foreign and not part.is_head)
    refused = [_FOREIGN.format(name, counted(lines[name], "entry", "entries")) for name in sorted(foreign)]
    parts = [part for part in found.parts if part.journal not in foreign]
    try:
        new = put_together(config.cache_path, parts) if parts else {}
    except OSError as error:
        return [], [*refused, _UNWRITTEN.format(error.strerror)]
    said = [
        f"{counted(count, 'entry', 'entries')} charted by hand came from the RT-PACS, of the journal {name}."
        for name, count in new.items()
        if count
    ]
    return said, [*refused, *read_charted(config.cache_path).faults]


def _take_statements(
    config: Config, lines: Collection[tuple[str, bytes]], believed: Collection[str]
) -> tuple[list[str], list[str]]:
    """Add what people signed to what is here; what came, and what is not as it should be, in sentences."""
    names = {one: known_as(*one) for one in lines}
    own = [one for one in lines if not config.signing.public_keys or names[one] in believed]
    lost = {name for name in believed if name.startswith("statement ")} - {*names.values()}
    try:
        added, here = add_lines(config.cache_path, own), {*lines_of(config.cache_path)}
    except OSError as error:
        return [], [f"What people signed did not come back from the RT-PACS: {error.strerror}."]
    foreign = sum(one not in here for one in lines)
    lost -= {known_as(*one) for one in here}
    came = [f"{counted(added.new, 'statement')} that people signed came from the RT-PACS."] if added.new else []
    refused = [_UNVOUCHED.format(counted(foreign, "statement"))] if foreign else []
    lacking = [_LOST.format(counted(len(lost), "statement"))] if lost else []
    return came, [*added.aside, *refused, *lacking]
