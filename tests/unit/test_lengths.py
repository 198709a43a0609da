"""Indicators and looks back: what is kept for a module, and how long it is for given parameters."""

import pytest

from crypto_bot.authoring.lengths import bars_needed, lengths
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import IndicatorUse, Loop, Reach
from tests.authors import module_of


def test_the_same_indicator_is_kept_once() -> None:
    module = module_of(
        "x = ema(k, p.n) + ema(k, length=p.n, ago=1) + ema(k, 14) + other(k, p)\n"
        "for n in p.lengths:\n    x += ema(k, n)\n"
        "for j, q in enumerate(p.lengths):\n    x += ema(k, q) + ema(k, p.n)",
        after="\n\ndef other(k, p):\n    return ema(k, p.n) + rsi(k, p.n)\n",
    )
    assert module.indicators == (
        IndicatorUse("ema", "p.n", None, 20),
        IndicatorUse("ema", "14", None, 20),
        IndicatorUse("ema", "_n", Loop("p.lengths"), 22),
        IndicatorUse("rsi", "p.n", None, 28),
    )
    by_hand = module.parameters.read({"lengths": "2,3"})
    assert [lengths(module, use, by_hand) for use in module.indicators] == [(14,), (14,), (2, 3), (14,)]


def test_lengths_are_worked_out_from_parameters_and_constants() -> None:
    module = module_of("x = ema(k, max(p.lengths) * LEVELS[1] - len(LEVELS)) + ema(k, int(p.n * HALF))")
    assert [lengths(module, use, module.parameters.defaults) for use in module.indicators] == [(98,), (7,)]


@pytest.mark.parametrize(
    ("body", "given", "sentence"),
    [
        ("x = ema(k, p.n)", 0, "mine.py, line 20: the length of ema is 0: it must be a whole number, 1 or more"),
        ("x = zscore(k, p.n)", 1, "mine.py, line 20: the length of zscore is 1: it must be a whole number, 2 or more"),
        (
            "x = ema(k, 10 // p.n)",
            0,
            "mine.py, line 20: 10 // p.n cannot be worked out: integer division or modulo by zero",
        ),
        (
            "x = ema(k, p.lengths[p.n])",
            9,
            "mine.py, line 20: p.lengths[p.n] cannot be worked out: tuple index out of range",
        ),
    ],
)
def test_a_length_that_means_nothing_is_refused_before_a_run(body: str, given: int, sentence: str) -> None:
    module = module_of(body)
    with pytest.raises(Mistake) as caught:
        lengths(module, module.indicators[0], module.parameters.read({"n": given}))
    assert str(caught.value) == sentence


def test_how_far_each_word_looks_back() -> None:
    module = module_of(
        "x = close(k) + high(k, p.n) + change(k, p.n, ago=2) + sma(k, p.n, 1)\n"
        "for n in p.lengths:\n    x += low(k, n + 1) + sma(k, n)"
    )
    assert module.reaches == (
        Reach("close", None, "0", None, 20),
        Reach("high", None, "p.n", None, 20),
        Reach("change", "p.n", "2", None, 20),
        Reach("sma", "p.n", "1", None, 20),
        Reach("low", None, "_n + 1", Loop("p.lengths"), 22),
        Reach("sma", "_n", "0", Loop("p.lengths"), 22),
    )
    assert [max(bars_needed(module, reach, module.parameters.defaults)) for reach in module.reaches] == [
        1,
        15,
        17,
        15,
        22,
        20,
    ]


def test_a_look_into_the_future_by_a_parameter_is_refused() -> None:
    module = module_of("x = close(k, p.n)")
    with pytest.raises(Mistake, match="ago is -1: it must be a whole number, 0 or more"):
        bars_needed(module, module.reaches[0], module.parameters.read({"n": -1}))


@pytest.mark.parametrize(
    "body",
    [
        "x = close(k, m.held[k])",
        "for j in range(3):\n    x = close(k, j)",
        "for a in p.lengths:\n    for b in LEVELS:\n        x = sma(k, a, b)",
        "for _ in p.lengths:\n    x = close(k, _)",
    ],
)
def test_a_reach_that_is_not_known_needs_a_warmup(body: str) -> None:
    with pytest.raises(Mistake, match="declare warmup"):
        module_of(body)
    assert module_of(body, before="warmup = 50\n").warmup == 50
