"""Opaque keys in the place of patient IDs: what a URL, a browser's history and a proxy's log may hold.

A keyed hash of the ID: whoever has no secret cannot try IDs until one fits. A key is turned back by comparing it with
the keys of all patients that the cache knows. The secret lives as long as the process, on no disk: a link that was
copied out of the department is dead after a restart.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_LETTERS = 32
"""Of base 16: 128 bits."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one secret."""

    secret: bytes

    def key_of(self, patient_id: str) -> str:
        """The key that stands for a patient ID."""
        digest = hmac.new(self.secret, patient_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return digest[:_LETTERS]

    def find(self, key: str, patient_ids: Iterable[str]) -> str | None:
        """The patient ID that a key stands for; None where it is no key of these."""
        asked = key.encode("utf-8", "replace")
        return next((p for p in patient_ids if hmac.compare_digest(self.key_of(p).encode(), asked)), None)


@lru_cache(maxsize=1)
def keys_of_process() -> Keys:
    """Keys of a secret that was drawn when the first was asked for."""
    return Keys(secrets.token_bytes(32))
