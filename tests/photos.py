"""Picture files for tests: one colour, with a darker half that says where up is."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

RED, GREEN, BLUE = (200, 30, 30), (30, 140, 30), (30, 30, 200)


def picture(
    colour: tuple[int, int, int] = RED, size: tuple[int, int] = (60, 80), kind: str = "JPEG", **saved: Any
) -> bytes:
    """A picture file; its lower half is black."""
    drawn = Image.new("RGB", size, colour)
    drawn.paste((0, 0, 0), (0, size[1] // 2, *size))
    file = io.BytesIO()
    drawn.save(file, kind, **saved)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def is_like(data: bytes, colour: tuple[int, int, int], at: tuple[float, float] = (0.5, 0.25)) -> bool:
    """Whether a picture has about this colour at a place, told in parts of its size."""
    found = opened(data).convert("RGB")
    got = found.getpixel((int(found.width * at[0]), int(found.height * at[1])))
    assert isinstance(got, tuple)
    return all(abs(one - other) < 12 for one, other in zip(got, colour, strict=True))
