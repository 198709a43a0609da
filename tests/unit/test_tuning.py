"""Parameters that are changed while their strategy runs: within limits, once, and out of the journal again."""

from pathlib import Path

import numpy as np
import pytest

from crypto_bot.runtime.receipts import Reply
from crypto_bot.runtime.recover import recover
from crypto_bot.runtime.running import Running
from crypto_bot.runtime.story import Reading
from tests.small_runs import Setting, as_journal, walk
from tests.unit.test_interventions import SETTING, assert_comes_out_again, begun, go_on, order

POWERED = '''"""Long while the mean of something is above three."""

from crypto_bot.strategy import NamedTuple, close, ema, symbols, target


class Params(NamedTuple):
    """How long the mean is, what it is made of, and how much is bought."""

    length: int = 5
    power: float = 2.0
    share: float = 0.5


def step(p: Params) -> None:
    """Decide."""
    for k in symbols():
        if ema(k, p.length, source=close(k) * p.power) > 3.0:
            target(k, p.share)
'''


def parameters(run: Running, strategy: str, **params: "bool | float | str | list[int | float]") -> Reply:
    return order(run, "parameters", strategy=strategy, params=params)


def test_a_parameter_is_changed_from_the_next_bar_on_and_comes_out_again_so() -> None:
    run, journal = begun(30)
    before = run.session.stage.bounds[1].params
    assert parameters(run, "simple_ma", fraction=0.25).result == "done"
    go_on(run, 10)
    run.keep()
    go_on(run, 40)
    plain, _ = begun(80)
    assert run.session.decisions_hash != plain.session.decisions_hash, "the walk crosses after the change"
    after = run.session.stage.bounds[1].params
    names = run.session.stage.bounds[1].module.parameters.names
    assert {name for name, old, new in zip(names, before, after, strict=True) if old != new} == {"fraction"}
    assert_comes_out_again(run, journal)
    again = recover(as_journal(journal.cut(len(journal.written))), SETTING.plan(), SETTING.history)
    assert again.session.stage.bounds[1].params == after
    reading = Reading.of(journal.written)
    for row in journal.written[1:]:
        reading.take_in(row)
    assert reading.tuned == {"simple_ma": {"fraction": 0.25}}, "an order's story names the inputs of its signal"
    np.testing.assert_array_equal(
        again.session.stage.bounds[1].memory.params, run.session.stage.bounds[1].memory.params
    )


@pytest.mark.parametrize(
    ("strategy", "params", "result", "words"),
    [
        ("simple_ma", {"slow": 9}, "refused", "slow of simple_ma shapes what it remembers"),
        ("simple_ma", {"fraction": 7.0}, "wrong", "fraction"),
        ("simple_ma", {"fraction": "much"}, "wrong", "fraction must be a number, not much"),
        ("simple_ma", {"fractoin": 0.5}, "wrong", "there is no parameter fractoin"),
        ("simple_ma", {"fraction": [0.5, 0.6]}, "wrong", "fraction must be a number"),
        ("simple_ma", {}, "wrong", "no parameter was named"),
        ("grid", {"lower_price": 1.0}, "refused", "grid has laid its orders"),
        ("none", {"fraction": 0.5}, "unknown", "this run has the strategies"),
    ],
)
def test_a_parameter_beyond_its_limits_changes_nothing_and_leaves_no_row(
    strategy: str, params: dict[str, float], result: str, words: str
) -> None:
    run, journal = begun(20)
    rows, before = len(journal.written), [bound.memory.params.copy() for bound in run.session.stage.bounds]
    reply = parameters(run, strategy, **params)
    assert reply.result == result and words in reply.sentence
    run.recorder.flush()
    assert len(journal.written) == rows
    for bound, old in zip(run.session.stage.bounds, before, strict=True):
        np.testing.assert_array_equal(bound.memory.params, old)


def test_a_parameter_that_an_indicator_is_made_of_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "powered.py"
    file.write_text(POWERED)
    setting = Setting({str(file): {}}, (walk(60),))
    run, _ = begun(20, setting)
    assert parameters(run, "powered", power=3.0).result == "refused"
    assert parameters(run, "powered", length=6).result == parameters(run, "powered", length=4).result == "refused"
    assert parameters(run, "powered", share=0.25).result == "done"
    assert parameters(run, "powered", power=2.0, share=0.1).result == "done", "what is said again is not changed"
