"""What a strategy can bring before it has traded: plans that lose by their own arithmetic are refused."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from crypto_bot.backtesting.grid_plan import refuse_losing_grid
from crypto_bot.backtesting.outcome import ParamValue
from crypto_bot.backtesting.setup import Chosen
from crypto_bot.kernel.genesis import Costs
from crypto_bot.strategies.catalogue import NAMES, find


def refuse_losing_plan(chosen: Chosen, costs: Costs) -> None:
    """Raise UsageError when the strategy's parameters cannot earn the fee of its resting orders.

    Only strategies of the catalogue are known well enough; a file of the user's own is never refused.
    """
    name = chosen.name
    if name in _PLANS and name in NAMES and chosen.strategy.module.path == find(name):
        _PLANS[name](chosen.values(), costs)


_PLANS: Mapping[str, Callable[[Mapping[str, ParamValue], Costs], None]] = MappingProxyType({"grid": refuse_losing_grid})
