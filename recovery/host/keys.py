"""Ed25519 keys (RFC 8032): made, kept in a file of their owner's alone, and what they sign.

The private key is a PEM file, where the jobs run; the public key is 44 characters of base64, in the config of everybody
who reads. What is signed begins with what it is for: no signature of one thing passes for that of another.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING

from recovery.host import system
from recovery.words.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OTHERS = 0o077
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64


class KeyFileError(RefusedError, OSError):
    """A private key cannot be used or made. The text names its file and says why, and what to do."""


def make_key(path: Path) -> str:
    """Make a private key in a new file, and return its public key.

    Raises `KeyFileError` if there is such a file already, or it cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(key.private_bytes(*kind))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise KeyFileError(f"{path} is there already: a key that signed is not replaced") from error
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror or error}") from error
    return public_key_of(key)


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a file.

    Raises `FileNotFoundError` if there is no such file; `KeyFileError` if it cannot be read, others may read it, or it
    is no Ed25519 key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if (system.mode_of(path) or 0) & _OTHERS:
            raise KeyFileError(f"others may read the private key {path}: `chmod 600 {path}`, and make a new one")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        if isinstance(error, KeyFileError):
            raise
        raise KeyFileError(f"the private key {path} cannot be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"the private key {path} is no Ed25519 key: `python -m recovery keys make` makes one")
    return key


def public_key_of(key: Ed25519PrivateKey) -> str:
    """As the config has it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def known_public_key(text: str) -> str:
    """The text itself.

    Raises `ValueError` if it is no public key.
    """
    if len(_decoded(text)) != _KEY_BYTES:
        raise ValueError("must be a public key as `python -m recovery keys make` prints it")
    return text


def sign(key: Ed25519PrivateKey, purpose: str, data: bytes) -> str:
    """The signature of `data` as what `purpose` says, in base64."""
    return base64.b64encode(key.sign(_message(purpose, data))).decode()


def is_signed(purpose: str, data: bytes, signature: str, public_keys: Iterable[str]) -> bool:
    """Whether one of the keys signed `data`, as what `purpose` says."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    signed = _decoded(signature)
    if len(signed) != _SIGNATURE_BYTES:
        return False
    for key in public_keys:
        try:
            Ed25519PublicKey.from_public_bytes(_decoded(key)).verify(signed, _message(purpose, data))
        except InvalidSignature:
            continue
        return True
    return False


def _message(purpose: str, data: bytes) -> bytes:
    return f"RBRDT {purpose}\n".encode() + data


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
