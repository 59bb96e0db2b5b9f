"""`python -m recovery user …` and `audit …` as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from recovery.__main__ import main
from recovery.access.accounts import Accounts
from recovery.access.audit import AuditFile
from tests.recovery.test_config import GOOD as CONFIG

SECRET = "four words for tests"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command as the shell does; whatever it says, it says no password and no hash."""

    def call(*arguments: str, password: str | None = SECRET) -> Done:
        monkeypatch.delenv("PASSWORD", raising=False)
        if password:
            monkeypatch.setenv("PASSWORD", password)
        try:
            status = main([*arguments, "--config", str(config)])
        except SystemExit as ended:  # argparse
            status = int(str(ended.code))
        said = capsys.readouterr()
        assert password is None or password not in said.out + said.err
        assert "argon2" not in said.out + said.err
        return Done(status, said.out, said.err)

    return call


def test_an_account_is_made_listed_changed_disabled_and_every_step_is_audited(run: Run, config: Path) -> None:
    add = ("user", "add", "J.Doe", "--role", "admin", "--full-name", "Jane Doe", "--password-env", "PASSWORD")
    assert run(*add).returncode == 0
    assert run("user", "list").stdout.split() == ["j.doe", "admin", "active", "Jane", "Doe"]
    assert (
        run("user", "password", "j.doe", "--password-env", "PASSWORD", password="another one, longer").returncode == 0
    )
    assert Accounts(config.parent / "data" / "accounts.json").check("j.doe", "another one, longer") is not None
    assert run("user", "disable", "j.doe").returncode == 0
    assert "disabled" in run("user", "list").stdout
    assert "was not locked" in run("user", "unlock", "j.doe").stdout
    shown = [json.loads(line) for line in run("audit", "show").stdout.splitlines()]
    assert [one["action"] for one in shown] == ["user add", "user password", "user disable", "user unlock"]
    assert shown[0]["details"] == {"account": "j.doe", "role": "admin"}
    assert {one["from"] for one in shown} == {"this machine"}


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (("add", "x", "--role", "viewer", "--password-env", "PASSWORD"), "tiny one", "too short"),
        (("add", "x", "--role", "viewer", "--password-env", "PASSWORD"), None, "PASSWORD is not set"),
        (("add", "x", "--role", "viewer"), None, "no terminal"),
        (("add", "x", "--role", "king", "--password-env", "PASSWORD"), SECRET, "king"),
        (("disable", "nobody"), None, "There is no account nobody"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    run: Run, config: Path, arguments: tuple[str, ...], password: str | None, said: str
) -> None:
    done = run("user", *arguments, password=password)
    assert done.returncode == 2 and said in done.stderr
    assert not (config.parent / "data" / "accounts.json").exists()


def test_the_verdict_has_the_exit_status_of_the_contract_and_names_the_line(run: Run, config: Path) -> None:
    assert run("audit", "verify").returncode == 0
    run("user", "add", "one", "--role", "viewer", "--password-env", "PASSWORD")
    run("user", "unlock", "one")
    whole = run("audit", "verify")
    assert whole.returncode == 0 and "whole: 2 lines" in whole.stdout
    noted = whole.stdout.split()[-1]
    assert run("audit", "verify", "--head", noted).returncode == 0
    file = AuditFile(config.parent / "data" / "audit.jsonl").path
    text = file.read_text()
    file.write_text(text.replace("user add", "user bad"))
    broken = run("audit", "verify")
    assert broken.returncode == 1 and "Line 2 does not follow from line 1." in broken.stderr
    file.unlink()
    file.mkdir()
    assert run("audit", "verify").returncode == 2
    assert run("audit", "verify", "--head", "2:abc").returncode == 2


def test_a_change_that_cannot_be_audited_is_told(run: Run, config: Path) -> None:
    (config.parent / "data").mkdir()
    (config.parent / "data" / "audit.jsonl").mkdir()
    done = run("user", "add", "one", "--role", "viewer", "--password-env", "PASSWORD")
    assert done.returncode == 1 and "is not in the audit file" in done.stderr
