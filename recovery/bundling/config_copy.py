"""The config as the rescue bundle has it: a stick is lost more easily than the jobs' machine, and secrets stay there.

How
    Where people put a secret that should be in an environment variable, it is not copied: of an ODBC connection string
    whatever is not known to be harmless, the addresses of `[watch]`, which let anybody say that the backup lives, and
    comments that tell a password. What cannot be told to be clean is not copied at all. Nor is where this machine's own
    private keys lie: whoever reads needs the public ones, and makes a key of his own where he charts.
"""

import json
import re
import tomllib
from typing import Any

NOT_COPIED = "(not copied)"
_HARMLESS = frozenset(
    {
        *("driver", "dsn", "server", "address", "addr", "port", "database", "uid", "user", "app", "encrypt"),
        *("trustservercertificate", "hostnameincertificate", "trusted_connection", "applicationintent"),
        *("multisubnetfailover", "mars_connection"),
    }
)
_PART = re.compile(r"\s*([^=;{}]+?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;{}]*)(?:;\s*|$)")
_FOUND = re.compile(
    r"""(?imsx) ^[^\S\n]*(?P<comment>\#)[^\n]*\b(?:pwd|password|passphrase)\b\s*=[^\n]*
    | ^[^\S\n]*(?P<own>private_key)[^\S\n]*=[^\S\n]*(?:"[^"\\\n]*"|'[^'\n]*')[^\S\n]*(?:\#[^\n]*)?$
    | \b(?P<key>connection|ping_url|watch_ping_url|private_key)(?P<equals>["']?\s*=\s*)
      (?P<value>\"{3}(?:\\.|[^\\])*?\"{3} | '{3}.*?'{3} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
    | (?<=://)[^/\s"'@]+:[^/\s"'@]*(?=@)  # https://user:password@host
    """
)


def without_secrets(config: bytes) -> bytes:
    """What of a config.toml may leave this machine; it is a config all the same."""
    copied = _FOUND.sub(_masked, config.decode("utf-8-sig", errors="replace"))
    try:
        is_clean = _is_clean(tomllib.loads(copied))
    except tomllib.TOMLDecodeError:
        is_clean = False
    return copied.encode() if is_clean else b"# not copied: it could not be told to be free of secrets\n"


def _masked(found: re.Match[str]) -> str:
    if found["comment"] is not None:
        return f"# {NOT_COPIED}"
    if found["own"] is not None:
        return f"# private_key {NOT_COPIED}"
    if found["key"] is None:
        return NOT_COPIED
    value = tomllib.loads(f"value = {found['value']}")["value"]
    return f"{found['key']}{found['equals']}{json.dumps(_harmless(found['key'].lower(), value), ensure_ascii=False)}"


def _harmless(key: str, value: str) -> str:
    """What may be told of a secret's place."""
    if key != "connection":
        return NOT_COPIED if key == "private_key" else ""
    if value.startswith("sqlite:///"):
        return value
    parts = list(_PART.finditer(value))
    if "".join(part[0] for part in parts) != value:
        return NOT_COPIED
    return ";".join(f"{part[1]}={part[2] if part[1].casefold() in _HARMLESS else NOT_COPIED}" for part in parts)


def weaknesses_of(connection: str) -> list[str]:
    """What of an ODBC connection string gives a secret away, on a disk or on the line; in words, without it."""
    parts = {part[1].casefold(): part[2].strip("{}").casefold() for part in _PART.finditer(connection)}
    found = []
    if parts.keys() & {"pwd", "password"}:
        found.append("the password stands in the config: it belongs into the variable that password_env names")
    if parts.get("trustservercertificate") in {"yes", "true", "1"}:
        found.append("TrustServerCertificate=yes believes whoever answers: anybody on the way reads and writes with it")
    if parts.get("encrypt") in {"no", "false", "optional", "0"}:
        found.append(f"Encrypt={parts['encrypt']} lets the password and all tables travel in the clear")
    return found


def _is_clean(said: Any) -> bool:
    """Whether no key, however it is spelt, holds what is not copied."""
    if isinstance(said, dict):
        secrets = {"connection", "ping_url", "watch_ping_url", "private_key"}
        return all(_harmless(k, v) == v if k in secrets else _is_clean(v) for k, v in said.items())
    return all(map(_is_clean, said)) if isinstance(said, list) else True
