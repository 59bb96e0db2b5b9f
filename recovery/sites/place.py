"""Where a copy lies: a folder, or what fsspec reaches (SFTP, S3). Objects are written once, listed and read.

Why S3 apart
    Its Object Lock protects versions and not keys: whoever may write can lay another object, or a deletion, on top.
    So what was written is read by its VersionId, and a listing names every version, those under a deletion too.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from recovery.host.durable import replace
from recovery.settings.sites import SiteCopy

SECONDS = 20
"""That a server may be silent; to connect, a quarter of it."""


class PlaceError(OSError):
    """A place cannot be reached, or what is there not be read or written. The text says which, and why."""


class AbsentError(PlaceError):
    """It was reached, and the object is not there."""


class Place(Protocol):
    """Keys have `/`. All raise `PlaceError`."""

    def put_once(self, key: str, data: bytes) -> str:
        """Write an object unless there is one of this key; its version, where the place has versions."""

    def put(self, key: str, data: bytes) -> str:
        """Write an object in the place of what is there; its version."""

    def get(self, key: str, version: str = "") -> bytes:
        """An object, of this version. Raises `AbsentError` if it is not there."""

    def listed(self, folder: str) -> list[tuple[str, str]]:
        """Names of what lies in a folder, folders among it, with their versions; empty where there is no such."""

    def version(self, key: str) -> str:
        """The version that who names none would get; empty where there are none. Raises `AbsentError`."""


def place_of(copy: SiteCopy, beside: Path) -> Place:
    """Where a copy lies; a relative folder starts at `beside`. Raises `PlaceError` if it cannot be reached."""
    protocol, has_protocol, _ = copy.where.partition("://")
    if not has_protocol or protocol == "file":
        return _Folder(beside / copy.where.removeprefix("file://"))
    return _Bucket(copy) if protocol == "s3" else _Remote(copy)


class _Folder:
    """A folder of this machine, or one that is mounted here."""

    def __init__(self, root: Path) -> None:
        self._root = root
        if not root.is_dir():
            raise PlaceError(f"{root} is no folder: is it mounted? A new one is made by hand, once")

    def put_once(self, key: str, data: bytes) -> str:
        return "" if (self._root / key).exists() else self.put(key, data)

    def put(self, key: str, data: bytes) -> str:
        with _told(OSError):
            (self._root / key).parent.mkdir(parents=True, exist_ok=True)
            replace(self._root / key, data, private=True)
        return ""

    def get(self, key: str, version: str = "") -> bytes:  # noqa: ARG002  it has none
        with _told(OSError):
            return (self._root / key).read_bytes()

    def listed(self, folder: str) -> list[tuple[str, str]]:
        with suppress(AbsentError), _told(OSError):
            return [(path.name, "") for path in (self._root / folder).iterdir()]
        return []

    def version(self, key: str) -> str:
        if not (self._root / key).exists():
            raise AbsentError(f"{key} is not there")
        return ""


class _Remote:
    """What fsspec reaches. Written beside and renamed: a line that breaks leaves nothing under the object's name."""

    def __init__(self, copy: SiteCopy) -> None:
        self._faults = _faults(copy.where)
        with _told(*self._faults):
            from fsspec.core import url_to_fs

            found = url_to_fs(copy.where, skip_instance_cache=True, **_options(copy))
            self._fs: Any = found[0]
            self._root = str(found[1]).rstrip("/")

    def put_once(self, key: str, data: bytes) -> str:
        with _told(*self._faults):
            if self._fs.exists(f"{self._root}/{key}"):
                return ""
        return self.put(key, data)

    def put(self, key: str, data: bytes) -> str:
        path = f"{self._root}/{key}"
        beside = f"{path}.{os.getpid()}.new"
        with _told(*self._faults):
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self._fs.open(beside, "wb") as file:
                file.write(data)
            self._fs.mv(beside, path)
        return ""

    def get(self, key: str, version: str = "") -> bytes:  # noqa: ARG002  it has none
        with _told(*self._faults):
            return bytes(self._fs.cat_file(f"{self._root}/{key}"))

    def listed(self, folder: str) -> list[tuple[str, str]]:
        with suppress(AbsentError), _told(*self._faults):
            return [(str(path).rpartition("/")[2], "") for path in self._fs.ls(f"{self._root}/{folder}", detail=False)]
        return []

    def version(self, key: str) -> str:
        with _told(*self._faults):
            self._fs.info(f"{self._root}/{key}")
        return ""


class _Bucket(_Remote):
    """S3. With a default retention on the bucket each new version is locked by it."""

    def put_once(self, key: str, data: bytes) -> str:
        with _told(*self._faults):
            try:
                return self._written("put_object", key, Body=data, IfNoneMatch="*")
            except OSError as error:
                if not isinstance(error, FileExistsError) and error.errno != errno.EINVAL:
                    raise
        return self.version(key)

    def put(self, key: str, data: bytes) -> str:
        with _told(*self._faults):
            return self._written("put_object", key, Body=data)

    def get(self, key: str, version: str = "") -> bytes:
        with _told(*self._faults):
            return bytes(self._fs.cat_file(f"{self._root}/{key}", version_id=version or None))

    def listed(self, folder: str) -> list[tuple[str, str]]:
        bucket, prefix = self._split(f"{folder}/")
        found: list[tuple[str, str]] = []
        page: dict[str, str] = {}
        with _told(*self._faults):
            while True:
                said = self._fs.call_s3("list_object_versions", Bucket=bucket, Prefix=prefix, Delimiter="/", **page)
                found += [(one["Prefix"], "") for one in said.get("CommonPrefixes", ())]
                found += [(one["Key"], _version(one)) for one in said.get("Versions", ())]
                if not said.get("IsTruncated"):
                    return [(name.removeprefix(prefix).rstrip("/"), version) for name, version in found]
                page = {"KeyMarker": said["NextKeyMarker"], "VersionIdMarker": said.get("NextVersionIdMarker", "")}

    def version(self, key: str) -> str:
        with _told(*self._faults):
            return self._written("head_object", key)

    def _written(self, method: str, key: str, **more: object) -> str:
        bucket, name = self._split(key)
        return _version(self._fs.call_s3(method, Bucket=bucket, Key=name, **more))

    def _split(self, key: str) -> tuple[str, str]:
        bucket, _, name = f"{self._root}/{key}".partition("/")
        return bucket, name


def _version(said: dict[str, Any]) -> str:
    """A bucket without versions says `null`, or nothing."""
    version = str(said.get("VersionId") or "")
    return "" if version == "null" else version


def _options(copy: SiteCopy) -> dict[str, Any]:
    """What fsspec is told: who we are, and how long to wait."""
    user, secret = (os.environ.get(name) if name else None for name in (copy.user_env, copy.secret_env))
    if copy.where.startswith("s3://"):
        patience = {"connect_timeout": SECONDS / 4, "read_timeout": SECONDS, "retries": {"max_attempts": 1}}
        client = {"endpoint_url": copy.endpoint_url} if copy.endpoint_url else {}
        told = {"key": user, "secret": secret, "client_kwargs": client, "config_kwargs": patience}
        return {
            **told,
            "version_aware": True,
            "use_listings_cache": False,
            "max_concurrency": 1,
        }  # by parts it would ask for the newest version
    if copy.where.startswith(("sftp://", "ssh://")):
        named = {key: value for key, value in (("username", user), ("password", secret)) if value}
        return {**named, "host_key_policy": _known_hosts(copy.known_hosts), "timeout": SECONDS / 4, "banner_timeout": 5}
    return {}


def _known_hosts(file: str) -> object:
    """Refuses a server whose key does not stand in a file: fsspec alone believes any."""
    import paramiko

    class Known(paramiko.MissingHostKeyPolicy):  # type: ignore[misc,unused-ignore]
        def missing_host_key(self, client: object, hostname: str, key: object) -> None:  # noqa: ARG002
            if not paramiko.HostKeys(str(Path(file).expanduser())).check(hostname, key):
                raise paramiko.SSHException(f"its key does not stand in {file}: `ssh-keyscan` shows it, compare it")

    return Known()


def _faults(where: str) -> tuple[type[Exception], ...]:
    """What the libraries raise that reach a place. Raises `PlaceError` where one is not installed."""
    try:
        if where.startswith("s3://"):
            import s3fs  # noqa: F401
            from aiohttp import ClientError
            from botocore.exceptions import BotoCoreError
            from botocore.exceptions import ClientError as RefusedError

            return OSError, BotoCoreError, RefusedError, ClientError, ValueError
        if where.startswith(("sftp://", "ssh://")):
            from paramiko import SSHException

            return OSError, EOFError, SSHException, ValueError
    except ImportError as error:
        raise PlaceError(f"{error}: `pip install -r requirements-network.txt` brings what reaches it") from error
    return OSError, ValueError, ImportError


@contextmanager
def _told(*faults: type[Exception]) -> Iterator[None]:
    """Within, what a library raises becomes an error of ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise AbsentError(f"{error.filename or error} is not there") from error
    except faults as error:
        if isinstance(error, PlaceError):
            raise
        raise PlaceError(f"{type(error).__name__}: {error}") from error
