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
from typing import Any

from recovery.host.durable import replace
from recovery.settings.sites import SiteCopy

SECONDS = 20
"""That a server may be silent; to connect, a quarter of it."""


class PlaceError(OSError):
    """A place cannot be reached, or what is there not be read or written. The text says which, and why."""


class AbsentError(PlaceError):
    """It was reached, and the object is not there."""


class Place:
    """A folder of this machine, or one that is mounted here. Keys have `/`. All raise `PlaceError`."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        if not root.is_dir():
            raise PlaceError(f"{root} is no folder: is it mounted? A new one is made by hand, once")

    def put(self, key: str, data: bytes, *, once: bool = False) -> str:
        """Write an object, with `once` unless there is one of this key; its version, where the place has versions."""
        file = Path(self._root, key)
        with _told(OSError):
            if not (once and file.exists()):
                file.parent.mkdir(parents=True, exist_ok=True)
                replace(file, data, private=True)
        return ""

    def get(self, key: str, version: str = "") -> bytes:  # noqa: ARG002  it has none
        """An object, of this version. Raises `AbsentError` if it is not there."""
        with _told(OSError):
            return Path(self._root, key).read_bytes()

    def listed(self, folder: str) -> list[tuple[str, str]]:
        """Names of what lies in a folder, folders among it, with their versions; empty where there is no such."""
        with suppress(AbsentError), _told(OSError):
            return [(path.name, "") for path in Path(self._root, folder).iterdir()]
        return []

    def version(self, key: str) -> str:  # noqa: ARG002  it has none
        """The version that who names none would get; empty where there are none. S3 raises `AbsentError`."""
        return ""

    def protection(self) -> str:
        """What keeps an attacker with our account from what was written, in words."""
        return "no versions: let the server keep snapshots that this account cannot reach"


def place_of(copy: SiteCopy, beside: Path) -> Place:
    """Where a copy lies; a relative folder starts at `beside`. Raises `PlaceError` if it cannot be reached."""
    protocol, has_protocol, _ = copy.where.partition("://")
    if not has_protocol or protocol == "file":
        return Place(beside / copy.where.removeprefix("file://"))
    return _Bucket(copy) if protocol == "s3" else _Remote(copy)


class _Remote(Place):
    """What fsspec reaches. Written beside and renamed: a line that breaks leaves nothing under the object's name."""

    def __init__(self, copy: SiteCopy) -> None:
        self._faults = _faults(copy.where)
        with _told(*self._faults):
            from fsspec.core import url_to_fs

            found = url_to_fs(copy.where, skip_instance_cache=True, **_options(copy))
            self._fs: Any = found[0]
            self._root = str(found[1]).rstrip("/")

    def put(self, key: str, data: bytes, *, once: bool = False) -> str:
        path = f"{self._root}/{key}"
        beside = f"{path}.{os.getpid()}.new"
        with _told(*self._faults):
            if not (once and self._fs.exists(path)):
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


class _Bucket(_Remote):
    """S3. With a default retention on the bucket each new version is locked by it."""

    def __init__(self, copy: SiteCopy) -> None:
        super().__init__(copy)
        self._fs.retries = 1  # of s3fs, each with those of botocore: a line that hangs held a job for minutes

    def put(self, key: str, data: bytes, *, once: bool = False) -> str:
        with _told(*self._faults):
            try:
                return self._asked("put_object", key, Body=data, **({"IfNoneMatch": "*"} if once else {}))
            except OSError as error:
                if not once or not (isinstance(error, FileExistsError) or error.errno == errno.EINVAL):
                    raise
        return self.version(key)

    def get(self, key: str, version: str = "") -> bytes:
        with _told(*self._faults):
            return bytes(self._fs.cat_file(f"{self._root}/{key}", version_id=version or None))

    def listed(self, folder: str) -> list[tuple[str, str]]:
        bucket, _, prefix = f"{self._root}/{folder}/".partition("/")
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
            return self._asked("head_object", key)

    def protection(self) -> str:
        bucket = self._root.partition("/")[0]
        try:
            with _told(*self._faults):
                said = self._fs.call_s3("get_object_lock_configuration", Bucket=bucket)["ObjectLockConfiguration"]
        except PlaceError:
            return "no Object Lock that this account may see: who has the account may take the copy away"
        kept = said.get("Rule", {}).get("DefaultRetention")
        if not kept:
            return "Object Lock without a default retention: nothing is locked; set one, of 90 days"
        many = f"{kept['Days']} days" if "Days" in kept else f"{kept['Years']} years"
        return f"Object Lock, {kept['Mode'].lower()}, {many}"

    def _asked(self, method: str, key: str, **more: object) -> str:
        bucket, _, name = f"{self._root}/{key}".partition("/")
        return _version(self._fs.call_s3(method, Bucket=bucket, Key=name, **more))


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
        # by parts it would ask for the newest version
        return {**told, "version_aware": True, "use_listings_cache": False, "max_concurrency": 1}
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
