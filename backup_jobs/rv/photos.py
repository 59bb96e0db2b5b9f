"""A patient's photo, from whatever bytes the R&V system's database holds to a small picture that is safe to show.

JPEG, PNG or BMP, by its first bytes, is decoded, turned upright, made at most `LONGEST` pixels high or wide, and
written anew as JPEG, in base64: nothing but pixels comes through. What is too large or cannot be decoded is left out,
and the job says how many and why. What the last snapshot made of the same bytes is taken over.
"""

import base64
import hashlib
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PIL import Image, ImageOps

from backup_jobs.rv.table_readings import Group, Reader, TableReading
from recovery.tables.relational import PHOTOS
from recovery.tables.schema import Row

LONGEST = 320
"""Pixels: 34 mm of a paper chart at 240 dots per inch, and nearly three times what a page shows."""
QUALITY = 75
MOST_BYTES = 2_000_000
MOST_PIXELS = 40_000_000
_FORMATS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"BM": "BMP"}

TOO_LARGE = "a picture of more than 2 MB"
TOO_MANY_PIXELS = "a picture of more than 40 megapixels"
NO_PICTURE = "no JPEG, PNG or BMP"
NOT_DECODED = "a picture that cannot be decoded"
_REASONS = (TOO_LARGE, TOO_MANY_PIXELS, NO_PICTURE, NOT_DECODED)

_BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError, struct.error, zlib.error)
"""What Pillow's decoders raise on bytes that are not what they begin as."""


class PhotoRefusedError(ValueError):
    """Bytes that make no photo. The text is one of `_REASONS`."""


@dataclass(frozen=True, slots=True)
class MadePhoto:
    """A photo as the table holds it; `source_*` tell what it was made of."""

    media_type: str
    picture: str
    source_media_type: str
    source_sha256: str


def photo_of(data: bytes, sha256: str) -> MadePhoto:
    """Make a photo of a picture file.

    Raises `PhotoRefusedError` if it is too large, of another kind, or cannot be decoded to the end.
    """
    if len(data) > MOST_BYTES:
        raise PhotoRefusedError(TOO_LARGE)
    kind = next((kind for first, kind in _FORMATS.items() if data.startswith(first)), None)
    if kind is None:
        raise PhotoRefusedError(NO_PICTURE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=(kind,)) as found:
                small = _small(found)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoRefusedError(TOO_MANY_PIXELS) from error
    except PhotoRefusedError:
        raise
    except _BROKEN as error:
        raise PhotoRefusedError(NOT_DECODED) from error
    written = io.BytesIO()
    small.save(written, "JPEG", quality=QUALITY)
    return MadePhoto("image/jpeg", base64.b64encode(written.getvalue()).decode(), f"image/{kind.lower()}", sha256)


def _small(found: Image.Image) -> Image.Image:
    """Upright, small, and in three colours; what is transparent is white. A smaller picture keeps its size."""
    if found.width * found.height > MOST_PIXELS:  # before anything is decoded
        raise PhotoRefusedError(TOO_MANY_PIXELS)
    found.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(found)
    if "A" not in upright.getbands() and "transparency" not in upright.info:
        return upright.convert("RGB")
    paint = upright.convert("RGBA")
    ground = Image.new("RGBA", paint.size, "white")
    return Image.alpha_composite(ground, paint).convert("RGB")


class _Maker:
    """Makes each photo once; `known` are rows of the table that were made before."""

    def __init__(self, known: Iterable[Row]) -> None:
        self._made: dict[str, MadePhoto | str] = {
            str(row["source_sha256"]): MadePhoto(
                str(row["media_type"]), str(row["picture"]), str(row["source_media_type"]), str(row["source_sha256"])
            )
            for row in known
        }

    def made_of(self, group: Group) -> MadePhoto | str:
        """The photo of a row's picture, or why there is none."""
        value = group[0]["picture"]
        data = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in self._made:
            try:
                self._made[sha256] = photo_of(data, sha256)
            except PhotoRefusedError as error:
                self._made[sha256] = str(error)
        return self._made[sha256]

    def reader(self, name: str) -> Reader:
        """A column that says something of the photo."""
        return lambda group: getattr(self.made_of(group), name)

    def refuses(self, reason: str) -> Callable[[Group], bool]:
        return lambda group: self.made_of(group) == reason


def photo_reading(known: Iterable[Row] = ()) -> TableReading:
    """How the table is made of the query's rows, whichever product; `known` are rows that were made before."""
    maker = _Maker(known)
    return TableReading(
        PHOTOS,
        {name: maker.reader(name) for name in ("media_type", "picture", "source_media_type", "source_sha256")},
        leaves_out={reason: maker.refuses(reason) for reason in _REASONS},
        needs=("media_type", "picture"),
        knowing=photo_reading,
    )
