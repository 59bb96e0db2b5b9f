"""UIDs that must never change: every object that was ever stored is found again by them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recovery.objects.modules import amended_uid, derived_uid


def test_uids_are_those_of_the_first_version_for_ever() -> None:
    assert derived_uid("a", "bc") == "2.25.63030099173478907888226536698737287565"
    assert amended_uid("1.2.3") == "2.25.172058848028499263405325050402582505591"


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_other_names_give_another_uid_also_where_their_texts_run_together(one: list[str], other: list[str]) -> None:
    assert (derived_uid(*one) == derived_uid(*other)) == (one == other)


@given(st.text())
def test_a_uid_is_valid(name: str) -> None:
    uid = derived_uid(name)
    assert len(uid) <= 64
    assert all(part == "0" or not part.startswith("0") for part in uid.split("."))
