"""Integer money against exact fractions, over the whole range that is admitted; compiled as interpreted."""

from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from crypto_bot.kernel import arithmetic as arithmetic_of_this_process
from crypto_bot.kernel.compiled import COMPILE, compiled
from crypto_bot.kernel.layout import HIGHEST_WORTH
from tests.uncompiled import uncompiled

arithmetic = uncompiled("kernel.arithmetic")
UP, DOWN, PPM = 1, 0, 1_000_000

Integers = npt.NDArray[np.int64]
AMOUNTS = st.integers(0, HIGHEST_WORTH)
PARTS = st.integers(0, PPM)
SCALES = st.tuples(st.integers(0, 8), st.integers(0, 8))
"""Decimals of prices and of quantities."""


def record(mult: int, div: int) -> Any:
    """Return a record as an instrument has it."""
    b = np.zeros(1, [("mult", "i8"), ("div", "i8")])
    b["mult"], b["div"] = mult, div
    return b[0]


def scaled(scales: tuple[int, int]) -> tuple[Any, Fraction]:
    """Return the record of these decimals, and the atoms in one unit of price times quantity."""
    atoms = Fraction(10**8, 10 ** sum(scales))
    return record(max(1, floor(atoms)), max(1, ceil(1 / atoms))), atoms


@given(st.integers(-HIGHEST_WORTH, HIGHEST_WORTH), PARTS)
@example(-1, 1)
def test_share_is_the_floor(amount: int, ppm: int) -> None:
    assert arithmetic.share(np.int64(amount), np.int64(ppm)) == floor(Fraction(amount * ppm, PPM))


@given(AMOUNTS, PARTS)
@example(1, 1)
@example(0, PPM)
def test_a_fee_is_rounded_up(amount: int, ppm: int) -> None:
    assert arithmetic.fee_on(np.int64(amount), np.int64(ppm)) == ceil(Fraction(amount * ppm, PPM))


@given(AMOUNTS, PARTS)
@example(1, 1)
def test_before_fee_is_the_most_that_leaves_room_for_it(amount: int, ppm: int) -> None:
    most = int(arithmetic.before_fee(np.int64(amount), np.int64(ppm)))
    assert most + ceil(Fraction(most * ppm, PPM)) <= amount < most + 1 + ceil(Fraction((most + 1) * ppm, PPM))


@given(SCALES, st.integers(1, 2**59), st.integers(0, 2**59))
@example((8, 8), 2**59, 2**28)
def test_money_is_rounded_against_us(scales: tuple[int, int], price: int, quantity: int) -> None:
    b, atoms = scaled(scales)
    exact = price * quantity * atoms
    assume(exact <= HIGHEST_WORTH and price * atoms <= HIGHEST_WORTH)
    assert arithmetic.money(np.int64(price), np.int64(quantity), b, UP) == ceil(exact)
    assert arithmetic.money(np.int64(price), np.int64(quantity), b, DOWN) == floor(exact)


@given(SCALES, AMOUNTS, st.integers(1, 2**59))
def test_affordable_is_the_most_the_amount_pays_for(scales: tuple[int, int], amount: int, price: int) -> None:
    b, atoms = scaled(scales)
    assume(price * atoms <= HIGHEST_WORTH)
    quantity = int(arithmetic.affordable(np.int64(amount), np.int64(price), b))
    exact = floor(amount / (price * atoms))
    if exact < 1 << 60:
        assert quantity == exact
        assert ceil(quantity * price * atoms) <= amount < ceil((quantity + 1) * price * atoms)
    else:
        assert quantity >= 1 << 60, "more than can be counted is never told as less than it is"


@given(AMOUNTS, st.integers(0, 2**62 - 1), st.integers(1, 2**62 - 1))
@example(2**60, 2**62 - 2, 2**62 - 1)
@example(12_345, 0, 1)
def test_proportion_needs_no_more_than_64_bits(amount: int, part: int, whole: int) -> None:
    assume(part <= whole)
    assert arithmetic.proportion(np.int64(amount), np.int64(part), np.int64(whole)) == amount * part // whole


@given(AMOUNTS, st.integers(1, 10**12))
def test_quantise_keeps_to_the_grid(value: int, step: int) -> None:
    down = int(arithmetic.quantise(np.int64(value), np.int64(step), DOWN))
    up = int(arithmetic.quantise(np.int64(value), np.int64(step), UP))
    assert down % step == up % step == 0 and down <= value <= up and up - down in (0, step)
    assert (up == down) == (value % step == 0)


# ---- compiled as interpreted

EACH = 2_000
ROWS = 8


def _every(numbers: Integers, b: Any, out: Integers) -> None:
    """Work out all of the arithmetic on each row of numbers: amount, parts, price, quantity, whole, step."""
    for i in range(numbers.shape[0]):
        amount, ppm, price, quantity, whole, step = (
            numbers[i, 0],
            numbers[i, 1],
            numbers[i, 2],
            numbers[i, 3],
            numbers[i, 4],
            numbers[i, 5],
        )
        out[i, 0] = A.share(amount, ppm)
        out[i, 1] = A.fee_on(amount, ppm)
        out[i, 2] = A.before_fee(amount, ppm)
        out[i, 3] = A.proportion(amount, min(quantity, whole), whole)
        out[i, 4] = A.money(price, quantity, b[0], 1)
        out[i, 5] = A.money(price, quantity, b[0], 0)
        out[i, 6] = A.affordable(amount, price, b[0])
        out[i, 7] = A.quantise(amount, step, i % 2)


A = arithmetic_of_this_process


@pytest.mark.skipif(not COMPILE, reason="nothing is compiled in this process")
@pytest.mark.parametrize(("mult", "div"), [(1, 1), (10_000, 1), (1, 100), (1, 100_000_000)])
def test_compiled_arithmetic_is_the_same(mult: int, div: int) -> None:
    dice = np.random.default_rng(7)
    numbers = np.empty((EACH, 6), np.int64)
    highs = (HIGHEST_WORTH, PPM, 2**40, 2**40, 2**61, 2**30)
    for column, high in enumerate(highs):
        numbers[:, column] = dice.integers(1, high, EACH) >> dice.integers(0, 30, EACH)
    numbers = np.maximum(numbers, 1)
    room = np.maximum(1, HIGHEST_WORTH // mult // numbers[:, 2])
    numbers[:, 3] = np.minimum(numbers[:, 3], room)
    b = np.zeros(1, [("mult", "i8"), ("div", "i8")])
    b["mult"], b["div"] = mult, div
    fast, slow = np.zeros((EACH, ROWS), np.int64), np.zeros((EACH, ROWS), np.int64)
    compiled()(_every)(numbers, b, fast)
    names = ("share", "fee_on", "before_fee", "proportion", "money", "money", "affordable", "quantise")
    for i, (amount, ppm, price, quantity, whole, step) in enumerate(numbers):
        asked = [
            (amount, ppm), (amount, ppm), (amount, ppm), (amount, min(quantity, whole), whole),
            (price, quantity, b[0], UP), (price, quantity, b[0], DOWN), (amount, price, b[0]), (amount, step, i % 2),
        ]  # fmt: skip
        slow[i] = [getattr(arithmetic, name)(*arguments) for name, arguments in zip(names, asked, strict=True)]
    assert fast.tobytes() == slow.tobytes()
