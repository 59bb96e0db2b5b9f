"""Portraits of the simulated clinic's patients: drawn faces that nobody can take for a photo of a person.

How
    Head, hair and shoulders in flat colours, dealt from the patient's number; initials and DRAWN below. The same
    patient always looks the same.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from demo.clinic.identifiers import chance

if TYPE_CHECKING:
    from demo.clinic.patients import ClinicPatient

WIDTH, HEIGHT = 480, 640
_GROUNDS = ("#C7D7E8", "#D8E3CF", "#E9DCC6", "#DFD3E6", "#CFE3E1", "#E8CFCF")
_SKINS = ("#F1CFB2", "#DDAE86", "#B98159", "#8A5A3B", "#F6DCC6")
_HAIRS = ("#2B2320", "#5B3A22", "#8C8C8C", "#C9A25B", "#E4E4E4", "#7A2E1E")
_CLOTHES = ("#2F4B6E", "#5F7A4B", "#7B4A5E", "#4C4C57", "#8A6A3A")
_WITHOUT_ONE_IN = 6
"""One patient in so many was never photographed."""


def portrait_of(patient: ClinicPatient) -> bytes | None:
    """A JPEG of 480 × 640; None of a patient who was never photographed, as a phantom never is."""
    if patient.number % _WITHOUT_ONE_IN == _WITHOUT_ONE_IN - 1 or patient.patient_id.startswith("$"):
        return None
    dice = chance(1, "portrait", patient.number)
    picture = Image.new("RGB", (WIDTH, HEIGHT), dice.choice(_GROUNDS))
    draw = ImageDraw.Draw(picture)
    skin, hair, clothes = dice.choice(_SKINS), dice.choice(_HAIRS), dice.choice(_CLOTHES)
    wide, long = dice.randint(98, 122), dice.randint(130, 156)
    _hair_behind(draw, hair, wide, is_long=patient.sex == "F" or dice.random() < 0.2)
    draw.rounded_rectangle((70, 470, 410, 700), 90, fill=clothes)
    draw.rectangle((205, 400, 275, 490), fill=skin)
    draw.ellipse((240 - wide, 275 - long, 240 + wide, 275 + long), fill=skin)
    draw.chord((238 - wide, 268 - long, 242 + wide, 285 + long), 190 + dice.randint(0, 14), 350, fill=hair)
    has_glasses = dice.random() < 0.35
    for x in (195, 285):
        draw.ellipse((x - 9, 262, x + 9, 280), fill="#22262B")
        if has_glasses:
            draw.ellipse((x - 34, 238, x + 34, 304), outline="#22262B", width=5)
    draw.line((240, 285, 232, 325, 246, 328), fill="#7A4B33", width=4, joint="curve")
    draw.arc((200, 325, 280, 330 + dice.randint(20, 45)), 20, 160, fill="#7A2E2E", width=6)
    _write(draw, f"{patient.family[:1]}{patient.given[:1]}".upper(), 548, 64)
    _write(draw, "DRAWN", 606, 22)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def _hair_behind(draw: ImageDraw.ImageDraw, colour: str, wide: int, *, is_long: bool) -> None:
    if is_long:
        draw.rounded_rectangle((232 - wide, 190, 248 + wide, 470), 80, fill=colour)


def _write(draw: ImageDraw.ImageDraw, text: str, y: float, size: float) -> None:
    draw.text((240, y), text, fill="#FFFFFF", font=ImageFont.load_default(size), anchor="mm")
