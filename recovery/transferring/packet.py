"""Bring a patient's objects from the RT-PACS and lay out the packet: each object read back, whatever lacks named.

How
    All that the RT-PACS lists of the patient, as `recovery.restoring.contents` has it, is written and held against the
    digest of its proof; then `pydicom` makes a file-set of it (PS3.10), whose every file is read and held against the
    digest of what came. `SHA256SUMS` and the sealed `PACK.json` are a pack's own, and so is what verifies them.

Why an object that bears another name stays out
    Two patients may lie under one number. What is sent to another hospital cannot be called back.
"""

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.fileset import FileSet

from recovery.dicom import elements as el
from recovery.dicom.model import Patient
from recovery.dimse import Peer
from recovery.folder.sums import SUMS, sums_text
from recovery.host import system
from recovery.host.durable import replace
from recovery.host.seals import sealed_json
from recovery.identity.namesakes import fold
from recovery.packing.contents import Bringing, read_back
from recovery.packing.gate import PackedObject
from recovery.packing.proof import MANIFEST, hash_of
from recovery.patient.file import PatientFile
from recovery.restoring.contents import KINDS, Belongings, kind_of
from recovery.settings.config import Config
from recovery.transferring.fhir import Volume
from recovery.words.values import counted

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SUMMARY, BUNDLE, DICOMDIR = "SUMMARY.PDF", "FHIR.JSON", "DICOMDIR"
LEFT_OUT = "left out: it is not what was proven"
OTHERS = "left out: it bears another name or birth date"
NOT_LISTED = "in the folder OTHER: it lacks what a DICOMDIR names it by, so that who reads that alone will not see it"
NAMED = 5
"""UIDs that a sentence names; the manifest names all."""


@dataclass(slots=True)
class Contents:
    """What came of a patient, and where it lies; `lacks`: why, by UID, of what is not in it or not as it should be."""

    lacks: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """By path in the packet an object's UID, hash and digest."""
    kinds: Counter[str] = field(default_factory=Counter)
    volumes: dict[str, list[Volume]] = field(default_factory=dict)
    never_proven: int = 0

    def in_words(self) -> Iterator[str]:
        """What is missing or not proven, a sentence each."""
        by_why: dict[str, list[str]] = {}
        for uid, why in sorted(self.lacks.items()):
            by_why.setdefault(why, []).append(uid)
        for why, uids in by_why.items():
            more = f" and {len(uids) - NAMED} more, which {MANIFEST} names" if len(uids) > NAMED else ""
            yield f"{counted(len(uids), 'object')}: {why} ({', '.join(uids[:NAMED])}{more})"
        if self.never_proven:
            yield f"{counted(self.never_proven, 'object')} came, never proven by re-reading before"


def bring(
    belongings: Belongings,
    file: PatientFile,
    digests: Mapping[str, str],
    pacs: Peer | None,
    config: Config,
    folder: Path,
) -> Contents:
    """Fetch what belongs to a patient, and lay it out as a file-set in `folder`, which is empty.

    `digests`: of objects that were proven, by UID. Raises `DimseError` if the RT-PACS cannot be asked, `OSError` if the
    disk does not take them.
    """
    contents, inbox = Contents(dict(belongings.cannot_go)), folder / "came"
    inbox.mkdir()
    came = Bringing(inbox, digests)
    if pacs is not None:
        came.fill(pacs, belongings.refs, config.pacs.retrieve)
    kinds = {ref.sop_instance_uid: KINDS[kind_of(ref)] for ref in belongings.refs}
    contents.lacks |= dict.fromkeys(kinds.keys() - {one.uid for one in came.objects}, "the RT-PACS did not give it")
    contents.lacks |= dict.fromkeys(came.changed, LEFT_OUT)
    mine = [one for one in came.objects if one.uid not in came.changed]
    contents.lacks |= {one.uid: OTHERS for one in mine if not is_of(one.patient, file)}
    mine = [one for one in mine if one.uid not in contents.lacks]
    contents.never_proven = sum(one.uid not in digests for one in mine)
    contents.kinds = Counter(kinds[one.uid] for one in mine)
    contents.volumes = {one.uid: _targets(inbox / one.name) for one in mine if one.is_plan}
    _lay_out(mine, inbox, folder, contents)
    shutil.rmtree(inbox)
    return contents


def is_of(patient: Patient, file: PatientFile) -> bool:
    """Whether an object under one of the patient's numbers is theirs: nothing that both tell differs."""
    who = file.identity
    names = {fold(name) for name in (patient.patient_name, who.patient_name) if name}
    born = {day for day in (patient.patient_birth_date, who.patient_birth_date) if day is not None}
    return len(names) <= 1 and len(born) <= 1


def _targets(path: Path) -> list[Volume]:
    """The targets that a plan names by UID (DoseReferenceUID, 300A,0013)."""
    references = el.items(dcmread(path, specific_tags=["DoseReferenceSequence"]), "DoseReferenceSequence")
    targets = [one for one in references if el.text(one, "DoseReferenceType") == "TARGET"]
    named = ((el.text(one, "DoseReferenceUID"), el.text(one, "DoseReferenceDescription")) for one in targets)
    return [Volume(uid, said) for uid, said in named if uid]


def _lay_out(objects: Sequence[PackedObject], inbox: Path, folder: Path, contents: Contents) -> None:
    """Make the file-set; what no record of a DICOMDIR can name lies apart, and is said."""
    by_uid, apart = {one.uid: one for one in objects}, []
    with _copies_in(inbox):
        files = FileSet()
        for one in objects:
            try:
                files.add(inbox / one.name)
            except el.UNREADABLE as error:
                if isinstance(error, OSError) and error.errno is not None:  # the disk's word, not the object's
                    raise
                apart.append(one)
        files.write(folder)
    lying = [(by_uid[str(f.SOPInstanceUID)], Path(f.path)) for f in files]
    if apart:
        (folder / "OTHER").mkdir()
    for one in apart:
        contents.lacks[one.uid] = NOT_LISTED
        system.move(inbox / one.name, folder / "OTHER" / one.name)
        lying.append((one, folder / "OTHER" / one.name))
    for one, path in lying:
        again = None
        with suppress(*el.UNREADABLE):
            again = read_back(path)
        if again is None or (again.uid, again.digest) != (one.uid, one.digest):
            contents.lacks[one.uid] = "written and read back as another: do not use it"
            path.unlink()
            continue
        contents.files[path.relative_to(folder).as_posix()] = (again.uid, again.sha256, again.digest)


@contextmanager
def _copies_in(folder: Path) -> Iterator[None]:
    """Within, pydicom's own copies lie here, not where the computer keeps what is temporary, which may be memory."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def seal(
    folder: Path,
    contents: Contents,
    told: Mapping[str, Any],
    own: Mapping[str, bytes],
    at: datetime,
    key: "Ed25519PrivateKey | None",
) -> None:
    """Write what tells of the objects, then the manifest and the checksums of every file, signed where there is a key.
    `own`: files by name."""
    for name, content in own.items():
        replace(folder / name, content)
    manifest = {
        **told, "made_at": at.isoformat(), "folders": [],
        "files": {path: list(of) for path, of in sorted(contents.files.items())}, "lacks": contents.lacks,
    }  # fmt: skip
    replace(folder / MANIFEST, f"{sealed_json(manifest)}\n".encode())
    sums = {path.relative_to(folder).as_posix(): hash_of(path) for path in folder.rglob("*") if path.is_file()}
    for path, (_, sha256, _) in contents.files.items():
        if sums[path] != sha256:
            raise OSError(f"{path} is not what was written")
    for name, content in own.items():
        if sums[name] != hashlib.sha256(content).hexdigest():
            raise OSError(f"{name} is not what was written")
    replace(folder / SUMS, sums_text(sums, key).encode())
