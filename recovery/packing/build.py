"""Make a pack in a folder, or make anew what of it has changed: staged beside, proven, and put in place by renaming.

How
    Everything new is written below `UNFINISHED_do_not_use`, in the folder itself, for a stick is a disk of its own.
    Only when all of it is proven are folders renamed into place, and index, list and checksums last. A folder whose
    objects are still the right ones, and whole on the disk, is not copied again.

Why what could not be made anew may stay
    An archive that could not be re-read for two nights must not empty the pack that is kept for that day. What the gate
    refuses for the plan's own sake goes.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from recovery.charting import charts_pdf
from recovery.dicom import elements as el
from recovery.dimse import DimseError, Peer
from recovery.folder.sums import SUMS, UNFINISHED, sums_text
from recovery.host import system
from recovery.host.durable import replace, staying
from recovery.host.seals import sealed_json
from recovery.packing import names, proof
from recovery.packing.contents import Wanted, bring, read_back
from recovery.packing.gate import OF_OBJECTS, OF_PROOF, OF_TABLES, Refusal, refusals
from recovery.packing.index import Line, as_html, as_workbook
from recovery.packing.proof import EARLIER, MANIFEST, hash_of, read_manifest, written
from recovery.packing.tidying import give_way, tidy
from recovery.settings.config import Config
from recovery.settings.trust import key_or_why_not
from recovery.words.refusals import RefusedError
from recovery.words.times import at_time
from recovery.words.values import counted

OWN = ("index.html", "index.xlsx", MANIFEST, SUMS)
"""What tells of a pack, in the order in which it is put in place."""

STILL = "the pack that was there before still stands"

Entry = Mapping[str, Any]
"""A folder in `PACK.json`; `files`: by name an object's UID, hash and digest; `chart`: the hash of its chart."""


class PackError(RefusedError):
    """A pack cannot be made. The text says why and what to do, and that what was there still stands."""


@dataclass(frozen=True, slots=True)
class Override:
    """Who answers for what the gate refuses."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A folder of the new pack, and where it lies now."""

    entry: Entry
    source: Path
    chart: Path


@dataclass(slots=True)
class Packing:
    """One making of one pack. `now`: naive, local to the site."""

    config: Config
    pacs: Peer
    folder: Path
    asked: str
    """Whose pack it is, in words: another one in the same folder would throw its plans away."""
    now: datetime
    override: Override | None = None
    tell: Callable[[Line], None] = lambda _: None
    _taken: names.Names = field(default_factory=names.Names)
    _old: dict[str, Entry] = field(default_factory=dict)
    _known: frozenset[tuple[str, str]] = frozenset()
    _is_half: bool = False
    """Whether this run, or an earlier one, did not end: only one that does may take the mark away."""

    def make(self, wanted: Iterable[Wanted]) -> list[Line]:
        """Make it; a line for each plan, in the order asked.

        Raises `PackError` if the folder cannot be written, or is none of a pack; `DimseError` if the RT-PACS cannot be
        asked. In both cases what was there still stands, unless the text says other.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            with staying(self.folder):
                self._open()
                lines, placed = self._stage(wanted)
                sums = self._write_own(lines, placed)
            with staying(self.folder):
                self._is_half = True
                self._put_in_place(placed, sums)
        except OSError as error:
            self._leave()
            still = f"it is half of a pack, and {UNFINISHED} in it says so" if self._is_half else STILL
            raise PackError(
                f"{self.folder} cannot be written: {error.strerror or error}. Look whether the disk is there and has "
                f"room, and try again; {still}."
            ) from error
        except DimseError:
            self._leave()
            raise
        return lines

    @property
    def _staging(self) -> Path:
        return self.folder / UNFINISHED

    def _open(self) -> None:
        there = {path.name for path in self.folder.iterdir()}
        known = read_manifest(self.folder)
        self._is_half = UNFINISHED in there
        if there and known is None and not self._is_half and MANIFEST not in written(self.folder):
            raise PackError(f"{self.folder} holds other files. Name a folder that is empty, or has an earlier pack.")
        known = known or {"asked": self.asked, "folders": ()}
        if known["asked"] != self.asked:
            raise PackError(f"{self.folder} holds the pack of {known['asked']}. Name another folder for {self.asked}.")
        self._old = {entry["plan"]: entry for entry in known["folders"]}
        self._known = proof.known(self.folder)
        lists = [path.read_bytes() for path in self._staging.glob("*") if path.name.startswith((SUMS, EARLIER))]
        self._clear()
        self._staging.mkdir()
        for number, content in enumerate(lists):
            replace(self._staging / f"{EARLIER}{number}", content)
        for own in (UNFINISHED, SUMS, MANIFEST):
            self._taken.of(own, None)

    def _clear(self) -> None:
        if self._staging.exists():
            shutil.rmtree(self._staging)

    def _leave(self) -> None:
        """Nothing of a run that failed, but for the mark where the pack is half of one."""
        if not self._is_half:
            with suppress(OSError):
                self._clear()

    def _stage(self, wanted: Iterable[Wanted]) -> tuple[list[Line], list[Placed]]:
        lines: list[Line] = []
        placed: list[Placed] = []
        for number, one in enumerate(wanted):
            line, place = self._one(one, self._staging / str(number))
            lines.append(line)
            placed += [place] if place is not None else []
            self.tell(line)
        return lines, placed

    def _one(self, wanted: Wanted, beside: Path) -> tuple[Line, Placed | None]:
        """Let one plan through the gate, or not; its objects end up in `beside` where they have to be fetched."""
        case, found = wanted.case, list(refusals(wanted.case, OF_TABLES))
        earlier = self._earlier(wanted)
        files: dict[str, tuple[str, str, str]] | None = None
        remarks: tuple[str, ...] = ()
        if self._may_pass(found) and earlier is not None and _has_all(earlier, wanted) and self._is_whole(earlier):
            files = earlier["files"]
        elif self._may_pass(found):
            beside.mkdir()
            case, without = bring(wanted, self.pacs, self.config, beside)
            known = {one.rule for one in found}
            found += [one for one in refusals(case, OF_OBJECTS) if one.rule not in known]
            if self._may_pass(found):
                files = {one.name: (one.uid, one.sha256, one.digest) for one in case.objects}
                remarks = (f"{counted(len(without), 'dose')} of it did not come",) if without else ()
                earlier = None
            else:
                shutil.rmtree(beside)
        kept_since = ""
        may_stay = earlier is not None and not earlier.get("overridden") and _is_of_proof(found)
        if files is None and earlier is not None and may_stay and self._is_whole(earlier):
            files, kept_since = earlier["files"], at_time(datetime.fromisoformat(earlier["made_at"]))
        if files is None:
            return Line(case, refused=found), None
        signed = f"{self.override.by}: {self.override.reason}" if self.override and found and not kept_since else ""
        path = self._path_of(wanted, is_overridden=bool(signed))
        line = Line(case, path, found, signed, kept_since, remarks, is_new=earlier is None)
        source = self.folder / earlier["folder"] if earlier is not None else beside
        chart = beside.with_suffix(".pdf")
        paper, font = self.config.charts.paper, self.config.chart_font
        replace(chart, charts_pdf([case.file], paper=paper, own_font=font, plan_uid=case.plan.uid))
        entry = self._entry(wanted, path, files, earlier if kept_since else None, signed)
        return line, Placed(entry | {"chart": hash_of(chart)}, source, chart)

    def _may_pass(self, found: Sequence[Refusal]) -> bool:
        return not found or (self.override is not None and not any(one.lasts for one in found))

    def _earlier(self, wanted: Wanted) -> Entry | None:
        """What lies in the pack of this plan, if it is of who the patient is by now, and nothing of it is known to be
        another than when it was first read."""
        entry = self._old.get(wanted.case.plan.uid or "")
        if entry is None or entry["patient"] != _who(wanted):
            return None
        agrees = all(wanted.digests.get(uid, digest) == digest for uid, _, digest in entry["files"].values())
        return entry if agrees else None

    def _is_whole(self, entry: Entry) -> bool:
        """Whether every object of a folder is still what was written: read again, for whoever forges a file forges its
        hash in the pack as well."""
        folder, root = self.folder / entry["folder"], self.folder.resolve()
        with suppress(*el.UNREADABLE):
            return all(_is_same(folder / name, root, told) for name, told in entry["files"].items())
        return False

    def _path_of(self, wanted: Wanted, *, is_overridden: bool) -> str:
        case, take = wanted.case, self._taken.of
        person = case.file.identity
        machine = take(names.machine_folder(case.machine), ("machine", case.machine))
        patient = names.patient_folder(person.patient_name, person.patient_id)
        path = take(f"{machine}/{patient}", ("patient", person.patient_id))
        plan = names.plan_folder(case.plan.label, case.plan.told, is_overridden=is_overridden)
        return take(f"{path}/{plan}", ("plan", case.plan.uid))

    def _entry(
        self, wanted: Wanted, path: str, files: Mapping[str, Any], kept: Entry | None, signed: str
    ) -> dict[str, Any]:
        return {
            "plan": wanted.case.plan.uid,
            "patient": _who(wanted),
            "folder": path,
            "made_at": kept["made_at"] if kept is not None else self.now.isoformat(),
            "overridden": signed,
            "files": files,
        }

    def _write_own(self, lines: Sequence[Line], placed: Sequence[Placed]) -> dict[str, str]:
        """Write what tells of it beside; returns the hash of everything that is to lie in the pack, by path."""
        sums: dict[str, str] = {}
        for entry in (one.entry for one in placed):
            sums |= {f"{entry['folder']}/{name}": sha256 for name, (_, sha256, _) in entry["files"].items()}
            sums[f"{entry['folder']}.pdf"] = entry["chart"]
        made = {"asked": self.asked, "made_at": self.now.isoformat(), "folders": [one.entry for one in placed]}
        own = {
            "index.html": as_html(lines, self.config.site.name, self.now),
            "index.xlsx": as_workbook(lines, self.config.site.name, self.now, self.config.charts.paper),
            MANIFEST: (sealed_json(made) + "\n").encode(),
        }
        sums |= {name: hashlib.sha256(content).hexdigest() for name, content in own.items()}
        for name, content in (own | {SUMS: sums_text(sums, key_or_why_not(self.config)[0]).encode()}).items():
            replace(self._staging / name, content)
        return sums

    def _put_in_place(self, placed: Sequence[Placed], sums: Mapping[str, str]) -> None:
        """Rename everything into place, what tells of it last; then remove what is of it no more."""
        self._rename(placed)
        for name in OWN:
            system.move(self._staging / name, self.folder / name)
        tidy(self.folder, sums, self._known, self.now)
        system.sync_folder(self.folder)
        self._clear()

    def _rename(self, placed: Sequence[Placed]) -> None:
        aside: dict[Path, Path] = {}
        for number, one in enumerate(placed):
            target, source = self.folder / one.entry["folder"], aside.get(one.source, one.source)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source != target:
                if target.exists() and not (source.exists() and target.samefile(source)):
                    aside[target] = self._staging / f"old-{number}"
                    system.move(target, aside[target])
                system.move(source, target)
            chart = f"{one.entry['folder']}.pdf"
            give_way(self.folder / chart, chart, self._known, self.now)
            system.move(one.chart, self.folder / chart)
        for parent in {(self.folder / one.entry["folder"]).parent for one in placed}:
            system.sync_folder(parent)


def _who(wanted: Wanted) -> list[str | None]:
    person = wanted.case.file.identity
    born = person.patient_birth_date
    return [person.patient_id, person.patient_name, born.isoformat() if born is not None else None]


def _has_all(entry: Entry, wanted: Wanted) -> bool:
    """Whether a folder holds all that was proven of a plan, and nothing else."""
    held = {uid: digest for uid, _, digest in entry["files"].values()}
    return set(wanted.chain) <= held.keys() and held == {u: d for u, d in wanted.digests.items() if u in wanted.uids}


def _is_of_proof(found: Sequence[Refusal]) -> bool:
    return bool(found) and {one.rule for one in found} <= OF_PROOF


def _is_same(path: Path, root: Path, told: Sequence[str]) -> bool:
    """Whether a file is what a manifest tells, and lies in the pack: a link may lead to what somebody changes later."""
    if not path.resolve().is_relative_to(root):
        return False
    one = read_back(path)
    return [one.uid, one.sha256, one.digest] == list(told)
