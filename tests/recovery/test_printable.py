"""What people type is text: it steers nothing, hides nothing, and keeps the letters of its script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.words.printable import as_csv, printable, printable_lines

HOSTILE = [
    *map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u00ad", "\u061c", "\u115f", "\u180e", "\u200b", "\u200c",
    "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2060, 0x2070)),
    "\u2800", "\u3164", "\ufeff", "\ufff9", "\uffff", "\ud800", "\udfff", "\ue000",
    *map(chr, range(0xE0000, 0xE0080)), "\U000f0000",
]  # fmt: skip


@pytest.mark.parametrize("letter", HOSTILE, ids=lambda letter: f"U+{ord(letter):04X}")
def test_a_character_without_a_shape_never_stays_and_never_vanishes(letter: str) -> None:
    shown = printable(f"A1{letter}7")
    assert letter not in shown or letter == " "
    assert len(shown) == 4
    assert shown.startswith("A1")


@pytest.mark.parametrize(
    "name",
    ["MÜLLER, José", "山田, 太郎", "Григорьев, Пётр", "אברהם, שרה", "محمد, علي", "علی‌رضا", "葛\U000e0100城, 花子", "क्‍ष",
     "김, 민준",
     "Nguye\u0302\u0303n", "O’Brien – Smith", "Þórðr ½ µ", "Ελένη"],
)  # fmt: skip
def test_a_name_of_any_script_keeps_every_letter(name: str) -> None:
    assert printable(name) == name


@given(st.text(st.characters(exclude_categories=())))
def test_no_text_keeps_a_direction_a_control_or_a_half(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cs", "Zl", "Zp", "Co", "Cn"}
    hidden = {letter for letter in shown if unicodedata.category(letter) == "Cf"}
    assert hidden <= {"\u200c", "\u200d"}
    assert not any(unicodedata.bidirectional(letter) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
                   for letter in shown)  # fmt: skip
    assert printable(shown) == shown
    shown.encode("utf-8")


@given(st.text(st.characters(exclude_categories=())))
def test_lines_stay_lines_and_only_those_that_a_person_made(text: str) -> None:
    assert printable_lines(text).count("\n") == text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "=HYPERLINK(0)"]
)
def test_a_text_that_a_spreadsheet_would_run_is_marked_as_text(text: str) -> None:
    assert as_csv(text).startswith("'")


@pytest.mark.parametrize("text", ["A1", "", "'x", "O'Brien", "a=b", "Neck - left", "12"])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert as_csv(text) == text
