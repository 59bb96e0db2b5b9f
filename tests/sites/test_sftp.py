"""A copy by SFTP: written beside and renamed, read back; a server whose key nobody wrote down is refused."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from recovery.settings.sites import SiteCopy
from recovery.sites.place import AbsentError, PlaceError, place_of
from tests.sites.made import Site, number_of

paramiko = pytest.importorskip("paramiko", reason="NOT TESTED: SFTP needs requirements-network.txt")


class Door(paramiko.ServerInterface):  # type: ignore[misc]
    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == ("clinic", "secret")
        return int(paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


class Files(paramiko.SFTPServerInterface):  # type: ignore[misc]
    """The real disk."""

    def list_folder(self, path: str) -> object:
        try:
            found = [(name, os.stat(f"{path}/{name}")) for name in os.listdir(path)]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return [paramiko.SFTPAttributes.from_stat(stat, name) for name, stat in found]

    def stat(self, path: str) -> object:
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(path))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path: str, flags: int, attr: object) -> object:
        handle = paramiko.SFTPHandle(flags)
        try:
            handle.filename = path
            handle.readfile = handle.writefile = os.fdopen(os.open(path, flags, 0o600), "wb" if flags & 1 else "rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return handle

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        os.replace(oldpath, newpath)
        return int(paramiko.SFTP_OK)

    def mkdir(self, path: str, attr: object) -> int:
        os.mkdir(path)
        return int(paramiko.SFTP_OK)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """Its port; its key stands in `known`."""
    key = paramiko.ECDSAKey.generate()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    opened = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
            transport.start_server(server=Door())
            opened.append(transport)

    threading.Thread(target=serve, daemon=True).start()
    yield port
    listener.close()
    for transport in opened:
        transport.close()


def test_a_copy_by_sftp_is_written_read_back_and_its_server_known(
    server: int, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_USER", "clinic")
    monkeypatch.setenv("TEST_SECRET", "secret")
    where = f"sftp://127.0.0.1:{server}{tmp_path}/vault"
    known = str(tmp_path / "known")
    site.copy = SiteCopy("far", where, user_env="TEST_USER", secret_env="TEST_SECRET", known_hosts=known)
    site.cycle(1)
    assert site.cycle(2).problems == []
    assert number_of(site.read(), tmp_path / "seen") == 2
    assert list((tmp_path / "vault").rglob("*.new")) == []
    with pytest.raises(AbsentError):
        site.place.get("nothing")
    (tmp_path / "known").write_text("")
    with pytest.raises(PlaceError, match="its key does not stand in"):
        place_of(site.copy, tmp_path)
