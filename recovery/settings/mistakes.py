"""What is wrong with a config, in words: each mistake with its section and key, as the file spells them."""

import difflib
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from pydantic_core import ErrorDetails


def in_words(error: ErrorDetails, settings: type[object]) -> str:
    """One mistake in words, such as `[rv] port: must be between 1 and 65535, not 0`.

    `settings` is the dataclass of the whole config.
    """
    *sections, key = error["loc"]
    kind, value = error["type"], error.get("input")
    section = ".".join(str(s) if isinstance(s, str) else f"{s + 1}" for s in sections)
    where = f"[{section}] {key}" if section else f"[{key}]"
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        near = difflib.get_close_matches(str(key), _known_keys(settings, sections), n=1)
        return f"{where}: unknown key" + (f"; did you mean {near[0]}?" if near else "")
    if kind in {"missing", "missing_argument"}:
        return f"{where}: is missing"
    said = error["msg"].removeprefix("Value error, ")
    said = said.replace("Input should be", "must be").replace("String should", "must")
    shown = "" if isinstance(value, dict | list) or key in {"connection", "url"} else f", not {value!r}"
    return f"{where}: {said[:1].lower()}{said[1:]}{shown}"


def _known_keys(settings: type[object], sections: list[str | int]) -> list[str]:
    """The keys that a section may have."""
    kind: Any = settings
    for section in sections:
        kind = get_args(kind)[0] if isinstance(section, int) else get_type_hints(kind).get(section)
        if get_origin(kind) is not list and not is_dataclass(kind):
            kind = next((a for a in get_args(kind) if is_dataclass(a)), None)
        if kind is None:
            return []
    return [f.name for f in fields(kind) if f.name != "file"] if is_dataclass(kind) else []
