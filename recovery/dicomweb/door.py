"""The door to an RT-PACS that speaks DICOMweb. Only a clinic that has one needs `dicomweb-client`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recovery.dicomweb.link import WebLink
    from recovery.dimse import Peer
    from recovery.dimse.tls import Tls

NOT_INSTALLED = (
    "is spoken to by DICOMweb, and dicomweb-client is not installed: `pip install -r requirements-network.txt`"
)


@dataclass(frozen=True, slots=True)
class WebDoor:
    """A DICOMweb server. `token_env` names the environment variable of a bearer token."""

    url: str
    token_env: str | None = None
    tls: Tls | None = None

    @property
    def name(self) -> str:
        return f"The RT-PACS at {self.url}"

    @contextmanager
    def open(self, peer: Peer) -> Iterator[WebLink]:
        try:
            from recovery.dicomweb.http import Client
            from recovery.dicomweb.link import WebLink
        except ImportError as error:
            raise peer.error(NOT_INSTALLED) from error
        token = os.environ.get(self.token_env, "").strip() if self.token_env is not None else ""
        if self.token_env is not None and not (token.isascii() and token.isprintable() and token):
            raise peer.error(
                f"wants a token, and the environment variable {self.token_env} ([pacs] token_env) "
                f"{'holds what is none' if token else 'is not set'}"
            )
        try:
            client = Client(self.url, peer.timeout, token, self.tls)
        except OSError as error:
            raise peer.error(f"is not spoken to: {error}") from error
        link = WebLink(peer, client, self.tls)
        try:
            yield link
        finally:
            link.abort()
