"""config.toml: it works, or it says everything that is wrong with it."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recovery.cache.memory import Memory
from recovery.dimse.tls import Tls
from recovery.pacs.peers import pacs_peer, pacs_store_peer, receiver_peers, rv_peer, tps_peers
from recovery.settings.certificates import certificate_faults
from recovery.settings.config import ConfigError, load_config
from recovery.settings.sign_in import SignInSettings, TrustedUserHeaders
from recovery.settings.signing import Signing

PROJECT = Path(__file__).resolve().parents[2]

GOOD = """
[site]
name = "Test clinic"
time_zone = "Europe/Zurich"
[local]
ae_title = "RBRDT"
host = "127.0.0.1"
port = 11104
[rv]
ae_title = "RV"
host = "127.0.0.1"
port = 11105
[pacs]
ae_title = "RTPACS"
host = "127.0.0.1"
port = 11106
[cache]
path = "cache"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_the_projects_own_config_is_valid_and_its_comments_too() -> None:
    load_config(PROJECT / "config.toml")


def test_the_sections_that_the_config_comments_out_are_valid_when_they_are_used(tmp_path: Path) -> None:
    lines = (PROJECT / "config.toml").read_text().splitlines()
    starts = ("# [", "# connection", "# password_env", "# isolation", "# photo_type", "# ae_title", "# host", "# port")
    starts += ("# where =", "# user", "# role", "# addresses", "# client_address", "# secret_env")
    starts += ("# server", "# sender", "# recipients", "# security", "# ping_url", "# apprise_env", "# grace_minutes")
    starts += ("# name =", "# answers_queries", "# every_days", "# patients =", "# ca =", "# certificate =", "# key =")
    text = "\n".join(line[2:] if line.startswith(starts) else line for line in lines)
    config = load_config(write(tmp_path, text))
    assert config.rv is not None and config.rv.database is not None
    assert config.rv.database.password_env == "RBRDT_RV_PASSWORD"
    proxy = config.sign_in.trusted_user_headers
    assert proxy is not None and proxy.addresses == ["127.0.0.1"] and proxy.secret_env == "RBRDT_PROXY_SECRET"
    assert config.watch.mail is not None and config.watch.mail.recipients == ["physics@clinic.example"]
    assert config.rv.database.isolation == "read uncommitted"
    assert config.rv.database.photo_type == "Portrait"
    assert [(one.name, one.query_node.port, one.answers_queries) for one in config.restore_to] == [
        ("new R&V", 11110, True)
    ]
    assert [(one.name, one.secret_env) for one in config.own_copies] == [("vault", "RBRDT_COPY_SECRET")]
    assert config.tps[0].ae_title == "TPS" and config.pacs.query_node.port == 11108
    assert config.local.tls is not None and config.rv.tls is not None
    assert (config.rv.tls.ca, config.rv.tls.server_name) == ("tls/ca.pem", "rv.clinic.example")


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.jobs.sync_records.days_back == 7
    assert config.dashboard.on_treatment_days == 14
    assert config.rv is not None and config.rv.product == "aria"


def test_a_relative_cache_path_starts_at_the_config(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, GOOD)).cache_path == tmp_path / "cache"


def test_the_dashboard_does_not_know_the_rv_system(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD)).without_rv()
    assert config.rv is None and config.tps == []


def test_three_mistakes_are_all_told_at_once_with_file_and_key(tmp_path: Path) -> None:
    text = (
        GOOD.replace("11105", "0").replace("Europe/Zurich", "Europe/Zurch").replace("[cache]", "[cache]\nkeep_dys = 3")
    )
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    said = str(caught.value)
    assert "config.toml: 3 mistakes" in said
    assert "[rv] port: must be greater than or equal to 1, not 0" in said
    assert "[site] time_zone: no such time zone" in said
    assert "[cache] keep_dys: unknown key; did you mean keep_days?" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('ae_title = "RV"', 'ae_title = "AN_AE_TITLE_TOO_LONG"', "1 to 16"),
        ('ae_title = "RV"', 'ae_title = ""', "1 to 16"),
        ("port = 11105", 'port = "11105"', "integer"),
        ("port = 11105", "port = true", "integer"),
        ("port = 11105", "", "[rv] port: is missing"),
        ("[rv]", "[rvv]", "did you mean rv?"),
        ("port = 11105", 'port = 11105\nroute = "both"', "'direct' or 'relay'"),
        ("[site]", "[site", "is not TOML"),
        (
            "[cache]",
            "[sign_in]\nidle_minute = 3\n[cache]",
            "[sign_in] idle_minute: unknown key; did you mean idle_minutes?",
        ),
        ("[cache]", "[sign_in]\nlock_after_failures = 0\n[cache]", "[sign_in] lock_after_failures"),
        (
            "[cache]",
            '[sign_in.trusted_user_headers]\nuser = "X User"\naddresses = ["127.0.0.1"]\n[cache]',
            "[sign_in.trusted_user_headers] user: a header's name",
        ),
        (
            "[cache]",
            '[sign_in.trusted_user_headers]\nuser = "X-User"\naddresses = ["*"]\n[cache]',
            "one IP address of the proxy",
        ),
        ("[cache]", '[sign_in.trusted_user_headers]\nuser = "X-User"\naddresses = []\n[cache]', "addresses"),
        ("[site]", 'file = "x"\n[site]', "file: unknown key"),
        ("[cache]", '[rv.tls]\nca = "ca.pem"\nkey = "own.key"\n[cache]', "[rv] tls: certificate and key go together"),
        ("[cache]", '[rv.tls]\nca = "ca.pem"\nserver_names = "x"\n[cache]', "unknown key; did you mean server_name?"),
        ("[cache]", "[pacs.tls]\n[cache]", "[pacs.tls] ca: is missing"),
        ("[cache]", '[local.tls]\nca = "ca.pem"\nkey = "own.key"\n[cache]', "[local.tls] certificate: is missing"),
    ],
)
def test_one_mistake_is_told_in_words(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, GOOD.replace(old, new)))
    assert said in str(caught.value)


def test_a_connection_string_is_never_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, GOOD + '[rv.database]\nconnection = ["PWD=secret"]\n'))
    assert "secret" not in str(caught.value)


def test_an_isolation_level_that_could_block_the_clinic_is_a_mistake(tmp_path: Path) -> None:
    database = '[rv.database]\nconnection = "Driver=x"\n'
    for said, meant in (("", "read uncommitted"), ('isolation = "snapshot"\n', "snapshot")):
        rv = load_config(write(tmp_path, GOOD + database + said)).rv
        assert rv is not None and rv.database is not None and rv.database.isolation == meant
    with pytest.raises(ConfigError, match="isolaton: unknown key; did you mean isolation"):
        load_config(write(tmp_path, GOOD + database + 'isolaton = "snapshot"\n'))
    with pytest.raises(ConfigError, match="'read uncommitted' or 'snapshot', not 'serializable'"):
        load_config(write(tmp_path, GOOD + database + 'isolation = "serializable"\n'))


def test_a_missing_config_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Copy the project"):
        load_config(tmp_path / "nowhere.toml")


SIGNED = """
[priorities]
signed_by = "Dr. Meier"
signed_on = "2026-11-02"
category_1_days = 0
category_2_days = 5
category_3_days = 7
"""


def test_priorities_are_off_until_the_clinic_signs_all_of_them(tmp_path: Path) -> None:
    assert load_config(PROJECT / "config.toml").priorities.rules is None
    assert load_config(write(tmp_path, GOOD)).priorities.lacking == [
        *("category_1_days", "category_2_days", "category_3_days", "signed_by", "signed_on")
    ]
    rules = load_config(write(tmp_path, GOOD + SIGNED)).priorities.rules
    assert rules is not None
    assert rules.allowed_missed_days == {1: 0, 2: 5, 3: 7}
    assert rules.treatment_weekdays == frozenset(range(5))
    for line in SIGNED.strip().splitlines()[1:]:
        priorities = load_config(write(tmp_path, GOOD + SIGNED.replace(line, ""))).priorities
        assert priorities.rules is None
        assert priorities.lacking == [line.split(" ")[0]]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2026-11-02", "2026-02-30", "[priorities] signed_on: must be a day like"),
        ("= 0", "= -1", "greater than or equal to 0"),
        ("= 5", '= "5"', "integer"),
        ("category_3", "category_4", "did you mean category_"),
        ('signed_on = "2026-11-02"', "treatment_weekdays = []", "at least 1"),
        ('signed_on = "2026-11-02"', 'treatment_weekdays = ["Monday"]', "'Mon'"),
    ],
)
def test_mistakes_in_the_rules_of_priorities_are_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, GOOD + SIGNED.replace(old, new)))
    assert said in str(caught.value)


def test_every_key_of_the_config_has_a_comment_or_is_a_node_of_a_commented_section() -> None:
    plain = {"ae_title", "host", "port", "name", "connection"}
    for line in (PROJECT / "config.toml").read_text().splitlines():
        key = line.removeprefix("# ").split("=")[0].strip()
        if "=" in line and key.isidentifier() and key not in plain:
            assert line.count("#") > line.startswith("#"), f"{key} has no comment"


def test_every_key_that_the_code_knows_stands_in_the_config() -> None:
    text = (PROJECT / "config.toml").read_text()
    known = tomllib.loads(text)
    from dataclasses import fields

    from recovery.settings import config as module
    from recovery.settings import nodes

    sections = (nodes.Local, nodes.RecordAndVerify, nodes.RvDatabase, nodes.Pacs, module.CacheSettings, Signing)
    for section in (*sections, module.Dashboard, module.Priorities, SignInSettings, TrustedUserHeaders):
        for one in fields(section):
            assert one.name in text, f"{section.__name__}.{one.name} is not shown"
    assert known["jobs"]["sync_records"].keys() == {f.name for f in fields(module.SyncRecordsSettings)}


def test_the_tls_of_a_node_holds_where_it_answers_queries_too_unless_that_has_its_own(tmp_path: Path) -> None:
    query = '[pacs.query]\nae_title = "QR"\nhost = "pacs-qr"\nport = 11108\n'
    text = GOOD + query + '[pacs.tls]\nca = "pacs.pem"\n'
    memory = Memory(tmp_path)
    config = load_config(write(tmp_path, text))
    of_store, of_query = pacs_store_peer(config, memory), pacs_peer(config, memory)
    assert of_store.tls == of_query.tls == Tls(tmp_path / "pacs.pem"), "never the clear by forgetting"
    assert rv_peer(config, memory).tls is None
    own = load_config(write(tmp_path, text + '[pacs.query.tls]\nca = "/etc/query.pem"\nserver_name = "qr"\n'))
    assert pacs_peer(own, memory).tls == Tls(Path("/etc/query.pem"), server_name="qr")


def test_every_node_that_can_have_tls_has_it_and_its_files_are_looked_at(tmp_path: Path) -> None:
    """A further source, and a destination of a restore, where it stores and where it answers."""
    tls = 'ca = "{}.pem"\n'
    more = f"""
[[tps]]
ae_title = "TPS"
host = "127.0.0.1"
port = 11107
[tps.tls]
{tls.format("tps")}
[[restore_to]]
name = "new"
ae_title = "NEW"
host = "127.0.0.1"
port = 11109
[restore_to.tls]
{tls.format("new")}
[restore_to.query]
ae_title = "NEWQR"
host = "127.0.0.1"
port = 11110
[restore_to.query.tls]
{tls.format("newqr")}
[local.tls]
{tls.format("own")}
certificate = "own.crt"
key = "own.key"
"""
    config, memory = load_config(write(tmp_path, GOOD + more)), Memory(tmp_path)
    (tps,) = tps_peers(config, memory)
    own = Tls(tmp_path / "own.pem", tmp_path / "own.crt", tmp_path / "own.key")
    assert tps.tls == Tls(tmp_path / "tps.pem") and tps.own_tls == own
    assert rv_peer(config, memory).own_tls is None, "who is spoken to in the clear sends in the clear"
    store, query = receiver_peers(config, memory, config.restore_to[0])
    assert (store.tls, query.tls) == (Tls(tmp_path / "new.pem"), Tls(tmp_path / "newqr.pem"))
    faults = certificate_faults(config, datetime.now(UTC))
    names = ["local", "tps.1", "restore_to.1", "restore_to.1.query"]
    assert list(faults) == [f"[{name}.tls]" for name in names]
    missing = [f"{tmp_path / name} is not there" for name in ("own.crt", "own.pem", "own.key")]
    assert faults["[local.tls]"] == missing
