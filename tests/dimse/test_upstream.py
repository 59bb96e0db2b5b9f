"""pynetdicom is reached into in one file, which was read against the version that is pinned."""

from __future__ import annotations

import re
from pathlib import Path

from recovery.dimse import upstream

ROOT = Path(__file__).resolve().parents[2]


def test_the_file_was_read_against_the_pinned_version() -> None:
    (pinned,) = re.findall(r"^pynetdicom==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned == upstream.VERSION, f"read {upstream.__file__} against pynetdicom {pinned}, then say so there"


def test_nobody_else_reaches_into_pynetdicom() -> None:
    reaching = re.compile(r"pynetdicom import _|\.(?:receive_primitive|get_msg|recv|_read_pdu_data) = ")
    found = [
        path.relative_to(ROOT).as_posix()
        for room in ("recovery", "backup_jobs", "app")
        for path in (ROOT / room).rglob("*.py")
        if reaching.search(path.read_text())
    ]
    assert found == ["recovery/dimse/upstream.py"]
