"""A pack as one encrypted file that `age` alone opens, for a stick that may be lost.

How
    A tar of the pack, checksums first, encrypted as it is written: nothing of it lies on the stick in the clear. For a
    passphrase a key is made and lies beside, encrypted with it, for age has passphrases for what fits in memory:
    `age -d -i PACK.key.age PACK.tar.age | tar x`.
"""

import hashlib
import os
import shutil
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyrage

from recovery.cache.journal import is_stopped
from recovery.folder.sums import SUMS, UNSIGNED, is_object, is_signed_by, read_sums
from recovery.host.durable import replace, replacing
from recovery.packing.proof import forged
from recovery.words.refusals import RefusedError

SHORTEST_PASSPHRASE = 12
CUT = "it ends too early, or was changed after it was written"
TOO_SLOW = (
    "This computer is too slow, or too busy just now, to try the passphrase: try again later, or open the key with the "
    "program age, which waits longer (docs/recovery.md)."
)
WAITS = (0.2, 1.0, 3.0, 6.0)
"""Seconds before each further try."""
_AT_ONCE = 1 << 20


class WrongKeyError(RefusedError, ValueError):
    """A key or passphrase is none, or not the one. The text says which, and shows none."""


def recipients_of(public_keys: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    """Raises `WrongKeyError` if one is no public key of age."""
    try:
        return [pyrage.x25519.Recipient.from_str(key) for key in public_keys]
    except pyrage.RecipientError as error:
        raise WrongKeyError("A recipient is no public key of age, such as age1…; `age-keygen` makes one.") from error


def key_file_of(file: Path) -> Path:
    """`TB1.tar.age` has its key in `TB1.key.age`."""
    name = file.name.removesuffix(".age").removesuffix(".gz").removesuffix(".tar")
    return file.with_name(f"{name}.key.age")


def encrypt(folder: Path, file: Path, public_keys: Sequence[str], passphrase: str | None) -> None:
    """Write a pack as one encrypted file, compressed where its name says `.tar.gz`; the file of before stands until
    this one is whole.

    Raises `WrongKeyError` for a bad key; `OSError` if it cannot be written.
    """
    recipients = recipients_of(public_keys)
    if passphrase is not None:
        kept = _kept_key(file, passphrase)
        own = kept or pyrage.x25519.Identity.generate()
        recipients.append(own.to_public())
    with replacing(file, private=True) as target:
        with _piped(lambda pipe: _write_tar(folder, pipe, is_compressed=".tar.gz" in file.name)) as source:
            pyrage.encrypt_io(source, target, recipients)
        if passphrase is not None and kept is None:
            target.flush()  # a stick may take minutes, and until then the file of before needs the key of before
            os.fsync(target.fileno())
            replace(key_file_of(file), pyrage.passphrase.encrypt(str(own).encode(), passphrase), private=True)


def _kept_key(file: Path, passphrase: str) -> pyrage.x25519.Identity | None:
    """The key that lies there, if the passphrase opens it: it opens the file of before, whatever comes of this one."""
    try:
        return pyrage.x25519.Identity.from_str(_opened(key_file_of(file), passphrase))
    except (OSError, ValueError, pyrage.DecryptError, pyrage.IdentityError):
        return None


def _opened(file: Path, passphrase: str) -> str:
    """What a passphrase protects.

    How much work it is was chosen by the speed of the computer that wrote it, and what seems more than this one does in
    some 16 s is refused by the library. It measures for milliseconds: a busy computer is asked again.

    Raises `WrongKeyError` if this computer seems too slow, `pyrage.DecryptError` if the passphrase is another.
    """
    for wait in (*WAITS, None):
        try:
            return str(pyrage.passphrase.decrypt(file.read_bytes(), passphrase).decode())
        except pyrage.DecryptError as error:
            if "Excessive work" not in str(error):
                raise
            if wait is None:
                raise WrongKeyError(TOO_SLOW) from error
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def passphrase_of(variable: str | None) -> str | None:
    """What an environment variable has; None where none is named.

    Raises `WrongKeyError` if it has nothing, or so little that it is guessed.
    """
    said = os.environ.get(variable) if variable is not None else None
    if variable is not None and not said:
        raise WrongKeyError(f"The environment variable {variable} is not set.")
    if said is not None and len(said) < SHORTEST_PASSPHRASE:
        raise WrongKeyError(f"The passphrase is too short: at least {SHORTEST_PASSPHRASE} characters.")
    return said


LOCK_OF = {"bundling-": "bundle", "packing-": "package", "transferring-": "transfer-out", "drill-": "drill"}
"""How folders in the cache's begin that are wanted for as long as a run holds this lock."""


def tidy_left(cache_path: Path, prefix: str) -> None:
    """Remove what killed runs left of patients in the clear. `prefix`: the caller's own, who holds its lock."""
    for begin, lock in LOCK_OF.items():
        if begin == prefix or is_stopped(cache_path, lock):
            for left in cache_path.glob(f"{begin}*"):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def private_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder on this machine's own disk for what is not encrypted yet; gone at the end, and those of runs that were
    killed before it begins. Hold the lock of `prefix`. Raises `OSError` if it cannot be made."""
    tidy_left(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def identities(file: Path, key: Path | None, passphrase: str | None) -> list[pyrage.x25519.Identity]:
    """What opens an encrypted pack: a file of keys as `age-keygen` writes it, or the passphrase.

    Raises `WrongKeyError` if it does not; `OSError` if a file cannot be read.
    """
    try:
        if passphrase is not None:
            said = _opened(key_file_of(file), passphrase)
        else:
            said = key.read_text() if key is not None else ""
        keys = [line.strip() for line in said.splitlines() if line.startswith("AGE-SECRET-KEY-")]
        return [pyrage.x25519.Identity.from_str(one) for one in keys]
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise WrongKeyError("The passphrase, or the key, does not open it.") from error


def faults_of_encrypted(
    file: Path, keys: Sequence[pyrage.x25519.Identity], digests: Mapping[str, str], signers: Sequence[str] = ()
) -> list[str]:
    """What of an encrypted pack is not what was written, a sentence each. `digests`: of objects as they were first
    read, by UID: whoever knows a public key can encrypt another pack for it. `signers`: public keys, one of which
    signed it; none: anybody may.

    Raises `WrongKeyError` if none of the keys opens it; `OSError` if it cannot be read.
    """
    faults: list[str] = []

    def decrypted(pipe: BinaryIO) -> None:
        with file.open("rb") as source:
            pyrage.decrypt_io(source, pipe, list(keys))

    try:
        with _piped(decrypted) as stream:
            faults += _faults_of_tar(stream, digests, signers)
    except pyrage.DecryptError as error:
        if "key" in str(error).casefold():
            raise WrongKeyError("The passphrase, or the key, does not open it.") from error
        faults.append(CUT)
    except (tarfile.TarError, EOFError):
        faults.append(CUT)
    except OSError as error:
        if error.errno is not None:  # the disk's word; age's has no number
            raise
        faults.append(CUT)
    return faults


def _faults_of_tar(stream: BinaryIO, digests: Mapping[str, str], signers: Sequence[str]) -> Iterator[str]:
    with tarfile.open(fileobj=stream, mode="r|*") as tar:
        sums: dict[str, str] | None = None
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if sums is None:
                try:
                    text = content.read().decode() if content and member.name == SUMS else "-"
                    sums = read_sums(text)
                except ValueError:
                    yield f"{SUMS} is damaged, or not what it begins with"
                    return
                if signers and not is_signed_by(text, signers):
                    yield UNSIGNED
                continue
            data = content.read() if content is not None else b""
            if content is None or sums.pop(member.name, "") != hashlib.sha256(data).hexdigest():
                yield f"{member.name} is not what was written"
            elif is_object(member.name) and (why := forged(data, digests)):
                yield f"{member.name} {why}"
        if sums is None:
            yield f"there is no {SUMS}: this is no pack"
        yield from (f"{path} is not there" for path in sums or ())


def _write_tar(folder: Path, pipe: BinaryIO, *, is_compressed: bool) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with tarfile.open(fileobj=pipe, mode="w|gz" if is_compressed else "w|", format=tarfile.PAX_FORMAT) as tar:
        for path in [folder / SUMS, *(path for path in files if path != folder / SUMS)]:
            tar.add(path, path.relative_to(folder).as_posix())


@contextmanager
def _piped(write: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """What another thread writes, to be read; what went wrong there is raised at the end."""
    read_end, write_end = os.pipe()
    raised: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(write_end, "wb") as pipe:
                write(pipe)
        except (OSError, tarfile.TarError, pyrage.DecryptError) as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(read_end, "rb") as source:
            yield source
            while source.read(_AT_ONCE):  # who writes ends only when all is read
                pass
    except (OSError, tarfile.TarError, EOFError):
        thread.join()
        if raised:
            raise raised[0] from None
        raise
    thread.join()
    if raised and not (isinstance(raised[0], BrokenPipeError)):
        raise raised[0]
