"""Sentences that lie in one column of a table come back as they were told, one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recovery.words.sentences import each_differing, joined, parted

SENTENCES = st.lists(st.text(st.characters(codec="utf-8"), min_size=1))


@given(SENTENCES)
def test_as_many_sentences_come_out_as_went_in_whatever_is_in_a_label(sentences: list[str]) -> None:
    told = parted(joined(sentences))
    assert len(told) == len(sentences)
    assert list(told) == [sentence.replace(";", ",") for sentence in sentences]


def test_a_column_that_says_nothing_has_no_sentence() -> None:
    assert (parted(None), parted(""), joined([])) == ((), (), "")


def test_values_that_agree_or_that_one_alone_tells_are_no_difference() -> None:
    assert each_differing("fractions planned", {"in the plan": 20, "prescribed": 20, "in the course": None}) == []
    assert each_differing("fractions planned", {"in the plan": 20, "prescribed": None}) == []
    said = "fractions planned: 20 in the plan, 25 prescribed"
    assert each_differing("fractions planned", {"in the plan": 20, "prescribed": 25}) == [said]
