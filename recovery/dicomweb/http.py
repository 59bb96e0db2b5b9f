"""One HTTP session to one DICOMweb server: every wait and every answer bounded, one CA believed, nobody followed.

Why a session of its own
    requests waits for each byte anew, follows redirects, and takes passwords, proxies and CAs from wherever it finds
    them; dicomweb-client takes an empty answer of a proxy for "no matches", and half an object for the whole.
"""

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import dicomweb_client
import requests
from dicomweb_client.web import DICOMwebClient
from pydicom import Dataset
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from recovery.dicom import elements as el
from recovery.dimse.patience import patience_of
from recovery.dimse.tls import Tls

VERSION = "0.61.2"

if dicomweb_client.__version__ != VERSION:
    raise ImportError(
        f"dicomweb-client {dicomweb_client.__version__} is installed, and {__name__} was read for {VERSION}"
    )

for name in ("dicomweb_client", "urllib3", "retrying"):
    logging.getLogger(name).setLevel(logging.CRITICAL)  # they log addresses, and a question names a patient there

MOST_BYTES = 1024**3
"""Of one answer, unpacked. No object of a clinic is larger, and no page of answers comes near."""
_LISTS = {"STUDY": "studies", "SERIES": "series", "IMAGE": "instances"}
_ANSWERS = {(200, True), (204, False)}
"""By status, and whether there is a body: else a gateway says "yes" of itself, and nothing of the archive."""
_OBJECT = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*', "Accept-Encoding": "identity"}


class Client(DICOMwebClient):
    """dicomweb-client, and what it does not give: bytes as they came, and as they are to be stored."""

    def __init__(self, url: str, timeout: float, token: str, tls: Tls | None) -> None:
        """Raises `OSError`, in words, if a file of `tls` cannot be used."""
        self.session = _Session(timeout, token, tls)
        connecting = min(timeout, 10.0)
        super().__init__(url.rstrip("/"), self.session, permissive_uid=True, timeout=(connecting, timeout))
        self.set_http_retry_params(retry=False)

    def search(self, level: str, place: Mapping[str, str], params: Mapping[str, Any]) -> tuple[list[Any], bool]:
        """One page of QIDO-RS, and whether it warns that it is not all; `place`: the study and series to search in."""
        asked = urlencode(params, doseq=True, safe="*?,")  # what may stand as it is, does: not every server decodes it
        response = self._http_get(f"{self._address(place, _LISTS[level])}?{asked}")
        found = _json(response) if response.content else []
        if not isinstance(found, list):
            found = [found]  # some send one match bare; what is none, no match says
        warning = response.headers.get("Warning", "").lower()
        return found, warning.startswith("299") and "fuzzy" not in warning

    def retrieve(self, place: Mapping[str, str], instance: str) -> bytes:
        """One object as a DICOM file, in the transfer syntax in which it is kept; half of it is a `ValueError`."""
        response = self._http_get(self._address(place, "instances", quote(instance, safe="")), headers=dict(_OBJECT))
        kind, body = response.headers["Content-Type"], response.content
        if kind.startswith("application/dicom"):  # some send it bare
            if not {"Content-Length", "Transfer-Encoding"} & {name.title() for name in response.headers}:
                raise ValueError("nothing tells where it ends")
            return body
        boundary = re.search(r'boundary="?([^";]+)', kind, re.IGNORECASE)
        marker = b"\r\n--" + (boundary.group(1) if boundary is not None else "").encode()
        start, end = body.index(b"\r\n\r\n", body.index(marker[2:])) + 4, body.rindex(marker + b"--")
        if not start <= end or body.find(marker, start, end) >= 0:
            raise ValueError("not one part")
        return body[start:end]

    def store(self, file: bytes) -> Dataset:
        """STOW-RS of one DICOM file; the server's own word about it, which is empty where it says nothing."""
        marker = f"--{uuid4().hex}"
        headers = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={marker[2:]}'}
        start, end = f"{marker}\r\nContent-Type: application/dicom\r\n\r\n", f"\r\n{marker}--\r\n"
        body = b"".join((start.encode(), file, end.encode()))
        response = self.session.post(self._address({}, "studies"), body, headers=headers, timeout=self._timeout)
        told = Dataset()
        with suppress(*el.UNREADABLE):
            told = Dataset.from_json(_json(response))
        if "FailedSOPSequence" not in told:  # a refusal may tell of the object (PS3.18 table 10.5.3-1: 409)
            response.raise_for_status()
        return told

    def _address(self, place: Mapping[str, str], *last: str) -> str:
        """What a node calls a UID may be anything, and becomes part of an address."""
        keywords = (("studies", "StudyInstanceUID"), ("series", "SeriesInstanceUID"))
        above = [f"{name}/{quote(place[keyword], safe='')}" for name, keyword in keywords if keyword in place]
        return "/".join((self.base_url, *above, *last))


def _json(response: requests.Response) -> Any:
    """What an answer says. Half of a pair of UTF-16 is no letter, and nothing could write it."""
    if "json" not in response.headers.get("Content-Type", "").lower():
        raise ValueError("no JSON")
    said = json.loads(response.content)
    return json.loads(json.dumps(said, ensure_ascii=False).encode(errors="xmlcharrefreplace"))


class _Session(requests.Session):
    def __init__(self, timeout: float, token: str, tls: Tls | None) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["Accept"] = "application/dicom+json"
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        self._seconds = patience_of(timeout)
        self._opened: list[socket.socket] = []
        self.adapters.clear()
        if tls is not None:
            self.verify = str(tls.ca)
        self.mount("https://" if tls is not None else "http://", _Adapter(tls, self._opened))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send, and take the whole answer. What is neither an answer nor an error is an error here.

        Raises `requests.RequestException`, whose text names the address and so a patient: it is for nobody to read.
        """
        self._opened[:] = [one for one in self._opened if one.fileno() >= 0]
        until = time.monotonic() + self._seconds
        watch = threading.Timer(self._seconds, self._cut)
        watch.daemon = True
        watch.start()
        try:
            response = super().send(request, **{**kwargs, "stream": True, "allow_redirects": False})
            body = bytearray()
            for chunk in response.iter_content(1 << 16):
                body += chunk
                if len(body) > MOST_BYTES:
                    response.close()
                    raise requests.exceptions.ContentDecodingError("too large")
        except requests.RequestException as error:
            if time.monotonic() >= until:
                raise requests.exceptions.ReadTimeout from error
            raise
        finally:
            watch.cancel()
        if time.monotonic() >= until:  # cut in the middle of its headers, it may look like an answer
            raise requests.exceptions.ReadTimeout
        response._content = bytes(body)
        if response.is_redirect or 300 <= response.status_code < 400:
            raise requests.exceptions.HTTPError(response=response)
        if request.method == "GET" and response.ok and (response.status_code, bool(body)) not in _ANSWERS:
            raise requests.exceptions.ContentDecodingError("no answer")
        return response

    def _cut(self) -> None:
        """Whoever sends a byte now and then has had his time."""
        for opened in self._opened:
            with suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Speaks TLS as `recovery.dimse.tls` wants it, and tells which connections it opened."""

    def __init__(self, tls: Tls | None, opened: list[socket.socket]) -> None:
        self._tls, self._opened = tls, opened
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._tls is not None:
            kwargs["ssl_context"] = self._tls.context()
            if self._tls.server_name:
                kwargs["server_hostname"] = self._tls.server_name
        super().init_poolmanager(*args, **kwargs)
        opened = self._opened

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                opened.append(self.sock)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                opened.append(super()._new_conn())  # a handshake is waited for, too
                return opened[-1]

            def connect(self) -> None:
                super().connect()
                opened.append(self.sock)

        plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        secure = type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": Secure})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}
