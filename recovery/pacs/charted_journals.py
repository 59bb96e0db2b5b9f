"""Bring what was charted back from the RT-PACS: lines and heads that their keys signed, put together to journals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from recovery.dicom.elements import InvalidObjectError, required_uid
from recovery.dicom.model import RAW_DATA
from recovery.dimse import Peer, fetch, find_refs, find_series, open_link
from recovery.entries.charted import charted_folder, read_charted
from recovery.entries.journal_parts import Signed, put_together, vouched_for
from recovery.entries.statement_lines import add_lines, known_as, lines_of
from recovery.objects.raw_data import RawSnapshotError
from recovery.objects.raw_journal import charted_study_uid, signed_in
from recovery.words.values import counted

if TYPE_CHECKING:
    from collections.abc import Collection

    from pydicom import Dataset

    from recovery.settings.config import Config

_LACKING = "Of what was charted by hand, {} of the RT-PACS cannot be had: {}. What they tell does not count."
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
    study = charted_study_uid(config.site.name)
    with open_link(pacs) as link:
        refs = {
            replace(ref, sop_class_uid=RAW_DATA, study_instance_uid=study, series_instance_uid=series)
            for series in find_series(link, study)
            for ref in find_refs(link, {"StudyInstanceUID": study, "SeriesInstanceUID": series})
        }
    found = _Found({accepted, *(path.stem for path in charted_folder(config.cache_path).glob("*.jsonl"))})
    signing = config.signing

    def receive(ds: Dataset) -> None:
        try:
            came, said, vouched = signed_in(ds)
        except (InvalidObjectError, RawSnapshotError) as error:
            found.odd[required_uid(ds, "SOPInstanceUID")] = str(error)
            return
        found.parts += came
        found.believed |= vouched_for(config.site.name, vouched, signing.public_keys)
        found.statements.update((one, None) for one in said)
        if not (came or said or vouched):
            found.odd[required_uid(ds, "SOPInstanceUID")] = "its journal's key did not sign it"

    found.odd |= fetch(pacs, refs, receive, retrieve=config.pacs.retrieve)
    first = "; ".join(f"{uid}: {why}" for uid, why in sorted(found.odd.items())[:3])
    lacking = [_LACKING.format(counted(len(found.odd), "object"), first)] if found.odd else []
    came, refused = _take_charted(config, found)
    signed, doubted = _take_statements(config, found.statements, found.believed)
    return [*came, *signed], [*lacking, *refused, *doubted]


@dataclass(slots=True)
class _Found:
    """What the RT-PACS holds. `believed`: journals and statements; `odd`: by UID, why an object cannot be used."""

    believed: set[str]
    parts: list[Signed] = field(default_factory=list)
    statements: dict[tuple[str, bytes], None] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)


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
