"""Numbers and times as text: exact, and as Decimal spells them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.api.texts import money, stepped, time_text
from crypto_bot.domain.units import ATOMS, INT64_MAX, format_scaled, format_time, to_decimal

VALUES = st.integers(-INT64_MAX, INT64_MAX)
SCALES = st.integers(0, 12).map(lambda places: 10**places)


@given(value=VALUES)
def test_money_is_spelled_as_everywhere(value: int) -> None:
    assert money(value) == format_scaled(value, ATOMS)


@given(value=VALUES, scale=SCALES, step=st.integers(1, INT64_MAX))
def test_a_step_gives_the_least_number_of_decimals(value: int, scale: int, step: int) -> None:
    text = stepped(value, scale, step)
    needed = max(len(format_scaled(one, scale).partition(".")[2]) for one in (value, step))
    assert Decimal(text) == to_decimal(value, scale)
    assert format_scaled(value, scale) == (text.rstrip("0").rstrip(".") if "." in text else text)
    assert len(text.partition(".")[2]) == needed


def test_a_step_is_kept_in_zeros() -> None:
    assert stepped(2_000, 100_000, 1) == "0.02000" and stepped(-5, 100, 10) == "-0.05" and stepped(0, 1, 1) == "0"


@given(time_ns=st.integers(0, 4 * 10**18))
def test_times_are_spelled_as_everywhere(time_ns: int) -> None:
    assert time_text(time_ns) == format_time(time_ns)
