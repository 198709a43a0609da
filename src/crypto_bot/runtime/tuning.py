"""Parameters that are changed while their strategy runs: those that nothing it remembers was made with."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from crypto_bot.authoring.binding import Bound
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.parameters import Given, ParameterSet
from crypto_bot.authoring.warming import Warming
from crypto_bot.plain.opening import PlainBound
from crypto_bot.runtime.receipts import Reply

if TYPE_CHECKING:
    from crypto_bot.runtime.session import Session

_NAMED = re.compile(r"\bp\.(\w+)")
"""A parameter in the text of what an indicator is made of."""


def untunable(session: "Session", strategy: int, given: Mapping[str, Given]) -> Reply | None:
    """Say why the parameters of a strategy cannot be these from now on; None when they can.

    What its author refuses is wrong. What shapes its memory, the bars it decides on or the lines it has laid is
    refused: what it remembers would belong to other parameters.
    """
    bound = session.stage.bounds[strategy]
    name = session.names.strategies[strategy]
    if not given:
        return Reply("wrong", "no parameter was named")
    if isinstance(bound, PlainBound):
        return Reply("refused", f"{name} is a plain class, which got its parameters when it began; begin a new run")
    if bound.wakes_on_fills:
        return Reply("refused", f"{name} has laid its orders by its parameters; begin a new run to change them")
    try:
        params = _merged(bound, given)
    except Mistake as mistake:
        return Reply("wrong", mistake.text)
    if len(_flat(bound, params)) != bound.memory.params.size or not _remembers_the_same(session, strategy, params):
        return Reply(
            "refused", f"{', '.join(given)} of {name} shapes what it remembers; begin a new run to change that"
        )
    return None


def tune(session: "Session", strategy: int, given: Mapping[str, Given]) -> None:
    """Let a strategy decide with these parameters from its next bar on; what it remembers stays."""
    bounds = session.stage.bounds
    bound = bounds[strategy]
    params = _merged(bound, given)
    bound.memory.params[:] = _flat(bound, params)
    session.stage.bounds = (*bounds[:strategy], replace(bound, params=params), *bounds[strategy + 1 :])


def _merged(bound: Bound, given: Mapping[str, Given]) -> ParameterSet:
    """Return what is given over what holds, as the author's check lets it pass; Mistake otherwise."""
    parameters = bound.module.parameters
    now = cast(dict[str, Given], dict(zip(parameters.names, bound.params, strict=True)))
    return parameters.read({**now, **given})


def _flat(bound: Bound, params: ParameterSet) -> list[float]:
    """Return parameters as a strategy's memory holds them."""
    return [float(number) for number in bound.module.parameters.flat(params)] or [0.0]


def _remembers_the_same(session: "Session", strategy: int, params: ParameterSet) -> bool:
    """Tell whether the strategy would remember the very same things under both parameters."""
    bound, tape = session.stage.bounds[strategy], session.stage.tape
    module, author = bound.module, session.chosen[strategy].strategy
    names = zip(module.parameters.names, bound.params, params, strict=True)
    changed = {name for name, old, new in names if old != new}
    formulas = " ".join(use.formula.text for use in module.indicators if use.formula is not None)
    if changed & set(_NAMED.findall(formulas)):
        return False
    count, own_ns = len(session.names.instruments), bound.own_ns or tape.run_ns
    before, after = (
        author.bind(each, count, tape.run_ns, tape.bar_ns, gaps=tape.has_gaps) for each in (bound.params, params)
    )
    if (before.own_ns, before.wakes_on_fills) != (after.own_ns, after.wakes_on_fills):
        return False
    old, new = (Warming(module, each, own_ns) for each in (bound.params, params))
    lengths_stay = (old.turns, old.periods, old.warmup) == (new.turns, new.periods, new.warmup)
    return lengths_stay and np.array_equal(before.memory.whole, after.memory.whole)
