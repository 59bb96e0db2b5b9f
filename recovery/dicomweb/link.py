"""The four verbs over DICOMweb, and every failure told as `DimseError`.

How
    A question is paged until a page is empty; an answer is whole when no object came twice on the way, for then as
    many came as the server lists. It is checked once more as every answer is (`dimse.query.asking`). What is refused,
    unreadable or something else than matches raises: nothing of it looks like "none".

Why no word of the server's error, nor of requests'
    Both spell out the address, and with it the patient who was asked for.
"""

import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from itertools import product
from typing import Any, TypeVar

from pydicom import Dataset
from pydicom.filereader import read_dataset
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, Timeout
from requests.exceptions import ConnectionError as NoConnection

from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef
from recovery.dicomweb.http import Client
from recovery.dimse.encoding import EncodedObject, inflated, with_file_meta
from recovery.dimse.link import MOST_MATCHES
from recovery.dimse.opening import WAITS
from recovery.dimse.peer import DimseError, Peer
from recovery.dimse.query.identifiers import UNIQUE, query
from recovery.dimse.tls import Tls, in_words, seen_certificate

log = logging.getLogger(__name__)

PAGE = 500
UIDS_PER_ADDRESS = 40
"""A web server takes an address of 8 kB (nginx); a UID is up to 64 characters."""
MORE, REFUSED, CANNOT_UNDERSTAND, SUCCESS = 0xA700, 0xA900, 0xC000, 0x0000
"""The statuses of DIMSE for what HTTP says (PS3.4 tables B.2-1 and C.4-1)."""
OF_QUESTION = {400: REFUSED, 413: MORE, 414: MORE, 501: REFUSED}
OF_OBJECT = dict.fromkeys((400, 404, 406, 409, 410, 413, 415, 422, 500, 501), CANNOT_UNDERSTAND)
"""What is about one question, or one object, and not about the server."""
_FILE_META = 0x0002
_ODD = re.compile(r"[^A-Za-z0-9*?._-]+")
"""Of a PatientID: what an address has to encode. Orthanc's plugin 1.7 takes the code for the value and finds nobody,
and takes a comma for a list. It is asked by a wildcard instead, and who else comes is dropped."""
Answer = TypeVar("Answer")
_ADVICE = {
    401: "Check the token that [pacs] token_env names",
    403: "Check what the token that [pacs] token_env names may do",
    404: "Check [pacs] url",
}
_BUSY = {429, 503}


class WebLink:
    """An open session."""

    is_relational = False
    """Searching without a study is optional (PS3.18 table 10.6.1-2), and nothing tells: it is tried."""

    def __init__(self, peer: Peer, client: Client, tls: Tls | None) -> None:
        self.peer = peer
        self.is_open = True
        self._client = client
        self._tls = tls

    def abort(self) -> None:
        self.is_open = False
        self._client.session.close()

    def echo(self) -> None:
        """DICOMweb has no C-ECHO: one study is asked for."""
        self._page("STUDY", {}, {"limit": 1}, {})

    def find(self, query: Dataset) -> Iterator[Dataset]:
        level = str(query.QueryRetrieveLevel)
        keys: dict[str, list[str]] = {}
        fields = []
        for element in query:
            if element.keyword in {"QueryRetrieveLevel", "SpecificCharacterSet"}:
                continue
            if element.VR == "SQ" or element.VM == 0:
                fields.append(element.keyword)
            else:
                keys[element.keyword] = [str(v) for v in element.value] if element.VM > 1 else [str(element.value)]
        for some in product(*(_lists(keyword, values) for keyword, values in keys.items())):
            yield from self._paged(level, dict(zip(keys, some, strict=True)), fields)

    def _paged(self, level: str, keys: dict[str, list[str]], fields: list[str]) -> Iterator[Dataset]:
        place = {k: keys[k][0] for k in ("StudyInstanceUID", "SeriesInstanceUID") if len(keys.get(k, ())) == 1}
        if "StudyInstanceUID" not in place or level == "STUDY":
            place = {}
        elif level == "SERIES":
            place.pop("SeriesInstanceUID", None)
        joined = {keyword: ",".join(some) for keyword, some in keys.items() if keyword not in place}
        params: dict[str, Any] = {**joined, "includefield": fields, "limit": PAGE}
        patient_id = joined.get("PatientID")
        if patient_id is not None:
            params["PatientID"] = _ODD.sub("*", patient_id)
        own, wanted = UNIQUE[level][-1], set(keys.get(UNIQUE[level][-1], ()))
        names: set[tuple[str | None, ...]] = set()
        count = 0
        while True:
            page, has_more = self._page(level, place, params | {"offset": count}, OF_QUESTION)
            for ds in page:
                told = el.text(ds, "PatientID")
                names.add((el.text(ds, own), told, el.text(ds, "SeriesInstanceUID")))
                if told is None and params.get("PatientID") != patient_id:
                    raise self._error("answered QIDO-RS with a match that does not say whose it is")
                if patient_id is None or _fits(told, patient_id):
                    yield ds
            # one that pages not at all, and gave fewer than it may: as complete as an answer to a C-FIND
            is_again = 0 < count == len(page) == len(names) < PAGE
            count += 0 if is_again else len(page)
            if len(names) < count or count > MOST_MATCHES:
                raise self._error("answered QIDO-RS with the same object twice: there may be more matches", MORE)
            if wanted and wanted <= {name[0] for name in names}:
                return
            if not page or is_again:
                if has_more:
                    raise self._error("answered QIDO-RS with fewer matches than there are, as it says", MORE)
                return

    def _page(
        self, level: str, place: Mapping[str, str], params: Mapping[str, Any], statuses: Mapping[int, int]
    ) -> tuple[list[Dataset], bool]:
        found, has_more = self._asked("QIDO-RS", statuses, partial(self._client.search, level, place, params))
        return [self._match(match, UNIQUE[level][-1]) for match in found], has_more

    def bring(self, ref: InstanceRef) -> EncodedObject:
        study, series = ref.study_instance_uid, ref.series_instance_uid
        if study is None or series is None:
            found = next(self.find(query("IMAGE", {"SOPInstanceUID": ref.sop_instance_uid}, ())), None)
            study, series = (el.text(found, keyword) for keyword in ("StudyInstanceUID", "SeriesInstanceUID"))
        if study is None or series is None:
            raise self._error("does not say where it has it", CANNOT_UNDERSTAND)
        place = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
        retrieve = partial(self._client.retrieve, place, ref.sop_instance_uid)
        return self._encoded(self._asked("WADO-RS", OF_OBJECT, retrieve))

    def send(self, obj: EncodedObject) -> int | None:
        told = self._asked("STOW-RS", OF_OBJECT, partial(self._client.store, with_file_meta(obj)))
        return _status_of(told, obj.sop_instance_uid)

    def _encoded(self, file: bytes) -> EncodedObject:
        """The object in a DICOM file. A deflated one is inflated, as what comes by DIMSE is."""
        stream = BytesIO(file)
        try:
            if stream.read(132)[128:] != b"DICM":
                raise ValueError("no DICOM file")
            meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != _FILE_META)
            sop_class, uid, syntax = (
                el.required_uid(meta, keyword)
                for keyword in ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")
            )
            return inflated(EncodedObject(sop_class, uid, syntax, file[stream.tell() :]))
        except el.UNREADABLE:
            raise self._error("answered WADO-RS with what is no DICOM file", CANNOT_UNDERSTAND) from None

    def _match(self, match: Any, own: str) -> Dataset:
        """A match; what cannot be read of it is absent, as of an answer to a C-FIND."""
        ds = Dataset()
        for tag, told in match.items() if isinstance(match, dict) else ():
            try:
                ds.update(Dataset.from_json({tag: told}))
            except el.UNREADABLE:
                log.warning("an element of a match cannot be read; it is taken as absent")
        if el.text(ds, own) is None:
            raise self._error(f"answered QIDO-RS with a match that has no {own}")
        return ds

    def _asked(self, verb: str, statuses: Mapping[int, int], ask: Callable[[], Answer]) -> Answer:
        """Ask; once more after a while where it says that it is busy."""
        for wait in (*WAITS, None):
            try:
                return ask()
            except el.UNREADABLE as error:  # those of requests are OSErrors, and bad JSON a ValueError
                failure = self._why(verb, error, statuses)
            if wait is None or not failure.busy:
                break
            time.sleep(wait)
        raise failure

    def _why(self, verb: str, error: BaseException, statuses: Mapping[int, int]) -> DimseError:
        """What a failure means, without a word of its text. `statuses`: of the answers that are not about the node."""
        response = getattr(error, "response", None)
        if response is not None:
            code = int(response.status_code)
            advice = f". {_ADVICE[code]}" if code in _ADVICE and code not in statuses else ""
            return self._error(f"answered {verb} with HTTP {code}{advice}", statuses.get(code), busy=code in _BUSY)
        if isinstance(error, Timeout):
            return self._error(f"did not answer {verb} in time", timed_out=True)
        fault = _tls_fault(error)
        if fault is not None and self._tls is not None:
            remote, seen = self.peer.remote, None
            if isinstance(fault, ssl.SSLCertVerificationError):
                seen = seen_certificate(remote.host, remote.port, self._tls, min(self.peer.timeout, 10.0))
            return self._error(f"cannot be spoken to by TLS: {in_words(fault, self._tls, seen, remote.host)}")
        if isinstance(error, NoConnection) and not isinstance(error, ChunkedEncodingError | ContentDecodingError):
            return self._error("cannot be reached, or hung up. Check [pacs] url, and that it runs")
        return self._error(f"answered {verb} with something else than DICOMweb, or with half of it")

    def _error(
        self, text: str, status: int | None = None, *, timed_out: bool = False, busy: bool = False
    ) -> DimseError:
        return DimseError(
            f"{self.peer.name} {text}.", fault=self.peer.role, status=status, timed_out=timed_out, busy=busy
        )


def _lists(keyword: str, values: list[str]) -> list[list[str]]:
    """A list of UIDs in lists that an address holds; other values one by one: only UIDs are matched by lists."""
    size = UIDS_PER_ADDRESS if keyword.endswith("UID") else 1
    return [values[start : start + size] for start in range(0, len(values), size)]


def _fits(told: str | None, pattern: str) -> bool:
    """Whether a PatientID is one that was asked for (PS3.4 C.2.2.2.4); capitals are as the server has it."""
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return told is None or re.fullmatch(wild, told, re.IGNORECASE | re.DOTALL) is not None


def _tls_fault(error: BaseException | None) -> ssl.SSLError | None:
    """What Python's TLS said, of what urllib3 and requests said of it."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _status_of(told: Dataset, sop_instance_uid: str) -> int | None:
    """What became of an object, as the status of a C-STORE (PS3.18 table I.2-1)."""
    for sequence, reason, otherwise in (
        ("FailedSOPSequence", "FailureReason", CANNOT_UNDERSTAND),
        ("ReferencedSOPSequence", "WarningReason", SUCCESS),
    ):
        for item in el.items(told, sequence):
            if el.text(item, "ReferencedSOPInstanceUID") in {sop_instance_uid, None}:
                said = el.integer(item, reason)
                return said or otherwise
    return None
