"""The config on the stick: settings, and no secret, wherever somebody put one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from recovery.bundling.config_copy import weaknesses_of, without_secrets
from recovery.settings.config import load_config

HARMLESS = '[site]\nname = "Demo; password = on the wall"\n[rv.database]\npassword_env = "RV"\n'


@pytest.mark.parametrize(
    "line",
    [
        'connection = "Driver={ODBC Driver 18};Server=aria,1433;UID=rbrdt;PWD={hun;ter2};Database=V"',
        'connection = "Server=aria;PWD=a\\"hunter2;Database=V"',
        "connection = 'Server=aria;Passwd=\"hunter2\"'",
        'connection = """Server=aria;\\\n  P\\u0057D=hunter2"""',
        'connection = "Server=aria;TrustStorePassword=hunter2;AccessToken=hunter2"',
        'connection = "mssql://rbrdt:hunter2@aria/V"',
        'connection = "PWD=}hunter2{"',
        '"conn\\u0065ction" = "PWD=hunter2"',
        'ping_url = "https://hc.clinic.example/ping/hunter2/{job}"',
        "mail = { server = 'smtp://rbrdt:hunter2@mail' }",
        '# the old one: PWD = "hunter2"',
        "x = 1  # https://rbrdt:hunter2@share.clinic.example",
    ],
)
def test_a_secret_is_not_copied_in_whatever_form_it_stands(line: str) -> None:
    copied = without_secrets(f"{HARMLESS}{line}\n".encode()).decode()
    assert "hunter2" not in copied and "ter2" not in copied
    assert isinstance(tomllib.loads(copied), dict)


@pytest.mark.parametrize(
    "written",
    [
        '[signing]\npublic_keys = []\nprivate_key = "vault/hunter2.key"  # there\n',
        "[downtime]\nprivate_key = 'vault/hunter2.key'\ngap_days = 3\n",
        '[signing]\nprivate_key = """vault/hunter2.key"""\n',
        'signing = { public_keys = [], private_key = "vault/hunter2.key" }\n',
        '[signing]\n"private\\u005fkey" = "vault/hunter2.key"\n',
    ],
)
def test_where_private_keys_lie_is_not_copied_and_a_reader_takes_the_rest(written: str, tmp_path: Path) -> None:
    nodes = "".join(f'[{one}]\nae_title = "A"\nhost = "h"\nport = 11112\n' for one in ("local", "rv", "pacs"))
    rest = f'[site]\nname = "X"\ntime_zone = "UTC"\n{nodes}[cache]\npath = "c"\n'
    whole = rest + written if written.startswith("[") else written + rest
    (tmp_path / "config.toml").write_bytes(without_secrets(whole.encode()))
    assert "hunter2" not in (tmp_path / "config.toml").read_text()
    if "u005f" not in written:
        config = load_config(tmp_path / "config.toml")
        assert config.signing.public_keys == [] and config.downtime.gap_days in {3, 4}


def test_what_is_harmless_stays() -> None:
    line = 'connection = "Driver={ODBC Driver 18 for SQL Server};Server=aria-db,1433;UID=rbrdt;PWD=x;Encrypt=yes"\n'
    assert without_secrets(HARMLESS.encode()) == HARMLESS.encode()
    assert without_secrets((HARMLESS + line).encode()).decode() == HARMLESS + line.replace("PWD=x", "PWD=(not copied)")
    local = HARMLESS + 'connection = "sqlite:///aria.db"\n'
    assert without_secrets(local.encode()).decode() == local


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("Driver={ODBC Driver 18 for SQL Server};Server=db;UID=u;Encrypt=yes", []),
        ("sqlite:///aria.db", []),
        ("Server=db;PWD={a;b}", ["the password"]),
        ("server=db; password = x ;TrustServerCertificate={Yes}", ["the password", "TrustServerCertificate=yes"]),
        ("Server=db;Encrypt=Optional", ["Encrypt=optional"]),
    ],
)
def test_what_a_connection_string_gives_away_is_said_without_it(connection: str, said: list[str]) -> None:
    found = weaknesses_of(connection)
    assert [words.split(" ")[0] for words in said] == [words.split(" ")[0] for words in found]
    assert "a;b" not in "".join(found)
