"""The buttons that pack a machine's day, to be downloaded or into the configured place, and what becomes of it."""

import io
import shutil
import subprocess
import sys
import zipfile
from datetime import date
from functools import partial
from pathlib import Path
from typing import Literal

import streamlit as st

from app.access import rights
from app.components.output import download
from app.data import packs
from app.desk import Desk
from app.wording import words
from recovery.access.permissions import Permission
from recovery.words.times import at_time
from recovery.words.times import day as day_in_words

Place = Literal["download", "folder", ""]
PROJECT = Path(__file__).resolve().parents[3]
DOWNLOADS = "downloads"
"""In the cache's folder: the pack that was made last to be downloaded. One at a time."""
MOST_BYTES = 1_000_000_000
"""More than a browser, and this server's memory, are to be burdened with."""


def ask(desk: Desk, machine: str, day: date) -> Place:
    """Draw the buttons; which was pressed."""
    told = f"Every plan of {machine} on {day_in_words(day)} that the gate lets through"
    is_download = _button("Pack for download", "pack_download", f"{told}, as a ZIP")
    is_folder = False
    if desk.config.package_path is not None:
        where = _place(desk, machine, day, "folder")
        is_folder = _button("Pack into the folder", "pack_folder", f"{told}, into {where} on the server")
    return "download" if is_download else "folder" if is_folder else ""


def _button(label: str, key: str, told: str) -> bool:
    may = rights.may(Permission.RECOVERY)
    icon = ":material/inventory_2:" if may else ":material/lock:"
    shown = words.as_markdown(told) if may else rights.refusal(Permission.RECOVERY)
    return st.button(label, key=key, icon=icon, disabled=not may, help=shown)


def show(desk: Desk, machine: str, day: date, asked: Place) -> None:
    """Make what was asked for, saying how far it is; then offer what lies there to be downloaded."""
    if asked and rights.may(Permission.RECOVERY):
        _make(desk, machine, day, _place(desk, machine, day, asked))
    folder = _place(desk, machine, day, "download")
    made_at = packs.made_at(folder)
    if made_at is None:
        return
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    told = f"{words.as_markdown(machine)}, {day_in_words(day)}, made {at_time(made_at, desk.today())}"
    if size > MOST_BYTES:
        why = f"{told}: {size / 1e6:.0f} MB are too many for a browser."
        st.markdown(f":orange[▲ **{why}**] Pack it into the folder, or by the command line.")
        return
    download.show(
        f"Download {told} ({size / 1e6:.0f} MB)",
        partial(_zipped, folder),
        file_name=f"{folder.name}.zip",
        mime="application/zip",
        key="pack_zip",
        help_text="A ZIP with the plans' folders, paper charts, index and checksums. It is not encrypted.",
        details={"machine": machine, "day": day.isoformat(), "megabytes": round(size / 1e6)},
        permission=Permission.RECOVERY,
        action="package",
    )


def _place(desk: Desk, machine: str, day: date, place: Place) -> Path:
    """A folder of its own: the pack that is kept ready holds everybody."""
    name, kept = f"{download.in_file_name(machine)}_{day.isoformat()}", desk.config.package_path
    if place == "folder" and kept is not None:
        return kept.with_name(f"{kept.name}_{name}")
    return desk.config.cache_path / DOWNLOADS / name


def _make(desk: Desk, machine: str, day: date, folder: Path) -> None:
    here = rights.sitting()
    if here is None:
        return
    here.note("package", None, {"machine": machine, "day": day.isoformat()}, must=True)
    downloads = desk.config.cache_path / DOWNLOADS
    for other in downloads.glob("*") if folder.parent == downloads else ():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "recovery", "package", f"--machine={machine}", "--date", day.isoformat()]
    command += ["-o", str(folder), "--config", str(desk.config.file)]
    with st.status(f"Packing {words.as_markdown(machine)}, {day_in_words(day)}", expanded=True) as status:
        with subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        ) as process:
            for line in process.stdout or ():
                here.touch()
                st.markdown(words.as_markdown(line.strip()) or "&nbsp;")
        label, state = _END.get(process.returncode, _END[2])
        status.update(label=label, state=state)


_END: dict[int, tuple[str, Literal["complete", "error"]]] = {
    0: ("Packed, and proven", "complete"),
    1: ("Packed; not every plan: see below what the gate refused", "complete"),
    2: ("No pack was made: the last line says why", "error"),
    75: ("Another pack is being made: try again when it has ended", "error"),
}


def _zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:  # not packed tighter: images hardly shrink
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
    return content.getvalue()
