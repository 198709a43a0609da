"""What is sealed comes back as it was, and whatever has changed a byte of it is noticed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.domain.sealed import seal, unseal

SPOT = np.dtype([("price", np.int64), ("is_open", np.bool_)])
NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1))


@given(st.text(), NUMBERS, NUMBERS)
def test_what_was_sealed_comes_back(text: str, prices: list[int], times: list[int]) -> None:
    spots = np.array([(price, price > 0) for price in prices], SPOT)
    kept = unseal(seal(text, [spots, np.array(times, np.int64)]))
    assert kept is not None and kept.text == text
    found = np.zeros(len(prices), SPOT)
    kept.fill(found)
    assert found.tolist() == spots.tolist()
    assert kept.take(len(times)).tolist() == times


def test_what_is_taken_has_the_shape_that_is_asked_for_and_can_be_written() -> None:
    cube = np.arange(24).reshape(2, 3, 4)
    kept = unseal(seal("", [cube[:, :2]]))
    assert kept is not None
    found = kept.take(2, 2, 4)
    found += 1
    assert np.array_equal(found, cube[:, :2] + 1)


@given(st.data())
def test_bytes_that_are_not_those_that_were_sealed_are_nothing(data: st.DataObject) -> None:
    blob = bytearray(seal("abc", [np.arange(3)]))
    kept = data.draw(st.integers(0, len(blob) - 1), label="bytes that are left")
    assert unseal(bytes(blob[:kept])) is None
    blob[kept] ^= data.draw(st.integers(1, 255), label="bits that have turned")
    assert unseal(bytes(blob)) is None


@pytest.mark.parametrize("blob", [b"", b"\0" * 16, b"\0" * 200])
def test_bytes_of_somebody_else_are_nothing(blob: bytes) -> None:
    assert unseal(blob) is None
