"""The patient's page where it is signed that another hospital goes on, and taken back."""

from __future__ import annotations

import os
from pathlib import Path

from streamlit.testing.v1 import AppTest

from app.data import cached
from recovery.entries.transfers import TransferEntry
from recovery.host.entry_lines import file_of
from recovery.settings.config import load_config
from tests.app.test_patient_page import Open, open_patient, plain
from tests.recovery.patient_clinic import Clinic, anna

__all__ = ["open_patient"]

SIGNED = "TRANSFERRED: to St. <b>Else</b>, signed by Physicist of the tests (physicist) on"


def sign(visit: AppTest, words: str) -> AppTest:
    visit.text_input(key="transfer_said").set_value(words)
    visit.button(key="transfer_sign").click().run()
    assert not visit.exception
    return visit


def test_who_signs_a_transfer_says_to_whom_and_page_and_list_say_it_until_it_is_taken_back(open_patient: Open) -> None:
    clinic = Clinic()
    anna(clinic)
    visit = sign(open_patient(clinic, "100231"), "")
    config = load_config(Path(os.environ["RBRDT_CONFIG"]))
    file = file_of(config.cache_path, TransferEntry)
    assert "Nothing was signed. Say to whom." in plain(visit) and not file.exists()
    visit = sign(visit, "St. <b>Else</b>")
    assert SIGNED in plain(visit) and "none: transferred to St." in plain(visit)
    assert file.read_text().count("\n") == 1
    assert statuses(config.cache_path) == {"transferred"}, "the list is told at once"
    visit = sign(visit, "no bed")
    assert SIGNED not in plain(visit) and "Next fraction: 8 next of 15 (7 given)" in plain(visit)
    assert "transferred" not in statuses(config.cache_path)
    audit = config.audit_path.read_text()
    assert '"transfer"' in audit and '"transfer taken back"' in audit


def statuses(cache_path: Path) -> set[str]:
    return set(cached.load_on_treatment(cache_path).table["status"])
