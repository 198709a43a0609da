"""Parameters: what may be given as text or as numbers, and that nothing is taken for something else."""

import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.parameters import LARGEST, Configured, Given, Parameter, Parameters
from crypto_bot.authoring.reader import read_text

TEXT = """from crypto_bot.strategy import BUY, NamedTuple

SLOW = 10 * 10


class Params(NamedTuple):
    \"\"\"What can be changed.\"\"\"

    fast: int = 20
    slow: int = SLOW
    share: float = 1
    on: bool = True
    lengths: tuple[int, ...] = (5, 10, 20)
    levels: tuple[float, ...] = (1, 0.5)
    side: int = BUY


def step(p):
    pass
"""

CHECK = "\n\ndef check(p):\n    {}\n"


def parameters(check: str = "") -> Parameters:
    text = TEXT + (CHECK.format(check) if check else "")
    return read_text(text, Path("mine.py")).parameters


def one(name: str, value: object) -> object:
    return getattr(parameters().read({name: cast(Given, value)}), name)


def refused(values: dict[str, object], check: str = "") -> str:
    with pytest.raises(Mistake) as caught:
        parameters(check).read(cast(dict[str, Given], values))
    return caught.value.text


def test_the_defaults_come_in_the_declared_types() -> None:
    found = parameters()
    assert found.names == ("fast", "slow", "share", "on", "lengths", "levels", "side")
    assert repr(found.defaults) == (
        "Params(fast=20, slow=100, share=1.0, on=True, lengths=(5, 10, 20), levels=(1.0, 0.5), side=1)"
    )
    assert found.read({}) == found.defaults
    assert isinstance(found.defaults, found.params)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("fast", "7", 7),
        ("fast", " -7 ", -7),
        ("fast", "7.0", 7),
        ("fast", "1e3", 1000),
        ("fast", 7.0, 7),
        ("fast", Decimal("7.00"), 7),
        ("fast", np.int64(7), 7),
        ("fast", np.float64(7.0), 7),
        ("fast", 2**53, 2**53),
        ("share", "0.1", 0.1),
        ("share", "3", 3.0),
        ("share", 3, 3.0),
        ("share", Decimal("0.1"), 0.1),
        ("share", np.float64(0.1), 0.1),
        ("share", "1e-400", 0.0),
        ("on", "true", True),
        ("on", "False", False),
        ("on", "ON", True),
        ("on", "no", False),
        ("on", 0, False),
        ("on", 1.0, True),
        ("on", True, True),
        ("on", np.bool_(False), False),
        ("lengths", "5,10,20", (5, 10, 20)),
        ("lengths", "(5, 10,)", (5, 10)),
        ("lengths", "5", (5,)),
        ("lengths", 5, (5,)),
        ("lengths", [5, "10", 20.0], (5, 10, 20)),
        ("levels", "1, 2.5", (1.0, 2.5)),
        ("levels", (1, 2), (1.0, 2.0)),
    ],
)
def test_a_value_is_read_as(name: str, value: object, expected: object) -> None:
    found = one(name, value)
    assert found == expected
    assert type(found) is type(expected)
    if isinstance(found, tuple) and isinstance(expected, tuple):
        assert [type(item) for item in found] == [type(item) for item in expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fast", "7.5"),
        ("fast", 7.5),
        ("fast", "seven"),
        ("fast", ""),
        ("fast", "7,8"),
        ("fast", True),
        ("fast", (7,)),
        ("fast", None),
        ("fast", "1/2"),
        ("fast", "0x10"),
        ("fast", 2**53 + 1),
        ("fast", -(2**53) - 1),
        ("fast", float("inf")),
        ("share", float("nan")),
        ("share", "nan"),
        ("share", "-inf"),
        ("share", "1e17"),
        ("share", "sNaN"),
        ("share", False),
        ("share", Fraction(1, 3)),
        ("share", 1j),
        ("on", "maybe"),
        ("on", 2),
        ("on", ""),
        ("on", None),
        ("lengths", ""),
        ("lengths", ()),
        ("lengths", "5,,6"),
        ("lengths", "5;6"),
        ("lengths", (5, 6.5)),
        ("lengths", [[5]]),
        ("lengths", {"a": 1}),
        ("levels", "1,nan"),
    ],
)
def test_a_value_is_refused_with_the_name_of_its_parameter(name: str, value: object) -> None:
    text = refused({name: value})
    assert text.startswith(f"{name} ")
    assert "\n" not in text


def test_an_unknown_name_lists_the_known_ones() -> None:
    text = refused({"fats": 3})
    assert text == (
        "there is no parameter fats; there are fast, slow, share, on, lengths, levels, side; did you mean fast?"
    )
    none = read_text("def step(p):\n    pass\n", Path("mine.py")).parameters
    with pytest.raises(Mistake, match="there is no parameter fast; there are none"):
        none.read({"fast": 3})


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("assert p.fast < p.slow, 'fast must be below slow'", "fast must be below slow; fast is 100, slow is 100"),
        ("assert p.fast < 9, 'too fast, or slowed down'", "too fast, or slowed down; fast is 100"),
        ("assert p.fast < p.slow", "check(p) refuses these parameters"),
        ("return p.fast < p.slow", "check(p) refuses these parameters"),
        ("if p.fast >= p.slow:\n        raise ValueError('too fast')", "too fast; fast is 100"),
        ("p.fast / (p.slow - p.fast)", "check(p) failed: ZeroDivisionError: division by zero"),
        ("p.quick", "check(p) failed: AttributeError: 'Params' object has no attribute 'quick'"),
    ],
)
def test_check_refuses_what_the_author_wants(check: str, text: str) -> None:
    assert refused({"fast": 100}, check) == text


def test_check_accepts_the_rest_and_is_not_asked_for_the_defaults() -> None:
    assert parameters("assert p.fast < p.slow").read({"fast": 99})
    picky = parameters("assert p.fast < 10, 'fast must be below 10'")
    assert picky.defaults
    assert refused({}, "assert p.fast < 10, 'fast must be below 10'") == "fast must be below 10; fast is 20"


def test_a_mistake_in_the_configuration_names_its_section() -> None:
    strategy = parameters("assert p.fast < p.slow, 'fast must be below slow'")
    for values, text in (
        ({"fats": Configured("3")}, "[strategy.mine]: there is no parameter fats;"),
        ({"fast": Configured("x")}, "[strategy.mine]: fast must be a whole number, not x"),
        ({"fast": Configured("200")}, "[strategy.mine]: fast must be below slow; fast is 200, slow is 100"),
        ({"fast": "200", "share": Configured("1")}, "mine.py: fast must be below slow"),
        ({"fast": "x", "slow": Configured("3")}, "mine.py: fast must be a whole number, not x"),
    ):
        with pytest.raises(Mistake) as caught:
            strategy.read(values)
        assert str(caught.value).startswith(text)


@given(st.integers(-LARGEST, LARGEST))
def test_whole_numbers_come_back_whichever_way_they_are_written(number: int) -> None:
    parameter = Parameter("n", int, False, 0)
    ways: tuple[Given, ...] = (number, str(number), f"{number}.0", f"{number}e0", Decimal(number), float(number))
    assert {parameter.read(way) for way in ways} == {number}


@given(st.floats(-LARGEST, LARGEST, allow_nan=False))
def test_decimals_come_back_bit_for_bit(number: float) -> None:
    parameter = Parameter("x", float, False, 0.0)
    for way in (number, repr(number), Decimal(repr(number))):
        found = parameter.read(way)
        assert isinstance(found, float)
        assert (found, math.copysign(1, found)) == (number, math.copysign(1, number))


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=20))
def test_tuples_come_back(numbers: list[int]) -> None:
    parameter = Parameter("n", int, True, (1,))
    written = ",".join(str(number) for number in numbers)
    assert {parameter.read(way) for way in (numbers, written, f"({written})", str(numbers)[1:-1])} == {tuple(numbers)}


@given(st.text())
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    for number in (int, float, bool):
        for many in (False, True):
            try:
                Parameter("x", number, many, 0).read(text)
            except ValueError as error:
                assert str(error).startswith("x ")
                assert str(error).isprintable()
