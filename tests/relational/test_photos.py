"""A patient's photo from the database: the newest portrait, made small and safe; what is no photo is counted and named.

Every test reads through the job, on the simulated clinic's SQLite; `test_sql_server` reads the same from T-SQL.
"""

from __future__ import annotations

import base64
import io
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from PIL import Image, PngImagePlugin

from backup_jobs.jobs.snapshot_tables import snapshot_tables
from backup_jobs.rv import photos
from recovery.cache.journal import JobResult
from recovery.cache.snapshots import list_snapshots
from recovery.settings.config import Config
from tests.photos import BLUE, GREEN, RED, is_like, opened, picture
from tests.relational.aria import TODAY, Aria

Rows = list[dict[str, object]]
ANNA = "20240503"


class Photos:
    """The clinic's photos, as the job brings them into the cache."""

    def __init__(self, aria: Aria, config: Config, cached: Callable[[str], Rows], now: datetime) -> None:
        self.aria, self.config, self.cached, self.now = aria, config, cached, now
        self.result = JobResult("snapshot_tables", "FAILED", {})
        ((self.anna,),) = aria.connection.execute("SELECT PatientSer FROM Patient WHERE PatientId = ?", [ANNA])

    def clear(self) -> None:
        self.aria.execute("DELETE FROM Photo")
        self.aria.execute("DELETE FROM FieldPhoto")

    def use_type(self, kind: str) -> None:
        rv = self.config.rv
        assert rv is not None and rv.database is not None
        self.config = replace(self.config, rv=replace(rv, database=replace(rv.database, photo_type=kind)))

    def read(self) -> Rows:
        self.now += timedelta(minutes=10)
        self.result = snapshot_tables(self.config, self.now)
        assert self.result.outcome == "OK", self.result.message
        return self.cached("photos")

    def alone(self, data: bytes | None) -> Rows:
        """The table when Anna's one photo is this."""
        self.clear()
        self.aria.photo(self.anna, data)
        return self.read()


@pytest.fixture
def clinic(aria: Aria, config: Config, cached: Callable[[str], Rows], now: datetime) -> Photos:
    return Photos(aria, config, cached, now)


def bytes_of(row: dict[str, object]) -> bytes:
    return base64.b64decode(str(row["picture"]), validate=True)


def test_the_newest_portrait_comes_and_neither_a_setup_photo_nor_one_without_a_picture(clinic: Photos) -> None:
    (row,) = clinic.read()
    assert (row["patient_id"], row["taken_at"]) == (ANNA, TODAY - timedelta(days=3, hours=-9))
    assert (row["media_type"], row["source_media_type"]) == ("image/jpeg", "image/jpeg")
    assert is_like(bytes_of(row), GREEN) and opened(bytes_of(row)).size == (60, 80)
    assert clinic.result.message == ""


def test_of_two_of_one_moment_the_one_that_was_added_last_comes(clinic: Photos) -> None:
    clinic.clear()
    for colour in (RED, BLUE):
        clinic.aria.photo(clinic.anna, picture(colour))
    (row,) = clinic.read()
    assert is_like(bytes_of(row), BLUE)


def test_what_is_no_portrait_does_not_come_for_being_of_the_same_moment(clinic: Photos) -> None:
    clinic.clear()
    clinic.use_type("Portrait")
    clinic.aria.photo(clinic.anna, picture(GREEN))
    clinic.aria.photo(clinic.anna, picture(BLUE), field=1)
    clinic.aria.photo(clinic.anna, picture(RED), kind="Wound")
    clinic.aria.photo(clinic.anna, None)
    (row,) = clinic.read()
    assert is_like(bytes_of(row), GREEN)


def test_a_patient_without_a_photo_has_no_row(clinic: Photos) -> None:
    assert clinic.alone(None) == []
    assert clinic.result.message == "", "a picture that is NULL says nothing, and nothing is to be said of it"


def test_the_type_that_the_config_names_is_taken_and_no_other(clinic: Photos) -> None:
    clinic.aria.photo(clinic.anna, picture(BLUE), TODAY, kind="Wound")
    (row,) = clinic.read()
    assert is_like(bytes_of(row), BLUE), "without a word of the site, any type: the newest"
    for kind, colour in (("Portrait", GREEN), ("Wound", BLUE)):
        clinic.use_type(kind)
        (row,) = clinic.read()
        assert is_like(bytes_of(row), colour)


def test_who_was_not_here_for_half_a_year_has_none(clinic: Photos) -> None:
    ((gone,),) = clinic.aria.connection.execute("SELECT PatientSer FROM Patient WHERE PatientId = 'LONG_GONE'")
    clinic.aria.photo(gone, picture(RED))
    clinic.aria.appointment(gone, TODAY - timedelta(days=190))
    assert [row["patient_id"] for row in clinic.read()] == [ANNA]
    clinic.aria.appointment(gone, TODAY + timedelta(days=300))
    assert [row["patient_id"] for row in clinic.read()] == [ANNA, "LONG_GONE"], "booked is enough"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_each_kind_becomes_a_small_jpeg(clinic: Photos, kind: str) -> None:
    (row,) = clinic.alone(picture(RED, (720, 600), kind))
    assert row["source_media_type"] == f"image/{kind.lower()}"
    made = opened(bytes_of(row))
    assert (made.format, made.mode, made.size) == ("JPEG", "RGB", (320, 267))
    assert is_like(bytes_of(row), RED)


def test_a_photo_that_a_camera_held_sideways_stands_upright_and_tells_nothing_else(clinic: Photos) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "Ward 3, bed 2"  # Orientation: turn it to the right; ImageDescription
    upright = Image.open(io.BytesIO(picture(RED, (60, 80))))
    file = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", exif=exif)
    (row,) = clinic.alone(file.getvalue())
    assert opened(bytes_of(row)).size == (60, 80)
    assert is_like(bytes_of(row), RED) and is_like(bytes_of(row), (0, 0, 0), (0.5, 0.75))
    assert b"Ward 3" in file.getvalue() and b"Ward 3" not in bytes_of(row)


def test_what_is_transparent_is_white_and_grey_and_palettes_are_colours(clinic: Photos) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(file, "PNG")
    (row,) = clinic.alone(file.getvalue())
    assert is_like(bytes_of(row), (255, 255, 255))
    for mode in ("L", "P", "1", "LA", "I;16"):
        file = io.BytesIO()
        Image.new(mode, (40, 40)).save(file, "PNG")
        (row,) = clinic.alone(file.getvalue())
        assert opened(bytes_of(row)).mode == "RGB"


def bomb() -> bytes:
    """A PNG of 30,000 × 30,000 pixels, in fewer than a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def many_pixels() -> bytes:
    file = io.BytesIO()
    Image.new("1", (6400, 6400)).save(file, "PNG")
    return file.getvalue()


def text_bomb() -> bytes:
    """A small PNG whose comment unpacks to 64 MB."""
    file, told = io.BytesIO(), PngImagePlugin.PngInfo()
    told.add_text("Comment", "x" * 64_000_000, zip=True)
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=told)
    return file.getvalue()


def gif() -> bytes:
    return picture(RED, kind="GIF")


BROKEN = {
    "empty": (lambda: b"", photos.NO_PICTURE),
    "text": (lambda: b"no picture at all", photos.NO_PICTURE),
    "a GIF": (gif, photos.NO_PICTURE),
    "a program": (lambda: b"MZ" + bytes(5000), photos.NO_PICTURE),
    "half a JPEG": (lambda: picture(RED, (400, 400))[:2000], photos.NOT_DECODED),
    "the head of a JPEG": (lambda: b"\xff\xd8\xff\xe0", photos.NOT_DECODED),
    "half a PNG": (lambda: picture(RED, (400, 400), "PNG")[:300], photos.NOT_DECODED),
    "half a BMP": (lambda: picture(RED, kind="BMP")[:5000], photos.NOT_DECODED),
    "two letters": (lambda: b"BM", photos.NOT_DECODED),
    "a comment of 64 MB": (text_bomb, photos.NOT_DECODED),
    "more than 2 MB": (lambda: picture(RED, (1000, 700), "BMP"), photos.TOO_LARGE),
    "900 megapixels": (bomb, photos.TOO_MANY_PIXELS),
    "41 megapixels": (many_pixels, photos.TOO_MANY_PIXELS),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_makes_no_photo_is_left_out_and_named_and_the_others_come(clinic: Photos, what: str) -> None:
    made, reason = BROKEN[what]
    booked = clinic.aria.patient("B2")
    clinic.aria.appointment(booked, TODAY)
    clinic.aria.photo(booked, made())
    assert [row["patient_id"] for row in clinic.read()] == [ANNA]
    assert clinic.result.message == f"table photos: 1 left out: {reason}"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_no_damage_of_a_picture_stops_the_job(kind: str) -> None:
    whole = picture(RED, (60, 80), kind)
    for place in range(0, len(whole), max(1, len(whole) // 150)):
        for changed in (whole[:place], whole[:place] + b"\xff\x00\xff\x7f" + whole[place + 4 :]):
            try:
                photos.photo_of(changed, "")
            except photos.PhotoRefusedError as error:
                assert str(error) in photos._REASONS


def test_an_unchanged_photo_is_decoded_once_and_makes_no_new_snapshot(
    clinic: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    make = photos.photo_of
    monkeypatch.setattr(photos, "photo_of", lambda data, sha256: [decoded.append(sha256), make(data, sha256)][1])
    before = clinic.read()
    assert len(decoded) == 1
    assert clinic.read() == before and clinic.result.counts["written"] == 0
    assert len(decoded) == 1 and len(list_snapshots(clinic.config.cache_path)) == 1
    clinic.aria.photo(clinic.anna, picture(BLUE))
    (row,) = clinic.read()
    assert is_like(bytes_of(row), BLUE) and len(decoded) == 2
    clinic.aria.photo(clinic.anna, picture(GREEN), TODAY + timedelta(hours=1))
    (path,) = clinic.config.cache_path.glob(f"snapshots/{_newest(clinic)}/tables/photos.parquet")
    path.write_bytes(b"damaged")
    (row,) = clinic.read()
    assert is_like(bytes_of(row), GREEN), "what cannot be read of the last snapshot is made anew"


def _newest(clinic: Photos) -> str:
    return next(info.snapshot_id for info in list_snapshots(clinic.config.cache_path) if info.is_newest)


def test_the_same_picture_gives_the_same_bytes() -> None:
    data = picture(RED, (640, 480))
    assert photos.photo_of(data, "a") == photos.photo_of(data, "a")


def test_a_hundred_photos_cost_seconds_the_first_time_and_next_to_nothing_after(clinic: Photos) -> None:
    clinic.clear()
    noise = Image.effect_noise((640, 480), 40)
    for number in range(100):
        file = io.BytesIO()
        Image.merge("RGB", [noise, noise.rotate(number % 360), noise]).save(file, "JPEG", quality=80)
        patient = clinic.aria.patient(f"P{number}")
        clinic.aria.appointment(patient, TODAY)
        clinic.aria.photo(patient, file.getvalue())
    started = time.process_time()
    assert len(clinic.read()) == 100
    first = time.process_time() - started
    started = time.process_time()
    clinic.read()
    again = time.process_time() - started
    print(f"100 photos of {len(file.getvalue()) // 1000} KB: {first:.1f} s, again {again:.1f} s")
    assert first < 6 and again < 1
