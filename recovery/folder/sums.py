"""`SHA256SUMS`: what each file of a pack must be, as `sha256sum -c` reads it; its last line is the jobs' word.

The signature is a comment to `sha256sum` and stands in the same file: no killed run parts the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from recovery.host.keys import is_signed, sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SUMS, UNFINISHED = "SHA256SUMS", "UNFINISHED_do_not_use"
"""What proves a pack, and what of one is not proven yet."""
UNSIGNED = f"no key of [signing] signed its {SUMS}"

_PURPOSE, _SIGNED = "checksums 1", "# signed "
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\\][^\\]*)")
_OF_FILE_SET = re.compile(r"PT\d{6}/.+")


def sums_text(sums: Mapping[str, str], key: Ed25519PrivateKey | None = None) -> str:
    """As `sha256sum` writes it, signed where there is a key; `sums`: hashes by path, with / on every system."""
    text = "".join(f"{sums[path]}  {path}\n" for path in sorted(sums))
    return text if key is None else f"{text}{_SIGNED}{sign(key, _PURPOSE, text.encode())}\n"


def read_sums(text: str) -> dict[str, str]:
    """Hashes by path. Raises `ValueError` if a line is none, or leaves the pack."""
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if line.startswith(_SIGNED):
            continue
        if match is None or ".." in match[2].split("/"):
            raise ValueError(f"{SUMS} is damaged")
        found[match[2]] = match[1]
    return found


def is_signed_by(text: str, public_keys: Iterable[str]) -> bool:
    """Whether one of the keys signed all of it."""
    said, _, signature = text.rpartition(_SIGNED)
    return is_signed(_PURPOSE, said.encode(), signature.strip(), public_keys)


def is_object(path: str) -> bool:
    """Whether a file is a DICOM object, by its name: one of a file-set has no ending (PS3.10 section 8.2)."""
    return path.endswith(".dcm") or _OF_FILE_SET.fullmatch(path) is not None
