"""What a strategy can bring before it has traded: plans that lose by their own arithmetic are refused."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil
from types import MappingProxyType

from crypto_bot.backtesting.outcome import ParamValue
from crypto_bot.backtesting.setup import Chosen
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import PPM, PPM_PER_BPS
from crypto_bot.strategies.catalogue import NAMES, find


def least_gain_of_cell(lower: Fraction, upper: Fraction, cells: int, fee: Fraction) -> Fraction:
    """Return what the worst cell of an arithmetic grid brings a round trip, as a share of the money in it.

    That is the uppermost one, bought at U - d and sold at U, d = (U - L) / N, each with the fee:
    U (1 - fee) / (U - d) - 1 - fee.
    """
    return upper * (1 - fee) / (upper - (upper - lower) / cells) - 1 - fee


def most_equal_cells(lower: Fraction, upper: Fraction, fee: Fraction, wanted: int) -> int:
    """Return how many cells of a geometric grid may lie between two lines, `wanted` at most, if each shall earn.

    A cell brings r (1 - fee) - 1 - fee, r^N = U / L, so it earns where U / L > ((1 + fee) / (1 - fee))^N; exact.
    """
    even = (1 + fee) / (1 - fee)
    cells, reached = 0, even
    while cells < wanted and reached < upper / lower:
        cells, reached = cells + 1, reached * even
    return cells


def refuse_losing_plan(chosen: Chosen, maker_ppm: int) -> None:
    """Raise UsageError when the strategy's parameters cannot earn the fee of its resting orders.

    Only strategies of the catalogue are known well enough; a file of the user's own is never refused.
    """
    name = chosen.name
    if name in _PLANS and name in NAMES and chosen.strategy.module.path == find(name):
        _PLANS[name](chosen.values(), maker_ppm)


def _grid(params: Mapping[str, ParamValue], maker_ppm: int) -> None:
    lower, upper, wanted = (_number(params[name]) for name in ("lower_price", "upper_price", "num_grids"))
    fee, cells = Fraction(maker_ppm, PPM), int(wanted)
    if params["spacing_type"] == "geometric":
        most = most_equal_cells(lower, upper, fee, cells)
        ratio = float(upper / lower) ** (1 / cells)
        apart, gain, where = f"{100 * (ratio - 1):.4g} %", ratio * float(1 - fee) - float(1 + fee), ""
    else:
        worst = least_gain_of_cell(lower, upper, cells, fee)
        most = cells if worst > 0 else ceil((upper - lower) * (1 + fee) / (2 * fee * upper)) - 1
        apart, gain, where = f"{float((upper - lower) / cells):.6g}", float(worst), " at the upper end"
    if most == cells:
        return
    advice = f"take num_grids={most} or less, or a wider range" if most else "take a wider range"
    raise UsageError(
        f"grid: a cell between lines {apart} apart brings {100 * gain:.3f} %{where} "
        f"after fees of {maker_ppm / PPM_PER_BPS:g} bps a side, so the grid cannot earn them: {advice}"
    )


def _number(value: ParamValue) -> Fraction:
    assert isinstance(value, int | float)
    return Fraction(value)


_PLANS: Mapping[str, Callable[[Mapping[str, ParamValue], int], None]] = MappingProxyType({"grid": _grid})
