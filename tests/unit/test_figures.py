"""Numbers as people see them."""

import pytest

from crypto_bot.backtesting.figures import decimals, duration, money, number, percent, plain
from crypto_bot.domain.units import ATOMS, DAY_NS, SECOND_NS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (money(2_511_838_000_000), "25,118.38"),
        (money(-5 * ATOMS // 1_000, signed=True), "\u22120.01"),  # half a cent goes away from zero
        (money(4 * ATOMS // 1_000, signed=True), "0.00"),
        (money(8_168 * ATOMS // 100, signed=True), "+81.68"),
        (money(None), "\u2013"),
        (percent(0.153), "15.30%"),
        (percent(-0.26, 0), "\u221226%"),
        (percent(None), "\u2013"),
        (number(1_234.5, 1, signed=True), "+1,234.5"),
        (number(-0.0001), "0.00"),
        (plain("\u22121 \u00b1 \u2013"), "-1 +/- -"),
    ],
)
def test_figures_follow_the_format(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (47, "47 s"), (720, "12 min"), (10_800, "3 h"), (5_400, "1.5 h"), (172_800, "2 d")],
)
def test_durations_take_the_unit_that_suits(seconds: int, expected: str) -> None:
    assert duration(seconds * SECOND_NS) == expected
    assert duration(None) == "\u2013"
    assert duration(356 * DAY_NS) == "356 d"


def test_decimals_follow_the_step() -> None:
    assert [decimals(100, 1), decimals(1_000_000, 10), decimals(100, 100), decimals(100, 50), decimals(1, 1)] == [
        2,
        5,
        0,
        1,
        0,
    ]
