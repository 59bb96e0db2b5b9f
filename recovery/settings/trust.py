"""Whose snapshots are believed: those that the clinic's own key signed, and none from the future.

Goal
    What somebody stored in the RT-PACS, or laid into the cache, is not taken for what the jobs wrote.

How
    The jobs sign a manifest, which has the SHA-256 of every table; the signature is its last key, and stands for every
    byte before it. Who reads knows the public keys from the config alone. Without any nothing is refused, and
    `check` and Backup health say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from recovery.host.keys import KeyFileError, is_signed, load_key, public_key_of, sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from recovery.settings.config import Config

AHEAD = timedelta(minutes=10)
"""Two machines' clocks may differ by so much before a snapshot is from the future."""

UNSIGNED = "who may write in the RT-PACS or the cache can forge a snapshot; `python -m recovery keys make` ends that"
"""What is so while the config names no key."""

_PURPOSE = "snapshot manifest 1"
_END = b"\n}\n"
_SIGNED = re.compile(rb'(.*),\n "signature": "([A-Za-z0-9+/=]+)"\n\}\n', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Trust:
    """`public_keys` in base64; none: anybody is believed. `accepted`: snapshots that a person vouches for, by name.

    `not_after`: no snapshot is believed that says it was taken later (aware). `site_name`: whose snapshots are made.
    """

    public_keys: tuple[str, ...] = ()
    accepted: frozenset[str] = frozenset()
    not_after: datetime | None = None
    site_name: str | None = None

    def until(self, now: datetime) -> Trust:
        """The same, and nothing from the future."""
        return replace(self, not_after=now + AHEAD)

    def fault_of(self, manifest: bytes, snapshot_id: str, taken_at: datetime, purpose: str = _PURPOSE) -> str:
        """Why a manifest is not believed, in words; empty when it is. `purpose`: as it was signed for."""
        if self.not_after is not None and taken_at > self.not_after:
            return f"it says that it was taken at {taken_at:%Y-%m-%d %H:%M} UTC, which is in the future"
        if not self.public_keys or snapshot_id in self.accepted:
            return ""
        found = _SIGNED.fullmatch(manifest)
        if found is None:
            return "it is not signed, and the config names the keys that sign"
        if not is_signed(purpose, found[1], found[2].decode(), self.public_keys):
            return "no key of the config signed it as it is: it was changed, or another key signed it"
        return ""


EVERYBODY = Trust()


def trust_of(config: Config) -> Trust:
    """Whom this config believes."""
    signing = config.signing
    return Trust(tuple(signing.public_keys), frozenset(signing.accepted_snapshots), site_name=config.site.name)


def signing_key(config: Config) -> Ed25519PrivateKey | None:
    """The jobs' key; None where this machine has none.

    Raises `KeyFileError` if it cannot be used, or is missing while the config names public keys.
    """
    path = config.signing_key_path
    try:
        return load_key(path)
    except FileNotFoundError as error:
        if not config.signing.public_keys:
            return None
        raise KeyFileError(
            f"the private key {path} is not there, and [signing] names public keys: nothing can be signed"
        ) from error


def key_or_why_not(config: Config) -> tuple[Ed25519PrivateKey | None, str]:
    """As `signing_key`; where it cannot be used, what to say: unsigned tables are better than none."""
    try:
        return signing_key(config), ""
    except KeyFileError as error:
        return None, f"what this run wrote is not signed, and whoever reads refuses it: {error}"


def own_trust(key: Ed25519PrivateKey | None, trust: Trust) -> Trust:
    """Whom a writer believes: what it cannot tell from its own it must not sign. Without a key it signs nothing."""
    if key is None:
        return Trust(site_name=trust.site_name)
    return replace(trust, public_keys=tuple({*trust.public_keys, public_key_of(key)}))


def signed(manifest: bytes, key: Ed25519PrivateKey | None, purpose: str = _PURPOSE) -> bytes:
    """A manifest with its signature; as it is without a key."""
    if key is None:
        return manifest
    said = manifest.removesuffix(_END)
    return said + f',\n "signature": "{sign(key, purpose, said)}"'.encode() + _END
