"""`python -m recovery user …` and `audit …` as people type them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recovery.accounts import Accounts
from recovery.audit import AuditFile
from tests.recovery.test_config import GOOD as CONFIG

PROJECT = Path(__file__).resolve().parents[2]
SECRET = "four words for tests"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def run(config: Path, *arguments: str, password: str | None = SECRET) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PASSWORD"}
    done = subprocess.run(
        [sys.executable, "-m", "recovery", *arguments, "--config", str(config)], cwd=PROJECT, check=False, text=True,
        capture_output=True, stdin=subprocess.DEVNULL, env=environment | ({"PASSWORD": password} if password else {}),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert password is None or password not in done.stdout + done.stderr
    assert "argon2" not in done.stdout + done.stderr
    return done


def test_an_account_is_made_listed_changed_disabled_and_every_step_is_audited(config: Path) -> None:
    add = ("user", "add", "J.Doe", "--role", "admin", "--full-name", "Jane Doe", "--password-env", "PASSWORD")
    assert run(config, *add).returncode == 0
    assert run(config, "user", "list").stdout.split() == ["j.doe", "admin", "active", "Jane", "Doe"]
    assert (
        run(
            config, "user", "password", "j.doe", "--password-env", "PASSWORD", password="another one, longer"
        ).returncode
        == 0
    )
    assert Accounts(config.parent / "data" / "accounts.json").check("j.doe", "another one, longer") is not None
    assert run(config, "user", "disable", "j.doe").returncode == 0
    assert "disabled" in run(config, "user", "list").stdout
    assert "was not locked" in run(config, "user", "unlock", "j.doe").stdout
    shown = [json.loads(line) for line in run(config, "audit", "show").stdout.splitlines()]
    assert [one["action"] for one in shown] == ["user add", "user password", "user disable", "user unlock"]
    assert shown[0]["details"] == {"account": "j.doe", "role": "admin"}
    assert {one["from"] for one in shown} == {"this machine"}


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (("add", "x", "--role", "viewer", "--password-env", "PASSWORD"), "short", "too short"),
        (("add", "x", "--role", "viewer", "--password-env", "PASSWORD"), None, "PASSWORD is not set"),
        (("add", "x", "--role", "viewer"), None, "no terminal"),
        (("add", "x", "--role", "king", "--password-env", "PASSWORD"), SECRET, "invalid choice"),
        (("disable", "nobody"), None, "There is no account nobody"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    config: Path, arguments: tuple[str, ...], password: str | None, said: str
) -> None:
    done = run(config, "user", *arguments, password=password)
    assert done.returncode == 2 and said in done.stderr
    assert not (config.parent / "data" / "accounts.json").exists()


def test_the_verdict_has_the_exit_status_of_the_contract_and_names_the_line(config: Path) -> None:
    assert run(config, "audit", "verify").returncode == 0
    run(config, "user", "add", "one", "--role", "viewer", "--password-env", "PASSWORD")
    run(config, "user", "unlock", "one")
    whole = run(config, "audit", "verify")
    assert whole.returncode == 0 and "whole: 2 lines" in whole.stdout
    noted = whole.stdout.split()[-1]
    assert run(config, "audit", "verify", "--head", noted).returncode == 0
    file = AuditFile(config.parent / "data" / "audit.jsonl").path
    text = file.read_text()
    file.write_text(text.replace("user add", "user bad"))
    broken = run(config, "audit", "verify")
    assert broken.returncode == 1 and "Line 2 does not follow from line 1." in broken.stderr
    file.unlink()
    file.mkdir()
    assert run(config, "audit", "verify").returncode == 2
    assert run(config, "audit", "verify", "--head", "2:abc").returncode == 2


def test_a_change_that_cannot_be_audited_is_told(config: Path) -> None:
    (config.parent / "data").mkdir()
    (config.parent / "data" / "audit.jsonl").mkdir()
    done = run(config, "user", "add", "one", "--role", "viewer", "--password-env", "PASSWORD")
    assert done.returncode == 1 and "is not in the audit file" in done.stderr
