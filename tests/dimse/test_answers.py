"""What is read of a connection here is what pynetdicom would read, however the bytes come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.pdu_primitives import P_DATA

from recovery.dimse.messages.answers import end_of_data, fragments_of

items = st.lists(st.tuples(st.integers(1, 255), st.binary(min_size=1, max_size=40)), min_size=1, max_size=4)


def encoded(values: list[tuple[int, bytes]]) -> bytes:
    primitive = P_DATA()
    primitive.presentation_data_value_list = []
    primitive.presentation_data_value_list.extend(values)
    pdu = P_DATA_TF()
    pdu.from_primitive(primitive)
    return bytes(pdu.encode())


@given(items, st.binary(max_size=20), st.binary(max_size=20))
def test_a_pdu_of_data_is_taken_apart_as_pynetdicom_does(
    values: list[tuple[int, bytes]], before: bytes, after: bytes
) -> None:
    pdu = P_DATA_TF()
    pdu.decode(encoded(values))
    said = before + encoded(values) + after
    end = end_of_data(said, len(before))
    assert end == len(said) - len(after)
    assert fragments_of(said, len(before) + 6, end) == pdu.to_primitive().presentation_data_value_list


@given(items, st.data())
def test_one_that_is_not_whole_or_not_of_data_is_left_to_pynetdicom(
    values: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    said = encoded(values)
    assert end_of_data(said[: data.draw(st.integers(0, len(said) - 1))], 0) == 0
    assert end_of_data(bytes([data.draw(st.integers(0, 255).filter(lambda kind: kind != 4))]) + said[1:], 0) == 0


@given(items, st.integers(0, 2**32 - 1))
def test_items_that_do_not_fill_their_pdu_are_left_to_pynetdicom(values: list[tuple[int, bytes]], length: int) -> None:
    said = encoded(values)
    if length != int.from_bytes(said[6:10]):
        broken = said[:6] + length.to_bytes(4) + said[10:]
        found = fragments_of(broken, 6, len(broken))
        assert found == [] or sum(5 + len(value) for _, value in found) == len(said) - 6
