"""The table of photos leaves by every format: whole where a format can hold it, and said where it cannot."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from openpyxl import load_workbook
from PIL import Image

from backup_jobs.rv.photos import MOST_BYTES, photo_of
from recovery.__main__ import main
from recovery.cache.store import Cache
from recovery.patient.photos import Photo
from recovery.tables.relational import PHOTOS
from tests.photos import GREEN, is_like, picture
from tests.recovery.patient_clinic import LOCAL, NOW
from tests.recovery.test_config import GOOD, write


def noise() -> bytes:
    """A picture that packs badly."""
    file = io.BytesIO()
    Image.effect_noise((360, 360), 90).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small photo, and one whose base64 is longer than a cell of Excel holds."""
    write(tmp_path, GOOD)
    rows = [
        {"patient_id": name, "taken_at": LOCAL, **asdict(photo_of(data, name))}
        for name, data in (("B2", noise()), ("A1", picture(GREEN)))
    ]
    assert len(noise()) < MOST_BYTES and len(str(rows[0]["picture"])) > 40_000
    Cache(tmp_path / "cache").write(PHOTOS, rows, taken_at=NOW, source="test")
    return tmp_path


def exported(folder: Path, form: str) -> bytes:
    output = folder / f"photos.{form}"
    config = str(folder / "config.toml")
    assert main(["table", "photos", "--format", form, "-o", str(output), "--config", config]) == 0
    return output.read_bytes()


def test_json_csv_and_parquet_hold_every_byte(folder: Path) -> None:
    rows = Cache(folder / "cache").read(PHOTOS)
    said = json.loads(exported(folder, "json"))
    assert [row["picture"] for row in said] == [row["picture"] for row in rows]
    csv.field_size_limit(10_000_000)
    listed = list(csv.DictReader(io.StringIO(exported(folder, "csv").decode())))
    assert [row["picture"] for row in listed] == [row["picture"] for row in rows]
    assert is_like(base64.b64decode(listed[0]["picture"]), GREEN)
    assert exported(folder, "parquet") == (folder / "cache" / "tables" / "photos.parquet").read_bytes()


def test_excel_says_what_a_cell_cannot_hold_and_never_half_of_it(folder: Path) -> None:
    small, large = load_workbook(io.BytesIO(exported(folder, "xlsx"))).active.iter_rows(min_row=2, values_only=True)
    place = list(PHOTOS.columns).index("picture")
    assert is_like(base64.b64decode(small[place]), GREEN)
    assert large[place] == "(longer than a cell of Excel holds: export it as JSON, CSV or parquet)"


def test_one_patients_photo_is_read_without_those_of_the_others(tmp_path: Path) -> None:
    made = asdict(photo_of(picture(GREEN), ""))
    rows = [{"patient_id": f"{n:04d}", "taken_at": None, **made} for n in range(200)][::-1]
    Cache(tmp_path).write(PHOTOS, rows, taken_at=NOW, source="test")
    (row,) = Cache(tmp_path).read_where(PHOTOS, "patient_id", ["0150"])
    photo = Photo.from_row(row)
    assert (row["patient_id"], photo.taken_at) == ("0150", None) and is_like(photo.data, GREEN)
    assert photo.data_uri.startswith("data:image/jpeg;base64,/9j/")
